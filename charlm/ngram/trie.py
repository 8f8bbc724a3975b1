"""N-grams of all orders as sorted keys.

An n-gram is its first n - 1 words, themselves an n-gram, and a last word: the key ``prefix * words + last``. Keys of an
order are sorted, so that an n-gram's number is its place among them and the n-grams that begin alike stand together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from charlm.ngram.tables import NOWHERE, Finder, find
from charlm.nn.arrays import Ids

__all__ = ["NOWHERE", "Ends", "Trie", "find", "spelt", "walk"]  # NOWHERE and find belong to what a trie is


@dataclass(frozen=True, eq=False)
class Trie:
    """The n-grams of orders 1 to N.

    Attributes:
        words: how many words there are, <s> included; these are the n-grams of order 1.
        keys: of orders 2 to N, each int64 [n-grams], sorted.
    """

    words: int
    keys: tuple[Ids, ...]

    @property
    def order(self) -> int:
        """N."""
        return len(self.keys) + 1

    def size(self, order: int) -> int:
        """How many n-grams of an order there are."""
        return self.words if order == 1 else len(self.keys[order - 2])

    @cached_property
    def finders(self) -> tuple[Finder, ...]:
        """For each order from 2 on, what finds its keys where texts are scored."""
        return tuple(Finder(keys, self.size(order) * self.words) for order, keys in enumerate(self.keys, 1))


class Ends(NamedTuple):
    """Where n-grams of an order could end in a sequence, their first words being an n-gram.

    Attributes:
        missing: [k], rising, the places where none does.
        contexts: [k], numbers of the n-grams of one order less that end before these.
        there: [m], rising, the places where one does.
        numbers: [m], of these.
    """

    missing: Ids
    contexts: Ids
    there: Ids
    numbers: Ids


def walk(trie: Trie, sequence: Ids) -> Iterator[Ends]:
    """The n-grams that end at the places of a sequence, for each order from 2 on.

    Args:
        trie: knows the n-grams.
        sequence: int64 [n], words; <s>, the last word of all, stands where a text begins, and no n-gram reaches over
            it.
    """
    goes_on = np.append(sequence[1:] != trie.words - 1, False)
    there: Ids = np.arange(len(sequence))
    numbers = sequence
    for finder in trie.finders:
        on = np.flatnonzero(goes_on.take(there))
        places, prefixes = there.take(on) + 1, numbers.take(on)
        found = finder.find(prefixes * trie.words + sequence.take(places))
        is_there = found != NOWHERE
        hits, misses = np.flatnonzero(is_there), np.flatnonzero(~is_there)
        there, numbers = places.take(hits), found.take(hits)
        yield Ends(places.take(misses), prefixes.take(misses), there, numbers)


def spelt(trie: Trie, order: int, numbers: Ids) -> Sequence[Ids]:
    """The words of n-grams of an order by their numbers [n], first to last: each [n]."""
    words: list[Ids] = []
    for keys in reversed(trie.keys[: order - 1]):
        numbers, last = np.divmod(keys[numbers], trie.words)
        words.append(last)
    return [numbers, *reversed(words)]
