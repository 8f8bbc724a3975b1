"""One flat buffer, named views into it, and their first values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from nn_cases import KINDS, fresh_model

from charlm.config import ModelConfig
from charlm.errors import UsageError
from charlm.nn.initializers import glorot, orthogonal, uniform
from charlm.nn.language_model import LanguageModel, parameter_specs
from charlm.nn.parameters import Parameters, ParameterSpec, below


@pytest.mark.parametrize("kind", KINDS)
def test_views_share_memory_with_the_flat_values(kind: str) -> None:
    """Every entry belongs to exactly one tensor, and to the gradient of the same place."""
    parameters = fresh_model(kind, layers=3, vocabulary=7, hidden=4, embedding=3).parameters
    count = len(parameters)
    parameters.values[...] = np.arange(count)
    parameters.gradient_values[...] = -np.arange(count)
    seen = np.concatenate([view.ravel() for view in parameters.views.values()])
    np.testing.assert_array_equal(np.sort(seen), np.arange(count))
    for name, view in parameters.views.items():
        assert np.shares_memory(view, parameters.values)
        assert np.shares_memory(parameters.gradients[name], parameters.gradient_values)
        np.testing.assert_array_equal(parameters.gradients[name], -view)
    first = next(iter(parameters.views.values()))
    first[...] = -7
    assert np.count_nonzero(parameters.values == -7) == first.size
    assert not np.shares_memory(parameters.values, parameters.gradient_values)


@pytest.mark.parametrize("kind", KINDS)
def test_the_decayed_prefix_holds_exactly_the_weights(kind: str) -> None:
    """Matrices and the embedding take weight decay; vectors do not: biases, gains, peepholes, initial states."""
    parameters = fresh_model(kind, vocabulary=7, hidden=4, embedding=3, initial="learned").parameters
    parameters.values[...] = 0
    parameters.values[: parameters.decayed] = 1
    for name, view in parameters.views.items():
        assert np.all(view == (0 if view.ndim == 1 else 1)), name
        assert (view.ndim == 1) != (name == "embedding" or name.split(".")[-1].startswith("W_"))


def test_specs_say_what_a_model_has() -> None:
    """Without making it."""
    config = ModelConfig(vocabulary=9, cell="gru", options={"reset": "after"}, layers=2, hidden=4, embedding=3)
    found = {spec.name: spec.shape for spec in parameter_specs(config)}
    assert found == {name: view.shape for name, view in LanguageModel(config).parameters.views.items()}
    assert found["embedding"] == (9, 3)
    assert found["layers.1.b_ca"] == (4,)
    assert "layers.1.initial_hidden" not in found
    learned = {
        spec.name: spec.shape for spec in parameter_specs(replace(config, cell="lstm", options={}, initial="learned"))
    }
    assert learned["layers.1.initial_hidden"] == learned["layers.0.initial_cell"] == (4,)
    assert found["head.W_y"] == (9, 4)
    with pytest.raises(UsageError, match="unknown cell"):
        parameter_specs(ModelConfig(vocabulary=9, cell="cnn"))


def test_below_names_by_what_follows() -> None:
    parameters = Parameters([ParameterSpec("a.x", (2,), True), ParameterSpec("b.x", (3,), False)])
    found = below(parameters.views, "b.")
    assert list(found) == ["x"]
    assert np.shares_memory(found["x"], parameters.values)
    assert parameters.dtype == np.float32


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_weights_in_every_dtype(kind: str) -> None:
    """float32 weights are the float64 ones, rounded; another seed gives others."""

    def values(dtype: type = np.float64, seed: int = 1) -> np.ndarray:
        model = fresh_model(kind, dtype=dtype, seed=seed, vocabulary=9, hidden=5, embedding=4)
        return model.parameters.values

    wide = values()
    np.testing.assert_array_equal(values(), wide)
    narrow = values(np.float32)
    np.testing.assert_allclose(narrow, wide, rtol=3e-7, atol=1e-7)
    assert narrow.dtype == np.float32
    assert np.any(values(seed=2) != wide)


def test_initializers_keep_their_bounds() -> None:
    """Uniform, Glorot-uniform and orthogonal, of the variance that each promises."""
    rng = np.random.default_rng(0)
    out = np.empty((300, 200))
    uniform(out, 2.0, rng)
    assert np.abs(out).max() <= 2
    assert out.std() == pytest.approx(2 / np.sqrt(3), rel=0.02)
    glorot(out, rng)
    assert np.abs(out).max() <= np.sqrt(6 / 500)
    assert out.std() == pytest.approx(np.sqrt(2 / 500), rel=0.02)
    square = np.empty((50, 50))
    orthogonal(square, rng)
    np.testing.assert_allclose(square @ square.T, np.eye(50), atol=1e-12)
    assert 5 < np.count_nonzero(np.diag(square) > 0) < 45
    embedding = fresh_model("lstm", vocabulary=500, hidden=4, embedding=64).parameters.views["embedding"]
    assert embedding.std() == pytest.approx(1, rel=0.02)
