"""The endless sequence of training windows, and the place in it.

A stream is cut anew each epoch into one piece a lane, at line starts near a random shift; lines that are
independent are one piece each, in a new order each epoch. Everything about an epoch follows from the seed and
its number, so the place in the sequence is a few integers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from charlm.lanes import Lanes, Piece, Window, line_bounds
from charlm.nn.arrays import Flags, Ids
from charlm.text.store import BLOCK_IDS, GrowingStore

_SEARCH = 1 << 12
"""How far to look for a line start, in tokens."""


@dataclass(frozen=True)
class Stream:
    """Training tokens and how they are dealt.

    Attributes:
        ids: [N], all tokens.
        line_end: the id after which a line begins, or None if there is none.
        independent_lines: every line starts from zero.
        restart: share of the line starts within a stream that are reset to a start.
        seed: decides orders, shifts and restarts.
    """

    ids: Ids
    line_end: int | None
    independent_lines: bool
    restart: float
    seed: int

    def epoch(self, number: int, lanes: int) -> Iterator[Piece]:
        """The pieces of one epoch; together they hold every token once."""
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, 1, number])))
        if self.independent_lines:
            bounds = np.asarray(line_bounds(self.ids, self.line_end))
            return (_piece(bounds[i], bounds[i + 1]) for i in map(int, _shuffled(bounds.size - 1, generator)))
        return self._cut(lanes, float(generator.random()))

    def _cut(self, lanes: int, shift: float) -> Iterator[Piece]:
        """Cut the stream at a line start near every (k + shift) / lanes of it; the first piece starts at 0."""
        size = self.ids.size
        wanted = ((np.arange(lanes) + shift) * size / lanes).astype(np.int64)
        cuts = sorted({0, *(self._line_start(int(position)) for position in wanted), size})
        return (_piece(begin, end) for begin, end in pairwise(cuts))

    def _line_start(self, position: int) -> int:
        """The first line start at or after a position, or the position itself if none is near."""
        if self.line_end is None or position == 0:
            return position
        found = np.flatnonzero(self.ids[position - 1 : position - 1 + _SEARCH] == self.line_end)
        return position + int(found[0]) if found.size else position

    def restarts(self, window: Window, epoch: int) -> Flags:
        """[T, B], True at the seeded share of line starts that begin as a text does."""
        before = self.ids[np.maximum(window.positions - 1, 0)]
        chosen = _hash(window.positions, self.seed * 1_000_003 + epoch) < self.restart * 2.0**32
        flags: Flags = chosen & (before == self.line_end) & (window.positions > 0)
        return flags


def _shuffled(number: int, generator: np.random.Generator) -> Ids:
    """The numbers below ``number`` as ``generator.permutation`` gives them, in a mapped file where they are many."""
    with GrowingStore() as store:
        for begin in range(0, number, BLOCK_IDS):
            store.append(np.arange(begin, min(begin + BLOCK_IDS, number)))
        order = np.asarray(store.finish(writeable=True))
    generator.shuffle(order)
    return order


def _piece(begin: int, end: int) -> Piece:
    return Piece(int(begin), int(end), int(begin))


def _hash(positions: NDArray[np.int64], salt: int) -> NDArray[np.uint64]:
    """32 well-mixed bits of each position (the finaliser of MurmurHash3): no state, no memory a line."""
    x = (positions.astype(np.uint64) ^ np.uint64((salt * 0x9E3779B97F4A7C15) % (1 << 64))) * np.uint64(
        0xFF51AFD7ED558CCD
    )
    x ^= x >> np.uint64(33)
    x *= np.uint64(0xC4CEB9FE1A85EC53)
    x ^= x >> np.uint64(33)
    return x >> np.uint64(32)


class Batches:
    """Endless windows [T, B] of a stream; ``place`` and ``move_to`` save and restore where it is.

    Attributes:
        epoch: number of the epoch that pieces are dealt from.
        dealt: pieces of that epoch that have been dealt.
    """

    def __init__(self, stream: Stream, batch: int) -> None:
        if not stream.ids.size:
            raise ValueError("a stream without tokens has no windows")
        self.stream = stream
        self.batch = batch
        self.epoch = 0
        self.dealt = 0
        self.lanes = Lanes(self._pieces(), batch)

    def _pieces(self) -> Iterator[Piece]:
        while True:
            for piece in islice(self.stream.epoch(self.epoch, self.batch), self.dealt, None):
                self.dealt += 1
                yield piece
            self.epoch += 1
            self.dealt = 0

    def next_window(self, time: int) -> Window:
        """The next window; there is always one, the sequence being endless."""
        window = self.lanes.next_window(time)
        assert window is not None  # noqa: S101 - the pieces never end
        if self.stream.independent_lines or self.stream.line_end is None or not self.stream.restart:
            return window
        return window.restarted(self.stream.restarts(window, self.epoch))

    def place(self) -> dict[str, NDArray[np.int64]]:
        """Where the sequence is, as integers."""
        lanes = np.stack((self.lanes.position, self.lanes.end, self.lanes.counted, self.lanes.fresh))
        return {"lanes": lanes.astype(np.int64), "epoch": np.array([self.epoch, self.dealt], np.int64)}

    def move_to(self, place: dict[str, NDArray[np.int64]]) -> None:
        """Continue from a saved place, exactly.

        Raises:
            ValueError: there is no such place in this stream.
        """
        position, end, counted, fresh = place["lanes"]
        inside = (position <= end) & (end <= self.stream.ids.size) & (counted <= self.stream.ids.size) & (fresh <= 1)
        inside_epoch = (place["epoch"] >= 0) & (
            place["epoch"] < 1 << 53
        )  # counted further, they stay integers of 64 bits
        if place["lanes"].min() < 0 or not inside.all() or not inside_epoch.all():
            raise ValueError("the stream has no such place")
        self.epoch, self.dealt = (int(n) for n in place["epoch"])
        self.lanes = Lanes(self._pieces(), self.batch)
        self.lanes.position, self.lanes.end, self.lanes.counted = (row.copy() for row in place["lanes"][:3])
        self.lanes.fresh = fresh.astype(np.bool_)
