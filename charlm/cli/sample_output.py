"""Samples as text or JSON, and how many of them are done."""

import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from charlm.cli.console import result, result_json, shown_text, write_bytes

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.samples import Sample


def write_texts(model: "TrainedModel", samples: Iterable["Sample"]) -> None:
    """Write each sample behind its prompt, the first one as it is drawn."""
    from charlm.text.level import to_utf8  # noqa: PLC0415 - NumPy is loaded only when it is used

    # Nothing is put between or behind bytes in a file or pipe: they may be no text.
    spaced = model.tokenizer.has_unknown or sys.stdout.isatty()
    between = b"\n" if spaced and not model.text.independent_lines else b""
    for number, sample in enumerate(samples):
        if number and between:
            write_bytes(between)
        last = _write(chain([to_utf8(sample.prompt.text)], sample.pieces()))
        if last != b"\n" and spaced:
            write_bytes(b"\n")


def write_table(samples: Iterable["Sample"]) -> None:
    """Write what a search has found, a line each, with log-probability and score."""
    result(f"{'nats':>12} {'score':>11}  text")
    for sample in samples:
        result(f"{sample.logprob:12.4f} {sample.score:11.4f}  {shown_text(sample.text.removesuffix(chr(10)))}")


def write_json(samples: Iterable["Sample"], seed: int | None = None) -> None:
    """Write an object a sample; the seed is that of what was drawn."""
    for sample in samples:
        result_json(_object(sample, seed))


def _object(sample: "Sample", seed: int | None) -> dict[str, Any]:
    details = sample.drawn.details
    assert details is not None  # noqa: S101 - they are kept for this
    columns = {"token": sample.tokens(), "logprob": details.logprobs.tolist()}
    if seed is not None:
        columns["drawn_logprob"] = details.drawn_logprobs.tolist()
    return {
        "text": sample.text,
        "prompt": sample.prompt.text,
        "index": sample.index,
        **({"score": sample.score} if seed is None else {"seed": seed}),
        "stop": sample.drawn.stop,
        "logprob": sample.logprob,
        "tokens": [dict(zip(columns, each, strict=True)) for each in zip(*columns.values(), strict=True)],
    }


def counted(samples: Iterable["Sample"], total: int) -> Iterator["Sample"]:
    """The same samples, with a bar of how many are done where a terminal shows it and nothing else."""
    if total == 1 or sys.stdout.isatty() or not sys.stderr.isatty():
        yield from samples
        return
    from tqdm import tqdm  # noqa: PLC0415 - only here

    yield from tqdm(samples, total=total, file=sys.stderr, unit=" samples", dynamic_ncols=True, leave=False)


def _write(pieces: Iterable[bytes]) -> bytes:
    """Write pieces as they come; return the last byte written."""
    last = b""
    for piece in pieces:
        write_bytes(piece)
        last = piece[-1:] or last
    return last
