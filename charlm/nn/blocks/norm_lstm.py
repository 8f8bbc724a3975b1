"""The layer-normalised LSTM (Ba et al. 2016, equations 20 to 22): both halves of its gates, and its cell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.activations import gates_in_place
from charlm.nn.arrays import Array
from charlm.nn.block import Operand, Tape
from charlm.nn.blocks.lstm import LSTM, LSTMTape
from charlm.nn.blocks.normalized import NormalizedGates, NormalizedTape, halves_of
from charlm.nn.columns import WindowColumns, new_steps, sum_over_window
from charlm.nn.normalization import normalize, normalize_back


@dataclass
class NormLSTMTape(NormalizedTape, LSTMTape):
    """The LSTM's tape with the normalised halves and cells."""

    normal_cells: Array  # [T, H, B]
    cell_inverse: Array  # [T, B]
    d_inside: Array  # [T, H, B], gradient of what the cell's tanh is taken of


class NormLSTM(NormalizedGates, LSTM):
    """The normalised LSTM; norm(...) of several vectors normalises them as one."""

    groups = (("f", "u", "o", "c"),)
    further_vectors = ("gain_cell", "b_cell")
    equations = """
        h_f, h_u, h_o, h_c = norm(W_fa @ a_prev, W_ua @ a_prev, W_oa @ a_prev, W_ca @ a_prev)  # recurrent halves
        x_f, x_u, x_o, x_c = norm(W_fx @ x, W_ux @ x, W_ox @ x, W_cx @ x)                      # input halves
        f = sigmoid(gain_fa * h_f + gain_fx * x_f + b_f)                                       # forget gate
        u = sigmoid(gain_ua * h_u + gain_ux * x_u + b_u)                                       # update gate
        o = sigmoid(gain_oa * h_o + gain_ox * x_o + b_o)                                       # output gate
        candidate = tanh(gain_ca * h_c + gain_cx * x_c + b_c)                                  # candidate
        c = u * candidate + f * c_prev                                                         # cell
        a = o * tanh(gain_cell * norm(c) + b_cell)                                             # activation
    """

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> NormLSTMTape:
        H, R, T, B = self.hidden, input_rows, time, batch
        inputs, gates = self.new_inputs(R, T, B, dtype), new_steps(T, 4 * H, B, dtype, keep=keep)
        return NormLSTMTape(
            inputs=inputs,
            x=inputs[:T, H:],
            d_gates=np.empty((T, 8 * H, B), dtype),
            hidden=inputs[:, :H],
            gates=gates,
            cells=np.empty((T + 1, H, B), dtype),
            tanh_cells=new_steps(T, H, B, dtype, keep=keep),
            scratch=np.empty((4 * H, B), dtype),
            halves=self.new_halves(inputs, gates, gates, keep=keep),
            normal_cells=new_steps(T, H, B, dtype, keep=keep),
            cell_inverse=np.empty((T, B), dtype),
            d_inside=np.empty((T, H, B), dtype),
        )

    def _gates(self, operand: Operand, tape: LSTMTape, t: int) -> None:
        halves, z, sigmoids = halves_of(tape), tape.gates[t], 3 * self.hidden
        np.add(self.recur(operand, halves, t), halves.driven[t], out=z)
        z[:sigmoids] *= 0.5  # no scale in the operand has done it
        gates_in_place(z, sigmoids)

    def _squash(self, operand: Operand, tape: LSTMTape, t: int) -> None:
        assert isinstance(tape, NormLSTMTape)
        inside = tape.tanh_cells[t]
        tape.cell_inverse[t] = normalize(tape.cells[t + 1], tape.normal_cells[t])
        np.multiply(tape.normal_cells[t], operand.vectors["gain_cell"], out=inside)
        inside += operand.vectors["b_cell"]
        np.tanh(inside, out=inside)

    def _squash_back(self, operand: Operand, tape: LSTMTape, t: int, d_inside: Array, dc: Array) -> None:
        assert isinstance(tape, NormLSTMTape)
        through, d_cell, _, _ = np.split(tape.scratch, 4)
        tape.d_inside[t] = d_inside
        np.multiply(d_inside, operand.vectors["gain_cell"], out=through)
        normalize_back(through, tape.normal_cells[t], tape.cell_inverse[t], d_cell)
        dc += d_cell

    def _gates_back(self, operand: Operand, tape: LSTMTape, t: int, dh: Array, dc: Array) -> None:  # noqa: ARG002
        dh[...] = self.recur_back(operand, tape, t)

    def weight_gradient(self, tape: Tape, time: int, columns: WindowColumns, d_operand: Operand) -> None:
        assert isinstance(tape, NormLSTMTape)
        super().weight_gradient(tape, time, columns, d_operand)
        d_inside = tape.d_inside[:time]
        d_operand.vectors["gain_cell"][...] = sum_over_window(d_inside, tape.normal_cells)
        d_operand.vectors["b_cell"][:, 0] = d_inside.sum(axis=(0, 2))
