"""Where keys stand among sorted ones: by a binary search, or by a table as soon as enough of them were asked for.

A binary search reaches into memory a dozen times for each key, a table once or twice.
"""

from typing import Protocol

import numpy as np

from charlm.nn.arrays import Ids

NOWHERE = -1
"""The place of a key that is not there."""
SLOTS = 4
"""Of a hash table, at least so many a key: nearly nine of ten keys then stand in the first slot that is looked at."""
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2**64 by the golden ratio: products with it spread keys that follow one another."""
DIRECT, MOST_DIRECT = 48, 1 << 24
"""A direct table has at most so many entries a key, which is what a hash table needs, and at most so many in all."""
MOST_KEYS = 1 << 30
"""Of a table, whose numbers have 32 bits."""


def find(keys: Ids, wanted: Ids) -> Ids:
    """Places of keys among sorted ones; ``NOWHERE`` for those that are not among them."""
    if not len(keys):
        return np.full(len(wanted), NOWHERE)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, NOWHERE)


class Table(Protocol):
    """Numbers of keys."""

    def find(self, wanted: Ids) -> Ids:
        """Places of keys [m], none of which is negative, among those that it was made of, or ``NOWHERE``."""
        ...


class DirectTable:
    """A number for every key that there could be."""

    def __init__(self, keys: Ids, space: int) -> None:
        self._numbers = np.full(space, NOWHERE, np.int32)
        self._numbers[keys] = np.arange(len(keys), dtype=np.int32)

    def find(self, wanted: Ids) -> Ids:
        """As ``Table.find``."""
        return self._numbers.take(wanted).astype(np.int64)


class HashTable:
    """Keys in the slots that their hashes choose, or in the next that is free, by Fibonacci hashing.

    Keys that stand by rising hash meet their slots in one pass: each has its own, or the one behind the key before.
    """

    def __init__(self, keys: Ids) -> None:
        bits = (SLOTS * len(keys)).bit_length()
        self._shift = np.uint64(64 - bits)
        hashes = self._hashes(keys)
        by_hash = np.argsort(hashes)
        places = np.arange(len(keys))
        slots = places + np.maximum.accumulate(hashes[by_hash] - places)
        # The last slot stays free, so that looking further ends.
        size = max(1 << bits, int(slots[-1]) + 1) + 1
        self._keys, self._numbers = np.full(size, NOWHERE, np.int64), np.full(size, NOWHERE, np.int32)
        self._keys[slots], self._numbers[slots] = keys[by_hash], by_hash

    def _hashes(self, keys: Ids) -> Ids:
        return ((keys.view(np.uint64) * GOLDEN) >> self._shift).view(np.int64)

    def find(self, wanted: Ids) -> Ids:
        """As ``Table.find``."""
        slots = self._hashes(wanted)
        there = self._keys.take(slots)
        numbers = self._numbers.take(slots).astype(np.int64)
        left = np.flatnonzero(there != wanted)
        numbers[left] = NOWHERE
        left = left[there[left] != NOWHERE]
        while len(left):
            slots[left] += 1
            there = self._keys[slots[left]]
            found = there == wanted[left]
            numbers[left[found]] = self._numbers[slots[left[found]]]
            left = left[~found & (there != NOWHERE)]
        return numbers


class Finder:
    """Finds keys among sorted ones, the faster the more it is asked for.

    A table costs about as much as searching for as many keys as it holds, so it is made when so many have been asked
    for.

    Args:
        keys: sorted.
        space: all keys that there could be are below it.
    """

    def __init__(self, keys: Ids, space: int) -> None:
        self._keys, self._space = keys, space
        self._asked = 0
        self._table: Table | None = None

    def find(self, wanted: Ids) -> Ids:
        """As ``Table.find``."""
        self._asked += len(wanted)
        if self._table is None and 0 < len(self._keys) <= min(self._asked, MOST_KEYS):
            direct = self._space <= min(DIRECT * len(self._keys), MOST_DIRECT)
            self._table = DirectTable(self._keys, self._space) if direct else HashTable(self._keys)
        return find(self._keys, wanted) if self._table is None else self._table.find(wanted)
