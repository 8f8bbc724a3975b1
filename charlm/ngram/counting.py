"""The distinct n-grams of a text and how often each occurs, by sorting, order by order and block by block.

Memory grows with the number of distinct n-grams, not with the text: of that, a block is held at a time, and where an
n-gram of the order before ends at each place, which lies in a mapped file where it is long.
"""

from collections.abc import Iterator

import numpy as np

from charlm.ngram.trie import NOWHERE, Trie, find
from charlm.nn.arrays import Ids
from charlm.text.store import BLOCK_IDS, GrowingStore, blocks_of

Counted = tuple[Ids, Ids]
"""Sorted keys, and how often each occurs."""


def count(sequence: Ids, words: int, order: int) -> tuple[Trie, list[Ids]]:
    """Count the n-grams of orders 1 to ``order``.

    Args:
        sequence: [n], words; <s>, the last word of all, stands where a text begins.
        words: how many words there are, <s> included.
        order: N.

    Returns:
        The n-grams, and for each order how often each occurs.
    """
    unigrams = (np.bincount(block, minlength=words) for block in blocks_of(sequence))
    counts: list[Ids] = [sum(unigrams, np.zeros(words, np.int64))]
    keys: list[Ids] = []
    ends: Ids = np.asarray(sequence)
    shift = 0  # of the numbers in ``ends``: a store holds no negative ones
    for _ in range(2, order + 1):
        found = _distinct(sequence, ends, shift, words)
        keys.append(found[0])
        counts.append(found[1])
        with GrowingStore() as store:
            for wanted in _keys(sequence, ends, shift, words):
                store.append((find(found[0], wanted) + 1).astype(np.uint64))
            ends, shift = store.finish(), 1
    return Trie(words, tuple(keys)), counts


def _keys(sequence: Ids, ends: Ids, shift: int, words: int) -> Iterator[Ids]:
    """For a block of places at a time, the key of the n-gram that ends there; ``NOWHERE`` where none does."""
    begin, last = words - 1, NOWHERE
    for at in range(0, len(sequence), BLOCK_IDS):
        here = np.asarray(sequence[at : at + BLOCK_IDS], np.int64)
        before = np.asarray(ends[at : at + BLOCK_IDS], np.int64) - shift
        prefixes = np.concatenate(([last], before[:-1]))
        last = int(before[-1])
        yield np.where((prefixes >= 0) & (here != begin), prefixes * words + here, NOWHERE)


def _distinct(sequence: Ids, ends: Ids, shift: int, words: int) -> Counted:
    """The distinct keys. Runs are merged as a binary counter carries: no key is merged more often than log n times."""
    runs: list[Counted] = []
    for block in _keys(sequence, ends, shift, words):
        run: Counted = np.unique(block[block >= 0], return_counts=True)
        while runs and len(runs[-1][0]) <= 2 * len(run[0]):
            run = _merged(runs.pop(), run)
        runs.append(run)
    merged = runs.pop() if runs else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    while runs:
        merged = _merged(runs.pop(), merged)
    return merged


def _merged(one: Counted, other: Counted) -> Counted:
    keys = np.concatenate((one[0], other[0]))
    order = np.argsort(keys, kind="stable")  # of two sorted runs: one pass
    keys, numbers = keys[order], np.concatenate((one[1], other[1]))[order]
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    return keys[first], np.add.reduceat(numbers, first) if len(first) else numbers
