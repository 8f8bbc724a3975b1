"""``charlm sample``: text from a model."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from charlm.cli.console import note, visible, write_bytes
from charlm.cli.find import ModelOption, load
from charlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charlm.checkpoint import TrainedModel
    from charlm.sampling import SamplingConfig

DEFAULT_LENGTH = 500


def sample(
    model: ModelOption = None,
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="Text to continue; printed first.")] = "",
    length: Annotated[
        int | None,
        typer.Option(
            "--length",
            "-l",
            help=f"Most tokens to draw, the prompt not counted. Default: {DEFAULT_LENGTH}.",
            show_default=False,
        ),
    ] = None,
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
) -> None:
    """Draw text from a model, written as it is drawn.

    Models of independent lines end each sample with its line, models of whole files with the file; others end after
    --length tokens.
    """
    from charlm.config import require  # noqa: PLC0415 - --help needs none of this
    from charlm.sampling import SamplingConfig  # noqa: PLC0415 - NumPy is loaded only when it is used

    require("-n", number, minimum=1)
    if seed is not None:
        require("--seed", seed, minimum=0)
    config = SamplingConfig(DEFAULT_LENGTH if length is None else length, temperature)
    _write_samples(load(model), prompt, config, seed, number, unknown)


def _write_samples(
    trained: "TrainedModel",
    prompt: str,
    config: "SamplingConfig",
    seed: int | None,
    number: int,
    unknown: bool,
) -> None:
    import secrets  # noqa: PLC0415 - only here
    from dataclasses import replace  # noqa: PLC0415 - only here

    from charlm.sampling import sample as draw  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.level import to_utf8  # noqa: PLC0415 - likewise
    from charlm.text.reading import normalise  # noqa: PLC0415 - likewise

    tokenizer, lines = trained.tokenizer, trained.text.independent_lines
    if lines and "\n" in prompt:
        raise UsageError("the prompt has several lines, but this model's lines are independent: give one line")
    ids = tokenizer.encode(normalise(prompt))
    if tokenizer.unknown_id is not None and (ids == tokenizer.unknown_id).any():
        strange = sorted({c for c in prompt if (tokenizer.encode(c) == tokenizer.unknown_id).any()})
        shown = ", ".join(visible(c) for c in strange[:10])
        note(f"the model has never seen {shown}{', ...' if len(strange) > 10 else ''}: read as <UNK>")  # noqa: PLR2004
    never = () if unknown or tokenizer.unknown_id is None else (tokenizer.unknown_id,)
    config = replace(config, never=never, stop=(tokenizer.eos_id,) if lines or tokenizer.unit == "file" else ())
    if seed is None:
        seed = secrets.randbelow(1 << 32)
    begin = to_utf8(prompt)
    # Nothing is put between or behind bytes in a file or pipe: they may be no text.
    spaced = tokenizer.has_unknown or sys.stdout.isatty()
    for index in range(number):
        write_bytes(begin)
        last = _write_tokens(trained, draw(trained.network, ids, config, (seed, index)))
        if last != b"\n" and spaced:
            write_bytes(b"\n")
        if index + 1 < number and not lines and spaced:
            write_bytes(b"\n")


def _write_tokens(trained: "TrainedModel", drawn: "Iterator[int]") -> bytes:
    """Write tokens as they come; return the last byte written."""
    import numpy as np  # noqa: PLC0415 - NumPy is loaded only when it is used

    last = b""
    for token in drawn:
        data = trained.tokenizer.decode_bytes(np.array([token]))
        write_bytes(data)
        last = data[-1:] or last
    return last
