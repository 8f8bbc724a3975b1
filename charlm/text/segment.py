"""Blocks of text to symbols: code points, and a mark where a unit of text ends.

Whatever is done here comes out the same wherever the blocks were cut.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from charlm.text.vocabulary import SURROGATES

UNIT_ENDS = {"line": "\n", "paragraph": "\n\n", "file": ""}

NEWLINE = ord("\n")
END = 0x110000  # stands for <EOS> among code points; the first number that is none
SYMBOLS = END + 1

Symbols = NDArray[np.uint32] | NDArray[np.uint8]

# How far back a place is sought where lower-casing may cut a text.
LONGEST_WORD = 1024


def code_points(text: str) -> Symbols:
    """The code points of a text, lone surrogates included: uint8 if all are ASCII, else uint32."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", SURROGATES), "<u4")


def lowered(blocks: Iterable[str]) -> Iterator[str]:
    """Blocks of text in lower case, the same wherever the blocks were cut.

    A capital sigma looks at its whole word; so the last, perhaps unfinished word waits for the next block.
    """
    held = ""
    for block in blocks:
        text = held + block
        cut = 1 + max(text.rfind(space, max(0, len(text) - LONGEST_WORD)) for space in " \n")
        if not cut and len(text) > LONGEST_WORD:
            cut = len(text)
        held = text[cut:]
        if cut:
            yield text[:cut].lower()
    if held:
        yield held.lower()


class Segmenter:
    """Cuts blocks of text into symbols, marking ends of units with `END`, wherever the blocks were cut."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._held = ""  # the odd line break at a block's end, whose twin may begin the next block
        self._ended = False

    def feed(self, text: str) -> Symbols:
        r"""Symbols of the next block; in lines, "\n" is left to the table that turns symbols into ids."""
        if self._unit != "paragraph":
            self._ended = text.endswith("\n") and self._unit == "line"
            return code_points(text)
        text = self._held + text
        self._held = "\n" if (len(text) - len(text.rstrip("\n"))) % 2 else ""
        text = text.removesuffix(self._held)
        self._ended = text.endswith("\n")
        return _pair_line_breaks(code_points(text))

    def flush(self) -> Symbols:
        """What was held back, with no unit's end added."""
        return code_points(self._held)

    def finish(self) -> Symbols:
        """The missing end of the last unit, if it is missing; a line break held back is completed to it."""
        return np.array([], np.uint8) if self._ended and not self._held else np.array([END], np.uint32)


def _pair_line_breaks(symbols: Symbols) -> Symbols:
    breaks = np.flatnonzero(symbols == NEWLINE)
    starts_run = np.append(True, np.diff(breaks) != 1)[: len(breaks)]
    order = np.arange(len(breaks))
    rank_in_run = order - np.maximum.accumulate(np.where(starts_run, order, 0))
    second = breaks[rank_in_run % 2 == 1]
    marked = symbols.astype(np.uint32)
    marked[second - 1] = END
    return np.delete(marked, second)
