"""The continuous cache against its formula, mixtures, and the weights that are fitted for them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prediction_cases import CACHE, MODELS, TEXTS, every_predictor, read_all, shaped_model

from charlm.errors import InputError, UsageError
from charlm.prediction.cache import CachePredictor
from charlm.prediction.config import Cache
from charlm.prediction.fitting import fit_weights
from charlm.prediction.mixture import MixturePredictor
from charlm.prediction.network import NetworkPredictor
from charlm.prediction.walking import component_log_probabilities


@given(MODELS, TEXTS, st.integers(1, 6), st.floats(0, 0.1), st.floats(0, 0.99))
@settings(max_examples=80, deadline=None)
def test_the_cache_is_its_formula(
    shape: tuple[str, str, int], texts: list[list[int]], size: int, theta: float, share: float
) -> None:
    """Also over its rim, and from one text to the next."""
    model = shaped_model(*shape)
    found = read_all(CachePredictor(NetworkPredictor(model), Cache(size, theta, share)), texts)
    network, expected = NetworkPredictor(model), []
    seen: list[tuple[np.ndarray, int]] = []
    for text in texts:
        network.start()
        for token in [*text, None]:
            plain, now = np.exp(network.log_probabilities()), network.hidden().copy()
            weights = np.zeros(len(plain))
            scores = [theta * float(now @ hidden) for hidden, _ in seen[-size:]]
            for score, (_, came) in zip(scores, seen[-size:], strict=True):
                weights[came] += np.exp(score - max(scores))
            whole = weights.sum()
            expected.append((1 - share) * plain + share * weights / whole if whole else plain)
            if token is not None:
                seen.append((now, token))
                network.read(token)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.exp(one), other, rtol=1e-9)


def test_a_cache_allocates_nothing_that_grows() -> None:
    predictor = CachePredictor(NetworkPredictor(shaped_model("lstm", "full")), CACHE)
    read_all(predictor, [[1, 2, 3] * 20])
    assert [len(each) for each in vars(predictor).values() if isinstance(each, np.ndarray)] == [CACHE.size] * 2


@given(TEXTS, st.integers(1, 99))
@settings(max_examples=40, deadline=None)
def test_a_mixture_is_the_sum_of_its_parts(texts: list[list[int]], percent: int) -> None:
    model = shaped_model("gru-before", "full")
    weights = [percent / 100, 1 - percent / 100]
    parts = every_predictor(model)
    found = read_all(MixturePredictor([parts["network"], parts["both"]], weights), texts)
    alone = every_predictor(model)
    both = zip(read_all(alone["network"], texts), read_all(alone["both"], texts), strict=True)
    for one, (first, second) in zip(found, both, strict=True):
        np.testing.assert_allclose(np.exp(one), weights[0] * np.exp(first) + weights[1] * np.exp(second), rtol=1e-12)


def test_a_mixture_of_one_is_itself() -> None:
    """To the last bit; also beside one that has no weight."""
    model = shaped_model("lstm", "full", dtype=np.float32)
    expected = read_all(NetworkPredictor(model), [[1, 2, 3]])
    for mixture in (
        MixturePredictor([NetworkPredictor(model)], [1.0]),
        MixturePredictor([NetworkPredictor(model), NetworkPredictor(shaped_model("rnn-tanh", "full"))], [1, 0]),
    ):
        for one, other in zip(read_all(mixture, [[1, 2, 3]]), expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_what_all_parts_hold_for_next_to_impossible_stays_so() -> None:
    class Sure:
        vocabulary = 2

        def start(self, *, forget: bool = True) -> None: ...

        def log_probabilities(self) -> np.ndarray:
            return np.array([0.0, -2000.0])

        def read(self, token: int) -> None: ...

    found = MixturePredictor([Sure(), Sure()], [0.5, 0.5]).log_probabilities()
    np.testing.assert_allclose(found, [0, -2000], atol=1e-12)


@pytest.mark.parametrize("weights", [[0.5, 0.4], [1.5, -0.5], [1.0]])
def test_wrong_weights(weights: list[float]) -> None:
    model = shaped_model("lstm", "full")
    with pytest.raises(UsageError, match="must sum to one"):
        MixturePredictor([NetworkPredictor(model), NetworkPredictor(model)], weights)


def test_parts_of_other_sizes() -> None:
    models = [shaped_model("lstm", shape) for shape in ("full", "gathered")]
    with pytest.raises(UsageError, match="one vocabulary"):
        MixturePredictor([NetworkPredictor(model) for model in models], [0.5, 0.5])


def test_weights_that_are_known_are_found() -> None:
    """Tokens are drawn from a mixture of three distributions."""
    rng = np.random.default_rng(3)
    parts, truth = rng.dirichlet(np.full(40, 0.2), 3) + 1e-12, np.array([0.15, 0.6, 0.25])
    tokens = rng.choice(40, 60_000, p=(mixed := truth @ parts) / mixed.sum())
    fit = fit_weights(np.log(parts[:, tokens].T))
    np.testing.assert_allclose(fit.weights, truth, atol=0.02)
    assert sum(fit.weights) == pytest.approx(1, abs=1e-12)


LOGS = st.lists(st.lists(st.floats(-900, 0), min_size=3, max_size=3), min_size=1, max_size=30)


@given(LOGS)
@settings(max_examples=100, deadline=None)
def test_the_likelihood_never_falls(rows: list[list[float]]) -> None:
    logs = np.array(rows)
    fit = fit_weights(logs, rounds=200)
    assert all(
        after <= before + 1e-12 * max(abs(before), 1e-3) for before, after in zip(fit.nats, fit.nats[1:], strict=False)
    )
    for column in logs.T:
        assert fit.nats[-1] <= -column.mean() + np.log(3) + 1e-9
    with np.errstate(divide="ignore"):
        mixed = np.logaddexp.reduce(logs + np.log(fit.weights), axis=1)
    assert fit.nats[-1] == pytest.approx(-mixed.mean(), rel=1e-12, abs=1e-12)


def test_nothing_better_stands_beside_the_weights_found() -> None:
    logs = np.log(np.random.default_rng(4).random((500, 3)))
    fit = fit_weights(logs, gain=1e-14)
    for k in range(3):
        for step in (-1e-3, 1e-3):
            moved = np.array(fit.weights)
            moved[k] += step
            moved = np.maximum(moved, 0) / np.maximum(moved, 0).sum()
            assert -np.log(np.exp(logs) @ moved).mean() >= fit.nats[-1] - 1e-12


def test_a_round_that_gains_nothing_is_the_last() -> None:
    assert len(fit_weights(np.full((10, 2), -1.0)).nats) == 2
    assert len(fit_weights(np.log(np.random.default_rng(1).random((50, 2))), gain=0.0, rounds=7).nats) == 8


@pytest.mark.parametrize("logs", [np.zeros((0, 2)), np.array([[-1.0, -2.0], [-np.inf, -np.inf]])])
def test_weights_that_cannot_be_fitted(logs: np.ndarray) -> None:
    with pytest.raises(InputError, match="cannot be fitted"):
        fit_weights(logs)


def test_components_are_read_in_one_pass() -> None:
    model = shaped_model("lstm", "full")
    ids = np.array([1, 2, 0, 3, 4])
    told: list[int] = []
    names = ["network", "rms"]
    predictors = [every_predictor(model)[name] for name in names]
    predictors[1].read(3)  # begins anew
    found = component_log_probabilities(predictors, ids, line_end=0, passed=told.append)
    assert found.shape == (5, 2)
    assert told == [5, 5]
    for name, logs in zip(names, found.T, strict=True):
        lines = read_all(every_predictor(model)[name], [[1, 2, 0], [3, 4]])
        picked = [lines[place][token] for place, token in zip([0, 1, 2, 4, 5], ids, strict=True)]
        np.testing.assert_array_equal(logs, picked)
