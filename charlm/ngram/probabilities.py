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
from charlm.ngram.trie import NOWHERE, Trie, walk
from charlm.nn.arrays import Ids


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
    logs = smoothed.log_probabilities[0][sequence].astype(np.float64)
    orders = np.ones(len(sequence), np.int64)
    for order, ends in enumerate(walk(trie, sequence), 2):
        there, missing = np.flatnonzero(ends.numbers != NOWHERE), np.flatnonzero(ends.numbers == NOWHERE)
        # Where this one is not there, the backoff of its context counts, which is the n-gram of one word less before.
        logs[ends.places[missing]] += smoothed.log_backoffs[order - 2][ends.prefixes[missing]]
        here = ends.places[there]
        logs[here] = smoothed.log_probabilities[order - 1][ends.numbers[there]]
        orders[here] = order
    starts = sequence == trie.words - 1
    return Judged(np.where(starts, 0.0, logs), np.where(starts, 0, orders))


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
        if not len(ends.places) or ends.places[-1] != len(words) - 1 or ends.numbers[-1] == NOWHERE:
            return
        yield int(ends.numbers[-1])
