"""Pieces dealt into lanes: every token once, in order, with starts where pieces begin."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm import lanes
from charlm.lanes import Lanes, Piece, Window, line_bounds
from charlm.text.store import blocks_of


class Dealing(NamedTuple):
    """Piece lengths (0 is allowed), how many tokens of each only warm up, lanes, and window lengths in turn."""

    lengths: list[int]
    warm: int
    width: int
    times: list[int]

    def pieces(self) -> list[Piece]:
        """One after another over the flat array."""
        ends = np.cumsum(self.lengths).tolist()
        begins = [0, *ends[:-1]]
        return [Piece(b, e, min(b + self.warm, e)) for b, e in zip(begins, ends, strict=True)]

    def run(self) -> list[Window]:
        """All windows to the end."""
        lanes = Lanes(iter(self.pieces()), self.width)
        found: list[Window] = []
        while (window := lanes.next_window(self.times[len(found) % len(self.times)])) is not None:
            found.append(window)
        assert lanes.next_window(3) is None
        return found


DEALINGS = st.builds(
    Dealing,
    st.lists(st.integers(0, 9), min_size=1, max_size=30),
    st.integers(0, 3),
    st.integers(1, 6),
    st.lists(st.integers(1, 7), min_size=1, max_size=3),
)


def joined(windows: list[Window], name: str) -> np.ndarray:
    """One field of all windows, one after another, [T, B]."""
    return np.concatenate([getattr(window, name) for window in windows])


@settings(deadline=None, max_examples=150)
@given(DEALINGS)
def test_every_token_is_dealt_exactly_once(dealing: Dealing) -> None:
    windows = dealing.run()
    if not sum(dealing.lengths):
        assert not windows
        return
    positions = joined(windows, "positions")
    np.testing.assert_array_equal(np.sort(positions[positions >= 0]), np.arange(sum(dealing.lengths)))
    for window, time in zip(windows, dealing.times * len(windows), strict=False):
        assert window.positions.shape == window.starts.shape == window.counted.shape == (time, dealing.width)


@settings(deadline=None, max_examples=150)
@given(DEALINGS)
def test_every_piece_stays_whole_in_one_lane(dealing: Dealing) -> None:
    """In order, with one start, at its first token; a lane runs dry only at its end."""
    pieces = {piece.begin: piece for piece in dealing.pieces() if piece.end > piece.begin}
    windows = dealing.run()
    if not windows:
        return
    columns = zip(joined(windows, "positions").T, joined(windows, "starts").T, strict=True)
    seen = 0
    for lane, starts in columns:
        alive = lane >= 0
        assert not np.any(alive[1:] & ~alive[:-1])
        expected: list[int] = []
        while len(expected) < np.count_nonzero(alive):
            piece = pieces[int(lane[len(expected)])]
            assert not expected or piece.begin > expected[-1]
            expected += range(piece.begin, piece.end)
            seen += 1
        assert lane[alive].tolist() == expected
        np.testing.assert_array_equal(starts, np.isin(lane, list(pieces)))
    assert seen == len(pieces)


@settings(deadline=None, max_examples=150)
@given(DEALINGS)
def test_inputs_targets_and_counts(dealing: Dealing) -> None:
    """The input is the token before, -1 at a start; the target is the token itself, -1 where it only warms up."""
    size = sum(dealing.lengths)
    ids = np.arange(size, dtype=np.uint16) * 3 + 7
    counted_from = {p: piece.counted for piece in dealing.pieces() for p in range(piece.begin, piece.end)}
    begins = {piece.begin for piece in dealing.pieces()}
    for window in dealing.run():
        inputs, targets = window.inputs(ids), window.targets(ids)
        for step in np.ndindex(window.positions.shape):
            position = int(window.positions[step])
            counted = position >= 0 and position >= counted_from[position]
            assert window.counted[step] == counted
            assert targets[step] == (int(ids[position]) if counted else -1)
            blank = position < 0 or position in begins
            assert inputs[step] == (-1 if blank else int(ids[position - 1]))


def test_further_starts_blank_their_inputs_only() -> None:
    """A restart is a start: no input there, the same targets; a dry lane never starts."""
    lanes = Lanes(iter([Piece(0, 6, 0), Piece(6, 8, 6)]), 2)
    window = lanes.next_window(6)
    assert window is not None
    more = np.zeros((6, 2), bool)
    more[2, 0] = more[5, 1] = True
    restarted, ids = window.restarted(more), np.arange(10, 18)
    np.testing.assert_array_equal(restarted.starts[:, 0], [True, False, True, False, False, False])
    np.testing.assert_array_equal(restarted.starts[:, 1], [True, False, False, False, False, False])
    np.testing.assert_array_equal(restarted.inputs(ids)[:, 0], [-1, 10, -1, 12, 13, 14])
    np.testing.assert_array_equal(restarted.inputs(ids)[:, 1], [-1, 16, -1, -1, -1, -1])
    np.testing.assert_array_equal(restarted.targets(ids), window.targets(ids))
    np.testing.assert_array_equal(restarted.positions, window.positions)
    assert not np.any(window.starts[2])


@pytest.mark.parametrize("size", [1, 2, 6, 7, 8, 50])
def test_bounds_of_lines_are_found_in_blocks(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the blocks; an end of a line at the very end begins none."""
    monkeypatch.setattr(lanes, "BLOCK_IDS", 7)
    monkeypatch.setattr(lanes, "blocks_of", lambda ids: blocks_of(ids, 7))
    for seed in range(20):
        ids = np.random.default_rng(seed).integers(0, 3, size).astype(np.uint8)
        expected = [0, *(i for i in range(1, size) if ids[i - 1] == 2), size]
        assert line_bounds(ids, 2).tolist() == expected
    assert line_bounds(ids, None).tolist() == [0, size]
