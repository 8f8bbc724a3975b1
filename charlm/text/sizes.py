"""How large a text is in the units that a cost is shared out among: characters, bytes, words."""

import codecs
from collections.abc import Iterable
from typing import NamedTuple

from charlm.text.flat import SURROGATES
from charlm.text.long import LongText, Text
from charlm.text.reading import normalise, normalised
from charlm.text.words_in import words_of_blocks, words_of_text


class Sizes(NamedTuple):
    """Of a text, its end included where that is a line break.

    Attributes:
        characters: code points; 0 for bytes that are no text.
        bytes: in UTF-8.
        words: runs of other than white space, and one for the end of each line, as a model of words would count them.
    """

    characters: int
    bytes: int
    words: int


def sizes_of(text: Text, *, line_break: bool) -> Sizes:
    """How large a text is, normalised unless it is bytes; as ``charlm eval`` counts.

    Args:
        text: in memory, or on the disk.
        line_break: whether its end is a line break, and counts as one where it is missing.
    """
    if isinstance(text, LongText):
        data = text.data() if text.raw else _encoded(normalised(text.shown()))
        return _sizes(data, words_of_blocks(normalised(text.shown())), line_break=line_break)
    if isinstance(text, bytes):
        return _sizes([text], words_of_text(normalise(text.decode("utf-8", "surrogateescape"))), line_break=line_break)
    plain = normalise(text)
    words = words_of_text(plain)
    try:
        size = len(plain) if plain.isascii() else len(plain.encode())
    except UnicodeEncodeError:
        return _sizes([utf8(plain)], words, line_break=line_break)
    supplied = int(line_break and not plain.endswith("\n"))
    return Sizes(len(plain) + supplied, size + supplied, words)


def _sizes(data: Iterable[bytes], words: int, *, line_break: bool) -> Sizes:
    """Of a text as bytes, in blocks, which may be no text."""
    size, characters, ended = 0, _Characters(), False
    for block in data:
        size += len(block)
        characters.add(block)
        ended = block.endswith(b"\n")
    supplied = int(line_break and not ended)
    found = characters.finish()
    return Sizes(0 if found is None else found + supplied, size + supplied, words)


def several_lines(text: Text) -> bool:
    """Whether a text has a line break that is not its end."""
    if isinstance(text, bytes):
        return b"\n" in text.removesuffix(b"\n")
    if isinstance(text, str):
        return "\n" in normalise(text).removesuffix("\n")
    ended = False
    for block in text.data():
        if ended or b"\n" in block.removesuffix(b"\n"):
            return True
        ended = block.endswith(b"\n")
    return False


def utf8(text: str) -> bytes:
    """The bytes that a text from the command line stood for, which may have been none of UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", SURROGATES)


def _encoded(blocks: Iterable[str]) -> Iterable[bytes]:
    return (block.encode("utf-8", SURROGATES) for block in blocks)


class _Characters:
    """Counts the characters of bytes that come in blocks."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(SURROGATES)
        self._number: int | None = 0

    def add(self, block: bytes, *, final: bool = False) -> None:
        if self._number is None:
            return
        try:
            self._number += len(self._decoder.decode(block, final))
        except UnicodeDecodeError:
            self._number = None

    def finish(self) -> int | None:
        """How many there were; None where they were no text."""
        self.add(b"", final=True)
        return self._number
