"""``charlm sample``: text from a model."""

import sys
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.console import note, visible, write_bytes
from charlm.cli.find import LabelOption, ModelOption, load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charlm.checkpoint import TrainedModel
    from charlm.samples import Prompt

DEFAULT_LENGTH = 500
"""The same as in ``charlm.samples``, which --help need not load."""
SHOWN_UNKNOWN = 10


def sample(
    model: ModelOption = None,
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="Text to continue; printed first.")] = "",
    length: Annotated[
        int, typer.Option("--length", "-l", help="Most tokens to draw, the prompt not counted.")
    ] = DEFAULT_LENGTH,
    temperature: Annotated[
        float,
        typer.Option("--temperature", "-t", help="Below 1 safer, above 1 bolder, 0 the likeliest token always."),
    ] = 1.0,
    seed: Annotated[
        int | None,
        typer.Option("--seed", "-s", help="The same seed gives the same text.", show_default="random"),
    ] = None,
    number: Annotated[int, typer.Option("-n", "--number", help="How many samples to draw.")] = 1,
    unknown: Annotated[bool, typer.Option("--unknown", help="Allow <UNK>, shown as U+FFFD.")] = False,
    label: LabelOption = None,
) -> None:
    """Draw text from a model, written as it is drawn.

    Models of independent lines end each sample with its line, models of whole files with the file; others end after
    --length tokens.
    """
    from charlm.config import require  # noqa: PLC0415 - --help needs none of this

    require("-n", number, minimum=1)
    if seed is not None:
        require("--seed", seed, minimum=0)
    trained = load(model).under(label)
    _write_samples(trained, prompt, number, seed, length=length, temperature=temperature, unknown=unknown)


def _write_samples(trained: "TrainedModel", text: str, number: int, seed: int | None, **how: Any) -> None:
    import secrets  # noqa: PLC0415 - only here

    from charlm.samples import draw_texts, read_prompt  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.level import to_utf8  # noqa: PLC0415 - likewise

    tokenizer, lines = trained.tokenizer, trained.text.independent_lines
    prompt = read_prompt(trained, text)
    note_unknown(prompt)
    if seed is None:
        seed = secrets.randbelow(1 << 32)
    # Nothing is put between or behind bytes in a file or pipe: they may be no text.
    spaced = tokenizer.has_unknown or sys.stdout.isatty()
    for index, drawn in enumerate(draw_texts(trained, prompt, seed, number, **how)):
        last = _write(chain([to_utf8(prompt.text)], drawn))
        if last != b"\n" and spaced:
            write_bytes(b"\n")
        if index + 1 < number and not lines and spaced:
            write_bytes(b"\n")


def note_unknown(prompt: "Prompt") -> None:
    """Say which tokens of a prompt the model has never seen."""
    if prompt.unknown:
        shown = ", ".join(map(visible, prompt.unknown[:SHOWN_UNKNOWN]))
        more = ", ..." if len(prompt.unknown) > SHOWN_UNKNOWN else ""
        note(f"the model does not know {shown}{more}: read as <UNK>")


def _write(pieces: "Iterable[bytes]") -> bytes:
    """Write pieces as they come; return the last byte written."""
    last = b""
    for piece in pieces:
        write_bytes(piece)
        last = piece[-1:] or last
    return last
