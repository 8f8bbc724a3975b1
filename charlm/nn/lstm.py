"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

    f = s(W_f [a_prev; x] + b_f)          forget gate
    u = s(W_u [a_prev; x] + b_u)          update gate (the literature's input gate i)
    o = s(W_o [a_prev; x] + b_o)          output gate
    c~ = tanh(W_c [a_prev; x] + b_c)      candidate
    c = u * c~ + f * c_prev               cell
    a = o * tanh(c)                       activation, the hidden state h

One product a step computes all four: rows [f; u; o; c~] on a column [h; x; 1].
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.activations import gates_in_place
from charlm.nn.arrays import Array, Flags, State, Views
from charlm.nn.block import Block, Operand, Tape, new_columns, start_lanes


@dataclass
class LSTMTape(Tape):
    """The LSTM's tape: gates and cells of every step, and scratch."""

    gates: Array  # [T, 4H, B], activated
    cells: Array  # [T + 1, H, B]: c_{t-1} in entry t
    tanh_cells: Array  # [T, H, B]
    scratch: Array  # [3, H, B], for one step back


class LSTM(Block):
    """The LSTM; the equations stand at the top of the module."""

    state_names = ("hidden", "cell")
    gates = ("f", "u", "o", "c")
    sigmoid_gates = ("f", "u", "o")

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """As every block, and a forget bias of 1, so that cells remember at first (Jozefowicz et al. 2015)."""
        super().initialize(views, generator)
        views["b_f"][...] = 1

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike) -> LSTMTape:
        H, R, T, B = self.hidden, input_rows, time, batch
        inputs = np.zeros((H + R + 1, T + 1, B), dtype)
        inputs[-1] = 1
        return LSTMTape(
            inputs=inputs,
            x=inputs[H : H + R, :T],
            hidden=inputs[:H],
            d_gates=new_columns(4 * H, T, B, dtype),
            gates=np.empty((T, 4 * H, B), dtype),
            cells=np.empty((T + 1, H, B), dtype),
            tanh_cells=np.empty((T, H, B), dtype),
            scratch=np.empty((3, H, B), dtype),
        )

    def forward(self, operand: Operand, tape: Tape, state: State, starts: Flags, output: Array) -> State:
        assert isinstance(tape, LSTMTape)
        H, T = self.hidden, output.shape[1]
        (product,) = operand.products
        inputs, hidden, cells = tape.inputs, tape.hidden, tape.cells
        begins = start_lanes(starts)
        hidden[:, 0], cells[0] = state
        for t in range(T):
            c_prev, c, tanh_c, z = cells[t], cells[t + 1], tape.tanh_cells[t], tape.gates[t]
            if t in begins:
                hidden[:, t, begins[t]] = 0
                c_prev[:, begins[t]] = 0
            np.matmul(product, inputs[:, t], out=z)
            gates_in_place(z, 3 * H)
            f, u, o, candidate = z[:H], z[H : 2 * H], z[2 * H : 3 * H], z[3 * H :]
            np.multiply(u, candidate, out=tanh_c)
            np.multiply(f, c_prev, out=c)
            c += tanh_c
            np.tanh(c, out=tanh_c)
            h = hidden[:, t + 1]
            np.multiply(o, tanh_c, out=h)
            output[:, t] = h
        return hidden[:, T].copy(), cells[T].copy()

    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Flags) -> State:
        assert isinstance(tape, LSTMTape)
        H, T = self.hidden, d_output.shape[1]
        begins = start_lanes(starts)
        product, part, slope = tape.scratch
        dh, dc = (np.array(d) for d in d_state)
        for t in reversed(range(T)):
            gates, tanh_c, dz = tape.gates[t], tape.tanh_cells[t], tape.d_gates[:, t]
            f, u, o, candidate = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H], gates[3 * H :]
            dh += d_output[:, t]
            # Through a = o * tanh(c), with y = dh * o: dz_o = y tanh(c) (1 - o), dc += y (1 - tanh(c)^2).
            # Every slope 1 - s is taken as "x minus x times s": one product fewer, and no block larger than H.
            dh *= o
            np.multiply(dh, tanh_c, out=product)
            np.multiply(product, o, out=slope)
            np.subtract(product, slope, out=dz[2 * H : 3 * H])
            product *= tanh_c
            dh -= product
            dc += dh
            # Through c = u * c~ + f * c_prev, with w = dc * u: dz_u = w c~ (1 - u), dz_c = w (1 - c~^2).
            np.multiply(dc, u, out=part)
            np.multiply(part, candidate, out=product)
            np.multiply(product, u, out=slope)
            np.subtract(product, slope, out=dz[H : 2 * H])
            product *= candidate
            np.subtract(part, product, out=dz[3 * H :])
            # dz_f = dc f c_prev (1 - f), and dc * f is the gradient of the cell before.
            dc *= f
            np.multiply(dc, tape.cells[t], out=product)
            np.multiply(product, f, out=slope)
            np.subtract(product, slope, out=dz[:H])
            np.matmul(operand.recurrent_back, dz, out=dh)
            if t in begins:
                dh[:, begins[t]] = 0
                dc[:, begins[t]] = 0
        return dh, dc
