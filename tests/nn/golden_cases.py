"""The engine held against what a peer found, as it is stored or as the peer has just found it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from nn_cases import Case, assert_gradients_close, assert_states_close, make_model, run_engine

from charlm.nn.parameters import Parameters
from charlm.nn.registry import make_block
from charlm.nn.stack import NOWHERE

if TYPE_CHECKING:
    from reference import Golden, GoldenOperator


def assert_engine_equals(golden: Golden, *, atol: float = 1e-10) -> None:
    """A language model of PyTorch's: outputs, logits, loss, final states and all gradients."""
    starts, initial = np.zeros(golden.inputs.shape, bool), tuple(golden.initial)
    case = Case(
        golden.network,
        golden.parameters,
        golden.inputs,
        golden.targets,
        starts,
        golden.initial,
        golden.upstream,
        [tuple(np.zeros_like(part) for part in parts) for parts in initial],
    )
    model = make_model(case)
    work = model.new_workspace(*golden.inputs.shape)
    logits, after = model.logits(work, golden.inputs, starts, initial)
    np.testing.assert_allclose(logits.transpose(1, 2, 0), golden.logits, rtol=0, atol=atol)
    assert_states_close(after, golden.final, atol=atol)

    found = run_engine(model, case, work)
    assert found.loss == pytest.approx(golden.loss, abs=atol)
    np.testing.assert_allclose(found.outputs, golden.outputs, rtol=0, atol=atol)
    assert_states_close(found.state, golden.final, atol=atol)
    assert_gradients_close(found.gradients, golden.gradients.parameters, atol=atol)
    assert_states_close(found.initial, golden.gradients.state, atol=atol)
    assert all(np.all(np.any(part, axis=0)) for parts in found.initial for part in parts)


def assert_block_equals(golden: GoldenOperator, *, atol: float = 1e-5) -> None:
    """An operator of ONNX's: outputs and final states of one layer in single precision."""
    time, batch, size = golden.x.shape
    block = make_block(golden.network.cell, size, golden.outputs.shape[2], golden.network.options)
    parameters = Parameters(block.parameter_specs())
    assert parameters.views.keys() == golden.parameters.keys()
    for parameter, value in golden.parameters.items():
        parameters.views[parameter][...] = value
    operand, tape = block.new_operand(size, np.float32), block.new_tape(size, time, batch, np.float32)
    block.pack(parameters.views, operand)
    tape.x[...] = golden.x.swapaxes(1, 2)
    output = np.empty((time, block.hidden, batch), np.float32)
    after = block.forward(operand, tape, golden.initial, NOWHERE, output)
    np.testing.assert_allclose(output.swapaxes(1, 2), golden.outputs, rtol=0, atol=atol)
    assert_states_close([after], [golden.final], atol=atol)
