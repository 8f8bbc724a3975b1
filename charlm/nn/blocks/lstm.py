"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000), and what its variants share.

One product a step computes all four gates: rows [f; u; o; c~] on a column [h; x; 1]. A variant replaces one of the four
pieces that a step is made of: how the gates come about, how the cell becomes the activation, and the way back through
each.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.activations import gates_in_place
from charlm.nn.arrays import Array, State, Views
from charlm.nn.block import Block, Operand, Starts, Tape
from charlm.nn.columns import new_steps


class LSTMStep(NamedTuple):
    """What a step works on: views into the tape, each [H, B] where it does not say otherwise."""

    column: Array  # [rows, B]: what its product reads
    z: Array  # [4H, B]: the four gates
    f: Array
    u: Array
    o: Array
    candidate: Array
    c_prev: Array
    c: Array
    tanh_c: Array
    h_prev: Array
    h: Array


@dataclass
class LSTMTape(Tape):
    """The LSTM's tape: gates and cells of every step, and scratch."""

    hidden: Array  # [T + 1, H, B], view into the inputs: h_{t-1} in entry t
    gates: Array  # [T, 4H, B]: f, u, o, c~; after the way back the gradients of their pre-activations
    cells: Array  # [T + 1, H, B]: c_{t-1} in entry t
    tanh_cells: Array  # [T, H, B]
    scratch: Array  # [4H, B], for one step back

    @cached_property
    def steps(self) -> tuple[LSTMStep, ...]:
        """Made once, since a slice takes as long as 500 additions."""
        before_and_after = (self.cells[:-1], self.cells[1:], self.tanh_cells, self.hidden[:-1], self.hidden[1:])
        each = zip(self.inputs[:-1], self.gates, *before_and_after, strict=True)
        return tuple(LSTMStep(column, z, *np.split(z, 4), *views) for column, z, *views in each)


class LSTM(Block):
    """The LSTM. In the literature the update gate is the input gate, i."""

    state_names = ("hidden", "cell")
    gates: tuple[str, ...] = ("f", "u", "o", "c")
    sigmoid_gates: ClassVar[tuple[str, ...]] = ("f", "u", "o")
    equations = """
        f = sigmoid(W_fa @ a_prev + W_fx @ x + b_f)       # forget gate
        u = sigmoid(W_ua @ a_prev + W_ux @ x + b_u)       # update gate
        o = sigmoid(W_oa @ a_prev + W_ox @ x + b_o)       # output gate
        candidate = tanh(W_ca @ a_prev + W_cx @ x + b_c)  # candidate
        c = u * candidate + f * c_prev                    # cell
        a = o * tanh(c)                                   # activation
    """

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """As every block, and a forget bias of 1, so that cells remember at first (Jozefowicz et al. 2015)."""
        super().initialize(views, generator)
        views["b_f"][...] = 1

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> LSTMTape:
        H, R, T, B = self.hidden, input_rows, time, batch
        inputs = np.zeros((T + 1, H + R + 1, B), dtype)
        inputs[:, -1] = 1
        gates = new_steps(T, 4 * H, B, dtype, keep=keep)
        return LSTMTape(
            inputs=inputs,
            x=inputs[:T, H : H + R],
            d_gates=gates[:, (4 - len(self.gates)) * H :],
            hidden=inputs[:, :H],
            gates=gates,
            cells=np.empty((T + 1, H, B), dtype),
            tanh_cells=new_steps(T, H, B, dtype, keep=keep),
            scratch=np.empty((4 * H, B), dtype),
        )

    def forward(self, operand: Operand, tape: Tape, state: State, starts: Starts, output: Array) -> State:
        assert isinstance(tape, LSTMTape)
        T, (hidden, cells) = len(output), (tape.hidden, tape.cells)
        hidden[0], cells[0] = state
        for t, (_, _, f, u, o, candidate, c_prev, c, tanh_c, h_prev, h) in enumerate(tape.steps[:T]):
            starts.write(t, (h_prev, c_prev))
            self._gates(operand, tape, t)
            # What a step writes stands third: NumPy takes twice as long to be called with ``out=`` on a short column.
            np.multiply(u, candidate, tanh_c)
            np.multiply(f, c_prev, c)
            np.add(c, tanh_c, c)
            self._squash(operand, tape, t)
            np.multiply(o, tanh_c, h)
            output[t] = h
        return hidden[T].copy(), cells[T].copy()

    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Starts) -> State:
        assert isinstance(tape, LSTMTape)
        H = self.hidden
        part, d_sigmoids = tape.scratch[:H], tape.scratch[H:]
        d_f, d_u, d_o = np.split(d_sigmoids, 3)
        dh, dc = (np.array(d, d_output.dtype) for d in d_state)
        for t in reversed(range(len(d_output))):
            _, _, f, u, o, candidate, c_prev, _, tanh_c, _, _ = tape.steps[t]
            dh += d_output[t]
            # Through a = o * tanh(c), with y = dh * o: dz_o = y tanh(c) (1 - o), dc += y (1 - tanh(c)^2).
            # Every slope 1 - s is taken as "x minus x times s": one product fewer.
            dh *= o
            np.multiply(dh, tanh_c, out=d_o)
            np.multiply(d_o, tanh_c, out=part)
            dh -= part
            self._squash_back(operand, tape, t, dh, dc)
            # Through c = u * c~ + f * c_prev, with w = dc * u: dz_u = w c~ (1 - u), dz_c = w (1 - c~^2).
            np.multiply(dc, u, out=part)
            np.multiply(part, candidate, out=d_u)
            candidate *= d_u
            np.subtract(part, candidate, out=candidate)
            # dz_f = dc f c_prev (1 - f), and dc * f is the gradient of the cell before.
            dc *= f
            np.multiply(dc, c_prev, out=d_f)
            # The slopes of all sigmoids at once; with dz_c, the gates' gradients are now where the gates were.
            sigmoids = tape.gates[t, : 3 * H]
            sigmoids *= d_sigmoids
            np.subtract(d_sigmoids, sigmoids, out=sigmoids)
            self._gates_back(operand, tape, t, dh, dc)
            starts.take_back(t, (dh, dc))
        return dh, dc

    def _gates(self, operand: Operand, tape: LSTMTape, t: int) -> None:
        """Write f, u, o and c~ of step t, activated."""
        step = tape.steps[t]
        operand.products[0].dot(step.column, step.z)
        gates_in_place(step.z, 3 * self.hidden)

    def _squash(self, operand: Operand, tape: LSTMTape, t: int) -> None:  # noqa: ARG002 - variants use the operand
        """From the cell of step t to what the output gate lets through; a gate that waits for the cell is made here."""
        step = tape.steps[t]
        np.tanh(step.c, step.tanh_c)

    def _squash_back(self, operand: Operand, tape: LSTMTape, t: int, d_inside: Array, dc: Array) -> None:  # noqa: ARG002
        """Add to dc what comes through ``_squash``; ``d_inside`` is the gradient of what its tanh is taken of."""
        dc += d_inside

    def _gates_back(self, operand: Operand, tape: LSTMTape, t: int, dh: Array, dc: Array) -> None:  # noqa: ARG002
        """Write into dh, and add to dc, the gradient of the state before step t, from those of the gates."""
        operand.recurrent_back.dot(tape.d_gates[t], dh)
