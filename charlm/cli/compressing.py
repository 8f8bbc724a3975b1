"""What ``charlm compress`` and ``decompress`` have in common: a file in, a file out, and what is said of them."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from charlm.cli import ENDINGS
from charlm.cli.console import is_terminal, note, result, result_json, write_bytes
from charlm.errors import OutputError, UsageError

if TYPE_CHECKING:
    from charlm.compression.compressing import Sizes, Write
    from charlm.text.reading import Source

STANDARD = "-"
"""Stands for standard input, and for standard output."""
OutOption = Annotated[
    str, typer.Option("-o", "--out", help="What to write; - for standard output.", show_default=False)
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there already.")]
_ADVICE = "Free some space or write elsewhere with -o"


def check_places(file: str, out: str, *, overwrite: bool, as_json: bool) -> None:
    """Check what is to be read and written, before anything takes time.

    Raises:
        UsageError: it is the same file, or a terminal.
        OutputError: something is there already, or is a folder.
    """
    if file == STANDARD and sys.stdin.isatty():
        raise UsageError("- stands for standard input, which is a terminal here: send a file through a pipe")
    if out == STANDARD:
        if as_json:
            raise UsageError("--json writes to standard output, and so does -o -: name a file to write")
        return
    path = Path(out)
    if file != STANDARD and path.exists() and Path(file).exists() and path.samefile(file):
        raise UsageError(f"{out} is the file that is read: name another to write with -o")
    if path.is_dir():
        raise OutputError(f"{out} is a folder: name a file to write, in it or elsewhere")
    if path.exists() and not overwrite:
        raise OutputError(f"{out} is there already: replace it with --overwrite, or write elsewhere")


def source_of(file: str) -> "Source":
    """What is read: a file as it lies on the disk, or standard input."""
    from charlm.text.reading import Source, raw_source  # noqa: PLC0415 - --help needs none of this

    return Source("standard input", lambda: sys.stdin.buffer) if file == STANDARD else raw_source(Path(file))


@contextmanager
def blocks_of(source: "Source") -> Iterator[Iterator[bytes]]:
    """The bytes of a source, in blocks."""
    from charlm.text.reading import ByteReader  # noqa: PLC0415 - as above

    with closing(ByteReader(source, 1 << 16)) as blocks:
        yield blocks


@contextmanager
def writing(out: str) -> "Iterator[Write]":
    """What takes the bytes of a file, which is there when all is done or not at all; standard output has them at once.

    Raises:
        OutputError: it cannot be written.
    """
    from charlm.files import replacing  # noqa: PLC0415 - NumPy is loaded only when it is used

    if out == STANDARD:
        yield write_bytes
        return
    with _cleared_up(), replacing(Path(out), _ADVICE) as file:
        yield file.write


@contextmanager
def _cleared_up() -> Iterator[None]:
    """While this lasts, what asks for an end does not end at once: what has been begun is removed first."""
    before = [(number, signal.getsignal(number)) for number in ENDINGS]
    try:
        for number, handler in before:
            if handler is not signal.SIG_IGN:
                signal.signal(number, signal.default_int_handler)
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextmanager
def following_bytes(stage: str, source: "Source") -> Iterator[Callable[[int], None] | None]:
    """What to tell how many bytes of a source have been worked off; None where nobody watches."""
    from charlm.cli.following import Bar  # noqa: PLC0415 - NumPy is loaded only when it is used

    if not sys.stderr.isatty():
        yield None
        return
    size = source.path.stat().st_size if source.path is not None and source.path.is_file() else None
    bar = Bar(stage, size, "B")
    try:
        yield bar.move
    finally:
        bar.close()


class Timed:
    """Tells how long something took, and how large a file is and was."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def tell(self, name: str, sizes: "Sizes", out: str, *, as_json: bool) -> None:
        """Say it: as the result, or beside it where the result is the file."""
        seconds = time.perf_counter() - self._began
        rate = sizes.bytes / max(seconds, 1e-9)
        bits = 8 * sizes.compressed
        a_byte, a_character = (bits / count if count else None for count in (sizes.bytes, sizes.characters))
        if as_json:
            figures = {"bits_per_byte": a_byte, "bits_per_char": a_character, "seconds": seconds}
            result_json({"file": name, **sizes._asdict(), **figures})
            return
        each = "" if a_byte is None else f", {a_byte:.3f} bits a byte"
        each += "" if a_character is None else f", {a_character:.3f} bits a character"
        say = note if out == STANDARD else result
        say(
            f"{name}: {sizes.bytes:,} bytes, {sizes.compressed:,} compressed{each}; "
            f"{seconds:.1f} s, {rate:,.0f} bytes/s"
        )


def check_no_terminal(out: str) -> None:
    """Check that compressed bytes are not sent to a terminal.

    Raises:
        UsageError: they would be.
    """
    if out == STANDARD and is_terminal():
        raise UsageError(
            "-o - sends compressed bytes to standard output, which is a terminal here: name a file or a pipe"
        )
