"""How tagged sentences and figures of merit are written."""

import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from charlm.cli.console import is_terminal, printable, result, result_json
from charlm.cli.painting import RESET, in_colour
from charlm.cli.tag_inputs import Rows, Write
from charlm.config import choose
from charlm.labelling.judging import TaggingResult
from charlm.labelling.tags import Sentence, Tagged
from charlm.labels.columns import sentence_text
from charlm.labels.label_set import LabelSet

FORMATS = ("columns", "json", "color")
_COLORS = (32, 34, 35, 33, 36, 31)


def writer(labels: LabelSet, form: str | None, color: bool | None, *, typed: bool) -> Write:
    """What writes tagged sentences.

    Args:
        labels: of the tagger.
        form: one of ``FORMATS``; None for what suits.
        color: whether there are colours; None where a terminal is there to show them.
        typed: whether the sentences are typed.

    Raises:
        UsageError: there is no such format.
    """
    terminal = is_terminal()
    form = form or ("color" if typed and terminal else "columns")
    choose("--format", form, FORMATS)
    if form == "json":
        return lambda _rows, _sentence, tagged: result_json(tagged.to_json())
    if form == "columns":
        return lambda rows, _, tagged: _write_columns(rows, tagged, terminal=terminal)
    shows = in_colour(sys.stdout) if color is None else color
    colors = _colors(labels) if shows else {}
    if labels.entities:
        return lambda _, sentence, tagged: result(bracketed(sentence, tagged, colors))
    return lambda _, sentence, tagged: result("\n".join(aligned(sentence, tagged, colors)))


def _write_columns(rows: Rows, tagged: Tagged, *, terminal: bool) -> None:
    text = sentence_text(*([cells[k] for cells in rows] for k in range(len(rows[0]))), tagged.labels)
    if terminal:  # which obeys what it is sent
        text = "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))
    result(text.removesuffix("\n"))


def _colors(labels: LabelSet) -> dict[str, int]:
    """A colour for each type of entity, or for each label but the most frequent one."""
    of_labels = labels.names[1:]
    named = sorted({name.partition("-")[2] for name in of_labels}) if labels.entities else of_labels
    return {name: _COLORS[number % len(_COLORS)] for number, name in enumerate(named)}


def _colored(text: str, name: str, colors: Mapping[str, int]) -> str:
    return f"\x1b[{colors[name]}m{text}{RESET}" if name in colors else text


def bracketed(sentence: Sentence, tagged: Tagged, colors: Mapping[str, int]) -> str:
    """A sentence with its entities in brackets, each with its type: "[Teddy Roosevelt PER] was nice."."""
    pieces, place = [], 0
    for entity in tagged.entities:
        before = sentence.text(place, entity.begin)
        inside = f"[{printable(' '.join(filter(None, (entity.text, entity.type))))}]"
        pieces += [(printable(before), place), (_colored(inside, entity.type, colors), entity.begin)]
        place = entity.end
    pieces.append((printable(sentence.text(place, len(sentence.words))), place))
    text = ""
    for piece, begin in pieces:
        joined = sentence.joined is not None and begin < len(sentence.words) and sentence.joined[begin]
        text += (" " if text and piece and not joined else "") + piece
    return text


def aligned(sentence: Sentence, tagged: Tagged, colors: Mapping[str, int]) -> Iterator[str]:
    """The words of a sentence in a line, and below each its label."""
    words, labels = [list(map(printable, each)) for each in (sentence.words, tagged.labels)]
    widths = [max(_width(word), _width(label)) for word, label in zip(words, labels, strict=True)]
    for row in (words, labels):
        cells = zip(row, tagged.labels, widths, strict=True)
        yield " ".join(_colored(cell, label, colors) + " " * (width - _width(cell)) for cell, label, width in cells)


def _width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def figure_lines(whole: TaggingResult, files: Mapping[str, TaggingResult]) -> Iterator[str]:
    """Figures of merit as they are printed."""
    for name, value in (
        ("sentences", f"{whole.sentences:,}"),
        ("tokens", f"{whole.tokens:,}"),
        ("nats per label", f"{whole.nats_per_label:.4f}"),
        ("accuracy", f"{whole.accuracy:.2%}"),
        ("unknown words", f"{whole.unknown:,}"),
        *([("accuracy on them", f"{whole.unknown_accuracy:.2%}")] if whole.unknown_accuracy is not None else []),
        *([("macro F1", f"{whole.classes.macro_f1:.2%}")] if whole.entities is None else []),
    ):
        yield f"{name:<20} {value:>14}"
    yield ""
    yield from _table("entity" if whole.entities else "label", whole)
    if files:
        yield ""
    for name, found in files.items():
        share = f"accuracy {found.accuracy:.2%}"
        merit = f"macro F1 {found.classes.macro_f1:.2%}"
        if found.entities is not None:
            merit = f"entity F1 {found.entities.overall.f1:.2%}"
        yield f"  {printable(name)}: {share}, {merit}, {found.tokens:,} tokens"


def _table(what: str, found: TaggingResult) -> Iterator[str]:
    rows: list[tuple[str, Sequence[float], int, int]] = []
    if found.entities is not None:
        named = {"all": found.entities.overall, **found.entities.by_type}
        for name, each in named.items():
            rows.append((name, (each.precision, each.recall, each.f1), each.true, each.predicted))
    else:
        classes = found.classes
        shares = np.stack((classes.precision, classes.recall, classes.f1), axis=1).tolist()
        counts = np.stack((classes.confusion.sum(axis=1), classes.confusion.sum(axis=0)), axis=1).tolist()
        rows = [(name, each, *count) for name, each, count in zip(found.labels, shares, counts, strict=True)]
    names = [printable(name) for name, *_ in rows]
    width = max(map(len, [what, *names]))
    yield f"{what:<{width}}  precision     recall         F1       true      found"
    for name, (_, shares, true, predicted) in zip(names, rows, strict=True):
        yield f"{name:<{width}} " + " ".join(f"{share:>10.2%}" for share in shares) + f" {true:>10,} {predicted:>10,}"
