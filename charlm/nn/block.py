"""What every recurrent block is: its parameters, its operand, its tape, and a step forward and back over a window.

A block of gates g = 1..G has, for each gate, ``W_ga`` [H, H] on the previous activation, ``W_gx`` [H, X] on the
input and ``b_g`` [H]; the equations write ``W_g [a; x] + b_g`` for the same thing. Some have vectors [H] besides,
which act element by element, and some have no ``W_ga``: what those do is said by attributes of the class.

Adding a block is one file with a subclass, and one line in ``registry.py``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charlm.nn.arrays import Allocate, Array, Flags, State, Views
from charlm.nn.columns import WindowColumns, write_scaled, write_transposed
from charlm.nn.initializers import glorot, orthogonal
from charlm.nn.parameters import ParameterSpec


class Place(NamedTuple):
    """Where one gate stands in the operand: views into its matrices, and the scale it is written with.

    A block without recurrent matrices has places [H, 0] for them, a gate without a bias one of [0].
    """

    recurrent: Array  # [H, H]
    input: Array  # [H, R]
    bias: Array  # [H]
    scale: float


@dataclass(frozen=True)
class Operand:
    """What the products of one layer use, derived from its parameters once a window by ``Block.pack``.

    Attributes:
        products: one matrix a product of the step, on rows of the input buffer; sigmoid rows halved.
        places: gate -> where it stands in ``products``.
        vectors: name -> [H, 1], the parameters that act element by element, scaled as the gate they belong to.
        vectors_back: the same unscaled, as gradients need them.
        recurrent_back: [H, G * H], the unscaled ``W_ga`` transposed, side by side: takes dz to dh.
        input_back: [R, G * H], the unscaled ``W_gx`` transposed, likewise: takes dz to dx.
    """

    products: tuple[Array, ...]
    places: Mapping[str, Place]
    vectors: Mapping[str, Array]
    vectors_back: Mapping[str, Array]
    recurrent_back: Array
    input_back: Array


@dataclass
class Tape:
    """Everything that forward leaves for backward, over one window of one layer.

    Blocks add what they need. ``inputs`` [T + 1, rows, B] follows the convention of the package; ``x`` is a view
    into it. ``d_gates`` [T, G * H, B] collects the gradients of the unscaled pre-activations, so that weight
    gradients are one product a window. Where a step back is done with its gates, it writes their gradients in their
    place: what has just been read is in the cache, and a tape takes half the memory.

    The state before step t is on the tape, and a text that starts there puts the initial state in its place. So the
    state *after* step t - 1 must not be looked up as the one before step t: where a step back needs it, the block keeps
    it apart, or makes it once more.
    """

    inputs: Array
    x: Array  # [T, R, B], view: what the layer below, or the embedding, writes
    d_gates: Array


class Starts(NamedTuple):
    """Where texts begin in a window, and the state of one layer in which they do.

    Attributes:
        lanes: step -> the lanes in which a text begins at that step; steps without any are left out.
        initial: each part [H, B], the state before a text's first step.
        d_initial: each part [H, B]; backward adds the gradient of ``initial``.
    """

    lanes: Mapping[int, NDArray[np.int64]]
    initial: State
    d_initial: State

    def write(self, t: int, state: State) -> None:
        """Put the initial state into the lanes of ``state`` (each part [H, B]) that begin at step t, if any do."""
        if t in self.lanes:
            lanes = self.lanes[t]
            for part, initial in zip(state, self.initial, strict=True):
                part[:, lanes] = initial[:, lanes]

    def take_back(self, t: int, d_state: State) -> None:
        """The adjoint of ``write``: what came before a start has no influence on what follows."""
        if t in self.lanes:
            lanes = self.lanes[t]
            for part, d_initial in zip(d_state, self.d_initial, strict=True):
                d_initial[:, lanes] += part[:, lanes]
                part[:, lanes] = 0


class Block(ABC):
    """One kind of recurrent layer with ``input_size`` X and ``hidden`` H; see the module's text."""

    state_names: ClassVar[tuple[str, ...]]
    """What is carried from step to step: ``hidden`` is a in the equations, ``cell`` is c."""
    gates: tuple[str, ...]
    """Names of the gates; the last rows of ``d_gates`` are theirs, in this order."""
    recurrent_order: ClassVar[tuple[str, ...]] = ()
    """Order of the gates in ``Operand.recurrent_back``, where it is another."""
    sigmoid_gates: ClassVar[tuple[str, ...]] = ()
    recurrent: ClassVar[bool] = True
    """Whether the gates have matrices ``W_ga`` on the previous activation."""
    unbiased_gates: tuple[str, ...] = ()
    vectors: Mapping[str, str] = MappingProxyType({})
    """Name of each parameter [H] that acts element by element -> the gate whose scale it has, or nothing."""
    equations: str
    """The step as assignments that ``charlm.nn.equations`` reads; what stands behind # names the quantity."""

    def __init__(self, input_size: int, hidden: int) -> None:
        self.input_size = input_size
        self.hidden = hidden

    @property
    def reads_input(self) -> bool:
        """Whether the step uses x itself besides products with it, so that x cannot be one-hot rows."""
        return False

    def parameter_specs(self) -> list[ParameterSpec]:
        """Names and shapes of the parameters, gate by gate."""
        H, X = self.hidden, self.input_size
        specs = []
        for g in self.gates:
            specs += [ParameterSpec(f"W_{g}a", (H, H), True)] if self.recurrent else []
            specs += [ParameterSpec(f"W_{g}x", (H, X), True)]
            specs += [] if g in self.unbiased_gates else [ParameterSpec(f"b_{g}", (H,), False)]
        return specs + [ParameterSpec(name, (H,), False) for name in self.vectors]

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """Orthogonal recurrent matrices, Glorot-uniform input matrices, zero biases and vectors."""
        for g in self.gates:
            if self.recurrent:
                orthogonal(views[f"W_{g}a"], generator)
            glorot(views[f"W_{g}x"], generator)

    def pack(self, views: Views, operand: Operand, table: Array | None = None, *, back: bool = True) -> None:
        """Write the operand from the parameters.

        Args:
            views: the block's parameters.
            operand: made by ``new_operand``; overwritten.
            table: [R, X] or None. When given, the input rows are one-hot over R tokens with these
                embeddings, and ``W_gx @ table.T`` takes the place of ``W_gx``.
            back: whether there is a way back, and what only that uses is to be written.
        """
        H, number = self.hidden, operand.input_back.dtype.type
        order = self.recurrent_order or self.gates
        for index, g in enumerate(self.gates):
            place, columns = operand.places[g], slice(index * H, (index + 1) * H)
            scale = number(place.scale)
            if self.recurrent:
                first = order.index(g) * H
                write_scaled(place.recurrent, views[f"W_{g}a"], scale)
                if back:
                    write_transposed(operand.recurrent_back[:, first : first + H], views[f"W_{g}a"])
            if g not in self.unbiased_gates:
                np.multiply(views[f"b_{g}"], scale, out=place.bias)
            if table is None:
                write_scaled(place.input, views[f"W_{g}x"], scale)
                if back:
                    write_transposed(operand.input_back[:, columns], views[f"W_{g}x"])
            else:
                np.matmul(views[f"W_{g}x"], table.T, out=place.input)
                place.input[...] *= scale
        for name, gate in self.vectors.items():
            operand.vectors_back[name][:, 0] = views[name]
            np.multiply(operand.vectors_back[name], number(self.scale(gate)), out=operand.vectors[name])

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
            if self.recurrent:
                gradients[f"W_{g}a"][...] = place.recurrent
            if g not in self.unbiased_gates:
                gradients[f"b_{g}"][...] = place.bias
            if table is None or d_table is None:
                gradients[f"W_{g}x"][...] = place.input
            else:
                np.matmul(place.input, table, out=gradients[f"W_{g}x"])
                d_table += place.input.T @ views[f"W_{g}x"]
        for name in self.vectors:
            gradients[name][...] = d_operand.vectors[name][:, 0]

    def scale(self, gate: str) -> float:
        """A sigmoid's rows are halved in the operand; ``activations.py`` says why."""
        return 0.5 if gate in self.sigmoid_gates else 1.0

    def rows(self, gate: str) -> slice:
        """Where a gate stands among the rows of all gates, in the order of ``gates``."""
        begin = self.gates.index(gate) * self.hidden
        return slice(begin, begin + self.hidden)

    def zero_state(self, batch: int, dtype: DTypeLike) -> State:
        """Zeros in the shape of the state."""
        return tuple(np.zeros((self.hidden, batch), dtype) for _ in self.state_names)

    def _stacked(
        self, gates: tuple[str, ...], input_rows: int, dtype: DTypeLike, allocate: Allocate
    ) -> tuple[Array, dict[str, Place]]:
        """One matrix for several gates on a column [h; x; 1] (or [x; 1]), and where each stands in it."""
        H, R = self.hidden, input_rows
        h = H if self.recurrent else 0
        product = allocate((len(gates) * H, h + R + 1), dtype)
        stacked = zip(gates, np.split(product, len(gates)), strict=True)
        places = {g: Place(rows[:, :h], rows[:, h : h + R], rows[:, -1], self.scale(g)) for g, rows in stacked}
        return product, places

    def _operand(self, products: tuple[Array, ...], places: Mapping[str, Place], input_rows: int) -> Operand:
        dtype, width = products[0].dtype, len(self.gates) * self.hidden
        vectors, vectors_back = ({name: np.zeros((self.hidden, 1), dtype) for name in self.vectors} for _ in range(2))
        recurrent_back = np.zeros((self.hidden, width if self.recurrent else 0), dtype)
        return Operand(products, places, vectors, vectors_back, recurrent_back, np.zeros((input_rows, width), dtype))

    def new_operand(self, input_rows: int, dtype: DTypeLike, allocate: Allocate = np.zeros) -> Operand:
        """Allocate an operand for ``input_rows`` R input rows; ``pack`` fills it. Also the shape of its gradient.

        The matrices of its products come from ``allocate``. Here: of one product for all gates. A block whose step
        needs several has its own.
        """
        product, places = self._stacked(self.gates, input_rows, dtype, allocate)
        return self._operand((product,), places, input_rows)

    @abstractmethod
    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> Tape:
        """Allocate a tape for windows of ``time`` steps of ``batch`` examples.

        Without ``keep`` there is no way back, and steps may share memory.
        """

    @abstractmethod
    def forward(self, operand: Operand, tape: Tape, state: State, starts: Starts, output: Array) -> State:
        """Run a window.

        Args:
            operand: packed.
            tape: ``tape.x`` has been written; everything else in it is overwritten.
            state: the state before the first step; not modified.
            starts: where the state is put to the initial one before a step.
            output: [T, H, B]; a_t is written into entry t.

        Returns:
            The state after the last step, as copies.
        """

    @abstractmethod
    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Starts) -> State:
        """Run the window backwards, after ``forward`` on the same tape.

        Args:
            operand: as given to forward.
            tape: ``tape.d_gates`` is written; what forward left there may be gone.
            d_output: [T, H, B], gradient of the loss with respect to the output; not modified.
            d_state: gradient with respect to the state that forward returned; not modified.
            starts: as given to forward; its ``d_initial`` is added to.

        Returns:
            The gradient with respect to the state that forward began with.
        """

    def weight_gradient(self, tape: Tape, time: int, columns: WindowColumns, d_operand: Operand) -> None:
        """Write the gradient of the unscaled operand, from the first ``time`` steps of the tape and their columns.

        Here: of one product for all gates, and no vectors. A block with others has its own.
        """
        del tape, time
        rows = len(self.gates) * self.hidden
        np.matmul(columns.d_gates[-rows:], columns.inputs.T, out=d_operand.products[0])

    def input_gradient(self, operand: Operand, tape: Tape, columns: WindowColumns, d_input: Array) -> None:
        """Write the gradient with respect to the input rows, [R, T * B]."""
        del tape
        rows = len(self.gates) * self.hidden
        np.matmul(operand.input_back, columns.d_gates[-rows:], out=d_input)


def start_lanes(starts: Flags) -> dict[int, NDArray[np.int64]]:
    """Step -> the lanes in which a text begins at that step, from flags [T, B]; steps without any are left out."""
    return {int(t): np.flatnonzero(starts[t]) for t in np.flatnonzero(starts.any(axis=1))}
