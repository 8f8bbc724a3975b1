"""Sorting more rows than memory holds: runs are sorted in memory, kept on the disk, and merged a block at a time."""

from collections.abc import Iterator

import numpy as np

from charlm.ngram.packing import Rows, sortable
from charlm.ngram.workspace import Table, Workspace

FAN_IN = 64
"""Runs that are merged at a time: a file each."""


class Sorter:
    """Takes rows in any order, and gives them back in that of their keys.

    Args:
        workspace: where runs are kept.
        key: so many columns from the left are the key.
        width: columns of a row.
        counted: whether rows of equal keys become one, whose last column is their sum; else there are none.
    """

    def __init__(self, workspace: Workspace, key: int, width: int, *, counted: bool = False) -> None:
        self._workspace, self._key, self._width, self._counted = workspace, key, width, counted
        self._most = workspace.run_rows(width)
        self._pending: list[Rows] = []
        self._runs: list[list[Table]] = []
        """By how often they have been merged."""

    def add(self, rows: Rows) -> None:
        """Take rows [n, width].

        Raises:
            OutputError: a temporary file cannot be written.
        """
        # Runs are merged as a binary counter carries: no row is merged more often than log n times.
        run = self._sorted([rows])
        while self._pending and len(self._pending[-1]) <= 2 * len(run):
            run = self._sorted([self._pending.pop(), run])
        self._pending.append(run)
        if sum(map(len, self._pending)) > self._most:
            self._spill()

    def blocks(self, rows: int) -> Iterator[Rows]:
        """All rows, sorted, some at a time: no more than so many. There is one block at least, of no rows.

        Raises:
            OutputError: a temporary file cannot be written, or not be read.
        """
        if not self._runs:
            whole = self._sorted(self._pending)
            self._pending = []
            for begin in range(0, max(1, len(whole)), rows):
                yield whole[begin : begin + rows]
            return
        if self._pending:
            self._spill()
        runs = [run for level in self._runs for run in level]
        yield from self._merged(runs, rows)
        for run in runs:
            run.close()

    def _sorted(self, runs: list[Rows]) -> Rows:
        """Rows of several runs as one."""
        rows = np.concatenate([np.zeros((0, self._width), np.uint64), *runs])
        # Of sorted runs: one pass.
        rows = np.take(rows, np.argsort(sortable(rows, self._key), kind="stable"), axis=0)
        if not self._counted or not len(rows):
            return rows
        others = [column[1:] != column[:-1] for column in rows.T[: self._key]]
        first = np.flatnonzero(np.append(True, np.logical_or.reduce(others)))
        found = rows[first]
        found[:, -1] = np.add.reduceat(rows[:, -1], first)
        return found

    def _spill(self) -> None:
        """Keep what is pending as a run."""
        run = self._workspace.table(np.uint64, self._width)
        run.append(self._sorted(self._pending))
        self._pending = []
        for level in self._runs:
            level.append(run)
            if len(level) < FAN_IN:
                return
            run = self._workspace.table(np.uint64, self._width)
            for rows in self._merged(level, self._most):
                run.append(rows)
            for merged in level:
                merged.close()
            level.clear()
        self._runs.append([run])

    def _merged(self, runs: list[Table], most: int) -> Iterator[Rows]:
        """Sorted runs as one, a block of rows at a time."""
        each = max(1, min(most, self._most) // len(runs))
        places = [0] * len(runs)
        held = [np.zeros((0, self._width), np.uint64)] * len(runs)
        while True:
            for number, run in enumerate(runs):
                if not len(held[number]) and places[number] < len(run):
                    held[number] = run.read(places[number], places[number] + each)
                    places[number] += each
            names = [sortable(rows, self._key) for rows in held]
            # Up to here all are there: what is still on the disk of a run comes behind what is held of it.
            ends = [name[-1] for name, place, run in zip(names, places, runs, strict=True) if place < len(run)]
            behind = [int(np.searchsorted(name, min(ends), side="right")) if ends else len(name) for name in names]
            rows = self._sorted([rows[:end] for rows, end in zip(held, behind, strict=True)])
            if len(rows):
                yield rows
            if not ends:
                return
            held = [rows[end:] for rows, end in zip(held, behind, strict=True)]
