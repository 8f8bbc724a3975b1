"""Probabilities of texts under n-grams with backoffs.

    log P(w | context) = log p(context w)                           where that n-gram is there
                       = log b(context) + log P(w | shorter context)  where it is not; b is 1 for a context that is not

All places of a text are looked up at once, order by order.
"""

from dataclasses import dataclass

import numpy as np

from charlm.ngram.smoothing import Real, Smoothed
from charlm.ngram.trie import Trie, follow
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
    ends = follow(trie, sequence)
    logs = smoothed.log_probabilities[0][sequence].astype(np.float64)
    orders = np.ones(len(sequence), np.int64)
    for order in range(2, trie.order + 1):
        here = ends[order - 1]
        # The n-gram of one word less that ends before: its backoff counts where this one is not there.
        context = np.concatenate(([-1], ends[order - 2][:-1]))
        known, there = context >= 0, here >= 0
        logs[known] += smoothed.log_backoffs[order - 2][context[known]]
        logs[there] = smoothed.log_probabilities[order - 1][here[there]]
        orders[there] = order
    starts = sequence == trie.words - 1
    return Judged(np.where(starts, 0.0, logs), np.where(starts, 0, orders))


def distribution(trie: Trie, smoothed: Smoothed, context: Ids) -> Real:
    """Log-probability of every word but <s> behind a context, [words - 1].

    Args:
        trie: the n-grams.
        smoothed: their probabilities.
        context: [n], words from <s> on, or the last of them.
    """
    ends = [order[-1] for order in follow(trie, context[-trie.order + 1 :])] if trie.order > 1 and len(context) else []
    found = np.exp(smoothed.log_probabilities[0][:-1])
    for order, number in enumerate(ends, 2):
        if order > trie.order or number < 0:
            break
        found *= np.exp(smoothed.log_backoffs[order - 2][number])
        first, behind = np.searchsorted(trie.keys[order - 2], (number * trie.words, (number + 1) * trie.words))
        part = slice(int(first), int(behind))
        found[trie.last_words(order)[part]] = np.exp(smoothed.log_probabilities[order - 1][part])
    return np.log(found)
