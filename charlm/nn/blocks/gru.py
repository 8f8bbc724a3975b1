"""Gated recurrent units, with the reset gate before the recurrent product or after it.

Reset before (Cho et al. 2014) is the default and needs r before the candidate's product can begin; reset after is the
variant of PyTorch and cuDNN. Cho et al. and PyTorch write z for 1 - u.

Reset before takes two products a step: [r; u] on [h; x; 1], then c~ on [x; 1; r*h]. The input buffer's rows
are [h; x; 1; r*h], so that both columns are contiguous pieces of it. Reset after takes three, on rows
[1; h; x; 1]: [r; u] on [h; x; 1], the recurrent half of c~ on [1; h], its input half on [x; 1].
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.activations import gates_in_place
from charlm.nn.arrays import Array, State, Views
from charlm.nn.block import Block, Operand, Place, Starts, Tape
from charlm.nn.columns import flat, new_columns
from charlm.nn.parameters import ParameterSpec


@dataclass
class GRUTape(Tape):
    """The GRU's tape: gates and candidate of every step, and scratch."""

    hidden: Array  # [H, T + 1, B], view into the inputs: h_{t-1} in column t
    dz: Array  # [3H, T, B], gradients of the pre-activations of r, u and c~; usually the last rows of d_gates
    gates: Array  # [T, 2H, B]: r, u
    candidates: Array  # [T, H, B]
    recurrent: Array  # [T, H, B]: W_ca a_prev + b_ca (reset after)
    scratch: Array  # [4, H, B], for one step


class GRU(Block):
    """What the variants share: the gates' slopes and the mixing of the candidate with the state before."""

    state_names = ("hidden",)
    gates = ("r", "u", "c")
    sigmoid_gates = ("r", "u")
    d_rows: int
    """Rows of ``d_gates``, in H."""

    def _new_tape(self, inputs: Array, hidden: Array, x: Array) -> GRUTape:
        (_, T, B), H, dtype = x.shape, self.hidden, inputs.dtype
        d_gates = new_columns(self.d_rows * H, T, B, dtype)
        return GRUTape(
            inputs=inputs,
            x=x,
            d_gates=d_gates,
            hidden=hidden,
            dz=d_gates[-3 * H :],
            gates=np.empty((T, 2 * H, B), dtype),
            candidates=np.empty((T, H, B), dtype),
            recurrent=np.empty((T, H, B), dtype),
            scratch=np.empty((4, H, B), dtype),
        )

    @abstractmethod
    def _candidate(self, operand: Operand, tape: GRUTape, t: int) -> None:
        """Write the candidate of step t, before its tanh, into ``tape.candidates[t]``."""

    @abstractmethod
    def _candidate_back(self, operand: Operand, tape: GRUTape, t: int, dh: Array) -> None:
        """From d_gates of u and c~ at step t to those of r, and add to dh what comes through the products."""

    @abstractmethod
    def _gates_product(self, operand: Operand, tape: GRUTape, t: int) -> None:
        """Write [r; u] of step t, before the sigmoid, into ``tape.gates[t]``."""

    def forward(self, operand: Operand, tape: Tape, state: State, starts: Starts, output: Array) -> State:
        assert isinstance(tape, GRUTape)
        H, T = self.hidden, output.shape[1]
        hidden = tape.hidden
        (hidden[:, 0],) = state
        for t in range(T):
            h_prev, gates, candidate = hidden[:, t], tape.gates[t], tape.candidates[t]
            starts.write(t, (h_prev,))
            self._gates_product(operand, tape, t)
            gates_in_place(gates, 2 * H)
            self._candidate(operand, tape, t)
            np.tanh(candidate, out=candidate)
            # c = c_prev + u * (c~ - c_prev): exact when u is 0, and one product fewer
            h = hidden[:, t + 1]
            np.subtract(candidate, h_prev, out=h)
            h *= gates[H:]
            h += h_prev
            output[:, t] = h
        return (hidden[:, T].copy(),)

    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Starts) -> State:
        assert isinstance(tape, GRUTape)
        H, T = self.hidden, d_output.shape[1]
        weighted, product, slope, _ = tape.scratch
        (dh,) = (np.array(d, d_output.dtype) for d in d_state)
        for t in reversed(range(T)):
            u, candidate = tape.gates[t, H:], tape.candidates[t]
            _, du, dcandidate = self._parts(tape.dz[:, t])
            dh += d_output[:, t]
            # Through c = c_prev + u * (c~ - c_prev), with w = dh * u: dz_c = w (1 - c~^2),
            # dz_u = w (c~ - c_prev) (1 - u). Slopes 1 - s are taken as "x minus x times s".
            np.multiply(dh, u, out=weighted)
            dh -= weighted
            np.multiply(weighted, candidate, out=product)
            product *= candidate
            np.subtract(weighted, product, out=dcandidate)
            np.subtract(candidate, tape.hidden[:, t], out=product)
            product *= weighted
            np.multiply(product, u, out=slope)
            np.subtract(product, slope, out=du)
            self._candidate_back(operand, tape, t, dh)
            starts.take_back(t, (dh,))
        return (dh,)

    def _parts(self, dz: Array) -> tuple[Array, Array, Array]:
        """The rows that belong to r, u and c~: the last three times H."""
        H = self.hidden
        return dz[-3 * H : -2 * H], dz[-2 * H : -H], dz[-H:]


class GRUBefore(GRU):
    """The GRU that resets before the product, as in the paper; its input rows are [h; x; 1; r*h]."""

    d_rows = 3
    equations = """
        r = sigmoid(W_ra @ a_prev + W_rx @ x + b_r)             # reset gate
        u = sigmoid(W_ua @ a_prev + W_ux @ x + b_u)             # update gate
        candidate = tanh(W_ca @ (r * a_prev) + W_cx @ x + b_c)  # candidate
        a = u * candidate + (1 - u) * a_prev                    # activation
    """

    def new_operand(self, input_rows: int, dtype: DTypeLike) -> Operand:
        H, R = self.hidden, input_rows
        gates, places = self._stacked(("r", "u"), R, dtype)
        candidate = np.zeros((H, R + 1 + H), dtype)
        places["c"] = Place(candidate[:, R + 1 :], candidate[:, :R], candidate[:, R], self.scale("c"))
        return self._operand((gates, candidate), places, R)

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike) -> GRUTape:
        H, R = self.hidden, input_rows
        inputs = np.zeros((H + R + 1 + H, time + 1, batch), dtype)
        inputs[H + R] = 1
        return self._new_tape(inputs, inputs[:H], inputs[H : H + R, :time])

    def _gates_product(self, operand: Operand, tape: GRUTape, t: int) -> None:
        np.matmul(operand.products[0], tape.inputs[: -self.hidden, t], out=tape.gates[t])

    def _candidate(self, operand: Operand, tape: GRUTape, t: int) -> None:
        H = self.hidden
        np.multiply(tape.gates[t, :H], tape.hidden[:, t], out=tape.inputs[-H:, t])
        np.matmul(operand.products[1], tape.inputs[H:, t], out=tape.candidates[t])

    def _candidate_back(self, operand: Operand, tape: GRUTape, t: int, dh: Array) -> None:
        H = self.hidden
        _, product, slope, through = tape.scratch
        r, dz = tape.gates[t, :H], tape.d_gates[:, t]
        dr, _, dcandidate = self._parts(dz)
        np.matmul(operand.recurrent_back[:, 2 * H :], dcandidate, out=through)  # d(r * h_prev)
        through *= r
        dh += through
        np.multiply(through, tape.hidden[:, t], out=product)
        np.multiply(product, r, out=slope)
        np.subtract(product, slope, out=dr)
        np.matmul(operand.recurrent_back[:, : 2 * H], dz[: 2 * H], out=through)
        dh += through

    def weight_gradient(self, tape: Tape, time: int, d_operand: Operand) -> None:
        H = self.hidden
        d_gates, inputs = flat(tape.d_gates[:, :time]), flat(tape.inputs[:, :time])
        np.matmul(d_gates[: 2 * H], inputs[:-H].T, out=d_operand.products[0])
        np.matmul(d_gates[2 * H :], inputs[H:].T, out=d_operand.products[1])


class GRUAfter(GRU):
    """The GRU that resets after the product, with a recurrent candidate bias; its input rows are [1; h; x; 1].

    The rows of ``d_gates`` are [p; r; u; c~] with p = W_ca a_prev + b_ca, so that the recurrent matrices see
    the contiguous rows [p; r; u] and the input matrices [r; u; c~].
    """

    d_rows = 4
    recurrent_order = ("c", "r", "u")
    equations = """
        r = sigmoid(W_ra @ a_prev + W_rx @ x + b_r)                    # reset gate
        u = sigmoid(W_ua @ a_prev + W_ux @ x + b_u)                    # update gate
        candidate = tanh(W_cx @ x + b_c + r * (W_ca @ a_prev + b_ca))  # candidate
        a = u * candidate + (1 - u) * a_prev                           # activation
    """

    def parameter_specs(self) -> list[ParameterSpec]:
        return [*super().parameter_specs(), ParameterSpec("b_ca", (self.hidden,), False)]

    def new_operand(self, input_rows: int, dtype: DTypeLike) -> Operand:
        H, R = self.hidden, input_rows
        gates, places = self._stacked(("r", "u"), R, dtype)
        recurrent, driven = np.zeros((H, 1 + H), dtype), np.zeros((H, R + 1), dtype)
        places["c"] = Place(recurrent[:, 1:], driven[:, :R], driven[:, R], self.scale("c"))
        return self._operand((gates, recurrent, driven), places, R)

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike) -> GRUTape:
        H, R = self.hidden, input_rows
        inputs = np.zeros((1 + H + R + 1, time + 1, batch), dtype)
        inputs[0] = inputs[-1] = 1
        return self._new_tape(inputs, inputs[1 : 1 + H], inputs[1 + H : 1 + H + R, :time])

    def pack(self, views: Views, operand: Operand, table: Array | None = None) -> None:
        super().pack(views, operand, table)
        operand.products[1][:, 0] = views["b_ca"]

    def unpack_gradient(
        self,
        d_operand: Operand,
        views: Views,
        gradients: Views,
        table: Array | None = None,
        d_table: Array | None = None,
    ) -> None:
        super().unpack_gradient(d_operand, views, gradients, table, d_table)
        gradients["b_ca"][...] = d_operand.products[1][:, 0]

    def _gates_product(self, operand: Operand, tape: GRUTape, t: int) -> None:
        np.matmul(operand.products[0], tape.inputs[1:, t], out=tape.gates[t])

    def _candidate(self, operand: Operand, tape: GRUTape, t: int) -> None:
        H = self.hidden
        recurrent, candidate, scratch = tape.recurrent[t], tape.candidates[t], tape.scratch[0]
        np.matmul(operand.products[1], tape.inputs[: 1 + H, t], out=recurrent)
        np.matmul(operand.products[2], tape.inputs[1 + H :, t], out=candidate)
        np.multiply(tape.gates[t, :H], recurrent, out=scratch)
        candidate += scratch

    def _candidate_back(self, operand: Operand, tape: GRUTape, t: int, dh: Array) -> None:
        H = self.hidden
        _, product, slope, through = tape.scratch
        r, dz = tape.gates[t, :H], tape.d_gates[:, t]
        dr, _, dcandidate = self._parts(dz)
        np.multiply(dcandidate, r, out=dz[:H])  # dp
        np.multiply(dz[:H], tape.recurrent[t], out=product)
        np.multiply(product, r, out=slope)
        np.subtract(product, slope, out=dr)
        np.matmul(operand.recurrent_back, dz[: 3 * H], out=through)
        dh += through

    def weight_gradient(self, tape: Tape, time: int, d_operand: Operand) -> None:
        H = self.hidden
        d_gates, inputs = flat(tape.d_gates[:, :time]), flat(tape.inputs[:, :time])
        np.matmul(d_gates[H : 3 * H], inputs[1:].T, out=d_operand.products[0])
        np.matmul(d_gates[:H], inputs[: 1 + H].T, out=d_operand.products[1])
        np.matmul(d_gates[3 * H :], inputs[1 + H :].T, out=d_operand.products[2])


def gru(input_size: int, hidden: int, reset: str) -> Block:
    """The variant that the option names."""
    return (GRUBefore if reset == "before" else GRUAfter)(input_size, hidden)
