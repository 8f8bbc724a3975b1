"""Small models of every shape, and texts, that the tests of predictors share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st
from nn_cases import KINDS, fresh_model

from charlm.prediction.cache import CachePredictor
from charlm.prediction.config import Cache, Dynamic
from charlm.prediction.dynamic import DynamicPredictor
from charlm.prediction.mixture import MixturePredictor
from charlm.prediction.network import NetworkPredictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charlm.nn.language_model import LanguageModel
    from charlm.prediction.predictor import Predictor

SHAPES: dict[str, dict[str, Any]] = {
    "full": {"vocabulary": 9, "hidden": 5, "embedding": 3},
    "gathered": {"vocabulary": 140, "hidden": 6, "embedding": 3},
    "tied": {"vocabulary": 9, "hidden": 5, "embedding": 5, "tied": True},
    "adaptive": {"vocabulary": 60, "hidden": 16, "embedding": 4, "softmax": "adaptive"},
    "labels": {"vocabulary": 9, "hidden": 5, "embedding": 3, "labels": 2},
    "residual": {"vocabulary": 9, "hidden": 5, "embedding": 3, "residual": True, "initial": "learned"},
}
"""Kinds of heads, inputs and starts."""
TEXTS = st.lists(st.lists(st.integers(0, 8), max_size=9), min_size=1, max_size=3)
MODELS = st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(sorted(SHAPES)), st.integers(1, 2))
SGD = Dynamic("sgd", lr=0.1, decay=0.05, segment=3)
RMS = Dynamic("rms", lr=0.05, decay=0.3, segment=4, epsilon=0.1)
CACHE = Cache(size=4, theta=0.7, share=0.3)


def shaped_model(kind: str, shape: str, layers: int = 1, **more: Any) -> LanguageModel:
    """A model, under its first label where it has labels."""
    model = fresh_model(kind, layers=layers, **SHAPES[shape], **more)
    return model.under(0) if model.config.labels else model


def some_squares(model: LanguageModel) -> Any:
    """Mean squares of gradients, some of them zero, some large."""
    return np.random.default_rng(5).choice([0.0, 0.01, 4.0], len(model.parameters))


def every_predictor(model: LanguageModel) -> dict[str, Predictor]:
    """One of each kind, and a mixture."""
    squares = some_squares(model)
    parts: dict[str, Predictor] = {
        "network": NetworkPredictor(model),
        "sgd": DynamicPredictor(model, SGD),
        "rms": DynamicPredictor(model, RMS, squares),
        "cache": CachePredictor(NetworkPredictor(model), CACHE),
        "both": CachePredictor(DynamicPredictor(model, RMS, squares), CACHE),
    }
    mixed = MixturePredictor([NetworkPredictor(model), DynamicPredictor(model, SGD)], [0.25, 0.75])
    return {**parts, "mixture": mixed}


def read_all(predictor: Predictor, texts: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """What is said before each token, and at each text's end, of texts that follow one another."""
    found = []
    for number, text in enumerate(texts):
        predictor.start(forget=number == 0)
        for token in text:
            found.append(predictor.log_probabilities().copy())
            predictor.read(token)
        found.append(predictor.log_probabilities().copy())
    return found
