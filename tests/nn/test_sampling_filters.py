"""Filters: what each leaves of a distribution, and that tokens are drawn from what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.errors import UsageError
from charlm.sampling import filters as f
from charlm.sampling.config import Filters, SamplingConfig
from charlm.sampling.drawing import Chooser, Drawer
from charlm.scoring import log_softmax

if TYPE_CHECKING:
    from collections.abc import Callable

TENTHS = np.array([0.1, 0.4, 0.2, 0.05, 0.25])
"""A distribution that is easily reckoned with."""
SHARES = st.floats(0.01, 1)
# Few values, so that many are equal.
SCORES = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0, -40.0]) | st.floats(-9, 9), min_size=1, max_size=40)


def left(logprobs: np.ndarray) -> np.ndarray:
    """The probabilities that are left, rounded."""
    return np.asarray(np.round(np.exp(logprobs), 9))


def logs(probabilities: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(probabilities))


@pytest.mark.parametrize(
    ("apply", "expected"),
    [
        (lambda p: f.top_k(p, 2), [0, 0.4 / 0.65, 0, 0, 0.25 / 0.65]),
        (lambda p: f.top_k(p, 9), TENTHS),
        (lambda p: f.top_p(p, 0.6), [0, 0.4 / 0.65, 0, 0, 0.25 / 0.65]),
        (lambda p: f.top_p(p, 0.66), [0, 0.4 / 0.85, 0.2 / 0.85, 0, 0.25 / 0.85]),
        (lambda p: f.top_p(p, 1e-9), [0, 1, 0, 0, 0]),
        (lambda p: f.min_p(p, 0.49), [0, 0.4 / 0.85, 0.2 / 0.85, 0, 0.25 / 0.85]),
        (lambda p: f.min_p(p, 1.0), [0, 1, 0, 0, 0]),
        (lambda p: f.temperature(p, 0.5), TENTHS**2 / (TENTHS**2).sum()),
        (lambda p: f.temperature(p, 0), [0, 1, 0, 0, 0]),
        (lambda p: f.repetition_penalty(p, np.arange(5) == 1, 2), np.array([10, 16, 20, 5, 25]) / 76),
        # The entropy is 1.415 nats: 0.25 costs 1.386, 0.2 1.609, 0.4 0.916, 0.1 2.303.
        (lambda p: f.typical(p, 0.2), [0, 0, 0, 0, 1]),
        (lambda p: f.typical(p, 0.3), [0, 0, 0.2 / 0.45, 0, 0.25 / 0.45]),
        (lambda p: f.typical(p, 0.5), [0, 0.4 / 0.85, 0.2 / 0.85, 0, 0.25 / 0.85]),
    ],
)
def test_what_is_left_of_five_tokens(apply: Callable[[np.ndarray], np.ndarray], expected: list[float]) -> None:
    """Reckoned by hand."""
    np.testing.assert_allclose(np.exp(apply(logs(TENTHS))), expected, atol=1e-12)


ALL: list[tuple[str, Callable[[np.ndarray, float], np.ndarray]]] = [
    ("top_k", lambda p, share: f.top_k(p, max(1, round(share * 10)))),
    ("top_p", f.top_p),
    ("min_p", f.min_p),
    ("typical", f.typical),
    ("temperature", lambda p, share: f.temperature(p, 3 * share)),
    ("penalty", lambda p, share: f.repetition_penalty(p, np.arange(p.size).reshape(p.shape) % 2 == 0, 1 + share)),
]


@pytest.mark.parametrize(("name", "apply"), ALL)
@settings(deadline=None, max_examples=60)
@given(scores=SCORES, share=SHARES)
def test_each_takes_a_distribution_and_gives_one(
    name: str, apply: Callable[[np.ndarray, float], np.ndarray], scores: list[float], share: float
) -> None:
    """It sums to 1, something is left, and what is left keeps its order; what was left out before stays so."""
    before = log_softmax(np.array([*scores, -np.inf]))
    kept = before.copy()
    after = apply(before, share)
    np.testing.assert_array_equal(before, kept)
    assert np.exp(after).sum() == pytest.approx(1, abs=1e-9)
    assert after[-1] == -np.inf
    alive = after > -np.inf
    assert alive.any()
    if name not in ("temperature", "penalty"):
        np.testing.assert_allclose(np.diff(after[alive]), np.diff(before[alive]), atol=1e-9)


@pytest.mark.parametrize(("name", "apply"), ALL[:-1])
@settings(deadline=None, max_examples=30)
@given(scores=SCORES, share=SHARES)
def test_columns_are_filtered_each_for_itself(
    name: str, apply: Callable[[np.ndarray, float], np.ndarray], scores: list[float], share: float
) -> None:
    columns = log_softmax(np.stack([scores, scores[::-1], np.zeros(len(scores))], axis=1))
    together = apply(columns, share)
    for column, mine in zip(columns.T, together.T, strict=True):
        np.testing.assert_allclose(np.exp(apply(np.ascontiguousarray(column), share)), np.exp(mine), atol=1e-12)
    assert name


@settings(deadline=None)
@given(scores=SCORES, k=st.integers(1, 45))
def test_top_k_keeps_the_k_largest(scores: list[float], k: int) -> None:
    """Exactly so many, also among equals, of which those with the smaller ids."""
    logprobs = log_softmax(np.array(scores))
    expected = sorted(sorted(range(len(scores)), key=lambda i: (-logprobs[i], i))[:k])
    assert np.flatnonzero(f.top_k(logprobs, k) > -np.inf).tolist() == expected


@settings(deadline=None)
@given(scores=st.lists(st.floats(-6, 6), min_size=1, max_size=700), share=st.floats(0.01, 0.999))
def test_top_p_keeps_the_smallest_set_that_reaches_the_share(scores: list[float], share: float) -> None:
    """Of many tokens, too, of which only some are sorted: without its least it would not reach it."""
    logprobs = log_softmax(np.array(scores))
    kept = np.flatnonzero(f.top_p(logprobs, share) > -np.inf)
    probabilities = np.exp(logprobs)
    assert probabilities[kept].sum() >= share - 1e-9
    assert probabilities[kept].sum() - probabilities[kept].min() < share + 1e-9
    assert probabilities[kept].min() >= max([0, *np.delete(probabilities, kept)])


@pytest.mark.parametrize(("size", "share"), [(1000, 0.9), (1000, 0.1), (f.FEW + 1, 0.999), (f.FEW, 0.5)])
def test_top_p_of_a_flat_distribution_keeps_as_many_as_it_takes(size: int, share: float) -> None:
    """However many that are; of equals the first."""
    kept = f.top_p(np.full(size, -np.log(size)), share + 1e-9) > -np.inf
    number = int(np.floor(share * size)) + 1
    assert kept.tolist() == [True] * number + [False] * (size - number)


@settings(deadline=None)
@given(scores=st.lists(st.floats(-6, 6), min_size=1, max_size=60), share=st.floats(0.01, 0.999))
def test_typical_keeps_the_smallest_set_nearest_to_the_entropy(scores: list[float], share: float) -> None:
    logprobs = log_softmax(np.array(scores))
    probabilities = np.exp(logprobs)
    distance = np.abs(-logprobs + (probabilities * logprobs).sum())
    kept = f.typical(logprobs, share) > -np.inf
    assert probabilities[kept].sum() >= share - 1e-9
    assert probabilities[kept].sum() - probabilities[distance == distance[kept].max()].max() < share + 1e-9
    assert distance[kept].max() <= min([np.inf, *distance[~kept]]) + 1e-12


def test_the_order_is_the_one_that_is_documented() -> None:
    """One after another, each on what the one before has left: another order leaves something else."""
    recent = np.array([False, True, False, False, True])
    config = Filters(penalty=1.5, top_k=4, top_p=0.9, min_p=0.35, typical=0.6)
    found = f.filtered(logs(TENTHS), config, 1.7, recent)
    step = f.temperature(f.repetition_penalty(logs(TENTHS), recent, 1.5), 1.7)
    step = f.typical(f.min_p(f.top_p(f.top_k(step, 4), 0.9), 0.35), 0.6)
    np.testing.assert_array_equal(found, step)
    # Top-k keeps 0.4 and 0.25, of which the first is 62 %; of the whole, 55 % take both.
    both = Filters(top_k=2, top_p=0.6)
    assert left(f.filtered(logs(TENTHS), both, 1.0)).tolist() == [0, 1, 0, 0, 0]
    # Flattened first, the likeliest one is no 30 % of the whole.
    assert np.count_nonzero(left(f.filtered(logs(TENTHS), Filters(top_p=0.3), 5.0))) == 2
    assert np.count_nonzero(left(f.filtered(logs(TENTHS), Filters(top_p=0.3), 1.0))) == 1


@pytest.mark.parametrize(
    "filters",
    [
        Filters(top_k=3),
        Filters(top_p=0.7),
        Filters(min_p=0.5),
        Filters(typical=0.7),
        Filters(penalty=2.0),
        Filters(top_k=4, min_p=0.2, penalty=1.5),
    ],
)
def test_tokens_follow_the_filtered_distribution(filters: Filters) -> None:
    """Chi-square of 20,000 tokens against the exact distribution, at another temperature, with one that never comes."""
    draws, size = 20_000, 8
    logits = np.random.default_rng(1).standard_normal(size)
    recent = np.arange(size) % 3 == 0
    config = SamplingConfig(1, 1.3, never=(2,), filters=filters)
    masked = logits.copy()
    masked[2] = -np.inf
    expected = draws * np.exp(f.filtered(log_softmax(masked), filters, 1.3, recent))
    uniform = np.random.default_rng(2).random(draws)
    columns, flags = (np.repeat(each[:, None], draws, axis=1) for each in (logits, recent))
    found = Chooser(config, size).choose(columns, uniform, flags).ids
    counts = np.bincount(found, minlength=size)
    alive = expected > 0
    assert counts[~alive].sum() == 0
    assert 1 < np.count_nonzero(alive) < size
    chi_square = float(((counts - expected)[alive] ** 2 / expected[alive]).sum())
    assert chi_square < 24.4  # 0.999 quantile of 7 degrees of freedom, which is that many at most
    without = draws * np.exp(log_softmax(masked / 1.3))[alive]
    assert float(((counts[alive] - without) ** 2 / without).sum()) > 100  # and the test can tell


def test_what_is_kept_of_a_token() -> None:
    """Its log-probability under the model, and in what it was drawn from; and the best in its place."""
    logits = np.random.default_rng(3).standard_normal((9, 40))
    config = SamplingConfig(1, 0.7, never=(1,), filters=Filters(top_k=4), details=True, alternatives=3)
    found = Chooser(config, 9).choose(logits, np.random.default_rng(4).random(40))
    assert found.logprobs is not None
    assert found.drawn_logprobs is not None
    assert found.best is not None
    assert found.best_logprobs is not None
    for lane, token in enumerate(found.ids.tolist()):
        plain = log_softmax(logits[:, lane])
        assert found.logprobs[lane] == pytest.approx(plain[token])
        masked = np.where(np.arange(9) == 1, -np.inf, logits[:, lane])
        drawn = f.top_k(f.temperature(log_softmax(masked), 0.7), 4)
        assert found.drawn_logprobs[lane] == pytest.approx(drawn[token])
        assert found.best[:, lane].tolist() == np.argsort(-plain)[:3].tolist()
        np.testing.assert_allclose(found.best_logprobs[:, lane], np.sort(plain)[::-1][:3])


@pytest.mark.parametrize("temperature", [1.0, 0.4, 0.0])
def test_keeping_figures_changes_nothing_of_what_is_drawn(temperature: float) -> None:
    logits = np.random.default_rng(5).standard_normal((30, 200)).astype(np.float32)
    uniform = np.random.default_rng(6).random(200)
    plain = Drawer(SamplingConfig(1, temperature, never=(3,)), 30).draw(logits, uniform)
    kept = Chooser(SamplingConfig(1, temperature, never=(3,), details=True), 30).choose(logits, uniform)
    np.testing.assert_array_equal(plain, kept.ids)


def test_at_temperature_0_the_likeliest_of_what_is_left() -> None:
    logits = logs(TENTHS)[:, None]
    filters = Filters(penalty=3.0, top_k=3)
    recent = np.array([[False], [True], [False], [False], [False]])
    found = Chooser(SamplingConfig(1, 0.0, filters=filters), 5).choose(logits, np.array([0.99]), recent)
    assert found.ids.tolist() == [4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_k": 0}, "--top-k is 0: it must be a number at least 1"),
        ({"top_p": 0.0}, "--top-p is 0.0: it must be a number above 0 and at most 1"),
        ({"top_p": 1.1}, "--top-p is 1.1"),
        ({"min_p": -0.1}, "--min-p is -0.1: it must be a number at least 0 and at most 1"),
        ({"min_p": float("nan")}, "--min-p is nan"),
        ({"typical": 0.0}, "--typical is 0.0: it must be a number above 0 and at most 1"),
        ({"penalty": 0.0}, "--repetition-penalty is 0.0: it must be a number above 0 and at most 100"),
        ({"window": 0}, "--penalty-window is 0: it must be a number at least 1"),
    ],
)
def test_what_is_out_of_range_is_named_with_the_range(options: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Filters(**options)  # type: ignore[arg-type]  # as a user's wrong value is
