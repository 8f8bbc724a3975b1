"""What the model does not code: kinds of lines, spellings, capitals; by counts of what has been coded so far."""

import numpy as np
from numpy.typing import NDArray

from charlm.compression.coder import Coder, Cumulative, DecodingError, cumulative_of

LONGEST = 1 << 16
"""Bytes of a string at most."""
_END = 256
"""Stands behind a string's bytes, and before them."""
_SYMBOLS = 257
_MOST_CONTEXTS = 1 << 14
"""Pairs of bytes whose successors are counted; those that come later are read as if nothing had followed them yet."""
_MOST_KNOWN = 1 << 14
_LONGEST_KNOWN = 64
"""Literals that are kept, and bytes of each at most."""
_MOST_COUNTED = 1 << 17
_MOST_IN_CONTEXT = 1 << 15
"""Beyond so many, counts are halved: what is long ago counts less, and no frequency grows too large."""


class Symbols:
    """One of a few symbols in one of a few contexts, by how often it came there (Krichevsky & Trofimov 1981)."""

    def __init__(self, contexts: int, symbols: int) -> None:
        # In halves: each symbol begins with one, and a further one counts two.
        self._counts = np.ones((contexts, symbols), np.int64)

    def code(self, coder: Coder, context: int, symbol: int | None) -> int:
        """Code a symbol, or find it where None is given."""
        counts = self._counts[context]
        found = coder.code(_cumulated(counts), symbol)
        _count(counts, found, 2)
        return found


class Strings:
    """Any bytes, each by the two before it.

    Probabilities of order 2 are mixed with those of order 1, these with order 0, and these with equal ones (Witten &
    Bell 1991): where t different symbols have followed n times, the shorter context has the weight t / (n + t).
    """

    def __init__(self) -> None:
        self._anywhere = np.zeros(_SYMBOLS, np.uint16)
        self._after_one = np.zeros((_SYMBOLS, _SYMBOLS), np.uint16)
        self._after_two: dict[tuple[int, int], NDArray[np.uint16]] = {}

    def code(self, coder: Coder, given: bytes | None) -> bytes:
        """Code a string of at most `LONGEST` bytes, or find it where None is given.

        Raises:
            DecodingError: what is decoded is longer than any that was coded.
        """
        read, before, last = bytearray(), _END, _END
        while True:
            contexts = self._contexts(before, last)
            wanted = None if given is None else _byte(given, len(read))
            symbol = coder.code(cumulative_of(_mixed(contexts)), wanted)
            for counts in contexts:
                _count(counts, symbol, 1, _MOST_IN_CONTEXT)
            if symbol == _END:
                return bytes(read)
            if len(read) == LONGEST:
                raise DecodingError("a string is longer than any that is coded")
            read.append(symbol)
            before, last = last, symbol

    def _contexts(self, before: int, last: int) -> list[NDArray[np.uint16]]:
        contexts = [self._anywhere, self._after_one[last]]
        if (before, last) not in self._after_two and len(self._after_two) < _MOST_CONTEXTS:
            self._after_two[before, last] = np.zeros(_SYMBOLS, np.uint16)
        longest = self._after_two.get((before, last))
        return contexts if longest is None else [*contexts, longest]


class Literals:
    """What stands for itself, since the model has no token for it; what has stood before is named by its number.

    Something new counts as often as there are different ones (method C of Moffat 1990), and once more.
    """

    def __init__(self, strings: Strings) -> None:
        self._strings = strings
        self._known: list[bytes] = []
        self._numbers: dict[bytes, int] = {}
        self._counts = np.zeros(_MOST_KNOWN + 1, np.int64)
        self._counts[0] = 1  # what is new

    def __contains__(self, literal: bytes) -> bool:
        return literal in self._numbers

    def code(self, coder: Coder, given: bytes | None) -> bytes:
        """Code a literal, or find it where None is given; its bytes otherwise as in `Strings`."""
        counts = self._counts[: len(self._known) + 1]
        number = coder.code(_cumulated(counts), None if given is None else self._numbers.get(given, 0))
        if number:
            _count(counts, number, 1)
            return self._known[number - 1]
        literal = self._strings.code(coder, given)
        if len(self._known) < _MOST_KNOWN and len(literal) <= _LONGEST_KNOWN:
            self._known.append(literal)
            self._numbers[literal] = len(self._known)
            self._counts[len(self._known)] = 1
            self._counts[0] += 1
        return literal


class Cases:
    """Which letters of a text that a model reads in lower case are capitals, each by the letter before it."""

    _NO_LETTER, _SMALL, _CAPITAL = range(3)

    def __init__(self) -> None:
        self._symbols = Symbols(contexts=3, symbols=2)
        self._before = self._NO_LETTER

    def code(self, coder: Coder, shown: str, given: str | None) -> str:
        """A text in lower case as it stands in the file: code it, or find it where None is given."""
        found = []
        for place, small in enumerate(shown):
            if not has_capital(small):
                self._before = self._NO_LETTER
                found.append(small)
                continue
            wanted = None if given is None else int(given[place] != small)
            capital = self._symbols.code(coder, self._before, wanted)
            self._before = self._CAPITAL if capital else self._SMALL
            found.append(small.upper() if capital else small)
        return "".join(found)


def has_capital(small: str) -> bool:
    """Whether a character has a capital that is one character, and turns back into it."""
    capital = small.upper()
    return capital != small and len(capital) == 1 and capital.lower() == small


def _byte(given: bytes, place: int) -> int:
    return given[place] if place < len(given) else _END


def _mixed(contexts: list[NDArray[np.uint16]]) -> NDArray[np.float64]:
    probabilities = np.full(_SYMBOLS, 1 / _SYMBOLS)
    for counts in contexts:
        different = np.count_nonzero(counts)
        if different:
            probabilities = (counts + different * probabilities) / (int(counts.sum()) + different)
    return probabilities


def _cumulated(counts: NDArray[np.int64]) -> Cumulative:
    cumulative = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=cumulative[1:])
    return cumulative


def _count(counts: NDArray[np.int64] | NDArray[np.uint16], symbol: int, step: int, most: int = _MOST_COUNTED) -> None:
    counts[symbol] += step
    if counts[symbol] > most:
        counts -= counts // 2  # none becomes 0
