"""Blocks of text to symbols: code points, and a mark where a unit of text ends; or to portions cut at white space.

Whatever is done here comes out the same wherever the blocks were cut.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charlm.text.flat import SURROGATES

UNIT_ENDS = {"line": "\n", "paragraph": "\n\n", "file": ""}

NEWLINE = ord("\n")
END = 0x110000  # stands for <EOS> among code points; the first number that is none
SYMBOLS = END + 1

Symbols = NDArray[np.uint32] | NDArray[np.uint8]

# Longer runs of white space, or of anything else, are cut after so many characters; even, so that pairs of line
# breaks stay together.
LONGEST_RUN = 1 << 16

_NO_SPACES = re.compile(r"\S*")
_BLANKS = re.compile(r"[^\S\n]*")
_BREAKS = re.compile(r"\n*")
_BREAK_OR_PAIR = re.compile(r"\n\n?")

# White space other than spaces and line breaks, in ASCII and beyond.
_RARE_SPACES = "\t\v\f\r\x1c\x1d\x1e\x1f"
_FOREIGN_SPACES = (
    "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)

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


@dataclass(frozen=True)
class Portion:
    """A part of a text that can be cut into tokens by itself.

    Attributes:
        text: What it holds.
        begins: Whether what stands before it is white space, or nothing.
        ends: Whether nothing follows.
        joined: Whether it goes on with a run of other than white space; it holds nothing else then.
    """

    text: str
    begins: bool = True
    ends: bool = True
    joined: bool = False


class Portioner:
    """Cuts blocks of text into portions that begin and end at white space, wherever the blocks were cut.

    What could still belong to a longer run is held back, so that memory is bounded by `LONGEST_RUN`.
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._held = ""
        self._begins = True
        self._joined = False

    def feed(self, text: str) -> Iterator[Portion]:
        """Portions that are complete with the next block."""
        self._held += text
        while stop := self._stop():
            yield self._take(stop)

    def finish(self) -> Iterator[Portion]:
        """Portions of what was held back, with the end of the last unit supplied where it is missing."""
        yield from self.feed(completed(self._held, self._unit)[len(self._held) :])
        yield Portion(self._held, self._begins, ends=True, joined=self._joined)

    def _take(self, stop: int) -> Portion:
        portion = Portion(self._held[:stop], self._begins, ends=False, joined=self._joined)
        before, after = self._held[stop - 1].isspace(), self._held[stop].isspace()
        self._held = self._held[stop:]
        self._begins = before
        self._joined = not (before or after)
        return portion

    def _stop(self) -> int:
        """Where the text held can be cut, less than its length; 0 if more must be known."""
        if self._joined:
            end = _end_of(_NO_SPACES, self._held, 0)
            whole = end > LONGEST_RUN or end < len(self._held)
            return min(end, LONGEST_RUN) if whole else 0
        place = last_word_start(self._held)
        return place if place or len(self._held) <= LONGEST_RUN else _stop_of_long_run(self._held)


def portions_of(blocks: Iterable[str], unit: str) -> Iterator[Portion]:
    """The portions of a text that comes in blocks, the end of its last unit supplied where it is missing."""
    portioner = Portioner(unit)
    for block in blocks:
        yield from portioner.feed(block)
    yield from portioner.finish()


def last_word_start(text: str) -> int:
    """Where the last run of other than white space begins; 0 if it is the first thing, or if there is none."""
    body = text.rstrip()
    return len(body) - len(body.rsplit(None, 1)[-1]) if body else 0


def _stop_of_long_run(text: str) -> int:
    """Where to cut a text, of at most one run of other than white space and white space behind it; or 0."""
    # Behind line breaks nothing depends on them.
    if place := text.rstrip("\n").rfind("\n") + 1:
        return place
    start = 0
    for run in (_NO_SPACES, _BLANKS, _BREAKS):
        end = _end_of(run, text, start)
        if end - start > LONGEST_RUN:
            return start + LONGEST_RUN
        start = end
    return 0


def _end_of(run: re.Pattern[str], text: str, start: int) -> int:
    """Where a run that may be empty ends; one character too far is far enough where it is too long."""
    found = run.match(text, start, start + LONGEST_RUN + 1)
    return found.end() if found else start


def completed(text: str, unit: str) -> str:
    """A text with the end of its last unit supplied where it is missing; a file's end stands for no text."""
    end = UNIT_ENDS[unit]
    if not end:
        return text
    present = len(text) - len(text.rstrip("\n"))
    return text + "\n" * (-present % len(end) if present else len(end))


def slices(run: str) -> list[str]:
    """A run cut after every `LONGEST_RUN` characters."""
    return [run[start : start + LONGEST_RUN] for start in range(0, len(run), LONGEST_RUN)]


def has_rare_spaces(text: str) -> bool:
    """Whether a text holds other white space than spaces and line breaks."""
    spaces = _RARE_SPACES if text.isascii() else _RARE_SPACES + _FOREIGN_SPACES
    return any(space in text for space in spaces)


def set_breaks_apart(text: str, unit: str) -> str:
    """Put a space on either side of each line break; of two in a row, from the left, in paragraphs."""
    return _BREAK_OR_PAIR.sub(r" \g<0> ", text) if unit == "paragraph" else text.replace("\n", " \n ")
