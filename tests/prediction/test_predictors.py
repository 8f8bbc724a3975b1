"""What holds of every predictor: sums to one at every step, the same bits from the same tokens, and a way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_cases import KINDS
from prediction_cases import MODELS, SHAPES, TEXTS, every_predictor, read_all, shaped_model

from charlm.errors import ModelError
from charlm.prediction.config import Dynamic
from charlm.prediction.dynamic import DynamicPredictor
from charlm.prediction.network import NetworkPredictor
from charlm.scoring import score_texts

KIND = st.sampled_from(["network", "sgd", "rms", "cache", "both", "mixture"])
DTYPE = st.sampled_from([np.float32, np.float64])


@given(MODELS, TEXTS, KIND, DTYPE)
@settings(max_examples=70, deadline=None)
def test_probabilities_sum_to_one_at_every_step(
    shape: tuple[str, str, int], texts: list[list[int]], kind: str, dtype: type
) -> None:
    model = shaped_model(*shape, dtype=dtype)
    for logs in read_all(every_predictor(model)[kind], texts):
        assert logs.shape == (model.config.vocabulary,)
        assert logs.dtype == np.float64
        assert np.exp(logs).sum() == pytest.approx(1, abs=1e-12)


@given(MODELS, TEXTS, KIND)
@settings(max_examples=40, deadline=None)
def test_the_same_tokens_give_the_same_bits(shape: tuple[str, str, int], texts: list[list[int]], kind: str) -> None:
    """From two that were made alike, from one that has read and forgotten another text, and without being asked."""
    model = shaped_model(*shape, dtype=np.float32)
    one, other = every_predictor(model)[kind], every_predictor(model)[kind]
    expected = read_all(one, texts)
    other.start()
    for token in [3, 1, 4, 1, 5, 2, 6, 5, 3, 5, 8]:
        other.read(token)  # nobody asks what it expects
    for mine, theirs in zip(expected, read_all(other, texts), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    one.start()
    silent = every_predictor(model)[kind]
    for token in texts[0]:
        one.log_probabilities()
        one.read(token)
        silent.read(token)
    np.testing.assert_array_equal(one.log_probabilities(), silent.log_probabilities())


@pytest.mark.parametrize("kind", ["sgd", "rms", "cache", "both", "mixture"])
def test_what_was_adapted_stays_until_it_is_forgotten(kind: str) -> None:
    model = shaped_model("lstm", "full", dtype=np.float32)
    before = model.parameters.values.copy()
    predictor = every_predictor(model)[kind]
    first = predictor.log_probabilities().copy()
    for token in [1, 2, 3, 1, 2, 3]:
        predictor.read(token)
    predictor.start(forget=False)
    assert np.abs(predictor.log_probabilities() - first).max() > 1e-3
    predictor.start()
    np.testing.assert_array_equal(predictor.log_probabilities(), first)
    np.testing.assert_array_equal(model.parameters.values, before)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_a_network_says_what_it_scores(kind: str, shape: str, dtype: type, rtol: float) -> None:
    model = shaped_model(kind, shape, layers=2, dtype=dtype)
    texts = [np.array([3, 1, 4, 1, 5, 2, 6]), np.array([8]), np.array([2, 7, 1, 8])]
    predictor = NetworkPredictor(model)
    for text, expected in zip(texts, score_texts(model, texts), strict=True):
        predictor.start()
        found = []
        for token in text.tolist():
            found.append(predictor.log_probabilities()[token])
            predictor.read(token)
        np.testing.assert_allclose(found, expected, rtol=rtol)


def test_probabilities_that_are_none_are_refused() -> None:
    model = shaped_model("lstm", "full", dtype=np.float32)
    model.parameters.views["head.b_y"][2] = np.nan
    with pytest.raises(ModelError, match="not finite"):
        NetworkPredictor(model).log_probabilities()


def test_a_learning_rate_that_runs_away_is_told() -> None:
    model = shaped_model("lstm", "full", dtype=np.float32)
    predictor = DynamicPredictor(model, Dynamic("sgd", lr=1e38, decay=0.0, segment=1))
    with pytest.raises(ModelError, match="learning rate is too large"):
        read_all(predictor, [[1, 2, 3, 4, 5, 6, 7, 8] * 3])
    predictor.start()
    assert np.exp(predictor.log_probabilities()).sum() == pytest.approx(1)
