"""N-grams as rows of few numbers of 64 bits, which sort as their words do.

Each word takes as many bits as the largest needs, the first word the highest ones; a shorter n-gram ends in zeros, so
that it stands before all that begin with it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.nn.arrays import Ids

Rows = NDArray[np.uint64]
"""[n, columns]."""
_BITS = 64


@dataclass(frozen=True)
class Packing:
    """How n-grams are packed.

    Attributes:
        words: how many words there are; word w is written as w + 1, and 0 is none.
        order: the most words of an n-gram.
    """

    words: int
    order: int

    @property
    def width(self) -> int:
        """Columns of a key."""
        return self.columns(self.order)

    def columns(self, places: int) -> int:
        """How many of them hold the first so many words."""
        return -(-places // self._each)

    @property
    def _bits(self) -> int:
        return self.words.bit_length()

    @property
    def _each(self) -> int:
        """Words that fit into a column."""
        return _BITS // self._bits

    def _shift(self, place: int) -> np.uint64:
        return np.uint64(self._bits * (self._each - 1 - place % self._each))

    def put(self, rows: Rows, place: int, written: Rows) -> None:
        """Write the word at a place, where none is yet, of keys [n, width].

        Args:
            rows: the keys.
            place: from 0 on.
            written: [n], words, each with 1 added; 0 for none.
        """
        rows[:, place // self._each] |= written << self._shift(place)

    def written(self, rows: Rows, place: int) -> Rows:
        """The word at a place of each key, with 1 added; 0 where there is none, [n]."""
        mask = np.uint64((1 << self._bits) - 1)
        return (rows[:, place // self._each] >> self._shift(place)) & mask

    def first(self, rows: Rows, places: int) -> Rows:
        """The keys of the first so many words, [n, width]."""
        return rows[:, : self.width] & self._mask(places)

    def changes(self, rows: Rows, places: int) -> NDArray[np.bool_]:
        """Whether the first so many words of each key are others than those of the one before, [n - 1]."""
        found = np.zeros(len(rows) - 1, np.uint64)
        for column, mask in zip(rows.T, self._mask(places)[: self.columns(places)], strict=False):
            found |= (column[1:] ^ column[:-1]) & mask
        return np.not_equal(found, 0)

    def reversed(self, rows: Rows, places: int) -> Rows:
        """The keys of the first so many words from the last of them to the first, [n, width]."""
        found = np.zeros((len(rows), self.width), np.uint64)
        for place in range(places):
            self.put(found, places - 1 - place, self.written(rows, place))
        return found

    def unigrams(self) -> Rows:
        """The keys of all words, [words, width]."""
        rows = np.zeros((self.words, self.width), np.uint64)
        self.put(rows, 0, np.arange(1, self.words + 1, dtype=np.uint64))
        return rows

    def _mask(self, places: int) -> Rows:
        """[width], with all bits of the first so many words."""
        masks = np.zeros((1, self.width), np.uint64)
        for place in range(places):
            self.put(masks, place, np.array([(1 << self._bits) - 1], np.uint64))
        mask: Rows = masks[0]
        return mask


def sortable(rows: Rows, width: int) -> NDArray[Any]:
    """The first so many columns as one value a row that compares as they do, [n]."""
    if width == 1:
        return np.ascontiguousarray(rows[:, 0])
    # As many bytes, the highest first: NumPy compares them from the left.
    return np.ascontiguousarray(rows[:, :width], ">u8").view(f"S{8 * width}").ravel()


def as_ids(column: Rows) -> Ids:
    """Numbers below 2**63 as signed ones."""
    ids: Ids = column.view(np.int64)
    return ids
