"""Bidirectional stacks: each token of a whole text encoded with what stands before it and behind it.

    a_t = [forward a_t; backward a_t]          (Schuster & Paliwal 1997)

Two blocks a layer, of which one reads the text from its end; a layer's output [2H] is the input of the next layer.
Such a stack needs the whole text, so it is no language model: it stands beside the streaming ``Stack`` and shares its
blocks.

Texts of unequal lengths are padded at their ends into one array. Inside, both directions run with the padding in
front: each lane's text then ends at the last step, where all final states are found, and begins where the blocks are
told that a text starts, in the initial states given. A block need not know of padding.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charlm.config import require
from charlm.errors import UsageError
from charlm.nn.arrays import Array, Flags, State
from charlm.nn.block import Block, Operand, Starts, Tape
from charlm.nn.columns import Columns
from charlm.nn.dropout import draw_mask
from charlm.nn.parameters import Parameters, ParameterSpec, below
from charlm.nn.registry import make_block
from charlm.nn.stack import Dropout

DIRECTIONS = ("forward", "backward")
AXES = 3
"""Of a batch of texts: features, time, batch."""
Lengths = NDArray[np.int64]
EncoderStates = tuple[tuple[State, State], ...]
"""For each layer, from the bottom up, the state of the forward direction and that of the backward one."""


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
    """

    input_size: int
    cell: str = "lstm"
    options: Mapping[str, str] = field(default_factory=dict)
    layers: int = 1
    hidden: int = 256
    residual: bool = False

    def __post_init__(self) -> None:
        require("input size", self.input_size, minimum=1)
        require("--layers", self.layers, minimum=1, maximum=64)
        require("--hidden", self.hidden, minimum=1, maximum=65536)


class Direction(NamedTuple):
    """One direction of one layer at work."""

    operand: Operand
    d_operand: Operand
    tape: Tape
    output: Array  # [T, H, B], padding in front
    d_output: Array  # likewise


@dataclass
class EncoderWorkspace:
    """The memory of one user of an encoder, for texts of up to T tokens, B at a time."""

    layers: list[tuple[Direction, Direction]]
    masks: list[Array | None]  # [2H, T, B] a layer, where there was dropout
    columns: Columns
    texts: "_Texts"  # of the last ``encode``


class Encoder:
    """Bidirectional layers with their parameters, ``layers.<k>.<forward|backward>.<name>``.

    Args:
        config: its shape.
        dtype: float32 to train and use, float64 to check.

    Raises:
        UsageError: the configuration names a block or option that does not exist.
    """

    def __init__(self, config: EncoderConfig, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.sizes = [config.input_size] + [2 * config.hidden] * (config.layers - 1)
        self.blocks = [(self._block(size), self._block(size)) for size in self.sizes]
        self.parameters = Parameters(self._parameter_specs(), dtype)

    def _block(self, size: int) -> Block:
        return make_block(self.config.cell, size, self.config.hidden, self.config.options)

    def _parameter_specs(self) -> list[ParameterSpec]:
        return [
            spec._replace(name=f"{name}{spec.name}")
            for name, block in self._named_blocks()
            for spec in block.parameter_specs()
        ]

    def _named_blocks(self) -> list[tuple[str, Block]]:
        return [
            (f"layers.{k}.{direction}.", block)
            for k, pair in enumerate(self.blocks)
            for direction, block in zip(DIRECTIONS, pair, strict=True)
        ]

    def initialize(self, seed: int) -> None:
        """Draw the parameters' first values; the same seed gives the same values in every dtype."""
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0])))
        for name, block in self._named_blocks():
            block.initialize(below(self.parameters.views, name), generator)

    def new_workspace(self, time: int, batch: int) -> EncoderWorkspace:
        """Allocate room for ``batch`` texts of up to ``time`` tokens, and pack the operands."""
        layers = [
            (self._direction(pair[0], size, time, batch), self._direction(pair[1], size, time, batch))
            for pair, size in zip(self.blocks, self.sizes, strict=True)
        ]
        tapes = [direction.tape for pair in layers for direction in pair]
        gates, inputs = max(tape.d_gates.shape[1] for tape in tapes), max(tape.inputs.shape[1] for tape in tapes)
        columns = Columns(gates, inputs, time, batch, self.parameters.dtype)
        work = EncoderWorkspace(layers, [None] * len(layers), columns, _Texts(np.full(batch, time), time))
        self.pack(work)
        return work

    def _direction(self, block: Block, size: int, time: int, batch: int) -> Direction:
        dtype, H = self.parameters.dtype, self.config.hidden
        return Direction(
            block.new_operand(size, dtype),
            block.new_operand(size, dtype),
            block.new_tape(size, time, batch, dtype),
            np.empty((time, H, batch), dtype),
            np.empty((time, H, batch), dtype),
        )

    def pack(self, work: EncoderWorkspace) -> None:
        """Derive the operands from the parameters; needed after every change of them."""
        at_work = (direction for pair in work.layers for direction in pair)
        for (name, block), direction in zip(self._named_blocks(), at_work, strict=True):
            block.pack(below(self.parameters.views, name), direction.operand)

    def zero_states(self, batch: int) -> EncoderStates:
        """States of zeros."""
        dtype = self.parameters.dtype
        return tuple((forward.zero_state(batch, dtype), back.zero_state(batch, dtype)) for forward, back in self.blocks)

    def encode(
        self,
        work: EncoderWorkspace,
        x: Array,
        lengths: Lengths,
        states: EncoderStates,
        dropout: Dropout | None = None,
    ) -> tuple[Array, EncoderStates]:
        """Encode a batch of texts.

        Args:
            work: packed, for at least this many tokens and exactly this many texts.
            x: [X, T, B], padded at the end; what stands in the padding does not matter.
            lengths: [B], between 1 and T.
            states: before each direction's first token; not modified.
            dropout: on every layer's output; None when not training.

        Returns:
            The outputs [2H, T, B], zero in the padding, and the states after each direction's last token, which is
            the first one of the text for the backward direction.

        Raises:
            UsageError: a length is out of range, or x has another shape.
        """
        if x.ndim != AXES or (x.shape[0], x.shape[2]) != (self.config.input_size, len(lengths)):
            wanted = f"[{self.config.input_size}, T, {len(lengths)}]"
            raise UsageError(f"x is {list(x.shape)}, with {len(lengths)} lengths: it must be {wanted}")
        work.texts = texts = _Texts(lengths, x.shape[1])
        after = []
        for k, pair in enumerate(work.layers):
            outputs, states_after = [], []
            for d, direction in enumerate(pair):
                T = texts.time
                direction.tape.x[:T] = texts.pad_in_front(x, reverse=bool(d)).swapaxes(0, 1)
                starts = Starts(texts.begins, states[k][d], _zeros_like(states[k][d]))
                output = direction.output[:T]
                begin = _zeros_like(states[k][d])
                block = self.blocks[k][d]
                states_after.append(block.forward(direction.operand, direction.tape, begin, starts, output))
                outputs.append(texts.pad_behind(output.swapaxes(0, 1), reverse=bool(d)))
            after.append((states_after[0], states_after[1]))
            below_it, x = x, np.concatenate(outputs)
            work.masks[k] = _drop(x, dropout)
            if self._residual(k):
                x += below_it
        return x, tuple(after)

    def gradients(
        self, work: EncoderWorkspace, d_outputs: Array, d_states: EncoderStates
    ) -> tuple[Array, EncoderStates]:
        """Run backwards after ``encode`` in the same workspace, and write ``parameters.gradients``.

        Args:
            work: as ``encode`` left it.
            d_outputs: [2H, T, B], gradient with respect to the outputs; what stands in the padding does not matter.
            d_states: gradients with respect to the final states.

        Returns:
            The gradients with respect to x [X, T, B], zero in the padding, and to the states given to ``encode``.
        """
        texts, d_outputs = work.texts, d_outputs.astype(self.parameters.dtype, copy=False)
        before: list[tuple[State, State]] = []
        for k in reversed(range(len(work.layers))):
            d_residual, mask = d_outputs, work.masks[k]
            d_activations = d_outputs if mask is None else d_outputs * mask
            d_x = np.zeros((self.sizes[k], *d_outputs.shape[1:]), d_outputs.dtype)
            d_initial = []
            for d, d_activation in enumerate(np.split(d_activations, 2)):
                part, starts = self._direction_back(work, k, d, texts, d_activation, d_states[k][d])
                d_x += texts.pad_behind(part, reverse=bool(d))
                d_initial.append(starts.d_initial)
            before.append((d_initial[0], d_initial[1]))
            d_outputs = d_x + d_residual if self._residual(k) else d_x
        return d_outputs, tuple(reversed(before))

    def _direction_back(
        self, work: EncoderWorkspace, k: int, d: int, texts: "_Texts", d_activation: Array, d_state: State
    ) -> tuple[Array, Starts]:
        """One direction of one layer backwards: the gradient of its input, padding in front, and of its states."""
        block, (operand, d_operand, tape, _, d_output) = self.blocks[k][d], work.layers[k][d]
        T, zeros = texts.time, block.zero_state(d_output.shape[2], d_output.dtype)
        # Backward only adds to the gradient of the initial states; it does not read them.
        starts = Starts(texts.begins, zeros, _zeros_like(zeros))
        d_output[:T] = texts.pad_in_front(d_activation, reverse=bool(d)).swapaxes(0, 1)
        block.backward(operand, tape, d_output[:T], d_state, starts)
        columns = work.columns.window(tape.d_gates[:T], tape.inputs[:T])
        block.weight_gradient(tape, T, columns, d_operand)
        name = f"layers.{k}.{DIRECTIONS[d]}."
        views, gradients = below(self.parameters.views, name), below(self.parameters.gradients, name)
        block.unpack_gradient(d_operand, views, gradients)
        d_input = np.empty((self.sizes[k], T * d_output.shape[2]), d_output.dtype)
        block.input_gradient(operand, tape, columns, d_input)
        return d_input.reshape(self.sizes[k], T, -1), starts

    def _residual(self, k: int) -> bool:
        return self.config.residual and k > 0


class _Texts:
    """Where the tokens of texts of these lengths stand, with their padding behind them and in front."""

    def __init__(self, lengths: Lengths, time: int) -> None:
        lengths = np.asarray(lengths, np.int64)
        if lengths.size and not 1 <= lengths.min() <= lengths.max() <= time:
            raise UsageError(f"lengths are {lengths.tolist()}: each must be between 1 and {time}")
        steps = np.arange(time)[:, None]
        self.time = time
        self.inside: Flags = steps < lengths
        # The lane's own tokens end at the last step; what stands before them is padding.
        self._shifted = np.maximum(steps - (time - lengths), 0)
        self._unshifted = np.minimum(steps + (time - lengths), time - 1)
        self._lanes = np.arange(lengths.size)
        first = time - lengths
        self.begins: dict[int, NDArray[np.int64]] = {int(t): np.flatnonzero(first == t) for t in np.unique(first)}

    def pad_in_front(self, x: Array, *, reverse: bool) -> Array:
        """[rows, T, B] with zeros in front of each text instead of anything behind it; texts read from their end."""
        if reverse:
            # Back to front, padding behind a text comes to stand in front of it.
            return np.where(self.inside[::-1], x[:, ::-1], 0)
        return np.where(self.inside[::-1], x[:, self._shifted, self._lanes], 0)

    def pad_behind(self, x: Array, *, reverse: bool) -> Array:
        """The way back: zeros behind each text, whatever stood in front of it."""
        if reverse:
            return np.where(self.inside, x[:, ::-1], 0)
        return np.where(self.inside, x[:, self._unshifted, self._lanes], 0)


def _zeros_like(state: State) -> State:
    return tuple(np.zeros_like(part) for part in state)


def _drop(output: Array, dropout: Dropout | None) -> Array | None:
    """Apply dropout to a layer's output in place, and return the mask; None where there is none."""
    if dropout is None or not dropout.rate:
        return None
    mask = np.empty_like(output)
    draw_mask(mask, dropout.rate, dropout.generator)
    output *= mask
    return mask
