"""Each block by itself: its operand and the operand's adjoint, its first weights, and the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from block_cases import HIDDEN, INPUT, block_of
from nn_cases import KINDS, NORMALIZED

from charlm.errors import UsageError
from charlm.nn.blocks.normalized import NormalizedGates
from charlm.nn.parameters import Parameters
from charlm.nn.registry import BLOCKS, block_options, make_block

if TYPE_CHECKING:
    from charlm.nn.arrays import Array, Views
    from charlm.nn.block import Block, Operand

VOCABULARY = 6


def flattened(operand: Operand) -> Array:
    """Everything that an operand's gradient has too."""
    return np.concatenate([part.ravel() for part in (*operand.products, *operand.vectors.values())])


def unscaled(block: Block, views: Views, table: Array | None) -> Array:
    """The packed operand, flat, with the scale of what goes into a sigmoid undone."""
    operand = block.new_operand(INPUT if table is None else VOCABULARY, np.float64)
    block.pack(views, operand, table)
    for gate in block.gates:
        place = operand.places[gate]
        assert place.scale == (0.5 if gate in block.sigmoid_gates and not isinstance(block, NormalizedGates) else 1.0)
        for part in (place.recurrent, place.input, place.bias):
            part[...] /= place.scale
    for name, gate in block.vectors.items():
        operand.vectors[name][...] /= block.scale(gate)
    return flattened(operand)


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
        return unscaled(block, there.views, None if table is None else table + sign * shift)

    # pack is linear in parameters and table each, so the symmetric difference is the derivative
    derivative = (moved(1) - moved(-1)) / 2
    d_operand = block.new_operand(VOCABULARY if with_table else INPUT, np.float64)
    for part in (*d_operand.products, *d_operand.vectors.values()):
        part[...] = rng.standard_normal(part.shape)
    upstream = flattened(d_operand)
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
    driven = np.concatenate([parameters.views[f"W_{gate}x"] for gate in block.gates])
    if block.recurrent:
        recurrent = np.concatenate([parameters.views[f"W_{gate}a"] for gate in order])
        np.testing.assert_array_equal(operand.recurrent_back, recurrent.T)
    else:
        assert operand.recurrent_back.size == 0
    np.testing.assert_array_equal(operand.input_back, driven.T)


FIRST_BIASES = {"lstm": {"b_f": 1.0}, "norm-lstm": {"b_f": 1.0}, "coupled-lstm": {"b_u": -1.0}} | {
    f"peephole-lstm-{kind}": {"b_f": 1.0} for kind in ("standard", "previous")
}
"""Those that are not zero: the cell is remembered at first."""


def first_weights(kind: str) -> dict[str, Array]:
    block, parameters = block_of(kind)
    parameters.values[...] = 0
    block.initialize(parameters.views, np.random.default_rng(0))
    return dict(parameters.views)


@pytest.mark.parametrize("kind", KINDS)
def test_first_biases_and_gains(kind: str) -> None:
    """Biases are zero but those that open a memory or keep a norm off zero; gains are one, peepholes zero."""
    for name, view in first_weights(kind).items():
        if kind in NORMALIZED and name in {"b_c", "b_cell"}:
            assert np.all(view != 0)
            assert np.abs(view).max() <= 0.1
        elif name.startswith("b_"):
            np.testing.assert_array_equal(view, FIRST_BIASES.get(kind, {}).get(name, 0.0), err_msg=name)
        elif name.startswith("gain_"):
            np.testing.assert_array_equal(view, 1.0, err_msg=name)
        elif name.startswith("p_"):
            np.testing.assert_array_equal(view, 0.0, err_msg=name)
        else:
            assert name.startswith(("W_", "v_"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "sru"])
def test_first_matrices(kind: str) -> None:
    """Orthogonal recurrence (the identity for ReLU), and Glorot-uniform inputs."""
    matrices = {name: view for name, view in first_weights(kind).items() if name.startswith("W_")}
    for name, view in matrices.items():
        if name.endswith("a"):
            np.testing.assert_allclose(view @ view.T, np.eye(HIDDEN), atol=1e-12)
            assert np.array_equal(view, np.eye(HIDDEN)) == (kind == "rnn-relu")
        else:
            assert np.abs(view).max() <= np.sqrt(6 / (HIDDEN + INPUT))
            assert np.all(view != 0)
    assert any(name.endswith("a") for name in matrices) == (kind != "mingru")


def test_first_weights_of_the_sru() -> None:
    """Uniform: W_cx of variance 1 / X, the gates' half of that, the highway's three times that; v of one half."""
    block = make_block("sru", 100, 400, {})
    parameters = Parameters(block.parameter_specs(), np.float64)
    block.initialize(parameters.views, np.random.default_rng(0))
    variances = {"W_cx": 1 / 100, "W_fx": 0.5 / 100, "W_rx": 0.5 / 100, "W_sx": 3 / 100, "v_f": 0.5, "v_r": 0.5}
    for name, variance in variances.items():
        view = parameters.views[name]
        assert np.abs(view).max() <= np.sqrt(3 * variance)
        assert view.var() == pytest.approx(variance, rel=0.02 if view.ndim > 1 else 0.2), name


def test_the_registry_refuses_what_it_does_not_know() -> None:
    """An unknown cell, option or value is a usage error that names the choices."""
    with pytest.raises(UsageError, match="lstm, gru, rnn"):
        make_block("transformer", 1, 1, {})
    with pytest.raises(UsageError, match="option of gru, not of lstm"):
        block_options("lstm", {"reset": "before"})
    with pytest.raises(UsageError, match="before, after"):
        block_options("gru", {"reset": "never"})
    with pytest.raises(UsageError, match="option of peephole-lstm, not of sru"):
        make_block("sru", 1, 1, {"peephole": "standard"})
    with pytest.raises(UsageError, match="unknown option 'colour' of a cell: there are reset, activation, peephole"):
        block_options("gru", {"colour": "red"})
    assert block_options("gru", {}) == {"reset": "before"}
    assert block_options("rnn", {"activation": "relu"}) == {"activation": "relu"}
    assert set(BLOCKS) == {kind.cell for kind in KINDS.values()}
