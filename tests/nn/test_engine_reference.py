"""The fused engine equals the naive reference: forward, loss, and every gradient under a random upstream."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nn_cases import (
    DEPTHS,
    INPUT_PATHS,
    KINDS,
    NORMALIZED,
    Case,
    assert_gradients_close,
    assert_state_gradients_live,
    assert_states_close,
    expected_gradients,
    make_case,
    make_model,
    run_engine,
)

from charlm.nn.embedding import folds

SHAPES: dict[str, dict[str, Any]] = {
    **{f"{layers}-layers": {"layers": layers} for layers in DEPTHS},
    "residual": {"layers": 2, "residual": True},
    "learned": {"layers": 1, "initial": "learned"},
    "residual-learned": {"layers": 3, "residual": True, "initial": "learned"},
}
"""What a network may be besides its kind of block."""
FEWER = ("1-layers", "learned", "residual-learned")
"""Those in which the gradients of the kinds are found with which the reference is slow."""


@pytest.fixture(params=INPUT_PATHS, autouse=True)
def input_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of writing the first layer's input, whatever the size of the vocabulary."""
    name = str(request.param)
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[name])
    return name


def assert_gradients_are_the_references(case: Case, expected: Any, *, upstream: bool = True) -> None:
    found = run_engine(make_model(case), case, upstream=upstream)
    assert_gradients_close(found.gradients, expected.parameters)
    assert_states_close(found.initial, expected.state)
    assert_state_gradients_live(found.initial, case.starts)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_forward_equals_the_reference(kind: str, shape: str) -> None:
    """Log-probabilities, loss, outputs and final states, with starts, missing tokens and non-zero states."""
    case = make_case(kind, **SHAPES[shape])
    expected = case.reference_run()
    model = make_model(case)
    found = run_engine(model, case)
    assert found.loss == pytest.approx(expected.loss, abs=1e-13)
    np.testing.assert_allclose(found.outputs, expected.outputs, rtol=0, atol=1e-12)
    assert_states_close(found.state, expected.state)
    work = model.new_workspace(*case.inputs.shape)
    logprobs, after = model.log_probabilities(work, case.inputs, case.targets, case.starts, tuple(case.state))
    assert logprobs.dtype == np.float64
    np.testing.assert_allclose(logprobs, expected.logprobs, rtol=0, atol=1e-12)
    assert_states_close(after, expected.state)


@pytest.mark.parametrize(
    ("kind", "shape"), [(kind, shape) for kind in KINDS for shape in SHAPES if kind not in NORMALIZED or shape in FEWER]
)
def test_gradients_equal_the_reference(kind: str, shape: str) -> None:
    """Those of every parameter and of the initial states, with upstream into outputs and final states."""
    case, expected = make_case(kind, **SHAPES[shape]), expected_gradients(kind, **SHAPES[shape])
    assert_gradients_are_the_references(case, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_the_loss_alone_equal_the_reference(kind: str) -> None:
    """Without an upstream, as in training; an embedding wider than the hidden layer."""
    case = make_case(kind, 1, seed=11, time=4, batch=2, hidden=2, embedding=5, vocabulary=3)
    assert_gradients_are_the_references(case, case.reference_gradients(upstream=False), upstream=False)


@pytest.mark.parametrize("kind", KINDS)
def test_an_embedding_as_wide_as_the_hidden_layer(kind: str, input_path: str) -> None:
    """A block that uses its input besides the products with it reads gathered rows, whatever the vocabulary."""
    case = make_case(kind, 1, seed=5, time=4, batch=2, hidden=3, embedding=3, vocabulary=4)
    model = make_model(case)
    assert model.stack.folded == (input_path == "one-hot" and kind != "sru")
    assert_gradients_are_the_references(case, case.reference_gradients())


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_predict_is_no_loss_and_no_gradient(kind: str) -> None:
    """A window whose targets are all -1 costs nothing, and is not a division by zero."""
    case = make_case(kind, 2, residual=True, initial="learned")
    model = make_model(case)
    model.parameters.gradient_values[...] = 1
    work = model.new_workspace(*case.inputs.shape)
    loss, _, initial = model.loss_and_gradients(
        work, case.inputs, np.full_like(case.targets, -1), case.starts, tuple(case.state)
    )
    assert loss == 0
    assert not np.any(model.parameters.gradient_values)
    assert not any(np.any(part) for parts in initial for part in parts)


@pytest.mark.parametrize("kind", KINDS)
def test_both_input_paths_agree(kind: str, input_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One-hot rows with a folded embedding and gathered rows are two ways to the same numbers."""
    case = make_case(kind, 2, residual=True, seed=7, time=9, batch=4, vocabulary=23, embedding=6, hidden=8)
    here = run_engine(make_model(case), case)
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: not INPUT_PATHS[input_path])
    other = run_engine(make_model(case), case)
    assert here.loss == pytest.approx(other.loss, abs=1e-12)
    np.testing.assert_allclose(here.outputs, other.outputs, rtol=0, atol=1e-12)
    assert_gradients_close(here.gradients, other.gradients)
    assert_states_close(here.initial, other.initial)


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_vocabulary_is_gathered_and_right(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unforced choice for a large vocabulary gathers, and gives what one-hot rows give."""
    monkeypatch.setattr("charlm.nn.stack.folds", folds)
    case = make_case(kind, 1, seed=9, time=6, batch=2, vocabulary=200, embedding=3, hidden=4)
    model = make_model(case)
    assert not model.stack.folded
    gathered = run_engine(model, case)
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: True)
    folded_model = make_model(case)
    assert folded_model.stack.folded
    folded = run_engine(folded_model, case)
    assert_gradients_close(gathered.gradients, folded.gradients)
    expected = case.reference_run()
    assert gathered.loss == pytest.approx(expected.loss, abs=1e-12)
    np.testing.assert_allclose(gathered.outputs, expected.outputs, rtol=0, atol=1e-12)


def test_the_choice_between_the_paths_follows_the_sizes() -> None:
    """A vocabulary of characters is folded, one of words is gathered."""
    assert folds(65, 64)
    assert folds(128, 8)
    assert not folds(129, 8)
    assert not folds(10_000, 256)
