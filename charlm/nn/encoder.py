"""Encoders: each token of a whole text with what stands before it, and with what stands behind it.

    a_t = [forward a_t; backward a_t]          (Schuster & Paliwal 1997)

Two blocks a layer, of which one reads the text from its end; a layer's output [2H] is the input of the next layer.
Such a network needs the whole text, so it is no language model: it stands beside the streaming ``Stack`` and shares its
blocks. With one direction it reads as that one does.

Texts come in lanes (``text_lanes.py``). The backward direction runs on the window with time reversed, which is a view.
Blocks are told that a text starts at its first token, or for the backward direction at its last; that cuts
texts apart, and what stands where no text is off as well. Nothing flows from there, if the gradient of the output
is zero there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from charlm.config import require
from charlm.nn.arrays import Array, Views
from charlm.nn.block import Block, Operand, Starts, Tape, start_lanes
from charlm.nn.columns import Columns, steps_of, write_steps
from charlm.nn.dropconnect import DropConnect
from charlm.nn.dropout import Dropout
from charlm.nn.parameters import ParameterSpec, below
from charlm.nn.registry import make_block
from charlm.nn.regularization import OFF, Regularization
from charlm.nn.text_lanes import TextLanes

DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True)
class EncoderConfig:
    """The shape of an encoder.

    Attributes:
        input_size: X, rows of the input.
        cell: a name in the registry of blocks.
        options: options of the cell.
        layers: depth.
        hidden: units H of each direction of each layer.
        residual: whether a layer's output is its activations plus its input, from the second layer on.
        bidirectional: whether each layer has a second block, which reads from the end.
    """

    input_size: int
    cell: str = "lstm"
    options: Mapping[str, str] = field(default_factory=dict)
    layers: int = 1
    hidden: int = 256
    residual: bool = False
    bidirectional: bool = True

    def __post_init__(self) -> None:
        require("input size", self.input_size, minimum=1)
        require("--layers", self.layers, minimum=1, maximum=64)
        require("--hidden", self.hidden, minimum=1, maximum=65536)

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the directions that a layer has."""
        return DIRECTIONS if self.bidirectional else DIRECTIONS[:1]

    @property
    def output_size(self) -> int:
        """Rows of the output: H of each direction."""
        return self.hidden * len(self.directions)


class Layer(NamedTuple):
    """One direction of one layer: what its parameters' names begin with, whether it reads from the end, its block."""

    name: str
    reverse: bool
    block: Block

    def turned(self, steps: Array) -> Array:
        """Steps [T, rows, B] in the order in which this direction reads them; also back."""
        return steps[::-1] if self.reverse else steps


@dataclass
class Room:
    """The memory for texts in B lanes of up to T steps. Shorter windows use its first steps."""

    tapes: list[list[Tape]]  # a layer, a direction
    outputs: Array  # [T, D * H, B], of the top layer, after dropout; then gradients, see ``d_outputs``
    inputs: Dropout  # on [T, X, B]
    dropout: list[Dropout]  # on [T, D * H, B] a layer
    d_residual: Array  # [T, D * H, B]: what passes a layer by on its residual connection
    d_inputs: Array  # [rows, T * B]: the gradient of a layer's input, as columns
    columns: Columns

    @property
    def d_outputs(self) -> Array:
        """[T, D * H, B]: the gradient of ``outputs``, and on the way back of each layer's in turn; the same memory."""
        return self.outputs

    def fits(self, time: int, batch: int) -> bool:
        """Whether a window can be worked on here."""
        most, _, lanes = self.outputs.shape
        fits: bool = time <= most and batch == lanes
        return fits


@dataclass
class EncoderWork:
    """The memory that one user of an encoder works in; ``Encoder.make_room`` makes it larger where it has to be."""

    operands: list[list[Operand]]  # a layer, a direction
    d_operand: list[list[Operand]]
    connections: list[list[DropConnect]]
    room: Room
    keep: bool
    scales: Array | None = None  # [V]: what the tokens' embeddings were multiplied by, if some were dropped


class Encoder:
    """Layers of one or two blocks, each of H units. Parameters: ``layers.<k>.<forward|backward>.<name>``.

    Raises:
        UsageError: the configuration names a block or option that does not exist.
    """

    def __init__(self, config: EncoderConfig) -> None:
        self.config = config
        self.sizes = [config.input_size] + [config.output_size] * (config.layers - 1)
        self.layers = [
            [
                Layer(
                    f"layers.{k}.{direction}.",
                    direction != DIRECTIONS[0],
                    make_block(config.cell, size, config.hidden, config.options),
                )
                for direction in config.directions
            ]
            for k, size in enumerate(self.sizes)
        ]

    def parameter_specs(self) -> list[ParameterSpec]:
        return [
            spec._replace(name=f"{name}{spec.name}")
            for layer in self.layers
            for name, _, block in layer
            for spec in block.parameter_specs()
        ]

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """Each block as it says itself."""
        for layer in self.layers:
            for name, _, block in layer:
                block.initialize(below(views, name), generator)

    def new_work(self, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> EncoderWork:
        """Allocate what one user works in; without ``keep`` there is no way back."""
        operands, d_operands = (
            [
                [block.new_operand(size, dtype) for _, _, block in layer]
                for layer, size in zip(self.layers, self.sizes, strict=True)
            ]
            for _ in range(2)
        )
        connections = [[DropConnect() for _ in layer] for layer in self.layers]
        return EncoderWork(operands, d_operands, connections, self._new_room(time, batch, dtype, keep=keep), keep)

    def _new_room(self, time: int, batch: int, dtype: DTypeLike, *, keep: bool) -> Room:
        """What only backward and dropout use costs no memory until they touch it."""
        rows = self.config.output_size
        tapes = [
            [block.new_tape(size, time, batch, dtype, keep=keep) for _, _, block in layer]
            for layer, size in zip(self.layers, self.sizes, strict=True)
        ]
        every = [tape for layer in tapes for tape in layer]
        gates, inputs = max(tape.d_gates.shape[1] for tape in every), max(tape.inputs.shape[1] for tape in every)
        return Room(
            tapes,
            np.empty((time, rows, batch), dtype),
            Dropout(np.empty((time, self.config.input_size, batch), dtype)),
            [Dropout(np.empty((time, rows, batch), dtype)) for _ in self.layers],
            np.empty((time, rows, batch), dtype),
            np.empty((max(self.sizes), (time + 1) * batch), dtype),
            Columns(max(rows, gates), max(rows, inputs), time, batch, dtype),
        )

    def make_room(self, work: EncoderWork, time: int, batch: int) -> Array:
        """Have room for a window, a larger one than before if it must be.

        Returns:
            [T, X, B], where the input of the window is to be written.
        """
        if not work.room.fits(time, batch):
            most, _, lanes = work.room.outputs.shape
            dtype = work.room.outputs.dtype
            work.room = self._new_room(max(time, most if lanes == batch else 0), batch, dtype, keep=work.keep)
        return work.room.tapes[0][0].x[:time]

    def pack(self, views: Views, work: EncoderWork, how: Regularization = OFF) -> None:
        """Write the operands from the parameters.

        Needed after every change of them, and before every window of which connections are dropped.
        """
        for k, layer in enumerate(self.layers):
            for d, (name, _, block) in enumerate(layer):
                left = work.connections[k][d].forward(block, below(views, name), how)
                block.pack(left, work.operands[k][d], back=work.keep)

    def forward(self, work: EncoderWork, lanes: TextLanes, how: Regularization = OFF) -> Array:
        """Encode the texts of which the input stands where ``make_room`` said.

        Args:
            work: packed.
            lanes: where texts begin and end.
            how: what to do against learning by heart, when training; as given to ``pack``.

        Returns:
            [T, D * H, B], of D directions, a view into ``work``. Nothing is said of what stands where no text is.
        """
        H, T, room = self.config.hidden, len(lanes.ids), work.room
        room.inputs.forward(room.tapes[0][0].x[:T], how.inputs, how)
        for k, layer in enumerate(self.layers):
            tapes, top = room.tapes[k], k + 1 == len(self.layers)
            x = tapes[0].x[:T]
            output = (room.outputs if top else room.tapes[k + 1][0].x)[:T]
            for d, each in enumerate(layer):
                if each.reverse:
                    tapes[d].x[:T] = each.turned(x)
                out = each.turned(output[:, d * H : (d + 1) * H])
                starts = self._starts(each, lanes, output.dtype)
                each.block.forward(work.operands[k][d], tapes[d], starts.initial, starts, out)
            room.dropout[k].forward(output, how.outputs if top else how.layers, how)
            if self.is_residual(k):
                output += x
        return room.outputs[:T]

    def is_residual(self, k: int) -> bool:
        """Whether layer k, from 0, adds its input to its output."""
        return self.config.residual and k > 0

    def _starts(self, layer: Layer, lanes: TextLanes, dtype: DTypeLike) -> Starts:
        """Where texts start for one direction, in zeros; that their gradient is added somewhere is of no use."""
        flags = lanes.ends[::-1] if layer.reverse else lanes.begins
        batch = flags.shape[1]
        return Starts(start_lanes(flags), layer.block.zero_state(batch, dtype), layer.block.zero_state(batch, dtype))

    def backward(self, views: Views, gradients: Views, work: EncoderWork, lanes: TextLanes) -> Array:
        """Run the window backwards from ``work.room.d_outputs``, and write the gradients of all parameters.

        Args:
            views: the parameters.
            gradients: of the parameters; overwritten.
            work: as ``forward`` left it, with the gradient of its output in ``d_outputs``, zero where no text is.
            lanes: as given to forward.

        Returns:
            The gradient of the input as columns [X, T * B], a view into ``work``; zero where no text is.
        """
        assert work.keep, "this workspace keeps nothing for a way back"
        H, (T, B), room = self.config.hidden, lanes.ids.shape, work.room
        d_output = room.d_outputs[:T]
        for k in reversed(range(len(self.layers))):
            layer, tapes = self.layers[k], room.tapes[k]
            if self.is_residual(k):
                room.d_residual[:T] = d_output
            room.dropout[k].backward(d_output)
            for d, each in enumerate(layer):
                starts = self._starts(each, lanes, d_output.dtype)
                d_out = each.turned(d_output[:, d * H : (d + 1) * H])
                each.block.backward(work.operands[k][d], tapes[d], d_out, starts.initial, starts)
            d_input = room.d_inputs[: self.sizes[k], : T * B]
            for d, (name, reverse, block) in enumerate(layer):
                operand, d_operand = work.operands[k][d], work.d_operand[k][d]
                window = room.columns.window(tapes[d].d_gates[:T], tapes[d].inputs[:T])
                block.weight_gradient(tapes[d], T, window, d_operand)
                block.unpack_gradient(d_operand, below(views, name), below(gradients, name))
                work.connections[k][d].backward(below(gradients, name))
                if not reverse:
                    block.input_gradient(operand, tapes[d], window, d_input)
                    continue
                # The inputs' columns have done their work: their memory takes their gradient's.
                part = window.inputs[: self.sizes[k]]
                block.input_gradient(operand, tapes[d], window, part)
                shape = self.sizes[k], T, B
                d_input.reshape(shape, copy=False)[...] += part.reshape(shape, copy=False)[:, ::-1]
            if k > 0:
                write_steps(d_output, d_input)
                if self.is_residual(k):
                    d_output += room.d_residual[:T]
        room.inputs.backward(steps_of(d_input, T))
        return d_input
