"""Layers on top of one another: a layer's input is the output of the layer below.

With residual connections a layer's output is its activation plus its input, from the second layer on, where both have
as many rows (He et al. 2016; in stacked LSTMs: Wu et al. 2016).

The stack decides what stands in each layer's input rows: one-hot tokens, gathered embeddings, or the
activations of the layer below, with dropout on every layer's output. The blocks do not know which.
"""

import numpy as np
from numpy.typing import DTypeLike

from charlm.config import ModelConfig
from charlm.nn.activation_penalty import ActivationPenalty
from charlm.nn.arrays import Array, Flags, Ids, State, States, from_memory
from charlm.nn.block import Operand, Starts, start_lanes
from charlm.nn.columns import Columns, steps_of, write_steps
from charlm.nn.dropconnect import DropConnect
from charlm.nn.dropout import Dropout, draw_scales
from charlm.nn.embedding import add_gathered_gradient, folds, write_gathered, write_one_hot
from charlm.nn.initializers import uniform
from charlm.nn.parameters import Parameters, ParameterSpec, below
from charlm.nn.registry import make_block
from charlm.nn.regularization import OFF, Regularization
from charlm.nn.stack_tape import StackTape
from charlm.nn.token_operand import TokenOperand, in_columns, new_token_operand, pack_tokens

NOWHERE = Starts({}, (), ())
"""No text begins."""


def is_single(time: int, batch: int, *, keep: bool) -> bool:
    """Whether windows of so many steps and lanes are one lane's single steps, forward alone: one stream of samples."""
    return time == batch == 1 and not keep


class Stack:
    """An embedding [V, E], or [V + K, E] with K labels, and ``layers`` blocks of H units.

    Parameters: ``embedding``, ``layers.<k>.<name>``, and ``layers.<k>.initial_<part>`` [H] where the initial state is
    learned.

    Args:
        config: its shape.
        gather: whether embeddings are to be gathered however small the vocabulary is, as dropout on them needs.
    """

    def __init__(self, config: ModelConfig, *, gather: bool = False) -> None:
        sizes = [config.embedding] + [config.hidden] * (config.layers - 1)
        self.config = config
        self.blocks = [make_block(config.cell, size, config.hidden, config.options) for size in sizes]
        gather = gather or self.blocks[0].reads_input
        self.folded = folds(config.embeddings, config.embedding) and not gather
        self.input_rows = [config.embeddings if self.folded else config.embedding, *sizes[1:]]

    def parameter_specs(self) -> list[ParameterSpec]:
        specs = [ParameterSpec("embedding", (self.config.embeddings, self.config.embedding), True)]
        for k, block in enumerate(self.blocks):
            specs += [spec._replace(name=f"layers.{k}.{spec.name}") for spec in block.parameter_specs()]
            specs += [ParameterSpec(name, (block.hidden,), False) for name in self._initial_names(k)]
        return specs

    def _initial_names(self, k: int) -> list[str]:
        """Names of the parameters that are the initial state of layer k; none where it is zero."""
        learned = self.config.initial == "learned"
        return [f"layers.{k}.initial_{part}" for part in self.blocks[k].state_names] if learned else []

    def initialize(self, parameters: Parameters, generator: np.random.Generator) -> None:
        """Embeddings uniform with unit variance, or unit length if tied; each block as it says; initial states zero."""
        size = self.config.embedding if self.config.tied else 1
        uniform(parameters.views["embedding"], float(np.sqrt(3 / size)), generator)
        for k, block in enumerate(self.blocks):
            block.initialize(below(parameters.views, f"layers.{k}."), generator)

    def new_operands(self, dtype: DTypeLike, *, single: bool = False) -> tuple[Operand, ...]:
        """Allocate the operands of all layers; ``single`` where one lane takes one step at a time, and none back."""
        pairs = list(zip(self.blocks, self.input_rows, strict=True))
        if not single:
            return tuple(block.new_operand(rows, dtype) for block, rows in pairs)
        operands = [block.new_operand(rows, dtype, in_columns) for block, rows in pairs]
        if self.folded:
            operands[0] = new_token_operand(self.blocks[0], self.input_rows[0], dtype)
        return tuple(operands)

    def new_gradient_operands(self, operands: tuple[Operand, ...]) -> tuple[Operand, ...]:
        """Allocate what takes the gradients of these operands, a layer's where the layer's above was."""
        sizes = [sum(product.size for product in operand.products) for operand in operands]
        memory = np.zeros(max(sizes), operands[0].products[0].dtype)
        pairs = zip(self.blocks, self.input_rows, strict=True)
        return tuple(block.new_operand(rows, memory.dtype, from_memory(memory)) for block, rows in pairs)

    def new_tape(self, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> StackTape:
        """Allocate a tape; without ``keep`` there is no way back.

        What only backward and dropout use costs no memory until they touch it.
        """
        H, sizes = self.config.hidden, self.input_rows
        by_column = self.folded and is_single(time, batch, keep=keep)
        if by_column:
            sizes = [1, *sizes[1:]]
        pairs = zip(self.blocks, sizes, strict=True)
        layers = tuple(block.new_tape(rows, time, batch, dtype, keep=keep) for block, rows in pairs)
        if by_column:
            layers[0].x[...] = 1
        return StackTape(
            layers=layers,
            activations=np.empty((time, H, batch), dtype),
            inputs=Dropout(np.empty((time, self.config.embedding, batch), dtype)),
            connections=tuple(DropConnect() for _ in self.blocks),
            dropout=tuple(Dropout(np.empty((time, H, batch), dtype)) for _ in self.blocks),
            penalty=ActivationPenalty(np.empty((time, H, batch), dtype)),
            d_residual=np.empty((time, H, batch), dtype),
            keep=keep,
        )

    def new_columns(self, tape: StackTape, dtype: DTypeLike) -> Columns:
        """Room for the columns of any layer's window, and of the outputs and their gradient."""
        time, H, batch = tape.activations.shape
        gates = max(layer.d_gates.shape[1] for layer in tape.layers)
        inputs = max(layer.inputs.shape[1] for layer in tape.layers)
        return Columns(max(H, gates), max(H, inputs), time, batch, dtype)

    def zero_states(self, batch: int, dtype: DTypeLike) -> States:
        """Zeros in the shape of the states."""
        return tuple(block.zero_state(batch, dtype) for block in self.blocks)

    def initial_states(self, parameters: Parameters, batch: int) -> States:
        """The states in which a text begins, as copies."""
        states = self.zero_states(batch, parameters.dtype)
        for k, state in enumerate(states):
            for name, part in zip(self._initial_names(k), state, strict=False):
                part[...] = parameters.views[name][:, None]
        return states

    def _starts(self, parameters: Parameters, flags: Flags | None) -> list[Starts]:
        """Where texts begin, for each layer."""
        if flags is None:
            return [NOWHERE] * len(self.blocks)
        lanes, batch = start_lanes(flags), flags.shape[1] if flags.any() else 0
        initial, d_initial = self.initial_states(parameters, batch), self.zero_states(batch, parameters.dtype)
        return [Starts(lanes, *both) for both in zip(initial, d_initial, strict=True)]

    def _write_initial_gradient(self, parameters: Parameters, k: int, d_initial: State) -> None:
        for name, part in zip(self._initial_names(k), d_initial, strict=False):
            parameters.gradients[name][...] = part.sum(axis=1)

    def pack(
        self, parameters: Parameters, operands: tuple[Operand, ...], tape: StackTape, how: Regularization = OFF
    ) -> None:
        """Write the operands from the parameters, for the way back too if the tape keeps what it needs.

        Needed after every change of the parameters, and before every window of which connections are dropped.
        """
        for k, (block, operand) in enumerate(zip(self.blocks, operands, strict=True)):
            views, table = below(parameters.views, f"layers.{k}."), self._table(parameters, k)
            if isinstance(operand, TokenOperand):
                pack_tokens(block, views, operand, parameters.views["embedding"])
            else:
                block.pack(tape.connections[k].forward(block, views, how), operand, table, back=tape.keep)

    def _table(self, parameters: Parameters, k: int) -> Array | None:
        return parameters.views["embedding"] if k == 0 and self.folded else None

    def forward(
        self,
        parameters: Parameters,
        operands: tuple[Operand, ...],
        tape: StackTape,
        inputs: Ids,
        starts: Flags | None,
        states: States,
        how: Regularization = OFF,
    ) -> States:
        """Run a window; the top layer's output is then in ``tape.activations``.

        Args:
            parameters: for the embedding, where it is gathered.
            operands: packed from the parameters.
            tape: at least as long as the window, of its batch.
            inputs: [T, B], ids; -1 is the zero vector. Or [N, T, B]: the embeddings of several are added.
            starts: [T, B]; where True, the states are the initial ones before that step. None: nowhere.
            states: before the first step; not modified.
            how: what to do against learning by heart, when training; as given to ``pack``.

        Returns:
            The states after the last step, as copies.
        """
        T = inputs.shape[-2]
        if isinstance(operands[0], TokenOperand):
            operands[0].read(inputs.ravel().tolist())
        else:
            self._embed(parameters, tape, inputs, how)
        begins, after = self._starts(parameters, starts), []
        for k, block in enumerate(self.blocks):
            top = k + 1 == len(self.blocks)
            output = (tape.activations if top else tape.layers[k + 1].x)[:T]
            after.append(block.forward(operands[k], tape.layers[k], states[k], begins[k], output))
            if top:
                tape.penalty.forward(output, how)
            tape.dropout[k].forward(output, how.outputs if top else how.layers, how)
            if self.is_residual(k):
                output += tape.layers[k].x[:T]
        return tuple(after)

    def _embed(self, parameters: Parameters, tape: StackTape, inputs: Ids, how: Regularization) -> None:
        """Write the first layer's input rows."""
        x, table = tape.layers[0].x[: inputs.shape[-2]], parameters.views["embedding"]
        tape.scales = draw_scales(table, self.config.vocabulary, how)
        if self.folded:
            assert not how.inputs, "one-hot rows hold no embedding of which numbers could be dropped"
            write_one_hot(x, inputs, tape.scales)
        else:
            write_gathered(x, table, inputs, tape.scales)
            tape.inputs.forward(x, how.inputs, how)

    def is_residual(self, k: int) -> bool:
        """Whether layer k, from 0, adds its input to its output."""
        return self.config.residual and k > 0

    def backward(
        self,
        parameters: Parameters,
        operands: tuple[Operand, ...],
        d_operands: tuple[Operand, ...],
        tape: StackTape,
        columns: Columns,
        inputs: Ids,
        starts: Flags,
        d_states: States,
    ) -> States:
        """Run the window backwards from ``tape.d_outputs`` and write the stack's gradients.

        Args:
            parameters: their ``gradients`` are overwritten.
            operands: as given to forward.
            d_operands: overwritten.
            tape: as forward left it, with the gradient of the top layer's output in ``d_outputs``.
            columns: from ``new_columns``; overwritten.
            inputs: as given to forward.
            starts: as given to forward.
            d_states: gradients with respect to the states that forward returned.

        Returns:
            Gradients with respect to the states that forward began with.
        """
        assert tape.keep, "this workspace keeps nothing for a way back"
        T, before, begins = inputs.shape[-2], [], self._starts(parameters, starts)
        d_output = tape.d_outputs[:T]
        d_table = parameters.gradients["embedding"]
        if not self.config.tied:  # otherwise the head's gradient stands there, and this one is added
            d_table[...] = 0
        d_table[self.config.vocabulary :] = 0  # labels are no rows of the head
        for k in reversed(range(len(self.blocks))):
            block, layer = self.blocks[k], tape.layers[k]
            if self.is_residual(k):
                tape.d_residual[:T] = d_output
            tape.dropout[k].backward(d_output)
            if k + 1 == len(self.blocks):
                tape.penalty.backward(d_output, tape.dropout[k].mask, starts)
            before.append(block.backward(operands[k], layer, d_output, d_states[k], begins[k]))
            self._write_initial_gradient(parameters, k, begins[k].d_initial)
            window = columns.window(layer.d_gates[:T], layer.inputs[:T])
            block.weight_gradient(layer, T, window, d_operands[k])
            names, table = f"layers.{k}.", self._table(parameters, k)
            views, gradients = below(parameters.views, names), below(parameters.gradients, names)
            block.unpack_gradient(d_operands[k], views, gradients, table, d_table)
            tape.connections[k].backward(gradients)
            if table is None:
                # The inputs' columns have done their work: their memory takes their gradient's.
                d_input = window.inputs[: self.input_rows[k]]
                block.input_gradient(operands[k], layer, window, d_input)
                if k == 0:
                    tape.inputs.backward(steps_of(d_input, T))
                    add_gathered_gradient(d_table, d_input, inputs, tape.scales)
                else:
                    write_steps(d_output, d_input)
            if self.is_residual(k):
                d_output += tape.d_residual[:T]
        return tuple(reversed(before))
