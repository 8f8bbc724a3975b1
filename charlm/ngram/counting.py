"""The n-grams of a text and how often each occurs, in the order of their last words, in bounded memory.

Of each place of a text, the longest n-gram that ends there is counted, from its last word back to its first: at most N
words, fewer where <s> comes first. Sorted so, n-grams of all orders stand together with those that they end, and one
pass over them tells of each order which there are, how often they occur, and behind how many different words (Heafield
et al. 2013, section 3).
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from charlm.ngram.packing import Packing, Rows
from charlm.ngram.sorting import Sorter
from charlm.ngram.workspace import Table, Workspace
from charlm.nn.arrays import Ids


def count(sequence: Iterable[Ids], packing: Packing, workspace: Workspace) -> Table:
    """Count the longest n-grams that end at each place.

    Args:
        sequence: words, an array after another; <s>, the last word of all, stands where a text begins.
        packing: of as many words as the longest n-grams have.
        workspace: what memory there is.

    Returns:
        Rows of keys, each an n-gram from its last word back, sorted, and behind each how often it occurs.

    Raises:
        OutputError: a temporary file cannot be written.
    """
    width = packing.width + 1
    sorter = Sorter(workspace, packing.width, width, counted=True)
    most = workspace.block_rows(width)
    before = np.zeros(packing.order - 1, np.uint64)
    for part in sequence:
        for begin in range(0, len(part), most):
            written = np.concatenate((before, part[begin : begin + most].astype(np.uint64) + np.uint64(1)))
            sorter.add(_endings(written, packing))
            before = written[len(written) - len(before) :]
    table = workspace.table(np.uint64, width)
    for rows in sorter.blocks(most):
        table.append(rows)
    return table


def _endings(written: Rows, packing: Packing) -> Rows:
    """The n-gram that ends at each place behind the first N - 1, unless that is <s>, with a count of 1.

    Args:
        written: [N - 1 + n], words with 1 added; 0 for none.
        packing: of N words.
    """
    start = np.uint64(packing.words)
    size = len(written) - packing.order + 1
    rows = np.zeros((size, packing.width + 1), np.uint64)
    going = np.ones(size, np.uint64)  # 0 where <s> has come
    for place in range(packing.order):
        word = written[packing.order - 1 - place :][:size]
        packing.put(rows, place, word * going)
        going *= word != start
    rows[:, -1] = 1
    endings: Rows = rows[written[packing.order - 1 :] != start]
    return endings


def adjusted(counted: Table, packing: Packing, order: int, below: Table, rows: int) -> Iterator[Rows]:
    """The n-grams of an order with their adjusted counts, sorted from their last word back.

    Args:
        counted: what ``count`` returns.
        packing: that of ``counted``.
        order: from 2 on.
        below: of each n-gram of one word less in the same order, a value of 64 bits; at order 2, of each word.
        rows: to read at a time.

    Yields:
        Rows [n, width + 2]: the key, from the first word on; the adjusted count; the value of the n-gram without its
        first word.

    Raises:
        OutputError: a temporary file cannot be read.
    """
    width = packing.width
    last = np.zeros((1, width + 1), np.uint64)  # the row before
    shorter = -1  # the number of the n-gram of one word less that was the last to begin
    unfinished = np.zeros((0, width + 2), np.uint64)  # the n-gram that was the last to begin: it may go on
    for block in counted.blocks(rows):
        both = np.concatenate((last, block))
        last = block[-1:]
        new, numbers = _new(both, packing, order), shorter + np.cumsum(_new(both, packing, order - 1))
        shorter = int(numbers[-1])
        at = np.flatnonzero(new)
        sums = np.concatenate(([0], np.cumsum(_shares(both, packing, order))))
        shares = np.diff(sums[np.concatenate(([0], at, [len(block)]))]).astype(np.uint64)
        begun = np.empty((len(at), width + 2), np.uint64)
        begun[:, :width] = packing.reversed(block[at], order)
        begun[:, width] = shares[1:]
        words = packing.written(block[at], 0).astype(np.int64) - 1
        begun[:, width + 1] = _values(below, words if order == 2 else numbers[at])  # noqa: PLR2004 - the lowest
        unfinished[:, width] += shares[0]
        begun = np.concatenate((unfinished, begun))
        yield begun[:-1]
        unfinished = begun[-1:]
    yield unfinished


def alone(counted: Table, packing: Packing, rows: int) -> Ids:
    """The adjusted count of each word by itself, [words]; that of <s>, which is given and not predicted, is 0."""
    found = np.zeros(packing.words, np.int64)
    last = np.zeros((1, packing.width + 1), np.uint64)
    for block in counted.blocks(rows):
        both = np.concatenate((last, block))
        last = block[-1:]
        np.add.at(found, packing.written(block, 0).astype(np.int64) - 1, _shares(both, packing, 1))
    return found


def _new(both: Rows, packing: Packing, order: int) -> NDArray[np.bool_]:
    """For each row but the first, whether it is the first that ends in an n-gram of this order."""
    return packing.changes(both, order) & (packing.written(both[1:], order - 1) > 0)


def _shares(both: Rows, packing: Packing, order: int) -> Ids:
    """What each row but the first adds to the adjusted count of the n-gram of this order that it ends in.

    That is how often it occurs at the highest order and where it begins with <s>, and elsewhere 1 for every word that
    it stands behind.
    """
    often = both[1:, -1].astype(np.int64)
    first = packing.written(both[1:], order - 1)
    if order == packing.order:
        return np.where(first > 0, often, 0)
    return np.where(first == packing.words, often, _new(both, packing, order + 1))


def _values(table: Table, numbers: Ids) -> Rows:
    """Rows of a table by ascending numbers, which are not far from one another."""
    if not len(numbers):
        return np.zeros(0, np.uint64)
    begin = int(numbers[0])
    values: Rows = table.read(begin, int(numbers[-1]) + 1)[numbers - begin].view(np.uint64)
    return values
