"""The trie of a text's n-grams and their probabilities, order by order, in bounded memory (Heafield et al. 2013).

Probabilities of an order need those of the n-grams without their first words, which stand together when n-grams are
sorted from the last word back; and the sums over a context, whose n-grams stand together when they are sorted from the
first word on, as in the trie. So each order is read in the first way, sorted into the second, and its probabilities are
sorted back for the order above.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from charlm.ngram.counting import adjusted, alone, count
from charlm.ngram.packing import Packing, Rows, as_ids, sortable
from charlm.ngram.smoothing import Discounts, Smoothed, counts_of_counts, discounts_of, interpolate
from charlm.ngram.sorting import Sorter
from charlm.ngram.trie import Trie
from charlm.ngram.workspace import Table, Workspace
from charlm.nn.arrays import Ids


def estimate(sequence: Iterable[Ids], words: int, order: int, workspace: Workspace) -> tuple[Trie, Smoothed]:
    """Count the n-grams of orders 1 to ``order``, and smooth them.

    Args:
        sequence: words, an array after another; <s>, the last word of all, stands where a text begins.
        words: how many words there are, <s> included.
        order: N.
        workspace: what memory there is; the arrays that are returned stay valid when it is closed.

    Raises:
        OutputError: a temporary file cannot be written.
    """
    packing = Packing(words, order)
    counted = count(sequence, packing, workspace)
    level = _words(counted, packing, workspace)
    levels = [level]
    for here in range(2, order + 1):
        grams, discounts = _read(counted, packing, here, level.below, workspace)
        level.below.close()
        longer = _smooth(grams, packing, here, discounts, level.keys, workspace)
        level.keys.close()
        level = longer
        levels.append(level)
    for table in (counted, level.below, level.keys):
        table.close()
    logs = tuple(each.logs.finish() for each in levels)
    backoffs = tuple(each.backoffs.finish() for each in levels[1:])
    discounts_of_all = tuple(each.discounts for each in levels)
    return Trie(words, tuple(each.trie.finish() for each in levels[1:])), Smoothed(logs, backoffs, discounts_of_all)


class _Level(NamedTuple):
    """One order.

    Attributes:
        discounts: of the order.
        trie: keys of its n-grams in the trie.
        logs: their log-probabilities.
        backoffs: the log-backoffs of the n-grams of one word less.
        keys: the n-grams packed, sorted from the first word on.
        below: their probabilities, sorted from the last word back; none at the highest order, which has none above.
    """

    discounts: Discounts
    trie: Table
    logs: Table
    backoffs: Table
    keys: Table
    below: Table


def _level(discounts: Discounts, packing: Packing, workspace: Workspace) -> _Level:
    logs, backoffs, below = (workspace.table(np.float64) for _ in range(3))
    return _Level(
        discounts, workspace.table(np.int64), logs, backoffs, workspace.table(np.uint64, packing.width), below
    )


def _words(counted: Table, packing: Packing, workspace: Workspace) -> _Level:
    """Order 1, which holds all words."""
    counts = alone(counted, packing, workspace.block_rows(packing.width + 1))
    level = _level(discounts_of(counts_of_counts(counts)), packing, workspace)
    uniform = np.full(packing.words, 1 / (packing.words - 1))
    each, _ = interpolate(counts, np.zeros_like(counts), 1, level.discounts, uniform)
    each[-1] = 1  # of <s>
    level.logs.append(np.log(each))
    level.keys.append(packing.unigrams())
    level.below.append(each)
    return level


def _read(counted: Table, packing: Packing, order: int, below: Table, workspace: Workspace) -> tuple[Sorter, Discounts]:
    """The n-grams of an order and its discounts.

    Returns:
        What sorts them from the first word on: rows of the key, the adjusted count, the probability of the n-gram
        without its first word, and the number of the n-gram where they are sorted from the last word back.
    """
    width, number = packing.width, 0
    grams = Sorter(workspace, packing.columns(order), width + 3)
    counts = counts_of_counts(np.zeros(0, np.int64))
    for rows in adjusted(counted, packing, order, below, workspace.block_rows(width + 3)):
        numbers = np.arange(number, number + len(rows), dtype=np.uint64)
        grams.add(np.column_stack((rows, numbers)))
        number += len(rows)
        counts += counts_of_counts(as_ids(rows[:, width]))
    return grams, discounts_of(counts)


def _smooth(
    grams: Sorter, packing: Packing, order: int, discounts: Discounts, contexts: Table, workspace: Workspace
) -> _Level:
    """Probabilities and backoffs of an order from 2 on, given the keys of the n-grams of one word less."""
    width, shorter, passed = packing.width, packing.columns(order - 1), 0
    most = workspace.block_rows(width + 3)
    level = _level(discounts, packing, workspace)
    back = Sorter(workspace, 1, 2)
    for keys, found in by_context(contexts.blocks(most), grams.blocks(most), packing, order - 1):
        names, begins = (sortable(packing.first(rows, order - 1), shorter) for rows in (keys, found))
        here = np.searchsorted(names, begins)
        last = packing.written(found, order - 1).astype(np.int64) - 1
        each, share = interpolate(
            as_ids(found[:, width]), here, len(keys), discounts, found[:, width + 1].view(np.float64)
        )
        level.trie.append((here + passed) * packing.words + last)
        level.keys.append(found[:, :width])
        level.logs.append(np.log(each))
        level.backoffs.append(np.log(share))
        if order < packing.order:
            back.add(np.column_stack((found[:, width + 2], each.view(np.uint64))))
        passed += len(keys)
    for rows in back.blocks(most):
        level.below.append(rows[:, 1].view(np.float64))
    return level


def by_context(
    contexts: Iterable[Rows], grams: Iterator[Rows], packing: Packing, length: int
) -> Iterator[tuple[Rows, Rows]]:
    """Contexts, some at a time, with all n-grams that begin with them.

    Args:
        contexts: blocks of keys, sorted.
        grams: one block or more of rows that begin with a key, sorted; the first words of each are a context.
        packing: of the keys.
        length: words of a context.
    """
    width = packing.columns(length)
    held, more = next(grams), True
    for block in contexts:
        keys = block
        while True:
            names, begins = sortable(keys, width), sortable(packing.first(held, length), width)
            behind = int(np.searchsorted(begins, names[-1], side="right"))
            if behind < len(held) or not more:
                yield keys, held[:behind]
                held = held[behind:]
                break
            if len(held):
                # All go with these contexts, and of the last one there may be more to come.
                begun = int(np.searchsorted(names, begins[-1]))
                whole = int(np.searchsorted(begins, begins[-1]))
                if begun:
                    yield keys[:begun], held[:whole]
                keys, held = keys[begun:], held[whole:]
            rows = next(grams, None)
            more = rows is not None
            held = held if rows is None else np.concatenate((held, rows)) if len(held) else rows
