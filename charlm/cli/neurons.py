"""``charlm neurons``: what single units do while the model reads, and which of them follow a property of the text."""

from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from charlm.cli.console import counted, note, result, result_json, visible
from charlm.cli.evaluate import own_part
from charlm.cli.find import JsonOption, LabelOption, ModelOption, load
from charlm.cli.inputs import note_file, source_of
from charlm.cli.label_part import ids_under_label
from charlm.cli.painting import ColorOption, check_page_file, painter, write_page
from charlm.errors import InputError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from charlm.checkpoint import TrainedModel
    from charlm.neurons import Found
    from charlm.nn.arrays import Ids
    from charlm.text.properties import Property

CHARACTERS = 16
"""Characters of a file that are read for each token that is: few tokens are longer."""
PAGE_TOKENS = 20_000
"""Tokens that are coloured by a unit."""


class Read(NamedTuple):
    """A text that the units are watched on."""

    ids: "Ids"
    pieces: list[str]


def neurons(
    text: Annotated[
        str | None,
        typer.Argument(
            help="A text; without it, and without --file, the validation part of the model's own corpus.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Read a file.", show_default=False, readable=False)
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of the file.", show_default="as trained")
    ] = None,
    find: Annotated[
        str | None,
        typer.Option(
            "--find",
            help="Find the units that follow a property: quotes, brackets, digits, spaces, capitals; or depth (of "
            "brackets), place (in the line), indent, word (place in it), of which the order counts.",
            show_default=False,
        ),
    ] = None,
    find_regex: Annotated[
        str | None,
        typer.Option(
            "--find-regex",
            help="Find the units that follow whether a match of this regular expression covers a token.",
            show_default=False,
        ),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option("--unit", help="Show one unit: its layer and number, from 1, such as 1.37.", show_default=False),
    ] = None,
    what: Annotated[str, typer.Option("--what", help="hidden, the activation a, or cell, the cell c.")] = "hidden",
    best: Annotated[int, typer.Option("--best", "-k", help="How many units to find.")] = 10,
    tokens: Annotated[int, typer.Option("--tokens", help="Most tokens of the text to read.")] = 200_000,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", help="Also write a page: the text coloured by the unit, or by the best.", show_default=False
        ),
    ] = None,
    color: ColorOption = False,
    label: LabelOption = None,
    as_json: JsonOption = False,
) -> None:
    """What single units do while the model reads a text, and which of them follow a property of it.

    A unit's value at a token is the one when the token has been read. Units are chosen on the first half of the text;
    the correlation on the second half is the one to go by. It is the point-biserial one for what is so or not, and
    Spearman's for what has an order.
    """
    from charlm.config import require  # noqa: PLC0415 - --help needs none of this
    from charlm.neurons import check_part, find_units, read_unit  # noqa: PLC0415 - NumPy is loaded only when it is used

    wanted = _property(find, find_regex, unit)
    if text is not None and file:
        raise UsageError("give a text or --file, not both")
    if color and as_json:
        raise UsageError("--color does not go with --json")
    require("--best", best, minimum=1)
    require("--tokens", tokens, minimum=2)
    if html is not None:
        check_page_file(html, "--html")
    trained = load(model).under(label)
    check_part(trained.network, what)
    chosen = None if unit is None else read_unit(trained.network, unit)
    read = _read(trained, text, file, encoding, tokens)
    title = f"Unit {unit}"
    if wanted is not None:
        from charlm.text.properties import of_tokens  # noqa: PLC0415 - NumPy is loaded only when it is used

        found = find_units(
            trained.network,
            read.ids,
            of_tokens(wanted, read.pieces),
            line_end=trained.line_end,
            ranked=wanted.graded,
            part=what,
            best=best,
        )
        _show_found(found, wanted, as_json=as_json)
        first = found.units[0]
        chosen = (first.layer - 1, first.number - 1)
        title = f"Unit {first.name}, and {wanted.about}: {first.second:+.3f} on the second half"
        if html is None and not color:
            return
    assert chosen is not None  # noqa: S101 - one of the options was given
    _show_unit(trained, read, chosen, what, title, html, color=color, as_json=as_json, quiet=wanted is not None)


def _property(find: str | None, find_regex: str | None, unit: str | None) -> "Property | None":
    from charlm.text.properties import by_regex, find_property  # noqa: PLC0415 - NumPy is loaded only when it is used

    if sum(option is not None for option in (find, find_regex, unit)) != 1:
        raise UsageError("give one of --unit, to show a unit, and --find or --find-regex, to find some")
    if find_regex is not None:
        return by_regex(find_regex)
    return None if find is None else find_property(find)


def _read(trained: "TrainedModel", text: str | None, file: Path | None, encoding: str | None, most: int) -> Read:
    """The text that is meant, as much of it as is asked for.

    Raises:
        InputError: it cannot be read, or has no token.
    """
    from charlm.text.pieces import pieces_of_ids, pieces_of_text  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.reading import normalise  # noqa: PLC0415 - likewise

    if text is None and file is None:
        own = ids_under_label(trained, own_part(trained, "reading"))
        if len(own) > most:
            note(f"reading the first {most:,} of {counted(len(own), 'token')} (--tokens)")
        return Read(own[:most], pieces_of_ids(trained.tokenizer, own[:most]))
    if text is not None:
        note_file(text, f"is read as a text; for the text in the file of that name: --file {text}")
    found = normalise(text) if file is None else _begin(trained, file, encoding, most * CHARACTERS)  # type: ignore[arg-type]  # one is there
    if not found:
        raise InputError(f"{file or 'the text'} is empty: there is nothing to read")
    ids = trained.tokenizer.encode_sentence(found)[:most]
    return Read(ids, pieces_of_text(trained.tokenizer, found)[:most])


def _begin(trained: "TrainedModel", file: Path, encoding: str | None, most: int) -> str | bytes:
    """So many characters of a file, or more."""
    from charlm.text.reading import BLOCK_BYTES, ByteReader, TextReader  # noqa: PLC0415 - as above
    from charlm.text.tokenizer import read_as  # noqa: PLC0415 - likewise

    decoded = read_as(trained.tokenizer.level, encoding or trained.text.encoding)
    source, blocks = source_of(file), -(-most // BLOCK_BYTES)
    if decoded is None:
        with closing(ByteReader(source)) as octets:
            return b"".join(islice(octets, blocks))
    with closing(TextReader(source, decoded)) as texts:
        return "".join(islice(texts, blocks))


def _show_found(found: "Found", wanted: "Property", *, as_json: bool) -> None:
    kind = "Spearman" if found.ranked else "point-biserial"
    if as_json:
        result_json(
            {
                "property": wanted.about,
                "correlation": kind,
                "tokens": found.tokens,
                "means": found.shares,
                "units": [
                    {"unit": each.name, "first_half": each.first, "second_half": each.second} for each in found.units
                ],
            }
        )
        return
    sizes, means = (
        " and ".join(each) for each in (map("{:,}".format, found.tokens), map("{:.3f}".format, found.shares))
    )
    share = "mean" if found.ranked else "share of the tokens"
    note(f"{wanted.about}: {share} {means} in halves of {sizes} tokens; {kind} correlation, units chosen on the first")
    result(f"{'unit':>8} {'first half':>12} {'second half':>12}")
    for each in found.units:
        result(f"{each.name:>8} {each.first:>+12.4f} {each.second:>+12.4f}")


def _values(trained: "TrainedModel", ids: "Ids", chosen: tuple[int, int], part: str) -> "NDArray[np.float32]":
    from charlm.neurons import activations  # noqa: PLC0415 - NumPy is loaded only when it is used

    layer, number = chosen
    return activations(trained.network, ids, line_end=trained.line_end, part=part)[layer, :, number]


def _show_unit(
    trained: "TrainedModel",
    read: Read,
    chosen: tuple[int, int],
    part: str,
    title: str,
    html: Path | None,
    *,
    color: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """A text by the values of a unit: a table or JSON unless ``quiet``, in colour, on a page."""
    from charlm.neurons import unit_page, unit_scale, unit_tokens  # noqa: PLC0415 - NumPy is loaded only when it is used

    ids = read.ids[:PAGE_TOKENS]
    values = _values(trained, ids, chosen, part)
    vocabulary = trained.tokenizer.vocabulary
    shown = unit_tokens(read.pieces[: len(ids)], [vocabulary.token(i) for i in ids.tolist()], values, part)
    scale = unit_scale(values, part)
    if len(ids) < len(read.ids):
        note(f"showing the first {len(ids):,} of {counted(len(read.ids), 'token')}")
    paint = painter(scale) if color else None
    if paint is not None:
        paint.show_legend()
        result(paint.paint(shown))
    elif as_json and not quiet:
        for token in shown:
            result_json({"token": token.name, "text": token.text, "value": token.figures[0]})
    elif not quiet:
        result(f"{'value':>10}  token")
        for token in shown:
            result(f"{token.figures[0]:>+10.4f}  {visible(token.name)}")
    if html is not None:
        about = (
            f"{trained.network.config.description}, {trained.text.level} level; {part} values",
            f"{len(ids):,} tokens. Point at a token, or go on with Tab and the arrow keys.",
        )
        write_page(html, unit_page(shown, scale, title=title, about=about), "--html")
