"""A text too long for memory, which lies on the disk and is gone through in blocks."""

import codecs
from collections.abc import Iterator
from typing import AnyStr

from charlm.text.flat import SURROGATES
from charlm.text.reading import normalise, normalised
from charlm.text.spool import Spool

LONGEST = 1 << 20
"""Characters, or bytes, of a text that may lie in memory; a longer one is read and scored in blocks."""
BLOCK = 1 << 14
"""Bytes of such a block; few enough that those of all lanes together are little."""


class LongText:
    """A text on the disk, in a temporary file that goes away with it.

    Args:
        raw: whether it is bytes, not characters.

    Attributes:
        raw: as given.
        length: characters, or bytes, so far.
    """

    def __init__(self, *, raw: bool) -> None:
        self.raw = raw
        self.length = 0
        self._spool = Spool("a long text")

    def append(self, block: str | bytes) -> None:
        """Add the next block of the text.

        Raises:
            OutputError: the temporary file cannot be written.
        """
        self._spool.append(block if isinstance(block, bytes) else block.encode("utf-8", SURROGATES))
        self.length += len(block)

    def data(self, size: int | None = None) -> Iterator[bytes]:
        """Its bytes, characters as UTF-8, in blocks of this size or `BLOCK`; several may be gone through at a time."""
        return self._spool.blocks(size or BLOCK)

    def shown(self, size: int | None = None) -> Iterator[str]:
        """Its characters, in blocks that are not empty; bytes that are no text come as lone surrogates."""
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape" if self.raw else SURROGATES)
        for block in self.data(size):
            if text := decoder.decode(block):
                yield text
        if text := decoder.decode(b"", final=True):
            yield text

    def beginning(self, length: int) -> str | bytes:
        """So much of its beginning, in characters or bytes."""
        if self.raw:
            return next(self.data(length), b"")
        return next(self.shown(4 * length), "")[:length]  # no character has more bytes


Text = str | bytes | LongText
"""A text in memory, or on the disk."""


def is_long(text: Text) -> bool:
    """Whether a text is to be gone through in blocks."""
    return isinstance(text, LongText) or len(text) > LONGEST


def shown_blocks(text: Text) -> Iterator[str]:
    """The characters of a text as it was given, in blocks that are not empty."""
    if isinstance(text, LongText):
        return text.shown()
    return _slices(text if isinstance(text, str) else text.decode("utf-8", "surrogateescape"))


def blocks_of_text(text: Text) -> Iterator[str | bytes]:
    """What a tokenizer is to read of a text: bytes as they are, characters normalised as those of a file are."""
    if isinstance(text, LongText):
        return text.data() if text.raw else normalised(text.shown())
    if isinstance(text, bytes):
        return _slices(text)
    return _slices(normalise(text))


def _slices(text: AnyStr) -> Iterator[AnyStr]:
    return (text[start : start + BLOCK] for start in range(0, len(text), BLOCK))


def text_in_memory(text: Text) -> str | bytes:
    """All of a text."""
    if isinstance(text, LongText):
        return b"".join(text.data()) if text.raw else "".join(text.shown())
    return text
