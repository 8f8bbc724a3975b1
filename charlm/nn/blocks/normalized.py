"""What the layer-normalised blocks share: gates whose recurrent and input halves are normalised apart (Ba et al. 2016).

    h_g = N(W_ga a_prev),  x_g = N(W_gx x),  z_g = gain_ga * h_g + gain_gx * x_g + b_g

N normalises the gates of a group together, as one stacked vector, as the paper does. Departures from it: where the
paper adds several biases to one sum, they are one here, which is the same function. A small number under the root keeps
N from dividing by zero.

The input halves do not wait for the recurrence: one product and one normalisation serve the whole window.
"""

from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Allocate, Array, State, Views
from charlm.nn.block import Block, Operand, Place, Starts, Tape
from charlm.nn.columns import WindowColumns, new_steps, sum_over_window, window_product
from charlm.nn.initializers import uniform
from charlm.nn.normalization import normalize, normalize_back

FIRST_BIAS = 0.1
"""The first biases of candidates and cells are uniform within this."""


@dataclass
class Halves:
    """The two halves of all gates over a window; N is G * H, the rows of all gates.

    Attributes:
        hidden: [T + 1, H, B], view into the tape's inputs: h_{t-1} in entry t.
        driven: [T, N, B], gain_gx * x_g + b_g.
        normal_input: [T, N, B], x_g.
        input_inverse: [T, groups, B], what each column of x_g was multiplied by.
        gain: [N, 1], the gains of the recurrent half.
        normal_recurrent: [T, N, B], h_g.
        recurrent_inverse: [T, groups, B].
        column: [N, B], room for one step.
        d_driven: [T, N, B], gradient of z_g.
        d_recurrent: [T, N, B], gradient of gain_ga * h_g.
    """

    hidden: Array
    driven: Array
    normal_input: Array
    input_inverse: Array
    gain: Array
    normal_recurrent: Array
    recurrent_inverse: Array
    column: Array
    d_driven: Array
    d_recurrent: Array


@dataclass
class NormalizedTape(Tape):
    """A tape with the halves."""

    halves: Halves


def halves_of(tape: Tape) -> Halves:
    """The halves on the tape of a normalised block."""
    assert isinstance(tape, NormalizedTape)
    return tape.halves


class NormalizedGates(Block):
    """Mixed into a block, ahead of it in its bases. ``d_gates`` holds the gradients of [W_ga a_prev; W_gx x]."""

    groups: ClassVar[tuple[tuple[str, ...], ...]]
    """Gates that are normalised together, in the order of ``gates``."""
    further_vectors: ClassVar[tuple[str, ...]] = ()
    """Vectors besides the gains and biases of the gates."""

    def __init__(self, input_size: int, hidden: int) -> None:
        super().__init__(input_size, hidden)
        gains = [f"gain_{g}{half}" for g in self.gates for half in "ax"]
        names = [*gains, *(f"b_{g}" for g in self.gates), *self.further_vectors]
        self.vectors = MappingProxyType(dict.fromkeys(names, ""))
        self.unbiased_gates = self.gates  # in the products: a bias would be normalised
        sizes = [len(group) * hidden for group in self.groups]
        self.group_rows = [slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]

    def scale(self, gate: str) -> float:  # noqa: ARG002 - every gate alike
        """No rows are halved: a scale would be normalised away."""
        return 1.0

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """As the block, with gains of 1, and small random biases where zero would stand before an N.

        A text starts from a zero state and a zero input. With a zero bias as well, the candidate, the cell and so the
        input of the next layer would be zero too, and N has a slope of 316 there: in float32 five layers have no
        finite gradient.
        """
        super().initialize(views, generator)
        for name, view in views.items():
            if name.startswith("gain_"):
                view[...] = 1
            if name in ("b_c", "b_cell"):
                uniform(view, FIRST_BIAS, generator)

    def new_operand(self, input_rows: int, dtype: DTypeLike, allocate: Allocate = np.zeros) -> Operand:
        H, G = self.hidden, len(self.gates)
        recurrent, driven = allocate((G * H, H), dtype), allocate((G * H, input_rows), dtype)
        none = np.zeros(0, dtype)
        halves = zip(self.gates, np.split(recurrent, G), np.split(driven, G), strict=True)
        return self._operand((recurrent, driven), {g: Place(a, x, none, 1.0) for g, a, x in halves}, input_rows)

    def forward(self, operand: Operand, tape: Tape, state: State, starts: Starts, output: Array) -> State:
        """As the block, after all that does not wait for the recurrence."""
        self.drive(operand, tape, len(output))
        return super().forward(operand, tape, state, starts, output)  # type: ignore[safe-super]  # the block's own

    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Starts) -> State:
        """As the block, and then back through what did not wait for the recurrence."""
        before = super().backward(operand, tape, d_output, d_state, starts)  # type: ignore[safe-super]  # likewise
        self.drive_back(operand, tape, len(d_output))
        return before

    def new_inputs(self, input_rows: int, time: int, batch: int, dtype: DTypeLike) -> Array:
        """The input buffer: rows [h; x], without a 1."""
        return np.zeros((time + 1, self.hidden + input_rows, batch), dtype)

    def new_halves(self, inputs: Array, d_driven: Array, d_recurrent: Array, *, keep: bool) -> Halves:
        """Allocate the halves of a window, for an input buffer and the gradients of z_g and of its recurrent half."""
        rows, groups, dtype = len(self.gates) * self.hidden, len(self.groups), inputs.dtype
        time, batch = len(inputs) - 1, inputs.shape[2]
        return Halves(
            hidden=inputs[:, : self.hidden],
            driven=np.empty((time, rows, batch), dtype),
            normal_input=np.empty((time, rows, batch), dtype),
            input_inverse=np.empty((time, groups, batch), dtype),
            gain=np.empty((rows, 1), dtype),
            normal_recurrent=new_steps(time, rows, batch, dtype, keep=keep),
            recurrent_inverse=np.empty((time, groups, batch), dtype),
            column=np.empty((rows, batch), dtype),
            d_driven=d_driven,
            d_recurrent=d_recurrent,
        )

    def _of_gates(self, operand: Operand, half: str) -> Array:
        """One gain or bias of every gate, [N, 1]."""
        names = [f"b_{g}" if half == "b" else f"gain_{g}{half}" for g in self.gates]
        return np.concatenate([operand.vectors[name] for name in names])

    def drive(self, operand: Operand, tape: Tape, time: int) -> None:
        """The input halves of the window, and their sum with the biases: all that does not wait for the recurrence."""
        halves, driven = halves_of(tape), halves_of(tape).driven[:time]
        window_product(operand.products[1], tape.x[:time], out=driven)
        for index, rows in enumerate(self.group_rows):
            halves.input_inverse[:time, index] = normalize(driven[:, rows], halves.normal_input[:time, rows])
        np.multiply(halves.normal_input[:time], self._of_gates(operand, "x"), out=driven)
        driven += self._of_gates(operand, "b")
        halves.gain[...] = self._of_gates(operand, "a")

    def recur(self, operand: Operand, halves: Halves, t: int) -> Array:
        """The recurrent half of step t times its gain, [N, B], in room that the next step uses again."""
        column, normal = halves.column, halves.normal_recurrent[t]
        operand.products[0].dot(halves.hidden[t], column)
        for index, rows in enumerate(self.group_rows):
            halves.recurrent_inverse[t, index] = normalize(column[rows], normal[rows])
        np.multiply(normal, halves.gain, out=column)
        return column

    def recur_back(self, operand: Operand, tape: Tape, t: int) -> Array:
        """From ``d_recurrent`` of step t: write the gradient of the product, and return that of h_{t-1}, [H, B]."""
        halves, column = halves_of(tape), halves_of(tape).column
        d_product = tape.d_gates[t, : len(column)]
        np.multiply(halves.d_recurrent[t], halves.gain, out=column)
        for index, rows in enumerate(self.group_rows):
            normal, inverse = halves.normal_recurrent[t, rows], halves.recurrent_inverse[t, index]
            normalize_back(column[rows], normal, inverse, d_product[rows])
        d_hidden: Array = operand.recurrent_back @ d_product
        return d_hidden

    def drive_back(self, operand: Operand, tape: Tape, time: int) -> None:
        """From ``d_driven`` of the window: write the gradients of the input products."""
        halves, column, gain = halves_of(tape), halves_of(tape).column, self._of_gates(operand, "x")
        for t in range(time):
            np.multiply(halves.d_driven[t], gain, out=column)
            d_product = tape.d_gates[t, len(column) :]
            for index, rows in enumerate(self.group_rows):
                normal, inverse = halves.normal_input[t, rows], halves.input_inverse[t, index]
                normalize_back(column[rows], normal, inverse, d_product[rows])

    def weight_gradient(self, tape: Tape, time: int, columns: WindowColumns, d_operand: Operand) -> None:
        halves, vectors, H = halves_of(tape), d_operand.vectors, self.hidden
        d_gates, split = columns.d_gates, len(self.gates) * H
        np.matmul(d_gates[:split], columns.inputs[:H].T, out=d_operand.products[0])
        np.matmul(d_gates[split:], columns.inputs[H:].T, out=d_operand.products[1])
        d_recurrent, d_driven = halves.d_recurrent[:time], halves.d_driven[:time]
        for g in self.gates:
            rows = self.rows(g)
            vectors[f"gain_{g}a"][...] = sum_over_window(d_recurrent[:, rows], halves.normal_recurrent[:, rows])
            vectors[f"gain_{g}x"][...] = sum_over_window(d_driven[:, rows], halves.normal_input[:, rows])
            vectors[f"b_{g}"][:, 0] = d_driven[:, rows].sum(axis=(0, 2))
