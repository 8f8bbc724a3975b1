"""Windows with a carried state, tapes used again, memory that is nobody else's, and both dtypes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from nn_cases import (
    INPUT_PATHS,
    KINDS,
    NORMALIZED,
    Case,
    Found,
    assert_gradients_close,
    assert_states_close,
    copied,
    dropout,
    fresh_model,
    make_case,
    make_model,
    run_engine,
    tape_arrays,
)

from charlm.training.optimizers import AdamW

if TYPE_CHECKING:
    from charlm.nn.arrays import States
    from charlm.nn.language_model import LanguageModel

LENGTHS = (5, 4, 3)
WINDOWS = [slice(0, 5), slice(5, 9), slice(9, 12)]


@pytest.fixture(params=INPUT_PATHS, autouse=True)
def input_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of writing the first layer's input."""
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[request.param])


def long_case(kind: str) -> Case:
    """Twelve steps with starts in two of its three windows, and everything that a model can have."""
    sizes = {"time": sum(LENGTHS), "batch": 3, "vocabulary": 7, "embedding": 4, "hidden": 5}
    return make_case(kind, 2, residual=True, initial="learned", seed=6, **sizes)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 3e-6)])
@pytest.mark.parametrize("kind", KINDS)
def test_windows_with_carried_state_equal_one_long_run(kind: str, dtype: type, tolerance: float) -> None:
    """Log-probabilities and final states do not depend on where a text is cut, on one tape used again."""
    case = long_case(kind)
    model = make_model(case, dtype)
    begin: States = tuple(tuple(part.astype(dtype) for part in parts) for parts in case.state)
    whole, final = model.log_probabilities(
        model.new_workspace(*case.inputs.shape), case.inputs, case.targets, case.starts, begin
    )
    work, states, parts = model.new_workspace(max(LENGTHS), 3), begin, []
    for when in WINDOWS:
        logprobs, states = model.log_probabilities(
            work, case.inputs[when], case.targets[when], case.starts[when], states
        )
        parts.append(logprobs)
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=tolerance)
    assert_states_close(states, final, atol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_advance_and_logits_carry_the_same_states(kind: str) -> None:
    """Moving the state without predictions is the same forward pass."""
    case = long_case(kind)
    model = make_model(case)
    work = model.new_workspace(*case.inputs.shape)
    moved = model.advance(work, case.inputs, case.starts, tuple(case.state))
    logits, after = model.logits(work, case.inputs, case.starts, tuple(case.state))
    assert_states_close(moved, after, atol=0)
    logprobs, _ = model.log_probabilities(work, case.inputs, case.targets, case.starts, tuple(case.state))
    normal = logits - np.log(np.exp(logits).sum(axis=0))
    chosen = np.take_along_axis(normal, np.maximum(case.targets, 0)[None], axis=0)[0]
    np.testing.assert_allclose(logprobs, np.where(case.targets >= 0, chosen, 0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_gradient_is_that_of_the_window_alone(kind: str) -> None:
    """The gradient of a window with a carried state equals the reference's for it, with that initial state."""
    case = make_case(kind, 2, seed=14, time=7, batch=2)
    model = make_model(case)
    work = model.new_workspace(4, 2)
    carried = run_engine(model, case, work, when=slice(0, 3), upstream=False).state
    found = run_engine(model, case, work, when=slice(3, 7), state=carried, upstream=False)
    alone = replace(
        case,
        inputs=case.inputs[3:],
        targets=case.targets[3:],
        starts=case.starts[3:],
        weights_out=case.weights_out[3:],
        state=list(carried),
    )
    expected = alone.reference_gradients(upstream=False)
    assert_gradients_close(found.gradients, expected.parameters)
    assert_states_close(found.initial, expected.state)
    unbroken = run_engine(model, case, upstream=False)
    of_input = next(name for name in found.gradients if name.startswith("layers.0.W") and name.endswith("x"))
    assert not np.allclose(found.gradients[of_input], unbroken.gradients[of_input], atol=1e-6)


def assert_same_bits(found: Found, expected: Found) -> None:
    assert found.loss == expected.loss
    np.testing.assert_array_equal(found.outputs, expected.outputs)
    assert_states_close(found.state, expected.state, atol=0)
    assert_gradients_close(found.gradients, expected.gradients, atol=0)
    assert_states_close(found.initial, expected.initial, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reused_tape_equals_a_fresh_one(kind: str) -> None:
    """Whatever ran before on it: other tokens, starts, dropout, and a longer window than this one."""
    case = long_case(kind)
    model = make_model(case)
    short = slice(5, 8)  # with both starts in it
    expected = run_engine(model, case, model.new_workspace(12, 3), when=short)
    work = model.new_workspace(12, 3)
    rng = np.random.default_rng(0)
    earlier = replace(
        case,
        inputs=rng.integers(-1, 7, (12, 3)),
        targets=rng.integers(-1, 7, (12, 3)),
        starts=rng.random((12, 3)) < 0.5,
        state=[tuple(part + 1 for part in parts) for parts in case.state],
    )
    run_engine(model, earlier, work, how=dropout(0.5, rng))
    model.advance(work, earlier.inputs, earlier.starts, tuple(earlier.state))
    assert_same_bits(run_engine(model, case, work, when=short), expected)
    exact = run_engine(model, case, model.new_workspace(3, 3), when=short)
    np.testing.assert_allclose(exact.outputs, expected.outputs, rtol=0, atol=1e-12)
    assert_gradients_close(exact.gradients, expected.gradients)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_read_before_it_is_written(kind: str) -> None:
    """A tape full of NaN, but for the constant rows of its inputs, gives what a fresh one gives."""
    case = long_case(kind)
    model = make_model(case)
    work = model.new_workspace(12, 3)
    for name, array in tape_arrays(work):
        if name != "inputs":
            array[...] = np.nan
    for d_operand in work.d_operands:
        for array in (*d_operand.products, *d_operand.vectors.values()):
            array[...] = np.nan
    model.parameters.gradient_values[...] = np.nan
    found = run_engine(model, case, work, when=slice(3, 8))
    assert_same_bits(found, run_engine(model, case, model.new_workspace(12, 3), when=slice(3, 8)))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_returned_is_overwritten_by_the_next_window(kind: str) -> None:
    """States, their gradients, logits and log-probabilities keep their values; given arrays are not modified."""
    case = long_case(kind)
    model = make_model(case)
    work = model.new_workspace(12, 3)
    given = copied(case.state)
    d_output, d_state = case.upstream[0].copy(), copied(case.upstream[1])
    _, after, d_initial = model.loss_and_gradients(
        work, case.inputs, case.targets, case.starts, given, upstream=(d_output, d_state)
    )
    logits, after_logits = model.logits(work, case.inputs, case.starts, given)
    logprobs, after_score = model.log_probabilities(work, case.inputs, case.targets, case.starts, given)
    moved = model.advance(work, case.inputs, case.starts, given)
    returned = [
        part for states in (after, d_initial, after_logits, after_score, moved) for parts in states for part in parts
    ]
    returned += [logits, logprobs]
    kept = [array.copy() for array in returned]
    buffers = [array for _, array in tape_arrays(work)]
    assert not any(np.shares_memory(array, buffer) for array in returned for buffer in buffers)

    other = replace(case, inputs=(case.inputs + 3) % 7, targets=(case.targets + 2) % 7)
    run_engine(model, other, work, state=after)
    model.logits(work, other.inputs, other.starts, after)
    model.log_probabilities(work, other.inputs, other.targets, other.starts, after)
    for array, copy in zip(returned, kept, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert_states_close(given, case.state, atol=0)
    assert_states_close(d_state, case.upstream[1], atol=0)
    np.testing.assert_array_equal(d_output, case.upstream[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_forgets_everything_before_it(kind: str) -> None:
    """What comes after a start does not depend on the state, nor the gradient before it on what comes after."""
    case = long_case(kind)
    starts = np.zeros_like(case.starts)
    starts[4] = True
    case = replace(case, starts=starts)
    model = make_model(case)
    work = model.new_workspace(*case.inputs.shape)
    begun = model.initial_states(3)
    logprobs, after = model.log_probabilities(work, case.inputs, case.targets, starts, tuple(case.state))
    later = slice(4, None)
    alone, after_alone = model.log_probabilities(
        work, case.inputs[later], case.targets[later], np.zeros_like(starts)[later], begun
    )
    np.testing.assert_allclose(logprobs[4:], alone, rtol=0, atol=1e-13)
    assert_states_close(after, after_alone, atol=1e-13)
    weights = case.weights_out.copy()
    weights[:4] = 0
    late = replace(case, weights_out=weights, targets=np.where(np.arange(12)[:, None] < 4, -1, case.targets))
    found = run_engine(model, late, work)
    assert not any(np.any(part) for parts in found.initial for part in parts)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_is_close_to_float64(kind: str) -> None:
    """The engine that trains computes what the engine that is checked computes."""
    found = {}
    for dtype in (np.float32, np.float64):
        model = fresh_model(kind, dtype=dtype, vocabulary=40, hidden=24, embedding=12)
        rng = np.random.default_rng(5)
        inputs, targets = rng.integers(-1, 40, (2, 20, 6))
        starts = rng.random((20, 6)) < 0.1
        work = model.new_workspace(20, 6)
        loss, after, _ = model.loss_and_gradients(work, inputs, targets, starts, model.zero_states(6))
        assert {part.dtype for parts in after for part in parts} == {np.dtype(dtype)}
        found[dtype] = loss, model.parameters.gradients, after
    loss, gradients, after = found[np.float32]
    assert loss == pytest.approx(found[np.float64][0], rel=1e-6)
    bound = 1e-4 if kind in NORMALIZED else 1e-5  # a norm of nearly equal numbers magnifies their last bits
    assert_states_close(after, found[np.float64][2], rtol=bound, atol=bound)
    for name, expected in found[np.float64][1].items():
        assert gradients[name].dtype == np.float32
        np.testing.assert_allclose(gradients[name], expected, rtol=0, atol=2e-5 * np.abs(expected).max(), err_msg=name)


def trained(kind: str) -> tuple[LanguageModel, list[float]]:
    """A few steps of training from seeds alone."""
    model = fresh_model(kind, dtype=np.float32, vocabulary=12, hidden=8, embedding=6)
    optimizer, work = AdamW(model.parameters, 0.01), model.new_workspace(6, 4)
    rng, states, losses = np.random.default_rng(1), model.zero_states(4), []
    for _ in range(4):
        inputs, targets = rng.integers(-1, 12, (2, 6, 4))
        model.pack(work)
        starts = rng.random((6, 4)) < 0.2
        loss, states, _ = model.loss_and_gradients(work, inputs, targets, starts, states, dropout(0.3, rng))
        optimizer.update(0.01)
        losses.append(loss)
    return model, losses


@pytest.mark.parametrize("kind", KINDS)
def test_two_runs_are_the_same_bits(kind: str) -> None:
    """Same seeds, same weights and losses, dropout and optimiser included."""
    (first, losses), (second, other_losses) = trained(kind), trained(kind)
    assert losses == other_losses
    np.testing.assert_array_equal(first.parameters.values, second.parameters.values)
    assert losses[0] != losses[1]
