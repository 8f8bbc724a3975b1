"""Sizes that nobody chose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import InputError
from charlm.training.defaults import FEWEST_TOKENS, default_sizes, fit


@given(st.integers(FEWEST_TOKENS, 100_000), st.integers(1, 500), st.integers(1, 500))
def test_window_and_batch_shrink_until_a_step_fits(tokens: int, window: int, batch: int) -> None:
    fitted_window, fitted_batch = fit(tokens, window, batch)
    assert 1 <= fitted_window <= window
    assert 1 <= fitted_batch <= batch
    assert fitted_window * fitted_batch <= tokens
    if window * batch <= tokens:
        assert (fitted_window, fitted_batch) == (window, batch)


def test_too_short_a_text_is_refused() -> None:
    with pytest.raises(InputError, match=f"at least {FEWEST_TOKENS}"):
        fit(FEWEST_TOKENS - 1, 64, 32)


def test_longer_texts_get_models_that_are_no_smaller() -> None:
    sizes = [default_sizes(10**exponent) for exponent in range(2, 10)]
    assert [each.hidden for each in sizes] == sorted(each.hidden for each in sizes)
    assert [each.epochs for each in sizes] == sorted((each.epochs for each in sizes), reverse=True)
