"""``charlm diff``: where in a text two models disagree."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from charlm.cli.comparing import shown
from charlm.cli.console import counted, note, printable, result, result_json, visible
from charlm.cli.find import JsonOption
from charlm.cli.inputs import note_file, source_of
from charlm.cli.named_models import encoding_of, load_named, read_text
from charlm.cli.painting import in_colour
from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.differences import Difference, Gap

SORTS = ("gap", "place")
SHOWN = 20
"""Rows that are shown where the largest differences come first, and nobody said how many."""
COLOURED = 0.1
"""Nats; a smaller difference is not coloured."""
WIDEST_NAME = 24
BRIEF = 60


def diff(
    model_a: Annotated[str, typer.Argument(help="A model: a folder, a file or NAME=PATH.", show_default=False)],
    model_b: Annotated[str, typer.Argument(help="Another one.", show_default=False)],
    text: Annotated[
        str | None,
        typer.Argument(help="The text; without it, and without --file, standard input is it.", show_default=False),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Read the text in a file.", show_default=False, readable=False)
    ] = None,
    sort: Annotated[
        str, typer.Option("--sort", help="Order: gap (the largest difference first) or place (as in the text).")
    ] = SORTS[0],
    number: Annotated[
        int | None,
        typer.Option(
            "-n", "--number", help="How many tokens to show.", show_default=f"{SHOWN}, or all in order of place"
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", help="Encoding of the file or standard input.", show_default="as trained, or utf-8"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Where in a text two models disagree: what each token costs both, and by how much the first finds it likelier.

    Models that cut a text alike are compared token by token, others between the places where both have the end of a
    token. In a terminal tokens that the first finds likelier are green, and those that the second does, magenta.
    """
    from charlm.config import choose, require  # noqa: PLC0415 - --help needs none of this
    from charlm.differences import differences  # noqa: PLC0415 - NumPy is loaded only when it is used

    choose("--sort", sort, SORTS)
    if number is not None:
        require("-n", number, minimum=1)
    if text is not None and file is not None:
        raise UsageError("give a text or --file, not both")
    if text is None and file is None and sys.stdin.isatty():
        raise UsageError("there is no text: give it after the models, --file FILE, or a pipe")
    models = load_named([model_a, model_b])
    (name_a, a), (name_b, b) = models.items()
    if text is None:
        text = _read([a, b], file, encoding)
    else:
        note_file(text, f"is taken as the text; for what the file of that name holds: --file {text}")
    found = differences(a, b, text)
    gaps = found.by_size() if sort == SORTS[0] else list(found.gaps)
    most = SHOWN if number is None and sort == SORTS[0] and not as_json else number
    left_out = len(gaps) - len(gaps[:most])
    if as_json:
        result_json({"a": name_a, "b": name_b, **found.to_json(gaps[:most])})
    else:
        _show(found, gaps[:most], [printable(name_a), printable(name_b)])
    if left_out and number is None:
        note(f"{counted(left_out, 'smaller difference')} left out: -n {len(gaps)} shows all")
    if not found.by_token:
        note("the models cut the text differently: shown are the shortest parts that both have a token's end after")
    _note_unknown(name_a, sum(gap.unknown_a for gap in found.gaps))
    _note_unknown(name_b, sum(gap.unknown_b for gap in found.gaps))


def _read(models: "list[TrainedModel]", file: Path | None, encoding: str | None) -> str:
    return read_text(source_of(file), encoding_of(models, encoding))


def _show(found: "Difference", gaps: "list[Gap]", names: list[str]) -> None:
    names = [name if len(name) <= WIDEST_NAME else name[:WIDEST_NAME] for name in names]
    widths = [max(10, len(name)) for name in names]
    first, second = (f"{name:>{width}}" for name, width in zip(names, widths, strict=True))
    result(f"{'place':>8} {first} {second} {'difference':>11}  token")
    coloured = in_colour(sys.stdout)
    for gap in gaps:
        figures = f"{gap.logprob_a:{widths[0]}.4f} {gap.logprob_b:{widths[1]}.4f} {gap.difference:+11.4f}"
        strange = "  [unknown]" if gap.unknown_a or gap.unknown_b else ""
        token = _coloured(_token(gap), gap.difference) if coloured else _token(gap)
        result(f"{gap.place:8,} {figures}  {token}{strange}")
    total = found.logprob_a - found.logprob_b
    result(
        f"{'all':>8} {found.logprob_a:{widths[0]}.4f} {found.logprob_b:{widths[1]}.4f} {total:+11.4f}  "
        f"{shown(found.text, BRIEF)}"
    )


def _token(gap: "Gap") -> str:
    """A token in quotes, and <EOS> where the text ends in it."""
    text = visible(gap.text if len(gap.text) <= BRIEF else gap.text[:BRIEF] + "...")
    return "<EOS>" if gap.ends and not gap.text else text + " <EOS>" * gap.ends


def _coloured(text: str, difference: float) -> str:
    if abs(difference) < COLOURED:
        return text
    return typer.style(text, fg="green" if difference > 0 else "magenta")


def _note_unknown(name: str, unknown: int) -> None:
    if unknown:
        note(f"{name} does not know {counted(unknown, 'token')} of the text: each costs it <UNK> and its spelling")
