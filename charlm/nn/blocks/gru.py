"""Gated recurrent units, with the reset gate before the recurrent product or after it.

Reset before (Cho et al. 2014) is the default and needs r before the candidate's product can begin; reset after is the
variant of PyTorch and cuDNN. Cho et al. and PyTorch write z for 1 - u.

Reset before takes two products a step: [r; u] on [h; x; 1], then c~ on [x; 1; r*h]. The input buffer's rows
are [h; x; 1; r*h], so that both columns are contiguous pieces of it. Reset after takes three, on rows
[1; h; x; 1]: [r; u] on [h; x; 1], the recurrent half of c~ on [1; h], its input half on [x; 1].
"""

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.activations import gates_in_place
from charlm.nn.arrays import Allocate, Array, State, Views
from charlm.nn.block import Block, Operand, Place, Starts, Tape
from charlm.nn.columns import WindowColumns, new_steps
from charlm.nn.parameters import ParameterSpec


class GRUStep(NamedTuple):
    """What a step works on: views into the tape, each [H, B] but ``sigmoids`` [2H, B], which is r and u."""

    sigmoids: Array
    r: Array
    u: Array
    candidate: Array
    h_prev: Array
    h: Array


@dataclass
class GRUTape(Tape):
    """The GRU's tape: gates and candidate of every step, and scratch."""

    hidden: Array  # [T + 1, H, B], view into the inputs: h_{t-1} in entry t
    gates: Array  # [T, rows, B]: r, u, c~ last; after the way back the gradients of their pre-activations
    scratch: Array  # [4, H, B], for one step

    @cached_property
    def steps(self) -> tuple[GRUStep, ...]:
        """Made once, as the LSTM's."""
        H = self.hidden.shape[1]
        each = zip(self.gates[:, -3 * H :], self.hidden[:-1], self.hidden[1:], strict=True)
        return tuple(GRUStep(gates[: 2 * H], *np.split(gates, 3), *hidden) for gates, *hidden in each)


class GRU(Block):
    """What the variants share: the gates' slopes and the mixing of the candidate with the state before."""

    state_names = ("hidden",)
    gates = ("r", "u", "c")
    sigmoid_gates = ("r", "u")
    gate_rows: ClassVar[int]
    """Rows of ``gates``, in H."""

    def _new_tape(self, inputs: Array, hidden: Array, x: Array, *, keep: bool) -> GRUTape:
        (T, _, B), H, dtype = x.shape, self.hidden, inputs.dtype
        gates = new_steps(T, self.gate_rows * H, B, dtype, keep=keep)
        scratch = np.empty((4, H, B), dtype)
        return GRUTape(inputs=inputs, x=x, d_gates=gates, hidden=hidden, gates=gates, scratch=scratch)

    @abstractmethod
    def _gates_product(self, operand: Operand, tape: GRUTape, t: int) -> None:
        """Write r and u of step t, before the sigmoid."""

    @abstractmethod
    def _candidate(self, operand: Operand, tape: GRUTape, t: int) -> None:
        """Write the candidate of step t, before its tanh."""

    @abstractmethod
    def _candidate_back(self, operand: Operand, tape: GRUTape, t: int, dh: Array) -> None:
        """From the gradients of u and c~ at step t to that of r, and add to dh what comes through the products."""

    def forward(self, operand: Operand, tape: Tape, state: State, starts: Starts, output: Array) -> State:
        assert isinstance(tape, GRUTape)
        H, T = self.hidden, len(output)
        hidden = tape.hidden
        (hidden[0],) = state
        for t, (sigmoids, _, u, candidate, h_prev, h) in enumerate(tape.steps[:T]):
            starts.write(t, (h_prev,))
            self._gates_product(operand, tape, t)
            gates_in_place(sigmoids, 2 * H)
            self._candidate(operand, tape, t)
            np.tanh(candidate, candidate)
            # c = c_prev + u * (c~ - c_prev): exact when u is 0, and one product fewer
            np.subtract(candidate, h_prev, h)
            np.multiply(h, u, h)
            np.add(h, h_prev, h)
            output[t] = h
        return (hidden[T].copy(),)

    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Starts) -> State:
        assert isinstance(tape, GRUTape)
        weighted, product, _, _ = tape.scratch
        (dh,) = (np.array(d, d_output.dtype) for d in d_state)
        for t in reversed(range(len(d_output))):
            _, _, u, candidate, h_prev, _ = tape.steps[t]
            dh += d_output[t]
            # Through c = c_prev + u * (c~ - c_prev), with w = dh * u: dz_u = w (c~ - c_prev) (1 - u),
            # dz_c = w (1 - c~^2), each where the gate was. Slopes 1 - s are taken as "x minus x times s".
            np.multiply(dh, u, out=weighted)
            dh -= weighted
            np.subtract(candidate, h_prev, out=product)
            product *= weighted
            u *= product
            np.subtract(product, u, out=u)
            np.multiply(weighted, candidate, out=product)
            candidate *= product
            np.subtract(weighted, candidate, out=candidate)
            self._candidate_back(operand, tape, t, dh)
            starts.take_back(t, (dh,))
        return (dh,)


class GRUBefore(GRU):
    """The GRU that resets before the product, as in the paper; its input rows are [h; x; 1; r*h]."""

    gate_rows = 3
    equations = """
        r = sigmoid(W_ra @ a_prev + W_rx @ x + b_r)             # reset gate
        u = sigmoid(W_ua @ a_prev + W_ux @ x + b_u)             # update gate
        candidate = tanh(W_ca @ (r * a_prev) + W_cx @ x + b_c)  # candidate
        a = u * candidate + (1 - u) * a_prev                    # activation
    """

    def new_operand(self, input_rows: int, dtype: DTypeLike, allocate: Allocate = np.zeros) -> Operand:
        H, R = self.hidden, input_rows
        gates, places = self._stacked(("r", "u"), R, dtype, allocate)
        candidate = allocate((H, R + 1 + H), dtype)
        places["c"] = Place(candidate[:, R + 1 :], candidate[:, :R], candidate[:, R], self.scale("c"))
        return self._operand((gates, candidate), places, R)

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> GRUTape:
        H, R = self.hidden, input_rows
        inputs = np.zeros((time + 1, H + R + 1 + H, batch), dtype)
        inputs[:, H + R] = 1
        return self._new_tape(inputs, inputs[:, :H], inputs[:time, H : H + R], keep=keep)

    def _gates_product(self, operand: Operand, tape: GRUTape, t: int) -> None:
        operand.products[0].dot(tape.inputs[t, : -self.hidden], tape.steps[t].sigmoids)

    def _candidate(self, operand: Operand, tape: GRUTape, t: int) -> None:
        H, inputs, step = self.hidden, tape.inputs[t], tape.steps[t]
        np.multiply(step.r, step.h_prev, inputs[-H:])
        operand.products[1].dot(inputs[H:], step.candidate)

    def _candidate_back(self, operand: Operand, tape: GRUTape, t: int, dh: Array) -> None:
        H = self.hidden
        _, product, _, through = tape.scratch
        sigmoids, r, _, dcandidate, h_prev, _ = tape.steps[t]
        # Not by ``dot``, which copies a matrix that is a part of another's columns.
        np.matmul(operand.recurrent_back[:, 2 * H :], dcandidate, out=through)  # d(r * h_prev)
        through *= r
        dh += through
        np.multiply(through, h_prev, out=product)
        r *= product
        np.subtract(product, r, out=r)  # dz_r
        np.matmul(operand.recurrent_back[:, : 2 * H], sigmoids, out=through)
        dh += through

    def weight_gradient(self, tape: Tape, time: int, columns: WindowColumns, d_operand: Operand) -> None:
        del tape, time
        H, (d_gates, inputs) = self.hidden, columns
        np.matmul(d_gates[: 2 * H], inputs[:-H].T, out=d_operand.products[0])
        np.matmul(d_gates[2 * H :], inputs[H:].T, out=d_operand.products[1])


class GRUAfter(GRU):
    """The GRU that resets after the product, with a recurrent candidate bias; its input rows are [1; h; x; 1].

    The rows of ``gates`` are [p; r; u; c~] with p = W_ca a_prev + b_ca, so that the recurrent matrices see the
    gradients of the contiguous rows [p; r; u] and the input matrices those of [r; u; c~].
    """

    gate_rows = 4
    recurrent_order = ("c", "r", "u")
    equations = """
        r = sigmoid(W_ra @ a_prev + W_rx @ x + b_r)                    # reset gate
        u = sigmoid(W_ua @ a_prev + W_ux @ x + b_u)                    # update gate
        candidate = tanh(W_cx @ x + b_c + r * (W_ca @ a_prev + b_ca))  # candidate
        a = u * candidate + (1 - u) * a_prev                           # activation
    """

    def parameter_specs(self) -> list[ParameterSpec]:
        return [*super().parameter_specs(), ParameterSpec("b_ca", (self.hidden,), False)]

    def new_operand(self, input_rows: int, dtype: DTypeLike, allocate: Allocate = np.zeros) -> Operand:
        H, R = self.hidden, input_rows
        gates, places = self._stacked(("r", "u"), R, dtype, allocate)
        recurrent, driven = allocate((H, 1 + H), dtype), allocate((H, R + 1), dtype)
        places["c"] = Place(recurrent[:, 1:], driven[:, :R], driven[:, R], self.scale("c"))
        return self._operand((gates, recurrent, driven), places, R)

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> GRUTape:
        H, R = self.hidden, input_rows
        inputs = np.zeros((time + 1, 1 + H + R + 1, batch), dtype)
        inputs[:, 0] = inputs[:, -1] = 1
        return self._new_tape(inputs, inputs[:, 1 : 1 + H], inputs[:time, 1 + H : 1 + H + R], keep=keep)

    def pack(self, views: Views, operand: Operand, table: Array | None = None, *, back: bool = True) -> None:
        super().pack(views, operand, table, back=back)
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
        operand.products[0].dot(tape.inputs[t, 1:], tape.steps[t].sigmoids)

    def _candidate(self, operand: Operand, tape: GRUTape, t: int) -> None:
        H, p, inputs, scratch = self.hidden, tape.gates[t, : self.hidden], tape.inputs[t], tape.scratch[0]
        _, r, _, candidate, _, _ = tape.steps[t]
        operand.products[1].dot(inputs[: 1 + H], p)
        operand.products[2].dot(inputs[1 + H :], candidate)
        np.multiply(r, p, scratch)
        np.add(candidate, scratch, candidate)

    def _candidate_back(self, operand: Operand, tape: GRUTape, t: int, dh: Array) -> None:
        H = self.hidden
        _, product, _, through = tape.scratch
        gates = tape.gates[t]
        p, step = gates[:H], tape.steps[t]
        reset_back(step.r, p, step.candidate, product)
        operand.recurrent_back.dot(gates[: 3 * H], through)
        dh += through

    def weight_gradient(self, tape: Tape, time: int, columns: WindowColumns, d_operand: Operand) -> None:
        del tape, time
        H, (d_gates, inputs) = self.hidden, columns
        np.matmul(d_gates[H : 3 * H], inputs[1:].T, out=d_operand.products[0])
        np.matmul(d_gates[:H], inputs[: 1 + H].T, out=d_operand.products[1])
        np.matmul(d_gates[3 * H :], inputs[1 + H :].T, out=d_operand.products[2])


def reset_back(r: Array, p: Array, dcandidate: Array, scratch: Array) -> None:
    """Back through r * p, where p waits behind the reset gate: dz_r and dp, each where its value was; all [H, B]."""
    np.multiply(dcandidate, r, out=scratch)  # dp
    p *= scratch  # dp p = dr r
    r *= p
    np.subtract(p, r, out=r)
    p[...] = scratch


def gru(input_size: int, hidden: int, reset: str) -> Block:
    """The variant that the option names."""
    return (GRUBefore if reset == "before" else GRUAfter)(input_size, hidden)
