"""Each block by itself: its operand and the operand's adjoint, and what its gates do when they are shut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from nn_cases import KINDS

from charlm.errors import UsageError
from charlm.nn.parameters import Parameters
from charlm.nn.registry import BLOCKS, block_options, make_block

if TYPE_CHECKING:
    from charlm.nn.arrays import Array, State, Views
    from charlm.nn.block import Block

HIDDEN, INPUT, VOCABULARY = 3, 4, 6


def block_of(kind: str) -> tuple[Block, Parameters]:
    """A block and random parameters, in float64."""
    block = make_block(KINDS[kind].cell, INPUT, HIDDEN, KINDS[kind].options)
    parameters = Parameters(block.parameter_specs(), np.float64)
    parameters.values[...] = np.random.default_rng(1).standard_normal(len(parameters))
    return block, parameters


def unscaled_products(block: Block, views: Views, table: Array | None) -> Array:
    """Everything in the products of the packed operand, flat, with the scale of the sigmoid rows undone."""
    operand = block.new_operand(INPUT if table is None else VOCABULARY, np.float64)
    block.pack(views, operand, table)
    for gate in block.gates:
        place = operand.places[gate]
        assert place.scale == (0.5 if gate in "ruofi" else 1.0)
        for part in (place.recurrent, place.input, place.bias):
            part[...] /= place.scale
    return np.concatenate([product.ravel() for product in operand.products])


@pytest.mark.parametrize("with_table", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_pack_and_unpack_gradient_are_adjoint(kind: str, with_table: bool) -> None:
    """<d pack . v, D> = <v, unpack_gradient(D)> for random v and D, the embedding's part included."""
    block, parameters = block_of(kind)
    rng = np.random.default_rng(2)
    table = rng.standard_normal((VOCABULARY, INPUT)) if with_table else None
    shift = rng.standard_normal((VOCABULARY, INPUT))
    change = Parameters(block.parameter_specs(), np.float64)
    change.values[...] = rng.standard_normal(len(change))

    def moved(sign: float) -> Array:
        there = Parameters(block.parameter_specs(), np.float64)
        there.values[...] = parameters.values + sign * change.values
        return unscaled_products(block, there.views, None if table is None else table + sign * shift)

    # pack is linear in parameters and table each, so the symmetric difference is the derivative
    derivative = (moved(1) - moved(-1)) / 2
    d_operand = block.new_operand(VOCABULARY if with_table else INPUT, np.float64)
    for product in d_operand.products:
        product[...] = rng.standard_normal(product.shape)
    upstream = np.concatenate([product.ravel() for product in d_operand.products])
    before = rng.standard_normal((VOCABULARY, INPUT))
    d_table = before.copy()
    gradients = Parameters(block.parameter_specs(), np.float64)
    gradients.values[...] = np.nan
    block.unpack_gradient(d_operand, parameters.views, gradients.views, table, d_table if with_table else None)
    expected = float(change.values @ gradients.values) + float((shift * (d_table - before)).sum())
    assert abs(expected) > 0.1
    assert float(derivative @ upstream) == pytest.approx(expected, rel=1e-12)
    assert all(np.any(gradient) for gradient in gradients.views.values())


@pytest.mark.parametrize("kind", KINDS)
def test_back_matrices_are_the_unscaled_transposes(kind: str) -> None:
    """What takes dz to dh and dx is each gate's matrix, transposed, in the block's order."""
    block, parameters = block_of(kind)
    operand = block.new_operand(INPUT, np.float64)
    block.pack(parameters.views, operand)
    order = block.recurrent_order or block.gates
    assert sorted(order) == sorted(block.gates)
    recurrent = np.concatenate([parameters.views[f"W_{gate}a"] for gate in order])
    driven = np.concatenate([parameters.views[f"W_{gate}x"] for gate in block.gates])
    np.testing.assert_array_equal(operand.recurrent_back, recurrent.T)
    np.testing.assert_array_equal(operand.input_back, driven.T)


def run_block(
    kind: str, biases: dict[str, float], state: State, x: Array, *, silent: tuple[str, ...] = ()
) -> tuple[Array, State, Parameters]:
    """Outputs [H, T, B] and final state with each gate's bias set, and the weights of ``silent`` gates zero."""
    block, parameters = block_of(kind)
    for gate, bias in biases.items():
        parameters.views[f"b_{gate}"][...] = bias
    for name in silent:
        parameters.views[name][...] = 0
    time, batch = x.shape[1:]
    operand, tape = block.new_operand(INPUT, np.float64), block.new_tape(INPUT, time, batch, np.float64)
    block.pack(parameters.views, operand)
    tape.x[...] = x
    output = np.empty((HIDDEN, time, batch))
    after = block.forward(operand, tape, state, np.zeros((time, batch), bool), output)
    return output, after, parameters


def inputs_and_state(time: int = 40, parts: int = 1) -> tuple[Array, State]:
    rng = np.random.default_rng(3)
    state = tuple(rng.standard_normal((HIDDEN, 2)) for _ in range(parts))
    return rng.standard_normal((INPUT, time, 2)), state


@pytest.mark.parametrize("kind", ["gru-before", "gru-after"])
def test_a_gru_whose_update_gate_is_shut_keeps_its_state_exactly(kind: str) -> None:
    """U = 0: c = c_prev, bit for bit, over many steps."""
    x, state = inputs_and_state()
    output, after, _ = run_block(kind, {"u": -1000.0}, state, x)
    np.testing.assert_array_equal(after[0], state[0])
    np.testing.assert_array_equal(output, np.broadcast_to(state[0][:, None], output.shape))


@pytest.mark.parametrize("kind", ["gru-before", "gru-after"])
def test_a_gru_whose_reset_gate_is_shut_does_not_see_its_state(kind: str) -> None:
    """R = 0, u = 1: the candidate, and so the new state, is that of the input and its bias alone."""
    x, state = inputs_and_state()
    output, _, parameters = run_block(kind, {"r": -1000.0, "u": 1000.0}, state, x)
    driven = np.einsum("hx,xtb->htb", parameters.views["W_cx"], x) + parameters.views["b_c"][:, None, None]
    np.testing.assert_allclose(output, np.tanh(driven), rtol=0, atol=1e-14)


def test_the_two_resets_differ_and_agree_where_they_must() -> None:
    """With r = 1 and no recurrent bias the two variants are one; with a gate in between they are not."""
    x, state = inputs_and_state(time=6)
    same = {"r": 1000.0, "ca": 0.0}
    before, _, _ = run_block("gru-before", {"r": 1000.0}, state, x)
    after, _, _ = run_block("gru-after", same, state, x)
    np.testing.assert_allclose(before, after, rtol=0, atol=1e-13)
    before, _, _ = run_block("gru-before", {"r": 0.0}, state, x)
    after, _, _ = run_block("gru-after", {"r": 0.0, "ca": 0.0}, state, x)
    assert np.abs(before - after).max() > 0.01


def test_an_lstm_that_forgets_nothing_and_takes_nothing_carries_its_cell() -> None:
    """F = 1, u = 0: the cell is carried bit for bit over many steps, and a = o tanh(c)."""
    x, state = inputs_and_state(time=200, parts=2)
    output, (hidden, cell), _ = run_block("lstm", {"f": 1000.0, "u": -1000.0, "o": 1000.0}, state, x)
    np.testing.assert_array_equal(cell, state[1])
    np.testing.assert_array_equal(hidden, output[:, -1])
    np.testing.assert_allclose(output, np.broadcast_to(np.tanh(state[1])[:, None], output.shape), atol=1e-15)


def test_an_lstm_that_forgets_all_and_takes_all_is_its_candidate() -> None:
    """F = 0, u = 1, o = 1 and no recurrence: a = tanh(c~)."""
    x, state = inputs_and_state(parts=2)
    gates = {"f": -1000.0, "u": 1000.0, "o": 1000.0}
    output, _, parameters = run_block("lstm", gates, state, x, silent=("W_ca",))
    driven = np.einsum("hx,xtb->htb", parameters.views["W_cx"], x) + parameters.views["b_c"][:, None, None]
    np.testing.assert_allclose(output, np.tanh(np.tanh(driven)), rtol=0, atol=1e-14)


def test_an_lstm_whose_output_gate_is_shut_says_nothing() -> None:
    """O = 0: a = 0, whatever the cell."""
    x, state = inputs_and_state(parts=2)
    output, (_, cell), _ = run_block("lstm", {"o": -1000.0}, state, x)
    assert not np.any(output)
    assert np.all(cell != 0)


@pytest.mark.parametrize("kind", KINDS)
def test_first_weights(kind: str) -> None:
    """Orthogonal recurrence (identity for ReLU), Glorot inputs, zero biases but the LSTM's forget gate."""
    block, parameters = block_of(kind)
    parameters.values[...] = 0
    block.initialize(parameters.views, np.random.default_rng(0))
    for name, view in parameters.views.items():
        if name.startswith("b_"):
            np.testing.assert_array_equal(view, 1.0 if (kind, name) == ("lstm", "b_f") else 0.0)
        elif name.endswith("a"):
            np.testing.assert_allclose(view @ view.T, np.eye(HIDDEN), atol=1e-12)
        else:
            assert np.abs(view).max() <= np.sqrt(6 / (HIDDEN + INPUT))
            assert np.all(view != 0)
    if kind == "rnn-relu":
        np.testing.assert_array_equal(parameters.views["W_aa"], np.eye(HIDDEN))


def test_the_registry_refuses_what_it_does_not_know() -> None:
    """An unknown cell, option or value is a usage error that names the choices."""
    with pytest.raises(UsageError, match="lstm, gru, rnn"):
        make_block("transformer", 1, 1, {})
    with pytest.raises(UsageError, match="option of gru, not of lstm"):
        block_options("lstm", {"reset": "before"})
    with pytest.raises(UsageError, match="before, after"):
        block_options("gru", {"reset": "never"})
    with pytest.raises(UsageError, match="unknown option"):
        block_options("gru", {"colour": "red"})
    assert block_options("gru", {}) == {"reset": "before"}
    assert block_options("rnn", {"activation": "relu"}) == {"activation": "relu"}
    assert set(BLOCKS) == {kind.cell for kind in KINDS.values()}
