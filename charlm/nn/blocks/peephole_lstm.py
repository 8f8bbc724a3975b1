"""The LSTM whose gates see the cell through diagonal weights, "peepholes" (Gers & Schmidhuber 2000).

The standard one (also of ONNX) lets the output gate see the new cell; the one of the post lets all three gates see the
cell before. Diagonal weights are vectors p_g, so a peephole costs a product of elements. The gradient is the full one
(Graves & Schmidhuber 2005): the first paper sent no error back through the peepholes.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.activations import gates_in_place
from charlm.nn.arrays import Array
from charlm.nn.block import Block, Operand, Tape
from charlm.nn.blocks.lstm import LSTM, LSTMTape
from charlm.nn.columns import WindowColumns, new_steps, sum_over_window


@dataclass
class PeepholeTape(LSTMTape):
    """The LSTM's tape, and the cells as the gates saw them."""

    new_cells: Array  # [T, H, B]: c_t, which ``cells`` may have lost to the start of the next text
    seen: Array  # [H, B], what a peephole makes of a cell


class PeepholeLSTM(LSTM):
    """What both variants share."""

    vectors = MappingProxyType({"p_f": "f", "p_u": "u", "p_o": "o"})
    before: ClassVar[tuple[str, ...]]
    """Gates that see the cell before the step; their rows come first."""

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> PeepholeTape:
        plain = super().new_tape(input_rows, time, batch, dtype, keep=keep)
        cells = new_steps(time, self.hidden, batch, dtype, keep=keep)
        return PeepholeTape(**vars(plain), new_cells=cells, seen=np.empty((self.hidden, batch), dtype))

    def _gates(self, operand: Operand, tape: LSTMTape, t: int) -> None:
        assert isinstance(tape, PeepholeTape)
        z, sigmoids = tape.gates[t], len(self.before) * self.hidden
        operand.products[0].dot(tape.inputs[t], z)
        for g in self.before:
            z[self.rows(g)] += np.multiply(operand.vectors[f"p_{g}"], tape.cells[t], out=tape.seen)
        gates_in_place(z[:sigmoids], sigmoids)
        candidate = z[3 * self.hidden :]
        np.tanh(candidate, out=candidate)

    def _gates_back(self, operand: Operand, tape: LSTMTape, t: int, dh: Array, dc: Array) -> None:
        assert isinstance(tape, PeepholeTape)
        super()._gates_back(operand, tape, t, dh, dc)
        for g in self.before:
            dc += np.multiply(operand.vectors_back[f"p_{g}"], tape.d_gates[t, self.rows(g)], out=tape.seen)

    def weight_gradient(self, tape: Tape, time: int, columns: WindowColumns, d_operand: Operand) -> None:
        assert isinstance(tape, PeepholeTape)
        super().weight_gradient(tape, time, columns, d_operand)
        for g in self.sigmoid_gates:
            seen = tape.cells if g in self.before else tape.new_cells
            d_operand.vectors[f"p_{g}"][...] = sum_over_window(tape.d_gates[:time, self.rows(g)], seen)


class StandardPeepholeLSTM(PeepholeLSTM):
    """Forget and update gate see the cell before, the output gate the new one."""

    before = ("f", "u")
    equations = """
        f = sigmoid(W_fa @ a_prev + W_fx @ x + p_f * c_prev + b_f)  # forget gate
        u = sigmoid(W_ua @ a_prev + W_ux @ x + p_u * c_prev + b_u)  # update gate
        candidate = tanh(W_ca @ a_prev + W_cx @ x + b_c)            # candidate
        c = u * candidate + f * c_prev                              # cell
        o = sigmoid(W_oa @ a_prev + W_ox @ x + p_o * c + b_o)       # output gate
        a = o * tanh(c)                                             # activation
    """

    def _squash(self, operand: Operand, tape: LSTMTape, t: int) -> None:
        assert isinstance(tape, PeepholeTape)
        super()._squash(operand, tape, t)
        tape.new_cells[t] = tape.cells[t + 1]
        o = tape.gates[t, self.rows("o")]
        o += np.multiply(operand.vectors["p_o"], tape.cells[t + 1], out=tape.seen)
        gates_in_place(o, self.hidden)

    def _squash_back(self, operand: Operand, tape: LSTMTape, t: int, d_inside: Array, dc: Array) -> None:
        assert isinstance(tape, PeepholeTape)
        super()._squash_back(operand, tape, t, d_inside, dc)
        # dz_o, which stands in its place only at the end of the step.
        d_o = np.multiply(tape.scratch[3 * self.hidden :], tape.gates[t, self.rows("o")], out=tape.seen)
        np.subtract(tape.scratch[3 * self.hidden :], d_o, out=d_o)
        d_o *= operand.vectors_back["p_o"]
        dc += d_o


class PreviousPeepholeLSTM(PeepholeLSTM):
    """All three gates see the cell before, as the post writes it."""

    before = ("f", "u", "o")
    equations = """
        f = sigmoid(W_fa @ a_prev + W_fx @ x + p_f * c_prev + b_f)  # forget gate
        u = sigmoid(W_ua @ a_prev + W_ux @ x + p_u * c_prev + b_u)  # update gate
        o = sigmoid(W_oa @ a_prev + W_ox @ x + p_o * c_prev + b_o)  # output gate
        candidate = tanh(W_ca @ a_prev + W_cx @ x + b_c)            # candidate
        c = u * candidate + f * c_prev                              # cell
        a = o * tanh(c)                                             # activation
    """


def peephole_lstm(input_size: int, hidden: int, peephole: str) -> Block:
    """The variant that the option names."""
    kind = StandardPeepholeLSTM if peephole == "standard" else PreviousPeepholeLSTM
    return kind(input_size, hidden)
