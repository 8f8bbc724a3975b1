"""A file in segments: lines, which are coded one after another, or parts of those that are too long."""

from collections.abc import Iterable, Iterator

from charlm.compression.adaptive import LONGEST

_LONGEST_PAIR = 4
_CONTINUES, _OF_CHARACTER = 0b11000000, 0b10000000
"""The bits by which UTF-8 shows that a byte goes on with a character, and what they are then."""


def segments_of(blocks: Iterable[bytes], unit: str) -> Iterator[bytes]:
    """The segments of a file that comes in blocks, none of them empty; the same wherever the blocks were cut.

    Each ends behind the first line break in it, in paragraphs behind two in a row, paired from their left; if it
    has none, it is the file's last one, or part of a line that is longer than `LONGEST` bytes.

    Args:
        blocks: the bytes of the file.
        unit: what a model's <EOS> ends.
    """
    pairs = unit == "paragraph"
    # A break at the end may be the first half of a pair.
    reach = _LONGEST_PAIR if pairs else 0
    held = b""
    for block in blocks:
        held += block
        place = 0
        for end in _ends(held, pairs=pairs):
            if end + reach > len(held):
                break
            yield from _bounded(held[place:end])
            place = end
        held = held[place:]
        # What may be the end of a line could belong to a pair, too.
        while len(held) > LONGEST + _LONGEST_PAIR and b"\n" not in held[: LONGEST + _LONGEST_PAIR]:
            stop = _stop(held)
            yield held[:stop]
            held = held[stop:]
    place = 0
    for end in _ends(held, pairs=pairs):
        yield from _bounded(held[place:end])
        place = end
    if place < len(held):
        yield from _bounded(held[place:])


def _ends(held: bytes, *, pairs: bool) -> Iterator[int]:
    """Where the lines of some bytes end, or behind pairs of line breaks; a pair is of one kind."""
    place = 0
    while found := held.find(b"\n", place) + 1:
        place = found
        if pairs:
            line_break = b"\r\n" if held[max(found - 2, 0) : found] == b"\r\n" else b"\n"
            place += len(line_break) * held.startswith(line_break, found)
        yield place


def _bounded(segment: bytes) -> Iterator[bytes]:
    while len(segment) > LONGEST:
        stop = _stop(segment)
        yield segment[:stop]
        segment = segment[stop:]
    yield segment


def _stop(line: bytes) -> int:
    """Where to cut a line that is too long: before its last space, or else between two characters."""
    stop = line.rfind(b" ", LONGEST // 2, LONGEST)
    if stop > 0:
        return stop
    stop = next((place for place in range(LONGEST, LONGEST - 4, -1) if line[place] & _CONTINUES != _OF_CHARACTER), 0)
    return stop or LONGEST
