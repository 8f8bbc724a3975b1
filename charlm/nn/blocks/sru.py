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
from charlm.nn.columns import WindowColumns, sum_over_window, window_product, write_columns
from charlm.nn.initializers import uniform

ALPHA = float(np.sqrt(3))
"""Keeps the variance of the output at that of the input: sqrt(1 + 2 e^b) for the gate's first bias b = 0."""


@dataclass
class SRUTape(Tape):
    """The SRU's tape."""

    projected: Array  # [T, G * H, B]: z, f, r and, where it is projected, the highway; then their gradients
    cells: Array  # [T + 1, H, B]: c_{t-1} in entry t
    d_highway: Array  # [T, H, B], gradient of the x that the highway carries
    scratch: Array  # [3, H, B], for one step


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

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> SRUTape:
        del keep  # the window's products are made at once
        H, R, T, B = self.hidden, input_rows, time, batch
        inputs = np.zeros((T + 1, R + 1, B), dtype)
        inputs[:, -1] = 1
        projected = np.empty((T, len(self.gates) * H, B), dtype)
        return SRUTape(
            inputs=inputs,
            x=inputs[:T, :R],
            d_gates=projected,
            projected=projected,
            cells=np.empty((T + 1, H, B), dtype),
            d_highway=projected[:, 3 * H :] if self.projects else np.empty((T, H, B), dtype),
            scratch=np.empty((3, H, B), dtype),
        )

    def _highway(self, tape: SRUTape, t: int) -> Array:
        """What the highway carries, [H, B], in room that the next step uses again."""
        if self.projects:
            return tape.projected[t, 3 * self.hidden :]
        highway: Array = np.multiply(tape.x[t], tape.x.dtype.type(ALPHA), out=tape.scratch[2])
        return highway

    def forward(self, operand: Operand, tape: Tape, state: State, starts: Starts, output: Array) -> State:
        assert isinstance(tape, SRUTape)
        H, T = self.hidden, len(output)
        cells, projected, seen = tape.cells, tape.projected, tape.scratch[0]
        window_product(operand.products[0], tape.inputs[:T], out=projected[:T])
        (cells[0],) = state
        for t in range(T):
            c_prev, c, gates = cells[t], cells[t + 1], projected[t, H : 3 * H]
            z, f, r = projected[t, :H], gates[:H], gates[H:]
            starts.write(t, (c_prev,))
            f += np.multiply(operand.vectors["v_f"], c_prev, out=seen)
            r += np.multiply(operand.vectors["v_r"], c_prev, out=seen)
            gates_in_place(gates, 2 * H)
            # c = c_prev + (1 - f) * (z - c_prev): exact when f is 1, and one product fewer
            np.subtract(z, c_prev, out=c)
            c *= np.subtract(1, f, out=seen)
            c += c_prev
            # The highway where r is 0, the cell where it is 1.
            a, highway = output[t], self._highway(tape, t)
            np.subtract(c, highway, out=a)
            a *= r
            a += highway
        return (cells[T].copy(),)

    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Starts) -> State:
        assert isinstance(tape, SRUTape)
        H = self.hidden
        v_f, v_r = operand.vectors_back["v_f"], operand.vectors_back["v_r"]
        part, apart, _ = tape.scratch
        (dc,) = (np.array(d, d_output.dtype) for d in d_state)
        for t in reversed(range(len(d_output))):
            gates, c_prev = tape.projected[t], tape.cells[t]
            z, f, r = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H]
            # c once more: where a text starts at the next step, tape.cells holds its initial one.
            np.subtract(c_prev, z, out=apart)
            c = np.multiply(apart, f, out=part)
            c += z
            # Through a = highway + r * (c - highway): what r lets through goes to c, the rest to the highway;
            # dz_r = da (c - highway) r (1 - r). Slopes 1 - s are taken as "x minus x times s".
            c -= self._highway(tape, t)
            through = np.multiply(d_output[t], r, out=z)
            np.subtract(d_output[t], through, out=tape.d_highway[t])
            part *= through
            r *= part
            np.subtract(part, r, out=r)
            dc += through
            # Through c = z + f * (c_prev - z): what f lets through goes to c_prev, the rest to z.
            np.multiply(dc, f, out=part)
            np.subtract(dc, part, out=z)
            dc[...] = part
            part *= apart
            f *= part
            np.subtract(part, f, out=f)
            # Each gate's gradient is now where the gate was.
            dc += np.multiply(v_f, f, out=part)
            dc += np.multiply(v_r, r, out=part)
            starts.take_back(t, (dc,))
        return (dc,)

    def weight_gradient(self, tape: Tape, time: int, columns: WindowColumns, d_operand: Operand) -> None:
        assert isinstance(tape, SRUTape)
        super().weight_gradient(tape, time, columns, d_operand)
        H = self.hidden
        d_operand.vectors["v_f"][...] = sum_over_window(tape.d_gates[:time, H : 2 * H], tape.cells)
        d_operand.vectors["v_r"][...] = sum_over_window(tape.d_gates[:time, 2 * H : 3 * H], tape.cells)

    def input_gradient(self, operand: Operand, tape: Tape, columns: WindowColumns, d_input: Array) -> None:
        assert isinstance(tape, SRUTape)
        super().input_gradient(operand, tape, columns, d_input)
        if not self.projects:
            # The gates' columns have done their work: their memory takes the highway's.
            time = d_input.shape[1] // tape.d_highway.shape[2]
            d_highway = columns.d_gates[: self.hidden]
            write_columns(d_highway, tape.d_highway[:time])
            d_highway *= ALPHA
            d_input += d_highway
