"""The texts to score in a file or a pipe: its lines as they come, or all of it."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import AnyStr, Generic

from charlm.text.flat import SURROGATES
from charlm.text.long import LONGEST, LongText, Text
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


def read_texts(source: Source, encoding: str | None, *, whole: bool, escaped: bool = False) -> Iterator[Text]:
    """The texts in a source, each as soon as it is complete; one that is too long for memory lies on the disk.

    Args:
        source: what to read.
        encoding: of it; None where texts are bytes.
        whole: whether all of it is one text; otherwise each line is one, without its line break.
        escaped: as `TextReader` has it; `undecoded` finds what was escaped.

    Raises:
        InputError: as ``read_lines``.
        OutputError: there is no space for a temporary file.
    """
    if encoding is None:
        yield from _texts_of(ByteReader(source), None if whole else b"\n", b"")
    else:
        yield from _texts_of(TextReader(source, encoding, nuls=True, escaped=escaped), None if whole else "\n", "")


_ESCAPES = 0xDC00
"""What Python adds to a byte that it escapes."""
_WIDTH = 3
"""Bytes that such a character has on the disk."""
_ESCAPED = re.compile("[\udc80-\udcff]")
_SPOOLED = re.compile(rb"\xed[\xb2\xb3][\x80-\xbf]")
"""The same as ``LongText`` has it on the disk."""


def undecoded(text: Text) -> int | None:
    """The first byte of a text that was not in its encoding and was escaped; None where there is none."""
    if isinstance(text, str):
        found = _ESCAPED.search(text)
        return None if found is None else ord(found[0]) - _ESCAPES
    if isinstance(text, bytes) or text.raw:
        return None
    end = b""
    for block in text.data():
        if spooled := _SPOOLED.search(end + block):
            return ord(spooled[0].decode("utf-8", SURROGATES)) - _ESCAPES
        end = block[1 - _WIDTH :]
    return None


def _texts_of(blocks: Iterator[AnyStr], line_break: AnyStr | None, nothing: AnyStr) -> Iterator[AnyStr | LongText]:
    held = _Held(nothing)
    for block in blocks:
        lines = [block] if line_break is None else block.split(line_break)
        held.add(lines[0])
        if len(lines) > 1:
            yield held.take()
            yield from lines[1:-1]
            held.add(lines[-1])
    if held.length or line_break is None:
        yield held.take()


class _Held(Generic[AnyStr]):
    """What has come of a text, in memory as long as it is short."""

    def __init__(self, nothing: AnyStr) -> None:
        self._nothing: AnyStr = nothing
        self._begin()

    def _begin(self) -> None:
        self.length = 0
        self._parts: list[AnyStr] = []
        self._long: LongText | None = None

    def add(self, part: AnyStr) -> None:
        """Go on with the text."""
        self.length += len(part)
        self._parts.append(part)
        if self._long is None and self.length > LONGEST:
            self._long = LongText(raw=isinstance(part, bytes))
        if self._long is not None:
            for each in self._parts:
                self._long.append(each)
            self._parts.clear()

    def take(self) -> AnyStr | LongText:
        """The text, and begin with the next."""
        found = self._nothing.join(self._parts) if self._long is None else self._long
        self._begin()
        return found


def read_whole(source: Source, encoding: str | None) -> str | bytes:
    """Everything in a source as one text; bytes where ``encoding`` is None.

    Raises:
        InputError: as ``read_lines``.
    """
    return b"".join(ByteReader(source)) if encoding is None else "".join(TextReader(source, encoding, nuls=True))
