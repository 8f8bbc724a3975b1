"""``charlm which``: which model most likely wrote a text."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from charlm.cli.comparing import UNKNOWN, odds, shown
from charlm.cli.console import counted, note, printable, result, result_json
from charlm.cli.find import JsonOption
from charlm.cli.inputs import name_of, note_file, source_of
from charlm.cli.named_models import encoding_of, is_model, load_named, read_text, read_text_lines
from charlm.cli.table import Column, table
from charlm.errors import InputError, UsageError

if TYPE_CHECKING:
    from charlm.attribution import Attribution, Confusion
    from charlm.checkpoint import TrainedModel

FEWEST = 2
"""Models to choose between."""
WIDTH = 120
BRIEF = 60
"""Characters of a text that stands in a row with what is said of it."""


def which(
    models_and_text: Annotated[
        list[str] | None,
        typer.Argument(
            help="Models, as folders, files or NAME=PATH, and after them the text; without a text, and without an "
            "option that names some, standard input is one.",
            metavar="MODEL... [TEXT]",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Read the text in a file.", show_default=False, readable=False)
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="Every line of the file is a text.")] = False,
    pieces: Annotated[
        int | None,
        typer.Option("--passages", help="Cut the text into pieces of at most so many characters.", show_default=False),
    ] = None,
    labelled: Annotated[
        Path | None,
        typer.Option(
            "--labelled",
            help="A file of texts with the names of the models that wrote them: a table of label and text with a tab "
            "between them, or JSON lines. Says how often that is found.",
            show_default=False,
            readable=False,
        ),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option("--prior", help="Probabilities beforehand, such as A=0.2,B=0.8.", show_default="equal"),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", help="Encoding of the file or standard input.", show_default="as trained, or utf-8"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Which of several models most likely wrote a text: log-likelihoods, their ratio, and posteriors.

    Models of unlike tokens compare, since all give the probability of the same characters and of the text's end: a
    token that a model does not know costs it <UNK> and its spelling.
    """
    given = models_and_text or []
    if file is not None and labelled is not None:
        raise UsageError("give --file or --labelled, not both")
    if labelled is not None and (lines or pieces is not None):
        raise UsageError("--lines and --passages go with --file or standard input: labelled texts are taken whole")
    if lines and pieces is not None:
        raise UsageError("give --lines or --passages, not both")
    if pieces is not None:
        from charlm.config import require  # noqa: PLC0415 - --help needs none of this

        require("--passages", pieces, minimum=1)
    named, text = _apart(given, has_text=file is not None or labelled is not None)
    weights = _weights(prior)
    models = load_named(named)
    if len(models) < FEWEST:
        taken = f"; {shown(text, BRIEF)} is taken for the text, being no model" if text is not None else ""
        raise UsageError(f"which compares two models or more, and {len(models)} is named{taken}")
    if text is None and file is None and labelled is None and sys.stdin.isatty():
        raise UsageError("there is no text: give it after the models, --file FILE, --labelled FILE, or a pipe")
    from charlm.attribution import check_priors  # noqa: PLC0415 - NumPy is loaded only when it is used

    priors = check_priors(list(models), weights)
    many = labelled is not None or lines or pieces is not None
    if many:
        note("prior: " + ", ".join(f"{name} {weight:.4g}" for name, weight in priors.items()))
    if labelled is not None:
        _confuse(models, labelled, priors, encoding, as_json=as_json)
        return
    texts = _texts(list(models.values()), text, file, encoding, lines=lines, pieces=pieces)
    _attribute(models, texts, priors, many=many, as_json=as_json)


def _apart(arguments: Sequence[str], *, has_text: bool) -> tuple[Sequence[str], str | None]:
    """Models, and the text where there is one: the last argument, unless that is a model, too."""
    if has_text or not arguments or is_model(arguments[-1]):
        return arguments, None
    note_file(arguments[-1], "is taken for the text: no model is there")
    return arguments[:-1], arguments[-1]


def _weights(given: str | None) -> dict[str, float] | None:
    """Weights by name, from such as A=0.2,B=0.8.

    Raises:
        UsageError: it is something else.
    """
    if given is None:
        return None
    weights: dict[str, float] = {}
    for part in given.split(","):
        name, equals, weight = part.rpartition("=")
        try:
            value = float(weight)
        except ValueError:
            value = None
        if not equals or value is None or name.strip() in weights:
            raise UsageError(f"--prior is {given!r}: give every model once, as in A=0.2,B=0.8")
        weights[name.strip()] = value
    return weights


def _texts(
    models: "Sequence[TrainedModel]",
    text: str | None,
    file: Path | None,
    encoding: str | None,
    *,
    lines: bool,
    pieces: int | None,
) -> Iterator[str]:
    from charlm.attribution import passages  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.likelihoods import comparable_text  # noqa: PLC0415 - likewise

    if text is None:
        source, read = source_of(file), encoding_of(models, encoding)
        if lines:
            yield from read_text_lines(source, read)
            return
        text = read_text(source, read)
        if not text:
            note(f"{source.name} is empty: its text has no characters")
    elif lines:
        yield from comparable_text(text).split("\n")
        return
    if pieces is None:
        yield text
    else:
        yield from passages(text, pieces)


def _attribute(
    models: "dict[str, TrainedModel]",
    texts: Iterator[str],
    priors: dict[str, float],
    *,
    many: bool,
    as_json: bool,
) -> None:
    from charlm.attribution import attribute  # noqa: PLC0415 - NumPy is loaded only when it is used

    width = max(len(printable(name)) for name in models)
    won = dict.fromkeys(models, 0)
    doubtful = number = 0
    for number, found in enumerate(attribute(models, texts, priors), start=1):
        won[found.best.model] += 1
        doubtful += found.doubtful
        if as_json:
            result_json(found.to_json())
        elif many:
            if number == 1:
                result(f"{'model':{width}} {'posterior':>9} {'nats ahead':>11}  text")
            result(_row(found, width))
        else:
            _show(found)
    if many and number:
        note(f"{counted(number, 'text')}: " + ", ".join(f"{name} {times:,}" for name, times in won.items()))
    _note_doubt(doubtful)


def _row(found: "Attribution", width: int) -> str:
    best = found.best
    return (
        f"{printable(best.model):{width}} {best.posterior:9.4f} {found.log_ratio:11.2f}  {shown(found.text, BRIEF)}"
        + UNKNOWN * (best.oov > 0)
    )


def _show(found: "Attribution") -> None:
    claims = found.claims
    columns = [
        Column("prior", [f"{claim.prior:.4f}" for claim in claims]),
        Column("posterior", [f"{claim.posterior:.4f}" for claim in claims]),
        Column("nats", [f"{claim.logprob:.4f}" for claim in claims]),
        Column("nats/char", [f"{claim.nats_per_character:.4f}" for claim in claims]),
        Column("unknown tokens", [f"{claim.oov:,}" for claim in claims]),
    ]
    for line in table(Column("model", [printable(claim.model) for claim in claims], left=True), [columns], WIDTH):
        result(line)
    first, second = (printable(claim.model) for claim in claims[:2])
    result(f"likelihood of {first} to {second}: {found.log_ratio:+.4f} nats, {odds(found.log_ratio)}")


def _note_doubt(texts: int) -> None:
    if texts:
        note(
            f"{counted(texts, 'text')}: the model found tells no capitals from small letters, or no white space from "
            "other, so that its likelihood is only the most that it can be: another may be likelier"
        )


def _confuse(
    models: "dict[str, TrainedModel]",
    file: Path,
    priors: dict[str, float],
    encoding: str | None,
    *,
    as_json: bool,
) -> None:
    from charlm.attribution import Confusion, attribute_labelled  # noqa: PLC0415 - as above

    doubtful = 0
    confusion = Confusion(list(models))
    for label, found in attribute_labelled(models, _labelled(models, file, encoding), priors):
        confusion.add(label, found.best.model)
        doubtful += found.doubtful
        if as_json:
            result_json({"label": label, **found.to_json()})
    if not confusion.texts:
        note(f"{name_of(file)} is empty: there was nothing to attribute")
        return
    if as_json:
        result_json(confusion.to_json())
    else:
        _show_confusion(confusion)
    _note_doubt(doubtful)


def _labelled(models: "dict[str, TrainedModel]", file: Path, encoding: str | None) -> Iterator[tuple[str, str]]:
    """The labels and texts of a file, each label the name of a model."""
    from charlm.labels.fields import Wanted, read_rows  # noqa: PLC0415 - NumPy is loaded only when it is used

    read = encoding_of(list(models.values()), encoding) or "utf-8"
    for row in read_rows(source_of(file), read, Wanted(("label", "text"))):
        label, text = row.values
        if label not in models:
            raise InputError(
                f"{row.where}: the label {label!r} is none of the models: {', '.join(models)}. "
                "NAME=PATH gives a model another name"
            )
        yield label, text


def _show_confusion(confusion: "Confusion") -> None:
    names = [printable(name) for name in confusion.names]
    columns = [
        Column(f"as {name}", [f"{count:,}" for count in column])
        for name, column in zip(names, confusion.counts.T.tolist(), strict=True)
    ]
    for line in table(Column("written by", names, left=True), [columns], WIDTH):
        result(line)
    result(
        f"right: {confusion.right:,} of {confusion.texts:,} ({confusion.accuracy:.1%} +- "
        f"{confusion.standard_error:.1%})"
    )
