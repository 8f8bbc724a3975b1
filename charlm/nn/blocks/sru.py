"""The simple recurrent unit (Lei et al. 2018, equations 3 to 6): no matrix on the state.

The gates see the cell before through vectors only, so all products of a window are one, made before the recurrence;
what is left for the loop over time acts element by element. The highway carries the input past the cell: x itself,
times alpha, where it has as many rows as the cell, else a projection of it.
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.activations import gates_in_place
from charlm.nn.arrays import Array, State, Views
from charlm.nn.block import Block, Operand, Starts, Tape
from charlm.nn.columns import flat, new_columns, sum_over_window
from charlm.nn.initializers import uniform

ALPHA = float(np.sqrt(3))
"""Keeps the variance of the output at that of the input: sqrt(1 + 2 e^b) for the gate's first bias b = 0."""


@dataclass
class SRUTape(Tape):
    """The SRU's tape."""

    projected: Array  # [G * H, T, B], the products with x: of c, f, r and, where it is projected, the highway
    gates: Array  # [T, 2H, B]: f, r
    cells: Array  # [T + 1, H, B]: c_{t-1} in entry t
    d_highway: Array  # [H, T, B], gradient of the x that the highway carries


class SRU(Block):
    """The SRU; what it carries from step to step is the cell alone."""

    state_names = ("cell",)
    sigmoid_gates = ("f", "r")
    recurrent = False
    vectors = MappingProxyType({"v_f": "f", "v_r": "r"})

    def __init__(self, input_size: int, hidden: int) -> None:
        super().__init__(input_size, hidden)
        self.projects = input_size != hidden
        self.gates = ("c", "f", "r", "s") if self.projects else ("c", "f", "r")
        self.unbiased_gates = ("c", "s")
        highway = "W_sx @ x" if self.projects else "sqrt(3) * x"
        self.equations = f"""
            f = sigmoid(W_fx @ x + v_f * c_prev + b_f)  # forget gate
            r = sigmoid(W_rx @ x + v_r * c_prev + b_r)  # reset gate
            c = f * c_prev + (1 - f) * (W_cx @ x)       # cell
            a = r * c + (1 - r) * ({highway})           # activation
        """

    @property
    def reads_input(self) -> bool:
        return not self.projects

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """As the authors' own: matrices of variance 1 / X, the gates' and their vectors' halved; zero biases."""
        bound = float(np.sqrt(3 / self.input_size))
        scale = {"c": 1.0, "f": float(np.sqrt(0.5)), "r": float(np.sqrt(0.5)), "s": ALPHA}
        for g in self.gates:
            uniform(views[f"W_{g}x"], bound * scale[g], generator)
        for name in self.vectors:
            uniform(views[name], float(np.sqrt(1.5)), generator)

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike) -> SRUTape:
        H, R, T, B = self.hidden, input_rows, time, batch
        inputs = np.zeros((R + 1, T + 1, B), dtype)
        inputs[-1] = 1
        rows = len(self.gates) * H
        return SRUTape(
            inputs=inputs,
            x=inputs[:R, :T],
            d_gates=new_columns(rows, T, B, dtype),
            projected=new_columns(rows, T, B, dtype),
            gates=np.empty((T, 2 * H, B), dtype),
            cells=np.empty((T + 1, H, B), dtype),
            d_highway=new_columns(H, T, B, dtype),
        )

    def _highway(self, tape: SRUTape, t: int) -> Array:
        return tape.projected[3 * self.hidden :, t] if self.projects else ALPHA * tape.x[:, t]

    def forward(self, operand: Operand, tape: Tape, state: State, starts: Starts, output: Array) -> State:
        assert isinstance(tape, SRUTape)
        H, T = self.hidden, output.shape[1]
        cells, projected = tape.cells, tape.projected
        seen = np.concatenate([operand.vectors["v_f"], operand.vectors["v_r"]]).reshape(2, H, 1)
        np.matmul(operand.products[0], flat(tape.inputs[:, :T]), out=flat(projected[:, :T]))
        (cells[0],) = state
        for t in range(T):
            c_prev, c, gates = cells[t], cells[t + 1], tape.gates[t]
            starts.write(t, (c_prev,))
            np.multiply(seen, c_prev, out=gates.reshape(2, H, -1))
            gates += projected[H : 3 * H, t]
            gates_in_place(gates, 2 * H)
            f, r = gates[:H], gates[H:]
            # c = c_prev + (1 - f) * (z - c_prev): exact when f is 1, and one product fewer
            np.subtract(projected[:H, t], c_prev, out=c)
            c *= 1 - f
            c += c_prev
            highway = self._highway(tape, t)
            output[:, t] = highway + r * (c - highway)
        return (cells[T].copy(),)

    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Starts) -> State:
        assert isinstance(tape, SRUTape)
        H = self.hidden
        v_f, v_r = operand.vectors_back["v_f"], operand.vectors_back["v_r"]
        (dc,) = (np.array(d, d_output.dtype) for d in d_state)
        for t in reversed(range(d_output.shape[1])):
            f, r, dz, da = tape.gates[t, :H], tape.gates[t, H:], tape.d_gates[:, t], d_output[:, t]
            through = da * r
            tape.d_highway[:, t] = da - through
            # dz_r = da (c - highway) r (1 - r), with da * r shared. c is made once more: where a text starts at the
            # next step, tape.cells holds its initial one.
            apart = tape.cells[t] - tape.projected[:H, t]
            c = apart * f + tape.projected[:H, t]
            dz_r = through * (c - self._highway(tape, t)) * (1 - r)
            dc += through
            # Through c = z + f * (c_prev - z): what f lets through goes to c_prev, the rest to z.
            through = dc * f
            dz_f = through * apart * (1 - f)
            np.subtract(dc, through, out=dz[:H])
            dz[H : 2 * H] = dz_f
            dz[2 * H : 3 * H] = dz_r
            dc = through + v_f * dz_f + v_r * dz_r
            starts.take_back(t, (dc,))
        if self.projects:
            tape.d_gates[3 * H :, : d_output.shape[1]] = tape.d_highway[:, : d_output.shape[1]]
        return (dc,)

    def weight_gradient(self, tape: Tape, time: int, d_operand: Operand) -> None:
        assert isinstance(tape, SRUTape)
        super().weight_gradient(tape, time, d_operand)
        H = self.hidden
        d_operand.vectors["v_f"][...] = sum_over_window(tape.d_gates[H : 2 * H, :time], tape.cells)
        d_operand.vectors["v_r"][...] = sum_over_window(tape.d_gates[2 * H : 3 * H, :time], tape.cells)

    def input_gradient(self, operand: Operand, tape: Tape, d_input: Array) -> None:
        assert isinstance(tape, SRUTape)
        super().input_gradient(operand, tape, d_input)
        if not self.projects:
            d_input += ALPHA * tape.d_highway[:, : d_input.shape[1]]
