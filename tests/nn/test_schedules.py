"""Learning-rate schedules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.train_config import SCHEDULES
from charlm.training.schedules import factor

SHARES = st.floats(0, 1)
WARMUPS = st.floats(0, 0.99)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(SCHEDULES), st.floats(0, 1.5), WARMUPS)
def test_the_factor_is_between_0_and_1(schedule: str, progress: float, warmup: float) -> None:
    """Even a little after the end, where rounding may put the last step."""
    assert 0 <= factor(schedule, progress, warmup) <= 1


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(SCHEDULES), SHARES, SHARES, WARMUPS)
def test_up_while_warming_up_then_never_up_again(schedule: str, one: float, other: float, warmup: float) -> None:
    """The rise is linear from 0, and what follows falls or stays."""
    first, second = sorted((one, other))
    if second < warmup:
        assert factor(schedule, first, warmup) <= factor(schedule, second, warmup)
        assert factor(schedule, second, warmup) == pytest.approx(second / warmup)
    elif first >= warmup:
        assert factor(schedule, first, warmup) >= factor(schedule, second, warmup)


@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.5])
@pytest.mark.parametrize(("schedule", "half", "end"), [("cosine", 0.5, 0), ("linear", 0.5, 0), ("constant", 1, 1)])
def test_endpoints(schedule: str, half: float, end: float, warmup: float) -> None:
    """1 when warm, the middle value halfway through the rest, the last value at the end."""
    assert factor(schedule, warmup, warmup) == 1
    assert factor(schedule, (1 + warmup) / 2, warmup) == pytest.approx(half)
    assert factor(schedule, 1, warmup) == pytest.approx(end, abs=1e-15)
    if warmup:
        assert factor(schedule, 0, warmup) == 0
        assert factor(schedule, warmup / 4, warmup) == pytest.approx(0.25)


def test_cosine_and_linear_differ_where_they_should() -> None:
    """A quarter of the way the cosine is still high."""
    assert factor("cosine", 0.25, 0) == pytest.approx(0.853553, abs=1e-6)
    assert factor("linear", 0.25, 0) == pytest.approx(0.75)
