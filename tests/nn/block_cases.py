"""One block by itself, in float64, that the tests of blocks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from nn_cases import KINDS

from charlm.nn.parameters import Parameters
from charlm.nn.registry import make_block
from charlm.nn.stack import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charlm.nn.arrays import Array, State
    from charlm.nn.block import Block

HIDDEN, INPUT, BATCH = 3, 4, 2
SHUT, OPEN = -1000.0, 1000.0
"""Biases with which a gate is 0 and 1 exactly."""


def block_of(kind: str, *, input_size: int = INPUT) -> tuple[Block, Parameters]:
    """A block and random parameters."""
    block = make_block(KINDS[kind].cell, input_size, HIDDEN, KINDS[kind].options)
    parameters = Parameters(block.parameter_specs(), np.float64)
    parameters.values[...] = np.random.default_rng(1).standard_normal(len(parameters))
    return block, parameters


def inputs_and_state(kind: str, time: int = 40, *, input_size: int = INPUT) -> tuple[Array, State]:
    """Random inputs [X, T, B], and a random state of as many parts as the block has."""
    rng = np.random.default_rng(3)
    state = tuple(rng.standard_normal((HIDDEN, BATCH)) for _ in block_of(kind)[0].state_names)
    return rng.standard_normal((input_size, time, BATCH)), state


def run(block: Block, parameters: Parameters, x: Array, state: State) -> tuple[Array, State]:
    """Outputs [H, T, B] and the final state."""
    rows, time, batch = x.shape
    operand, tape = block.new_operand(rows, np.float64), block.new_tape(rows, time, batch, np.float64)
    block.pack(parameters.views, operand)
    tape.x[...] = x.swapaxes(0, 1)
    output = np.empty((time, HIDDEN, batch))
    after = block.forward(operand, tape, state, NOWHERE, output)
    return output.swapaxes(0, 1), after


def run_with(
    kind: str, values: Mapping[str, float | Array], x: Array, state: State
) -> tuple[Array, State, Mapping[str, Array]]:
    """The same with the parameters given that are named; the parameters are returned too."""
    block, parameters = block_of(kind, input_size=len(x))
    for name, value in values.items():
        parameters.views[name][...] = value
    return *run(block, parameters, x, state), parameters.views
