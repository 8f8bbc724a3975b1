"""Sizes that nobody chose."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import InputError
from charlm.text.reading import Source
from charlm.text.sources import Texts
from charlm.training.defaults import FEWEST_TOKENS, default_sizes, fit, guess_level, most_validated


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


@pytest.mark.parametrize("level", ["char", "byte", "word", "token"])
def test_no_length_is_without_bounds(level: str) -> None:
    """Whatever the size of the text, a run reads no more than so many tokens."""
    lengths = [default_sizes(10**exponent, level).length(10**exponent) for exponent in range(3, 12)]
    assert max(lengths) <= (16_000_000 if level in ("char", "byte") else 2_000_000)
    assert all(length >= min(10**exponent, 1_000_000) for exponent, length in enumerate(lengths, start=3))


def test_sizes_of_runs_bound_by_time_are_for_what_they_can_read() -> None:
    assert default_sizes(10**8, seconds=60) == default_sizes(1_800_000)
    assert default_sizes(10**5, seconds=3600) == default_sizes(10**5)
    assert default_sizes(10**8, "word", seconds=60) == default_sizes(180_000, "word")


def test_validation_does_not_fill_a_run_bound_by_time() -> None:
    assert most_validated(None) == most_validated(3600) == 1_000_000
    assert most_validated(60) == 300_000
    assert most_validated(1e-9) == 1


def test_fine_tuning_is_gentler() -> None:
    usual, tuned = default_sizes(10**6), default_sizes(10**6, fine_tuning=True)
    assert tuned.lr == usual.lr / 2
    assert tuned.hidden == usual.hidden


def texts_of(text: str, *, rereadable: bool = True) -> Texts:
    return Texts("text", (Source("text", lambda: BytesIO(text.encode())),), rereadable=rereadable)


def test_level_is_guessed_by_its_unknown_words() -> None:
    assert guess_level(texts_of("the <unk> of a <unk> , <unk> .\n")) == "token"
    assert guess_level(texts_of("the <unk> of a <unk>.\n")) == "char"
    assert guess_level(texts_of("plain text\n" * 9)) == "char"
    assert guess_level(texts_of("<unk> <unk> <unk>", rereadable=False)) == "char"
