"""Probabilities of texts under n-grams with backoffs.

    log P(w | context) = log p(context w)                           where that n-gram is there
                       = log b(context) + log P(w | shorter context)  where it is not; b is 1 for a context that is not

All places of a text are looked up at once, order by order.
"""

from dataclasses import dataclass

import numpy as np

from charlm.ngram.smoothing import Real, Smoothed
from charlm.ngram.trie import NOWHERE, Trie, walk
from charlm.nn.arrays import Ids

Contexts = tuple[int, ...]
"""Numbers of the n-grams that a text ends in, of orders 1 to N - 1 as far as it goes; ``NOWHERE`` for what is none."""
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
    contexts: Contexts = ()
    for word in context[-trie.order + 1 :].tolist():
        contexts = contexts_behind(trie, contexts, word)
    return distribution_behind(trie, smoothed, contexts)


def contexts_behind(trie: Trie, contexts: Contexts, word: int) -> Contexts:
    """The n-grams that a text ends in, when one more word has been read.

    Args:
        trie: the n-grams.
        contexts: those before it; empty where nothing was read.
        word: <s> too, which no n-gram has behind another word.
    """
    if trie.order == 1:
        return ()
    longer = zip(trie.keys[:-1], contexts, strict=False)  # the longest is no context any more
    return (word, *(_find_one(keys, number, number * trie.words + word) for keys, number in longer))


def distribution_behind(trie: Trie, smoothed: Smoothed, contexts: Contexts) -> Real:
    """As ``distribution``, behind the n-grams that a text ends in; to the last bit what ``judge`` says of each word."""
    found: Real = smoothed.log_probabilities[0][:-1].copy()
    for order, number in enumerate(contexts, 2):
        if number == NOWHERE:
            continue
        found += smoothed.log_backoffs[order - 2][number]
        keys = trie.keys[order - 2]
        first, behind = np.searchsorted(keys, (number * trie.words, (number + 1) * trie.words)).tolist()
        found[keys[first:behind] % trie.words] = smoothed.log_probabilities[order - 1][first:behind]
    return found


def _find_one(keys: Ids, prefix: int, wanted: int) -> int:
    """The place of a key; ``NOWHERE`` where it is not, as where its prefix is not."""
    if prefix == NOWHERE:
        return NOWHERE
    place = int(np.searchsorted(keys, wanted))
    return place if place < len(keys) and keys[place] == wanted else NOWHERE
