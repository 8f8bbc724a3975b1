"""The engine's gradients are the slopes of its own forward pass, found without any reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nn_cases import (
    DEPTHS,
    INPUT_PATHS,
    KINDS,
    NORMALIZED,
    assert_gradients_close,
    assert_state_gradients_live,
    assert_states_close,
    central_differences,
    fresh_model,
    make_case,
    make_model,
    objective,
    run_engine,
    stencil_of,
)


def assert_gradients_are_slopes(kind: str, layers: int, **network: Any) -> None:
    """By every parameter and every initial state, upstream everywhere, in float64."""
    case = make_case(kind, layers, **network, seed=8, time=4, batch=2, vocabulary=4, embedding=2, hidden=3)
    model = make_model(case)
    work = model.new_workspace(*case.inputs.shape)
    found = run_engine(model, case, work)

    def slopes(array: np.ndarray) -> np.ndarray:
        return central_differences(lambda: objective(model, work, case), array, stencil_of(kind))

    expected = {name: slopes(view) for name, view in model.parameters.views.items()}
    assert_gradients_close(found.gradients, expected, rtol=1e-6, atol=2e-8)
    if model.stack.folded:  # the way of the state is the same in both
        return
    by_state = [tuple(slopes(part) for part in parts) for parts in case.state]
    assert_states_close(found.initial, by_state, rtol=1e-6, atol=2e-8)
    assert_state_gradients_live(found.initial, case.starts)


# The five points of the normalised ones take long, and above the first layer nothing depends on the path.
EVERY = [(kind, n, path) for kind in KINDS for n in DEPTHS for path in INPUT_PATHS]
CHOSEN = [(kind, n, path) for kind, n, path in EVERY if kind not in NORMALIZED or n == 1 or path == "one-hot"]


@pytest.mark.parametrize(("kind", "layers", "path"), CHOSEN)
def test_gradients_are_slopes(kind: str, layers: int, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Central differences, for every kind, depth and way of writing the first layer's input."""
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[path])
    assert_gradients_are_slopes(kind, layers)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_with_residuals_and_learned_initial_states_are_slopes(kind: str) -> None:
    """By the initial states that are parameters, and by those that are given."""
    assert_gradients_are_slopes(kind, 2, residual=True, initial="learned")


@pytest.mark.parametrize("kind", KINDS)
def test_directional_derivative_of_a_real_model(kind: str) -> None:
    """At a size that is really trained, the gradient along random directions is the slope of the loss."""
    vocabulary, time, batch, hidden = 65, 16, 8, 64
    config: dict[str, Any] = {
        "vocabulary": vocabulary,
        "hidden": hidden,
        "embedding": 32,
        "residual": True,
        "initial": "learned",
    }
    model = fresh_model(kind, **config)
    rng = np.random.default_rng(2)
    inputs = rng.integers(-1, vocabulary, (time, batch))
    targets = rng.integers(-1, vocabulary, (time, batch))
    starts = rng.random((time, batch)) < 0.1
    states = tuple(tuple(0.5 * rng.standard_normal(part.shape) for part in parts) for parts in model.zero_states(batch))
    work = model.new_workspace(time, batch)
    model.loss_and_gradients(work, inputs, targets, starts, states)
    gradient, values = model.parameters.gradient_values.copy(), model.parameters.values
    begin = values.copy()
    counted = np.count_nonzero(targets >= 0)

    def loss(shift: np.ndarray) -> float:
        values[...] = begin + shift
        model.pack(work)
        logprobs, _ = model.log_probabilities(work, inputs, targets, starts, states)
        return -float(logprobs.sum()) / counted

    step = 1e-5 if kind != "rnn-relu" else 1e-6  # the larger step crosses kinks
    along_gradient = gradient / np.linalg.norm(gradient)
    directions = [along_gradient, *rng.standard_normal((3, values.size))]
    for direction in directions:
        unit = direction / np.linalg.norm(direction)
        slope = (loss(step * unit) - loss(-step * unit)) / (2 * step)
        assert slope == pytest.approx(float(gradient @ unit), rel=1e-5, abs=1e-9)
    assert np.linalg.norm(gradient) > 0.01
