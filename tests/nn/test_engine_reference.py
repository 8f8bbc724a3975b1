"""The fused engine equals the naive reference: forward, loss, and every gradient under a random upstream."""

from __future__ import annotations

import numpy as np
import pytest
from nn_cases import (
    DEPTHS,
    INPUT_PATHS,
    KINDS,
    assert_gradients_close,
    assert_state_gradients_live,
    assert_states_close,
    expected_gradients,
    make_case,
    make_model,
    run_engine,
)

from charlm.nn.embedding import folds


@pytest.fixture(params=INPUT_PATHS, autouse=True)
def input_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of writing the first layer's input, whatever the size of the vocabulary."""
    name = str(request.param)
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[name])
    return name


@pytest.mark.parametrize("layers", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_forward_equals_the_reference(kind: str, layers: int) -> None:
    """Log-probabilities, loss, outputs and final states, with starts, missing tokens and non-zero states."""
    case = make_case(kind, layers)
    expected = case.reference_run()
    model = make_model(case.kind, layers, case.parameters)
    found = run_engine(model, case)
    assert found.loss == pytest.approx(expected.loss, abs=1e-13)
    np.testing.assert_allclose(found.outputs, expected.outputs, rtol=0, atol=1e-13)
    assert_states_close(found.state, expected.state, atol=1e-13)
    work = model.new_workspace(*case.inputs.shape)
    logprobs, after = model.log_probabilities(work, case.inputs, case.targets, case.starts, tuple(case.state))
    assert logprobs.dtype == np.float64
    np.testing.assert_allclose(logprobs, expected.logprobs, rtol=0, atol=1e-13)
    assert_states_close(after, expected.state, atol=1e-13)


@pytest.mark.parametrize("layers", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_equal_the_reference(kind: str, layers: int) -> None:
    """Those of every parameter and of the initial states, with upstream into outputs and final states."""
    case, expected = make_case(kind, layers), expected_gradients(kind, layers)
    found = run_engine(make_model(case.kind, layers, case.parameters), case)
    assert_gradients_close(found.gradients, expected.parameters)
    assert_states_close(found.initial, expected.state)
    assert_state_gradients_live(found.initial, case.starts)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_the_loss_alone_equal_the_reference(kind: str) -> None:
    """Without an upstream, as in training."""
    case = make_case(kind, 2, seed=11, time=4, batch=2)
    expected = case.reference_gradients(upstream=False)
    found = run_engine(make_model(case.kind, 2, case.parameters), case, upstream=False)
    assert_gradients_close(found.gradients, expected.parameters)
    assert_states_close(found.initial, expected.state)
    assert_state_gradients_live(found.initial, case.starts)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_predict_is_no_loss_and_no_gradient(kind: str) -> None:
    """A window whose targets are all -1 costs nothing, and is not a division by zero."""
    case = make_case(kind, 2)
    model = make_model(case.kind, 2, case.parameters)
    model.parameters.gradient_values[...] = 1
    work = model.new_workspace(*case.inputs.shape)
    loss, _, initial = model.loss_and_gradients(
        work, case.inputs, np.full_like(case.targets, -1), case.starts, tuple(case.state)
    )
    assert loss == 0
    assert not np.any(model.parameters.gradient_values)
    assert not any(np.any(part) for parts in initial for part in parts)


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_and_embedding_sizes_are_independent(kind: str) -> None:
    """An embedding wider than the hidden layer changes nothing in the mathematics."""
    case = make_case(kind, 2, seed=5, time=3, batch=2, hidden=2, embedding=5, vocabulary=3)
    expected = case.reference_gradients()
    found = run_engine(make_model(case.kind, 2, case.parameters), case)
    assert_gradients_close(found.gradients, expected.parameters)
    assert_states_close(found.initial, expected.state)


@pytest.mark.parametrize("kind", KINDS)
def test_both_input_paths_agree(kind: str, input_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One-hot rows with a folded embedding and gathered rows are two ways to the same numbers."""
    case = make_case(kind, 2, seed=7, time=9, batch=4, vocabulary=23, embedding=6, hidden=8)
    here = run_engine(make_model(case.kind, 2, case.parameters), case)
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: not INPUT_PATHS[input_path])
    other = run_engine(make_model(case.kind, 2, case.parameters), case)
    assert here.loss == pytest.approx(other.loss, abs=1e-12)
    np.testing.assert_allclose(here.outputs, other.outputs, rtol=0, atol=1e-12)
    assert_gradients_close(here.gradients, other.gradients)
    assert_states_close(here.initial, other.initial)


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_vocabulary_is_gathered_and_right(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unforced choice for a large vocabulary gathers, and gives what one-hot rows give."""
    monkeypatch.setattr("charlm.nn.stack.folds", folds)
    case = make_case(kind, 1, seed=9, time=6, batch=2, vocabulary=200, embedding=3, hidden=4)
    model = make_model(case.kind, 1, case.parameters)
    assert not model.stack.folded
    gathered = run_engine(model, case)
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: True)
    folded_model = make_model(case.kind, 1, case.parameters)
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
