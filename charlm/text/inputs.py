"""The texts to score in a file or a pipe: its lines as they come, or all of it."""

from collections.abc import Iterator
from itertools import chain
from typing import AnyStr

from charlm.text.reading import ByteReader, Source, TextReader


def read_lines(source: Source, encoding: str | None) -> Iterator[str] | Iterator[bytes]:
    """Lines without their line breaks, each as soon as it is complete; bytes where ``encoding`` is None.

    Raises:
        InputError: the source cannot be opened; while iterating, it cannot be read or decoded.
    """
    if encoding is None:
        return lines_of(ByteReader(source), b"\n")
    return lines_of(TextReader(source, encoding, nuls=True), "\n")


def lines_of(blocks: Iterator[AnyStr], line_break: AnyStr) -> Iterator[AnyStr]:
    """The lines in blocks of text, without their line breaks, however the blocks are cut."""
    return chain.from_iterable(line_groups(blocks, line_break))


def line_groups(blocks: Iterator[AnyStr], line_break: AnyStr) -> Iterator[list[AnyStr]]:
    """As ``lines_of``, with the lines together that become complete with one block: what a pipe has brought so far."""
    # Joined only when it is complete, so that a long line in many blocks is not copied with each of them.
    held: list[AnyStr] = []
    for block in blocks:
        lines = block.split(line_break)
        held.append(lines[0])
        if len(lines) > 1:
            lines[0] = line_break[:0].join(held)
            held = [lines.pop()]
            yield lines
    if any(held):
        yield [line_break[:0].join(held)]


def read_whole(source: Source, encoding: str | None) -> str | bytes:
    """Everything in a source as one text; bytes where ``encoding`` is None.

    Raises:
        InputError: as ``read_lines``.
    """
    return b"".join(ByteReader(source)) if encoding is None else "".join(TextReader(source, encoding, nuls=True))
