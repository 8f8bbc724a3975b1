"""What every recurrent block is: its parameters, its operand, its tape, and a step forward and back over a window.

A block of gates g = 1..G has, for each gate, ``W_ga`` [H, H] on the previous activation, ``W_gx`` [H, X] on the
input and ``b_g`` [H]; the equations write ``W_g [a; x] + b_g`` for the same thing.

Adding a block is one file with a subclass, and one line in ``registry.py``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charlm.nn.arrays import Array, Flags, State, Views
from charlm.nn.initializers import glorot, orthogonal
from charlm.nn.parameters import ParameterSpec

STRIP = 16
"""float32 numbers in a cache line of 64 bytes."""


class Place(NamedTuple):
    """Where one gate stands in the operand: views into its matrices, and the scale it is written with."""

    recurrent: Array  # [H, H]
    input: Array  # [H, R]
    bias: Array  # [H]
    scale: float


@dataclass(frozen=True)
class Operand:
    """What the products of one layer use, derived from its parameters once a window by ``Block.pack``.

    Attributes:
        products: one matrix a product of the step, on columns of the input buffer; sigmoid rows halved.
        places: gate -> where it stands in ``products``.
        recurrent_back: [H, G * H], the unscaled ``W_ga`` transposed, side by side: takes dz to dh.
        input_back: [R, G * H], the unscaled ``W_gx`` transposed, likewise: takes dz to dx.
    """

    products: tuple[Array, ...]
    places: Mapping[str, Place]
    recurrent_back: Array
    input_back: Array


@dataclass
class Tape:
    """Everything that forward leaves for backward, over one window of one layer.

    Blocks add what they need. ``inputs`` [rows, T + 1, B] follows the convention of the package; ``x`` and
    ``hidden`` are views into it. ``d_gates`` [G * H, T, B] collects the gradients of the unscaled
    pre-activations, so that weight gradients are one product a window.
    """

    inputs: Array
    x: Array  # [R, T, B], view: what the layer below, or the embedding, writes
    hidden: Array  # [H, T + 1, B], view: h_{t-1} in column t
    d_gates: Array


class Block(ABC):
    """One kind of recurrent layer with ``input_size`` X and ``hidden`` H; see the module's text."""

    state_names: ClassVar[tuple[str, ...]]
    gates: ClassVar[tuple[str, ...]]
    """Names of the gates; the last rows of ``d_gates`` are theirs, in this order."""
    recurrent_order: ClassVar[tuple[str, ...]] = ()
    """Order of the gates in ``Operand.recurrent_back``, where it is another."""
    sigmoid_gates: ClassVar[tuple[str, ...]] = ()

    def __init__(self, input_size: int, hidden: int) -> None:
        self.input_size = input_size
        self.hidden = hidden

    def parameter_specs(self) -> list[ParameterSpec]:
        """Names and shapes of the parameters, gate by gate."""
        H, X = self.hidden, self.input_size
        specs = []
        for g in self.gates:
            specs += [ParameterSpec(f"W_{g}a", (H, H), True), ParameterSpec(f"W_{g}x", (H, X), True)]
            specs += [ParameterSpec(f"b_{g}", (H,), False)]
        return specs

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """Orthogonal recurrent matrices, Glorot-uniform input matrices, zero biases."""
        for g in self.gates:
            orthogonal(views[f"W_{g}a"], generator)
            glorot(views[f"W_{g}x"], generator)

    def pack(self, views: Views, operand: Operand, table: Array | None = None) -> None:
        """Write the operand from the parameters.

        Args:
            views: the block's parameters.
            operand: made by ``new_operand``; overwritten.
            table: [R, X] or None. When given, the input rows are one-hot over R tokens with these
                embeddings, and ``W_gx @ table.T`` takes the place of ``W_gx``.
        """
        H = self.hidden
        order = self.recurrent_order or self.gates
        for index, g in enumerate(self.gates):
            place, columns = operand.places[g], slice(index * H, (index + 1) * H)
            first = order.index(g) * H
            scale = operand.recurrent_back.dtype.type(place.scale)
            np.multiply(views[f"W_{g}a"], scale, out=place.recurrent)
            np.multiply(views[f"b_{g}"], scale, out=place.bias)
            write_transposed(operand.recurrent_back[:, first : first + H], views[f"W_{g}a"])
            if table is None:
                np.multiply(views[f"W_{g}x"], scale, out=place.input)
                write_transposed(operand.input_back[:, columns], views[f"W_{g}x"])
            else:
                np.matmul(views[f"W_{g}x"], table.T, out=place.input)
                place.input[...] *= scale

    def unpack_gradient(
        self,
        d_operand: Operand,
        views: Views,
        gradients: Views,
        table: Array | None = None,
        d_table: Array | None = None,
    ) -> None:
        """The adjoint of ``pack``: write the gradients of the parameters (and add to the table's).

        Args:
            d_operand: gradient with respect to the *unscaled* operand, from ``weight_gradient``.
            views: the block's parameters.
            gradients: the block's gradients; overwritten.
            table: as given to ``pack``.
            d_table: [R, X]; the table's gradient is added.
        """
        for g in self.gates:
            place = d_operand.places[g]
            gradients[f"W_{g}a"][...] = place.recurrent
            gradients[f"b_{g}"][...] = place.bias
            if table is None or d_table is None:
                gradients[f"W_{g}x"][...] = place.input
            else:
                np.matmul(place.input, table, out=gradients[f"W_{g}x"])
                d_table += place.input.T @ views[f"W_{g}x"]

    def scale(self, gate: str) -> float:
        """A sigmoid's rows are halved in the operand; ``activations.py`` says why."""
        return 0.5 if gate in self.sigmoid_gates else 1.0

    def _stacked(self, gates: tuple[str, ...], input_rows: int, dtype: DTypeLike) -> tuple[Array, dict[str, Place]]:
        """One matrix for several gates on a column [h; x; 1], and where each stands in it."""
        H, R = self.hidden, input_rows
        product = np.zeros((len(gates) * H, H + R + 1), dtype)
        stacked = zip(gates, np.split(product, len(gates)), strict=True)
        places = {g: Place(rows[:, :H], rows[:, H : H + R], rows[:, -1], self.scale(g)) for g, rows in stacked}
        return product, places

    def _operand(self, products: tuple[Array, ...], places: Mapping[str, Place], input_rows: int) -> Operand:
        dtype, width = products[0].dtype, len(self.gates) * self.hidden
        recurrent_back = np.zeros((self.hidden, width), dtype)
        return Operand(products, places, recurrent_back, np.zeros((input_rows, width), dtype))

    def zero_state(self, batch: int, dtype: DTypeLike) -> State:
        """The state in which a text begins: zeros."""
        return tuple(np.zeros((self.hidden, batch), dtype) for _ in self.state_names)

    def new_operand(self, input_rows: int, dtype: DTypeLike) -> Operand:
        """Allocate an operand for ``input_rows`` R input rows; ``pack`` fills it. Also the shape of its gradient.

        Here: of one product for all gates. A block whose step needs several has its own.
        """
        product, places = self._stacked(self.gates, input_rows, dtype)
        return self._operand((product,), places, input_rows)

    @abstractmethod
    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike) -> Tape:
        """Allocate a tape for windows of ``time`` steps of ``batch`` examples."""

    @abstractmethod
    def forward(self, operand: Operand, tape: Tape, state: State, starts: Flags, output: Array) -> State:
        """Run a window.

        Args:
            operand: packed.
            tape: ``tape.x`` has been written; everything else in it is overwritten.
            state: the state before the first step; not modified.
            starts: [T, B]; where True, the state is zero before that step.
            output: [H, T, B]; h_t is written into column t.

        Returns:
            The state after the last step, as copies.
        """

    @abstractmethod
    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Flags) -> State:
        """Run the window backwards, after ``forward`` on the same tape.

        Args:
            operand: as given to forward.
            tape: ``tape.d_gates`` is written.
            d_output: [H, T, B], gradient of the loss with respect to the output.
            d_state: gradient with respect to the state that forward returned; not modified.
            starts: as given to forward.

        Returns:
            The gradient with respect to the state that forward began with.
        """

    def weight_gradient(self, tape: Tape, time: int, d_operand: Operand) -> None:
        """Write the gradient of the unscaled operand, from the first ``time`` steps of the tape.

        Here: of one product for all gates. A block whose step needs several has its own.
        """
        np.matmul(flat(tape.d_gates[:, :time]), flat(tape.inputs[:, :time]).T, out=d_operand.products[0])

    def input_gradient(self, operand: Operand, tape: Tape, d_input: Array) -> None:
        """Write the gradient with respect to the input rows, [R, T, B]."""
        rows = len(self.gates) * self.hidden
        d_gates = flat(tape.d_gates[:, : d_input.shape[1]])
        np.matmul(operand.input_back, d_gates[-rows:], out=flat(d_input))


def start_lanes(starts: Flags) -> dict[int, NDArray[np.int64]]:
    """Step -> the lanes in which a text begins at that step; steps without any are left out."""
    return {int(t): np.flatnonzero(starts[t]) for t in np.flatnonzero(starts.any(axis=1))}


def write_transposed(out: Array, matrix: Array) -> None:
    """``out[...] = matrix.T``, in strips of rows that fill a cache line: twice as fast as in one go."""
    for begin in range(0, len(matrix), STRIP):
        out[:, begin : begin + STRIP] = matrix[begin : begin + STRIP].T


def new_columns(rows: int, time: int, batch: int, dtype: DTypeLike) -> Array:
    """Allocate [rows, T, B] with room for a column more a row, not yet written.

    Without it the rows of common sizes stand a multiple of 4096 bytes apart, where all of them fall on the
    same few sets of the caches and push one another out.
    """
    return np.empty((rows, time + 1, batch), dtype)[:, :time]


def flat(columns: Array) -> Array:
    """[rows, T, B] as [rows, T * B] without a copy."""
    rows, time, batch = columns.shape
    return columns.reshape(rows, time * batch)
