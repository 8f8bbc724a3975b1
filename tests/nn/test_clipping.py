"""Clipping by the global norm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from charlm.training.clipping import clip, global_norm

LIMITS = st.floats(1e-3, 1e3)
GRADIENTS = st.one_of(
    arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6)),
    arrays(np.float32, st.integers(1, 40), elements=st.floats(-1e6, 1e6, width=32)),
)


@settings(deadline=None, max_examples=150)
@given(GRADIENTS, LIMITS)
def test_clipping_never_raises_the_norm_and_keeps_the_direction(gradient: np.ndarray, limit: float) -> None:
    """At most the limit afterwards; untouched if it was within; otherwise scaled down to it, as a whole."""
    before = gradient.copy()
    norm = float(np.linalg.norm(before.astype(np.float64)))
    returned = clip(gradient, limit)
    after = float(np.linalg.norm(gradient.astype(np.float64)))
    round_off = 1 + 1e-5
    assert returned == pytest.approx(norm, rel=1e-5, abs=1e-18)
    assert after <= norm * round_off
    assert after <= limit * round_off
    if returned <= limit:
        np.testing.assert_array_equal(gradient, before)
    else:
        assert after == pytest.approx(limit, rel=1e-4)
        expected = before.astype(np.float64) * (limit / norm)
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-30)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_not_finite_is_left_alone(bad: float, dtype: type) -> None:
    """The norm says so, and the caller decides."""
    gradient: np.ndarray = np.array([3.0, bad, 100.0], dtype)
    before = gradient.copy()
    assert not np.isfinite(clip(gradient, 1.0))
    np.testing.assert_array_equal(gradient, before)


def test_global_norm() -> None:
    assert global_norm(np.array([3.0, -4.0])) == 5
    assert global_norm(np.zeros(3, np.float32)) == 0
