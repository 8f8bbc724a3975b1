"""The minimal GRU (Feng et al. 2024, section 3.1): gates that see the input alone.

All products of a window are one, and so are all its sigmoids; the loop over time only mixes. As in the main text of
the paper the candidate is linear. (Its appendix makes it positive to work with logarithms, which running through time
step by step does not need.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.activations import gates_in_place
from charlm.nn.arrays import Array, State
from charlm.nn.block import Block, Operand, Starts, Tape
from charlm.nn.columns import flat, new_columns


@dataclass
class MinGRUTape(Tape):
    """The minimal GRU's tape."""

    projected: Array  # [2H, T, B]: u and c~
    hidden: Array  # [T + 1, H, B]: h_{t-1} in entry t


class MinGRU(Block):
    """The minimal GRU."""

    state_names = ("hidden",)
    gates = ("u", "c")
    sigmoid_gates = ("u",)
    recurrent = False
    equations = """
        u = sigmoid(W_ux @ x + b_u)           # update gate
        candidate = W_cx @ x + b_c            # candidate
        a = u * candidate + (1 - u) * a_prev  # activation
    """

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike) -> MinGRUTape:
        H, R, T, B = self.hidden, input_rows, time, batch
        inputs = np.zeros((R + 1, T + 1, B), dtype)
        inputs[-1] = 1
        return MinGRUTape(
            inputs=inputs,
            x=inputs[:R, :T],
            d_gates=new_columns(2 * H, T, B, dtype),
            projected=new_columns(2 * H, T, B, dtype),
            hidden=np.empty((T + 1, H, B), dtype),
        )

    def forward(self, operand: Operand, tape: Tape, state: State, starts: Starts, output: Array) -> State:
        assert isinstance(tape, MinGRUTape)
        H, T = self.hidden, output.shape[1]
        hidden, projected = tape.hidden, tape.projected[:, :T]
        np.matmul(operand.products[0], flat(tape.inputs[:, :T]), out=flat(projected))
        gates_in_place(projected[:H], H)
        (hidden[0],) = state
        for t in range(T):
            h_prev, h = hidden[t], hidden[t + 1]
            starts.write(t, (h_prev,))
            # a = a_prev + u * (c~ - a_prev): exact when u is 0
            np.subtract(projected[H:, t], h_prev, out=h)
            h *= projected[:H, t]
            h += h_prev
            output[:, t] = h
        return (hidden[T].copy(),)

    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Starts) -> State:
        del operand  # no matrix stands between two steps
        assert isinstance(tape, MinGRUTape)
        H = self.hidden
        (dh,) = (np.array(d, d_output.dtype) for d in d_state)
        for t in reversed(range(d_output.shape[1])):
            u, candidate, dz = tape.projected[:H, t], tape.projected[H:, t], tape.d_gates[:, t]
            dh += d_output[:, t]
            weighted = np.multiply(dh, u, out=dz[H:])
            dh -= weighted
            # dz_u = dh u (c~ - a_prev) (1 - u)
            np.multiply(weighted, (candidate - tape.hidden[t]) * (1 - u), out=dz[:H])
            starts.take_back(t, (dh,))
        return (dh,)
