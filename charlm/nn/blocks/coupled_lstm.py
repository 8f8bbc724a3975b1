"""The LSTM that forgets what it updates: f = 1 - u (coupled input and forget gate, Greff et al. 2017).

Here without the paper's peepholes. A quarter of the parameters and of the products fewer. Forgetting is 1 - u, as in
the GRU, so that u = 0 carries the cell unchanged.
"""

from typing import ClassVar

import numpy as np

from charlm.nn.activations import gates_in_place
from charlm.nn.arrays import Array, Views
from charlm.nn.block import Block, Operand
from charlm.nn.blocks.lstm import LSTM, LSTMTape


class CoupledLSTM(LSTM):
    """One product computes [u; o; c~]; the rows of f are filled with 1 - u, and the rest is the LSTM's."""

    gates: tuple[str, ...] = ("u", "o", "c")
    sigmoid_gates: ClassVar[tuple[str, ...]] = ("u", "o")
    equations = """
        u = sigmoid(W_ua @ a_prev + W_ux @ x + b_u)       # update gate
        o = sigmoid(W_oa @ a_prev + W_ox @ x + b_o)       # output gate
        candidate = tanh(W_ca @ a_prev + W_cx @ x + b_c)  # candidate
        c = u * candidate + (1 - u) * c_prev              # cell
        a = o * tanh(c)                                   # activation
    """

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """As every block, and an update bias of -1, which is the LSTM's forget bias of 1."""
        Block.initialize(self, views, generator)
        views["b_u"][...] = -1

    def _gates(self, operand: Operand, tape: LSTMTape, t: int) -> None:
        H, z = self.hidden, tape.gates[t]
        operand.products[0].dot(tape.inputs[t], z[H:])
        gates_in_place(z[H:], 2 * H)
        np.subtract(1, z[H : 2 * H], out=z[:H])

    def _gates_back(self, operand: Operand, tape: LSTMTape, t: int, dh: Array, dc: Array) -> None:  # noqa: ARG002
        # f = s(-z_u), so what came to z_f comes to z_u with its sign changed.
        H, dz = self.hidden, tape.gates[t]
        dz[H : 2 * H] -= dz[:H]
        operand.recurrent_back.dot(tape.d_gates[t], dh)
