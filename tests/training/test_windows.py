"""Windows of random length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.training.windows import BEYOND, SHORTEST, SPREAD, RandomWindows


def drawn(windows: RandomWindows, number: int) -> list[int]:
    return [windows.next_length() for _ in range(number)]


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 100), st.integers(0, 1000))
def test_a_length_is_in_its_range(window: int, seed: int) -> None:
    windows = RandomWindows(window, seed)
    lengths = drawn(windows, 100)
    assert min(SHORTEST, window) <= min(lengths)
    assert max(lengths) <= windows.most == window + BEYOND
    assert (windows.drawn, windows.steps) == (100, sum(lengths))


def test_nineteen_of_twenty_are_around_the_window_and_one_around_half_of_it() -> None:
    """Shares, means and spreads of the two, far enough apart to be told from each other."""
    lengths = np.array(drawn(RandomWindows(100, 3), 4000))
    short = lengths[lengths < 75]
    assert short.size / lengths.size == pytest.approx(0.05, abs=0.01)
    # Lengths are cut to whole steps, and at 110, which takes two standard deviations and more.
    assert short.mean() == pytest.approx(49.5, abs=1.2)
    assert short.std() == pytest.approx(SPREAD, abs=0.8)
    assert lengths[lengths >= 75].mean() == pytest.approx(99.5, abs=0.4)
    assert (lengths == 110).mean() == pytest.approx(0.95 * 0.0228, abs=0.008)


def test_a_seed_decides_all_lengths() -> None:
    assert drawn(RandomWindows(64, 1), 50) == drawn(RandomWindows(64, 1), 50)
    assert drawn(RandomWindows(64, 1), 50) != drawn(RandomWindows(64, 2), 50)


@pytest.mark.parametrize("stop", [0, 1, 17])
def test_it_goes_on_from_a_place(stop: int) -> None:
    once, first, second = RandomWindows(64, 1), RandomWindows(64, 1), RandomWindows(64, 1)
    expected = drawn(once, 40)
    begun = drawn(first, stop)
    second.move_to(first.place())
    assert begun + drawn(second, 40 - stop) == expected
    np.testing.assert_array_equal(second.place(), once.place())


@pytest.mark.parametrize("place", [(-1, 0), (3, 2), (1, 1 << 60)])
def test_a_place_that_is_none(place: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no such place"):
        RandomWindows(64, 1).move_to(np.array(place, np.int64))
