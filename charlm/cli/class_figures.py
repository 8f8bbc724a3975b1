"""How ``charlm classify eval`` writes figures of merit."""

import shutil
from collections.abc import Iterator

from charlm.cli.console import printable
from charlm.cli.table import Column, shortened, table
from charlm.labelling.evaluation import Evaluation, Mistake

LONGEST_LABEL = 20
LONGEST_TEXT = 100
MOST_CONFUSED = 30
"""Labels of which the confusion matrix is printed; of more, --json has it."""


def figure_lines(found: Evaluation) -> Iterator[str]:
    """The figures of all texts, of each label, and of each file."""
    for name, value in (
        ("texts", f"{found.texts:,}"),
        ("accuracy", f"{found.accuracy:.2%}"),
        ("macro F1", f"{found.macro_f1:.2%}"),
        ("nats per text", f"{found.nats_per_text:.4f}"),
        ("calibration error", f"{found.calibration_error:.4f}"),
        ("unknown tokens", f"{found.unknown_share:.2%}"),
    ):
        yield f"{name:<20} {value:>14}"
    yield ""
    yield from _labels(found)
    if len(found.labels) <= MOST_CONFUSED:
        yield ""
        yield from _confusion(found)
    if found.mistakes:
        yield ""
        for mistake in found.mistakes:
            yield from _mistake(mistake)
    if found.files:
        yield ""
    for name, each in found.files.items():
        yield f"  {printable(name)}: accuracy {each.accuracy:.2%}, macro F1 {each.macro_f1:.2%}, {each.texts:,} texts"


def _names(found: Evaluation) -> list[str]:
    return [shortened(name, LONGEST_LABEL, end=0) for name in found.labels]


def _labels(found: Evaluation) -> Iterator[str]:
    figures = found.figures
    shares = {"precision": figures.precision, "recall": figures.recall, "F1": figures.f1}
    columns = [Column(title, [f"{share:.2%}" for share in each.tolist()]) for title, each in shares.items()]
    counts = Column("texts", [f"{count:,}" for count in figures.confusion.sum(axis=1).tolist()])
    return table(Column("label", _names(found), left=True), [[*columns, counts]], _width())


def _confusion(found: Evaluation) -> Iterator[str]:
    """Rows are true labels, columns those that were given."""
    names, matrix = _names(found), found.figures.confusion
    columns = [Column(name, [f"{n:,}" for n in matrix[:, k].tolist()]) for k, name in enumerate(names)]
    return table(Column("true \\ given", names, left=True), [columns], _width())


def _mistake(mistake: Mistake) -> Iterator[str]:
    labels = f"{printable(mistake.label)} was taken for {printable(mistake.predicted)}"
    yield f"{printable(mistake.where)}: {labels} (it was given {mistake.probability:.4f})"
    yield f"    {shortened(mistake.text, LONGEST_TEXT, end=0)}"


def _width() -> int:
    return shutil.get_terminal_size().columns
