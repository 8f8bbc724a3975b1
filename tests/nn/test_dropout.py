"""Dropout: the masks, and what the stack does with them forward and backward."""

from __future__ import annotations

import numpy as np
import pytest
from nn_cases import (
    INPUT_PATHS,
    KINDS,
    central_differences,
    dropout,
    make_case,
    make_model,
    run_engine,
    stencil_of,
)

from charlm.nn.dropout import draw_mask
from charlm.nn.regularization import OFF

SOME = ("embedding", "W_y", "W_ax", "b_u", "W_cx", "W_aa", "p_f", "v_r", "gain_cell", "gain_ca")
"""Last parts of the names of parameters that lie on every way through a network."""


def generator(seed: int = 4) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_mask_holds_zeros_and_one_scale(rate: float) -> None:
    """The scale is 1 / (1 - rate) to 2**-16, the share of zeros is the rate, and the mean is 1."""
    mask = np.empty((40, 50, 60), np.float32)
    draw_mask(mask, rate, generator())
    values, counts = np.unique(mask, return_counts=True)
    assert values[0] == 0
    assert values[1:] == pytest.approx([1 / (1 - rate)], rel=2e-4)
    spread = 5 * np.sqrt(rate * (1 - rate) / mask.size)
    assert counts[0] / mask.size == pytest.approx(rate, abs=spread + 2**-16)
    assert mask.mean(dtype=np.float64) == pytest.approx(1, abs=spread / (1 - rate) + 1e-3)


def test_values_are_dropped_independently() -> None:
    """Neighbours in any axis know nothing of one another."""
    mask = np.empty((40, 50, 60))
    draw_mask(mask, 0.5, generator())
    kept = (mask > 0) - 0.5
    for axis in range(3):
        pairs = kept * np.roll(kept, 1, axis)
        assert abs(pairs.mean()) < 5 * 0.25 / np.sqrt(mask.size)


@pytest.mark.parametrize("shape", [(1,), (3,), (5, 7, 3), (4, 4)])
def test_same_generator_state_same_mask(shape: tuple[int, ...]) -> None:
    """Any size, every entry written; the next mask is another, and so is another seed's."""
    masks = []
    for _ in range(2):
        mask = np.full(shape, np.nan)
        draw_mask(mask, 0.5, generator())
        masks.append(mask)
    np.testing.assert_array_equal(masks[0], masks[1])
    assert np.all(np.isfinite(masks[0]))
    one, two, source = np.empty(64), np.empty(64), generator()
    draw_mask(one, 0.5, source)
    draw_mask(two, 0.5, source)
    assert np.any(one != two)


def test_rate_of_zero_keeps_everything() -> None:
    mask = np.empty((9, 9))
    draw_mask(mask, 0.0, generator())
    np.testing.assert_array_equal(mask, 1)


@pytest.mark.parametrize("path", INPUT_PATHS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_with_a_fixed_mask_are_slopes(kind: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the generator in the same state, the gradient is that of the network with those values dropped."""
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[path])
    case = make_case(kind, 2, residual=True, seed=8, time=4, batch=2, vocabulary=4, embedding=2, hidden=3)
    model = make_model(case)
    work = model.new_workspace(*case.inputs.shape)

    def total() -> float:
        model.pack(work)
        found = run_engine(model, case, work, how=dropout(0.4, generator(6)))
        value = found.loss + float((case.weights_out * found.outputs).sum())
        for weights, parts in zip(case.weights_state, found.state, strict=True):
            value += sum(float((w * part).sum()) for w, part in zip(weights, parts, strict=True))
        return value

    found = run_engine(model, case, work, how=dropout(0.4, generator(6)))
    dropped = [float(np.mean(each.mask == 0)) for each in work.tape.dropout]
    assert all(0.1 < share < 0.9 for share in dropped)
    names = [name for name in model.parameters.views if name.split(".")[-1] in SOME]
    assert len(names) > 3
    for name in names:
        expected = central_differences(total, model.parameters.views[name], stencil_of(kind))
        assert np.any(expected)
        np.testing.assert_allclose(found.gradients[name], expected, rtol=1e-6, atol=3e-8, err_msg=name)
    for k in range(2):
        expected = central_differences(total, case.state[k][0], stencil_of(kind))
        np.testing.assert_allclose(found.initial[k][0], expected, rtol=1e-6, atol=3e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_is_deterministic_and_off(kind: str) -> None:
    """Same seed, same numbers; OFF and a rate of 0 drop nothing, on a tape that has seen dropout too."""
    case = make_case(kind, 2)
    model = make_model(case)
    work = model.new_workspace(*case.inputs.shape)
    plain = run_engine(model, case, work)
    first = run_engine(model, case, work, how=dropout(0.5, generator()))
    again = run_engine(model, case, work, how=dropout(0.5, generator()))
    other = run_engine(model, case, work, how=dropout(0.5, generator(9)))
    np.testing.assert_array_equal(first.outputs, again.outputs)
    assert first.loss == again.loss != other.loss
    for name, gradient in first.gradients.items():
        np.testing.assert_array_equal(gradient, again.gradients[name])
    for how in (OFF, dropout(0.0, generator())):
        found = run_engine(model, case, work, how=how)
        assert found.loss == plain.loss
        np.testing.assert_array_equal(found.outputs, plain.outputs)
        for name, gradient in plain.gradients.items():
            np.testing.assert_array_equal(found.gradients[name], gradient)


def test_dropout_leaves_the_recurrence_alone() -> None:
    """In a single layer only the output is dropped: the carried state is what it is without."""
    case = make_case("lstm", 1)
    model = make_model(case)
    plain = run_engine(model, case)
    found = run_engine(model, case, how=dropout(0.5, generator()))
    np.testing.assert_array_equal(found.state, plain.state)
    kept = found.outputs != 0
    np.testing.assert_allclose(found.outputs[kept], 2 * plain.outputs[kept], rtol=1e-12)
    assert not np.all(kept)
