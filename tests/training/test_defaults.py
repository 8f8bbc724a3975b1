"""Sizes that nobody chose."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import InputError
from charlm.text.reading import Source
from charlm.text.sources import Texts
from charlm.training.defaults import FEWEST_TOKENS, fine_tuning, fit, guess_level, most_validated
from charlm.training.presets import PRESETS, default_sizes


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


@pytest.mark.parametrize("level", ["char", "byte", "word", "token"])
@pytest.mark.parametrize("preset", PRESETS)
def test_longer_texts_get_runs_that_are_no_shorter(level: str, preset: str) -> None:
    lengths = [default_sizes(10**exponent, level, preset).length(10**exponent) for exponent in range(2, 10)]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize("level", ["char", "byte", "word", "token"])
def test_more_patience_makes_no_smaller_model_and_no_shorter_run(level: str) -> None:
    for tokens in (10**exponent for exponent in range(2, 10)):
        sizes = [default_sizes(tokens, level, preset) for preset in PRESETS]
        assert [each.hidden for each in sizes] == sorted(each.hidden for each in sizes)
        assert [each.length(tokens) for each in sizes] == sorted(each.length(tokens) for each in sizes)
        assert sizes[0] != sizes[-1]
        assert default_sizes(tokens, level) == sizes[1]


@pytest.mark.parametrize("level", ["char", "byte", "word", "token"])
def test_no_length_is_without_bounds(level: str) -> None:
    """Whatever the size of the text, a run reads no more than so many tokens, with patience four times more."""
    lengths = [default_sizes(10**exponent, level).length(10**exponent) for exponent in range(3, 12)]
    most = 7_500_000 if level in ("char", "byte") else 2_000_000
    assert max(lengths) <= most
    assert all(default_sizes(10**exponent, level, "best").length(10**exponent) <= 4 * most for exponent in range(3, 12))
    assert all(length >= min(10**exponent, 1_000_000) for exponent, length in enumerate(lengths, start=3))


def test_validation_does_not_fill_a_run_bound_by_time() -> None:
    assert most_validated(None) == most_validated(3600) == 1_000_000
    assert most_validated(60) == 300_000
    assert most_validated(1e-9) == 1


@pytest.mark.parametrize("tokens", [10**4, 10**6])
def test_fine_tuning_is_gentler(tokens: int) -> None:
    usual = default_sizes(tokens).with_optimizer("adamw")
    tuned = fine_tuning(default_sizes(tokens))
    assert tuned.optimizer == "adamw"
    assert tuned.lr <= usual.lr / 2
    assert tuned.hidden == usual.hidden


def test_another_optimizer_has_a_rate_of_its_own() -> None:
    rates = {name: default_sizes(10**4).with_optimizer(name).lr for name in ("adamw", "muon", "sgd")}
    assert rates["adamw"] < rates["muon"] == default_sizes(10**4).lr < rates["sgd"]
    there_and_back = default_sizes(10**4).with_optimizer("adamw").with_optimizer("muon")
    assert there_and_back.lr == pytest.approx(rates["muon"])


def texts_of(text: str, *, rereadable: bool = True) -> Texts:
    return Texts("text", (Source("text", lambda: BytesIO(text.encode())),), rereadable=rereadable)


def test_level_is_guessed_by_its_unknown_words() -> None:
    assert guess_level(texts_of("the <unk> of a <unk> , <unk> .\n")) == "token"
    assert guess_level(texts_of("the <unk> of a <unk>.\n")) == "char"
    assert guess_level(texts_of("plain text\n" * 9)) == "char"
    assert guess_level(texts_of("<unk> <unk> <unk>", rereadable=False)) == "char"
