"""Texts of any length dealt into lanes of one fixed width, without padding between them.

Tokens stand in one flat array; a *piece* is a range of it that begins as a text begins (zero state, zero input).
Pieces are dealt to lanes in order: a lane whose piece has ended takes the next one. Training, validation and
scoring all read their windows from here, so that there is one rule for what an input, a target and a start is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.nn.arrays import Flags, Ids
from charlm.text.store import BLOCK_IDS, GrowingStore, blocks_of


def line_bounds(ids: Ids, line_end: int | None) -> Ids:
    """Where each line of a text begins, and where the last one ends, [lines + 1].

    They are found block by block, and lie in a mapped file where they are many, so that memory does not grow with
    the text.

    Args:
        ids: [N], N >= 1.
        line_end: the id that ends a line; None where there is none, and the text is one line.

    Raises:
        OutputError: there is no space for temporary files.
    """
    with GrowingStore() as store:
        store.append(np.array([0]))
        for number, block in enumerate(blocks_of(ids[:-1])):
            store.append(np.flatnonzero(block == line_end) + (number * BLOCK_IDS + 1))
        store.append(np.array([ids.size]))
        return store.finish()


@dataclass(frozen=True)
class TextLabels:
    """The label of every token of texts that stand one behind another.

    Attributes:
        bounds: [texts + 1], where each text begins, and where the last one ends.
        labels: [texts].
    """

    bounds: Ids
    labels: Ids

    @classmethod
    def of_lines(cls, ids: Ids, line_end: int | None, labels: Ids) -> "TextLabels":
        """Those of the lines of a text, as ``line_bounds`` finds them; [lines] labels."""
        return cls(line_bounds(ids, line_end), labels)

    def have(self, label: int) -> Flags:
        """[tokens], True for those of the texts that have a label."""
        bounds = self.bounds.astype(np.int64)
        return np.repeat(self.labels == label, bounds[1:] - bounds[:-1])

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The labels of the tokens at these positions; -1 where a position is negative."""
        # Of another type than the bounds, positions would have these copied to their own.
        wanted = np.maximum(positions, 0).astype(self.bounds.dtype)
        text = np.searchsorted(self.bounds, wanted, side="right") - 1
        return np.where(positions < 0, -1, self.labels[text].astype(np.int64))


class Piece(NamedTuple):
    """Tokens ``begin`` to ``end`` of the flat array; those before ``counted`` only warm the state up."""

    begin: int
    end: int
    counted: int


@dataclass(frozen=True)
class Window:
    """T steps of B lanes.

    Attributes:
        positions: [T, B], index in the flat array of the token to predict; -1 where a lane has run dry.
        starts: [T, B], True where a text begins.
        counted: [T, B], True where the prediction counts.
    """

    positions: NDArray[np.int64]
    starts: Flags
    counted: Flags

    def targets(self, ids: Ids) -> NDArray[np.int64]:
        """[T, B], the token to predict; -1 where it does not count."""
        taken = ids[np.maximum(self.positions, 0)].astype(np.int64)
        return np.where(self.counted, taken, -1)

    def inputs(self, ids: Ids) -> NDArray[np.int64]:
        """[T, B], the token before the one to predict; -1, the zero vector, where a text begins."""
        taken = ids[np.maximum(self.positions - 1, 0)].astype(np.int64)
        return np.where(self.starts | (self.positions < 0), -1, taken)

    def restarted(self, more: Flags) -> "Window":
        """The same window with further starts."""
        return replace(self, starts=self.starts | (more & (self.positions >= 0)))


class Lanes:
    """Deals pieces into ``width`` lanes and cuts them into windows.

    Attributes:
        position: [B], the next token of each lane.
        end: [B], where its piece ends; equal to ``position`` when the lane needs a new piece.
        counted: [B], from where its predictions count.
        fresh: [B], True when the next token is its piece's first.
    """

    def __init__(self, pieces: Iterator[Piece], width: int) -> None:
        self._pieces = pieces
        self.position = np.zeros(width, np.int64)
        self.end = np.zeros(width, np.int64)
        self.counted = np.zeros(width, np.int64)
        self.fresh = np.zeros(width, np.bool_)

    def next_window(self, time: int) -> Window | None:
        """The next ``time`` steps of every lane, or None when no lane has a token left."""
        positions = np.full((time, self.position.size), -1, np.int64)
        starts = np.zeros(positions.shape, np.bool_)
        counted = np.zeros(positions.shape, np.bool_)
        for lane in range(self.position.size):
            self._fill(lane, positions[:, lane], starts[:, lane], counted[:, lane])
        if positions[0].max() < 0:
            return None
        return Window(positions, starts, counted)

    def _fill(self, lane: int, positions: NDArray[np.int64], starts: Flags, counted: Flags) -> None:
        t, time = 0, positions.size
        while t < time:
            if self.position[lane] == self.end[lane] and not self._deal(lane):
                return
            begin = int(self.position[lane])
            taken = min(time - t, int(self.end[lane]) - begin)
            positions[t : t + taken] = np.arange(begin, begin + taken)
            counted[t : t + taken] = positions[t : t + taken] >= self.counted[lane]
            starts[t] = self.fresh[lane]
            self.fresh[lane] = False
            self.position[lane] += taken
            t += taken

    def _deal(self, lane: int) -> bool:
        for piece in self._pieces:
            if piece.end > piece.begin:
                self.position[lane], self.end[lane], self.counted[lane] = piece
                self.fresh[lane] = True
                return True
        return False
