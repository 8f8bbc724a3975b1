"""Probabilities of texts under n-grams with backoffs.

    log P(w | context) = log p(context w)                           where that n-gram is there
                       = log b(context) + log P(w | shorter context)  where it is not; b is 1 for a context that is not

All places of a text are looked up at once, order by order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from charlm.ngram.smoothing import Real, Smoothed
from charlm.ngram.trie import Trie, walk
from charlm.nn.arrays import Ids

BLOCK = 1 << 15
"""Words that are looked up at once: the arrays of so many stay in a processor's cache."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What n-grams say of each word of a sequence.

    Attributes:
        log_probabilities: float64 [n], nats; 0 for <S>.
        orders: [n], of the n-gram that was used; 0 for <s>.
    """

    log_probabilities: Real
    orders: Ids


def judge(trie: Trie, smoothed: Smoothed, sequence: Ids) -> Judged:
    """Log-probability of each word, given those before it back to <s>.

    Args:
        trie: the n-grams.
        smoothed: their probabilities.
        sequence: [n], words, <s> where a text begins.
    """
    sequence = np.asarray(sequence, np.int64)
    logs, orders = np.empty(len(sequence)), np.empty(len(sequence), np.int64)
    for begin in range(0, len(sequence), BLOCK):
        # The words before a block decide its first probabilities.
        first = max(0, begin - trie.order + 1)
        block = _judge_block(trie, smoothed, sequence[first : begin + BLOCK])
        logs[begin : begin + BLOCK] = block.log_probabilities[begin - first :]
        orders[begin : begin + BLOCK] = block.orders[begin - first :]
    return Judged(logs, orders)


def _judge_block(trie: Trie, smoothed: Smoothed, sequence: Ids) -> Judged:
    logs = smoothed.log_probabilities[0].take(sequence)
    orders = np.ones(len(sequence), np.int8)
    for order, ends in enumerate(walk(trie, sequence), 2):
        # Where an n-gram is not there, the backoff of its context counts.
        logs[ends.missing] += smoothed.log_backoffs[order - 2].take(ends.contexts)
        logs[ends.there] = smoothed.log_probabilities[order - 1].take(ends.numbers)
        orders[ends.there] = order
    starts = sequence == trie.words - 1
    logs[starts], orders[starts] = 0, 0
    return Judged(logs, orders)


def distribution(trie: Trie, smoothed: Smoothed, context: Ids) -> Real:
    """Log-probability of every word but <s> behind a context, [words - 1].

    Args:
        trie: the n-grams.
        smoothed: their probabilities.
        context: [n], words from <s> on, or the last of them.
    """
    found = np.exp(smoothed.log_probabilities[0][:-1])
    for order, number in enumerate(_contexts(trie, context[-trie.order + 1 :]), 2):
        found *= np.exp(smoothed.log_backoffs[order - 2][number])
        keys = trie.keys[order - 2]
        first, behind = np.searchsorted(keys, (number * trie.words, (number + 1) * trie.words))
        part = slice(int(first), int(behind))
        found[keys[part] % trie.words] = np.exp(smoothed.log_probabilities[order - 1][part])
    return np.log(found)


def _contexts(trie: Trie, words: Ids) -> Iterator[int]:
    """The n-grams that words end in, below the highest order, up to the first that is not there."""
    if trie.order == 1 or not len(words):
        return
    yield int(words[-1])
    for ends in islice(walk(trie, np.asarray(words, np.int64)), trie.order - 2):
        if not len(ends.there) or ends.there[-1] != len(words) - 1:
            return
        yield int(ends.numbers[-1])
