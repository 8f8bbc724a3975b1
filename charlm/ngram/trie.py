"""N-grams of all orders as sorted keys.

An n-gram is its first n - 1 words, themselves an n-gram, and a last word: the key ``prefix * words + last``. Keys of an
order are sorted, so that an n-gram's number is its place among them and the n-grams that begin alike stand together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from charlm.nn.arrays import Ids

NOWHERE = -1
"""The number of an n-gram that is not there."""


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

    def last_words(self, order: int) -> Ids:
        """For each n-gram of an order, its last word."""
        return np.arange(self.words) if order == 1 else self.keys[order - 2] % self.words

    def find(self, order: int, prefixes: Ids, last: Ids) -> Ids:
        """Numbers of n-grams by the numbers of their prefixes and last words; ``NOWHERE`` for those that are not there.

        Args:
            order: from 2 on.
            prefixes: [n]; ``NOWHERE`` where there is none.
            last: [n].
        """
        return find(self.keys[order - 2], np.where(prefixes >= 0, prefixes * self.words + last, NOWHERE))


def find(keys: Ids, wanted: Ids) -> Ids:
    """Places of keys among sorted ones; ``NOWHERE`` for those that are not among them."""
    if not len(keys):
        return np.full(len(wanted), NOWHERE)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, NOWHERE)


def follow(trie: Trie, sequence: Ids) -> list[Ids]:
    """For each order, the n-gram that ends at each place of a sequence, or ``NOWHERE``.

    Args:
        trie: knows the n-grams.
        sequence: [n], words; <s>, the last word of all, stands where a text begins, and no n-gram reaches over it.
    """
    start = trie.words - 1
    found: list[Ids] = [np.asarray(sequence, np.int64)]
    for order in range(2, trie.order + 1):
        before = np.concatenate(([NOWHERE], found[-1][:-1]))
        found.append(trie.find(order, np.where(found[0] == start, NOWHERE, before), found[0]))
    return found


def spelt(trie: Trie, order: int, numbers: Ids) -> Sequence[Ids]:
    """The words of n-grams of an order by their numbers [n], first to last: each [n]."""
    words: list[Ids] = []
    for keys in reversed(trie.keys[: order - 1]):
        numbers, last = np.divmod(keys[numbers], trie.words)
        words.append(last)
    return [numbers, *reversed(words)]
