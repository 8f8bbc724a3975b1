"""The minimal GRU (Feng et al. 2024, section 3.1): gates that see the input alone.

All products of a window are one; the loop over time works element by element. As in the main text of
the paper the candidate is linear. (Its appendix makes it positive to work with logarithms, which running through time
step by step does not need.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.activations import gates_in_place
from charlm.nn.arrays import Array, State
from charlm.nn.block import Block, Operand, Starts, Tape
from charlm.nn.columns import window_product


@dataclass
class MinGRUTape(Tape):
    """The minimal GRU's tape."""

    projected: Array  # [T, 2H, B]: u and c~; after the way back the gradients of their pre-activations
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

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> MinGRUTape:
        del keep  # the window's products are made at once
        H, R, T, B = self.hidden, input_rows, time, batch
        inputs = np.zeros((T + 1, R + 1, B), dtype)
        inputs[:, -1] = 1
        projected = np.empty((T, 2 * H, B), dtype)
        return MinGRUTape(
            inputs=inputs,
            x=inputs[:T, :R],
            d_gates=projected,
            projected=projected,
            hidden=np.empty((T + 1, H, B), dtype),
        )

    def forward(self, operand: Operand, tape: Tape, state: State, starts: Starts, output: Array) -> State:
        assert isinstance(tape, MinGRUTape)
        H, T = self.hidden, len(output)
        hidden = tape.hidden
        window_product(operand.products[0], tape.inputs[:T], out=tape.projected[:T])
        (hidden[0],) = state
        for t in range(T):
            h_prev, h, u, candidate = hidden[t], hidden[t + 1], tape.projected[t, :H], tape.projected[t, H:]
            starts.write(t, (h_prev,))
            gates_in_place(u, H)
            # a = a_prev + u * (c~ - a_prev): exact when u is 0
            np.subtract(candidate, h_prev, out=h)
            h *= u
            h += h_prev
            output[t] = h
        return (hidden[T].copy(),)

    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Starts) -> State:
        del operand  # no matrix stands between two steps
        assert isinstance(tape, MinGRUTape)
        H = self.hidden
        (dh,) = (np.array(d, d_output.dtype) for d in d_state)
        weighted = np.empty_like(dh)
        for t in reversed(range(len(d_output))):
            u, candidate = tape.projected[t, :H], tape.projected[t, H:]
            dh += d_output[t]
            np.multiply(dh, u, out=weighted)
            dh -= weighted
            # dz_u = dh u (c~ - a_prev) (1 - u) and dz_c = dh u, each where the gate was
            candidate -= tape.hidden[t]
            candidate *= weighted
            u *= candidate
            np.subtract(candidate, u, out=u)
            candidate[...] = weighted
            starts.take_back(t, (dh,))
        return (dh,)
