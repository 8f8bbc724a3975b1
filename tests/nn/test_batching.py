"""The sequence of training windows: epochs, restarts, and continuing from a saved place."""

from __future__ import annotations

from itertools import chain, islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.lanes import Lanes, Piece
from charlm.text import store
from charlm.training import batching
from charlm.training.batching import Batches, Stream

LINE_END = 0


def stream_of(
    size: int, *, independent: bool = False, restart: float = 0.0, seed: int = 1, line_ends: float = 0.1
) -> Stream:
    """Random tokens; a share of them end lines."""
    rng = np.random.default_rng([seed, size])
    ids = rng.integers(1, 50, size).astype(np.uint8)
    ids[rng.random(size) < line_ends] = LINE_END
    return Stream(ids, LINE_END, independent, restart, seed)


def line_starts(stream: Stream) -> set[int]:
    return {0, *(int(end) + 1 for end in np.flatnonzero(stream.ids == stream.line_end))}


STREAMS = st.builds(
    stream_of,
    st.integers(1, 300),
    independent=st.booleans(),
    seed=st.integers(0, 100),
    line_ends=st.sampled_from([0.0, 0.1, 0.5]),
)


@settings(deadline=None, max_examples=120)
@given(STREAMS, st.integers(1, 7), st.integers(0, 5))
def test_an_epoch_holds_every_token_once(stream: Stream, lanes: int, number: int) -> None:
    """As one stream or as lines; the pieces of a stream begin at line starts, those of lines are the lines."""
    pieces = list(stream.epoch(number, lanes))
    tokens = np.concatenate([np.arange(piece.begin, piece.end) for piece in pieces])
    np.testing.assert_array_equal(np.sort(tokens), np.arange(stream.ids.size))
    assert all(piece.counted == piece.begin < piece.end for piece in pieces)
    begins, starts = [piece.begin for piece in pieces], line_starts(stream) - {stream.ids.size}
    if stream.independent_lines:
        assert set(begins) == starts
    else:
        assert begins == sorted(begins)
        assert len(pieces) <= lanes + 1
        # where a line start follows at all, a cut is at one; these streams are shorter than the search
        last = max(starts)
        assert all(begin in starts or begin > last for begin in begins)


@settings(deadline=None, max_examples=60)
@given(STREAMS, st.integers(1, 5), st.integers(1, 9))
def test_windows_follow_the_epochs(stream: Stream, batch: int, time: int) -> None:
    """The windows are those of the epochs' pieces, one epoch after another, and no lane ever runs dry."""
    batches = Batches(stream, batch)
    pieces = chain.from_iterable(stream.epoch(number, batch) for number in range(10_000))
    lanes = Lanes(pieces, batch)
    for _ in range(6):
        window, expected = batches.next_window(time), lanes.next_window(time)
        assert expected is not None
        assert np.all(window.positions >= 0)
        assert np.all(window.counted)
        np.testing.assert_array_equal(window.positions, expected.positions)
        np.testing.assert_array_equal(window.starts, expected.starts)


@pytest.mark.parametrize("independent", [False, True])
def test_an_epoch_through_windows_gives_previous_tokens(independent: bool) -> None:
    """Each input is the token before its target in the text, and -1 exactly where a piece begins."""
    stream = stream_of(500, independent=independent)
    pieces = list(stream.epoch(0, 4))
    begins = [piece.begin for piece in pieces]
    lanes, counts = Lanes(iter(pieces), 4), np.zeros(500, int)
    while (window := lanes.next_window(16)) is not None:
        counts[window.positions[window.positions >= 0]] += 1
        inputs, targets = window.inputs(stream.ids), window.targets(stream.ids)
        for step in np.ndindex(inputs.shape):
            position = window.positions[step]
            if position >= 0:
                assert targets[step] == stream.ids[position]
                assert inputs[step] == (-1 if position in begins else stream.ids[position - 1])
                assert window.starts[step] == (position in begins)
    np.testing.assert_array_equal(counts, 1)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 12),
    st.booleans(),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.5]),
    st.integers(20, 200),
)
def test_continues_exactly_from_a_saved_place(
    windows: int, independent: bool, batch: int, restart: float, size: int
) -> None:
    """A new sequence moved to the place gives the windows that would have followed, across epochs."""
    stream = stream_of(size, independent=independent, restart=restart)
    first = Batches(stream, batch)
    for _ in range(windows):
        first.next_window(7)
    place = first.place()
    kept = {name: array.copy() for name, array in place.items()}
    following = [first.next_window(5) for _ in range(12)]
    for name, array in kept.items():
        np.testing.assert_array_equal(place[name], array)
    second = Batches(stream, batch)
    second.next_window(3)
    second.move_to(place)
    for expected in following:
        found = second.next_window(5)
        np.testing.assert_array_equal(found.positions, expected.positions)
        np.testing.assert_array_equal(found.starts, expected.starts)
        np.testing.assert_array_equal(found.counted, expected.counted)
    np.testing.assert_array_equal(second.place()["lanes"], first.place()["lanes"])
    for name, array in kept.items():
        np.testing.assert_array_equal(place[name], array)


def starts_of(stream: Stream, windows: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and starts of the first windows of a stream, flat."""
    batches = Batches(stream, 8)
    found = [batches.next_window(50) for _ in range(windows)]
    return (
        np.concatenate([window.positions.ravel() for window in found]),
        np.concatenate([window.starts.ravel() for window in found]),
    )


def test_restarts_are_the_right_share_of_line_starts_and_nothing_else() -> None:
    """Besides the pieces' own starts."""
    share, plain, stream = 0.05, stream_of(200_000), stream_of(200_000, restart=0.05)
    positions, starts = starts_of(stream, 480)
    same_positions, piece_starts = starts_of(plain, 480)
    np.testing.assert_array_equal(positions, same_positions)
    assert not np.any(piece_starts & ~starts)
    restarted = starts & ~piece_starts
    lines = np.isin(positions, list(line_starts(stream)))
    assert not np.any(restarted & ~lines)
    assert restarted.sum() / lines.sum() == pytest.approx(share, rel=0.15)


def test_a_restart_share_of_one_restarts_every_line_and_zero_none() -> None:
    positions, starts = starts_of(stream_of(20_000, restart=1.0), 20)
    np.testing.assert_array_equal(starts, np.isin(positions, list(line_starts(stream_of(20_000)))))
    _, starts = starts_of(stream_of(20_000), 20)
    assert starts.sum() <= 9


def test_independent_lines_have_no_restarts_of_their_own() -> None:
    """Every line starts anyway."""
    positions, starts = starts_of(stream_of(5000, independent=True, restart=1.0), 5)
    np.testing.assert_array_equal(starts, np.isin(positions, list(line_starts(stream_of(5000)))))


def test_a_stream_without_line_ends_is_cut_anywhere_and_never_restarted() -> None:
    ids = np.ones(1000, np.uint8)
    stream = Stream(ids, None, False, 0.5, 1)
    batches = Batches(stream, 4)
    begins = {piece.begin for number in range(4) for piece in stream.epoch(number, 4)}
    for _ in range(8):
        window = batches.next_window(30)
        assert set(window.positions[window.starts].tolist()) <= begins


def test_epochs_and_seeds_differ() -> None:
    """Cuts of a stream, orders of lines, and which lines are restarted; the same number gives the same."""

    def pieces(*, independent: bool, number: int, seed: int = 1) -> list[Piece]:
        rng = np.random.default_rng(0)
        ids = rng.integers(0, 10, 5000).astype(np.uint8)
        return list(Stream(ids, LINE_END, independent, 0.5, seed).epoch(number, 4))

    for independent in (False, True):
        first = pieces(independent=independent, number=0)
        assert first == pieces(independent=independent, number=0)
        assert first != pieces(independent=independent, number=1)
        assert first != pieces(independent=independent, number=0, seed=2)

    stream = stream_of(5000, restart=0.5)
    window = Lanes(iter([Piece(0, 5000, 0)]), 1).next_window(5000)
    assert window is not None
    flags = [stream.restarts(window, number) for number in (0, 0, 1)]
    np.testing.assert_array_equal(flags[0], flags[1])
    both = np.count_nonzero(flags[0] & flags[2]) / np.count_nonzero(flags[0])
    assert both == pytest.approx(0.5, abs=0.12)


def test_lines_without_a_last_line_end_keep_their_tail() -> None:
    """The tail is a line of its own, and no empty line follows a last line end."""
    for ids, expected in (([5, 0, 6], {(0, 2), (2, 3)}), ([5, 0, 6, 0], {(0, 2), (2, 4)}), ([0, 0], {(0, 1), (1, 2)})):
        stream = Stream(np.array(ids, np.uint8), LINE_END, True, 0.0, 1)
        assert {(p.begin, p.end) for p in islice(stream.epoch(0, 2), 9)} == expected


@pytest.mark.parametrize("number", [1, 2, 7, 8, 300, 70_000])
def test_the_order_of_lines_is_a_permutation_wherever_it_lies(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that NumPy gives, in memory or in a file, so that a run does not depend on that."""
    expected = np.random.default_rng(3).permutation(number).tolist()
    assert batching._shuffled(number, np.random.default_rng(3)).tolist() == expected  # noqa: SLF001 - what the order is
    monkeypatch.setattr(batching, "BLOCK_IDS", 7)
    monkeypatch.setattr(store.GrowingStore.__init__, "__defaults__", (0,))
    assert batching._shuffled(number, np.random.default_rng(3)).tolist() == expected  # noqa: SLF001 - likewise
