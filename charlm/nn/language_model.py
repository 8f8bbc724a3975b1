"""The language model: P(sentence) = product over t of P(token t given the ones before).

    y_t = softmax(W_y a_t + b_y);  loss = -mean_t log y_t[next token]

A text starts from the initial states, zero or learned, and a zero input vector; its first token is predicted from
those. Where texts have labels, the embedding of its label is added to every input of a text, from that zero vector on:

    x_t = embedding[token t-1] + embedding[V + label],  P(sentence | label) = product over t of y_t[token t]
"""

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charlm.config import ModelConfig
from charlm.errors import UsageError
from charlm.nn.arrays import Array, Flags, Ids, States, Views
from charlm.nn.block import Operand
from charlm.nn.columns import Columns, write_columns, write_steps
from charlm.nn.heads.adaptive import AdaptiveHead
from charlm.nn.heads.head import Head
from charlm.nn.heads.softmax import SoftmaxHead
from charlm.nn.parameters import Parameters, ParameterSpec, below
from charlm.nn.regularization import OFF, Regularization
from charlm.nn.stack import Stack, is_single
from charlm.nn.stack_tape import StackTape

HEAD = "head."
"""What the names of the head's parameters begin with."""


@dataclass
class Workspace:
    """The memory that one user of a model works in.

    Operands and their gradients; for T x B a tape, its columns, and a scratch of the head's.

    After the model's parameters change, ``LanguageModel.pack`` brings the operands up to date.
    """

    operands: tuple[Operand, ...]
    d_operands: tuple[Operand, ...]
    tape: StackTape
    columns: Columns
    scratch: Array  # the head's


def parameter_specs(config: ModelConfig) -> list[ParameterSpec]:
    """Name and shape of every parameter of a model, without making it; those of the head begin with ``head.``.

    Raises:
        UsageError: the configuration names a block or option that does not exist.
    """
    head = make_head(config).parameter_specs()
    return Stack(config).parameter_specs() + [spec._replace(name=f"{HEAD}{spec.name}") for spec in head]


def make_head(config: ModelConfig) -> Head:
    """The head that a model ends in."""
    if config.softmax == "adaptive":
        return AdaptiveHead(config.hidden, config.vocabulary)
    return SoftmaxHead(config.hidden, config.vocabulary, tied=config.tied)


def head_name(config: ModelConfig, name: str) -> str:
    """What a model calls a parameter of its head: W_y is the embedding where they are tied."""
    return "embedding" if config.tied and name == "W_y" else HEAD + name


def head_views(config: ModelConfig, views: Views) -> Views:
    """The parameters of a model's head, or their gradients, by the head's own names."""
    tied = {"W_y": views["embedding"][: config.vocabulary]} if config.tied else {}
    return below(views, HEAD) | tied


class LanguageModel:
    """Embedding, recurrent stack and softmax head with their parameters.

    Args:
        config: its shape.
        dtype: float32 to train and use, float64 to check.

    Attributes:
        label: under which every text is read, whose inputs are those of tokens alone; None where inputs bring labels
            along, or there are none.

    Raises:
        UsageError: the configuration names a block or option that does not exist.
    """

    def __init__(self, config: ModelConfig, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.label: int | None = None
        self.stack = Stack(config)
        self.head = make_head(config)
        self.parameters = Parameters(parameter_specs(config), dtype)
        # Once, not at every step: sampling asks for them for each token.
        self._head_views = head_views(config, self.parameters.views)
        self._head_gradients = head_views(config, self.parameters.gradients)

    def initialize(self, seed: int) -> None:
        """Draw the parameters' first values; the same seed gives the same values in every dtype."""
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0])))
        self.stack.initialize(self.parameters, generator)
        self.head.initialize(self._head_views, generator)

    def take_over(self, other: "LanguageModel", like: int) -> None:
        """Take the parameters of a model of the same shape, whose vocabulary may be the beginning of this one's.

        Embeddings of tokens that it does not have stay as they were drawn. Their rows of the head become that of
        its token ``like``: a token that was hardly ever right is a better beginning than a random one. So do their
        embeddings where these are rows of the head too. Labels are the same in both, or all of them are new: then
        their embeddings are zero, and the model begins as the other one under each of them.
        """
        of_head = {head_name(self.config, name) for name in self._head_views}
        for name, parameter in self.parameters.views.items():
            view, theirs = parameter, other.parameters.views[name]
            if name == "embedding":
                view, of_labels = np.split(view, [self.config.vocabulary])
                theirs, of_their_labels = np.split(theirs, [other.config.vocabulary])
                of_labels[...] = of_their_labels if other.config.labels else 0
            view[: len(theirs)] = theirs
            if name in of_head and len(view) > len(theirs):
                view[len(theirs) :] = theirs[like]

    def under(self, label: int) -> "LanguageModel":
        """The same model, with the same parameters, reading every text under one label."""
        found = copy(self)
        found.label = label
        return found

    def labelled(self, tokens: Ids, labels: Ids) -> Ids:
        """Inputs [2, T, B] of tokens and the labels of their texts, both [T, B]; a label of -1 is none."""
        return np.stack((tokens, np.where(labels < 0, -1, self.config.vocabulary + labels)))

    def gathering(self) -> "LanguageModel":
        """The same model, with the same parameters, gathering embeddings however small its vocabulary is."""
        found = copy(self)
        found.stack = Stack(self.config, gather=True)
        return found

    def _read(self, inputs: Ids) -> Ids:
        """The inputs as the stack reads them.

        Raises:
            UsageError: the model's texts have labels, and neither the inputs nor the model say which.
        """
        if self.label is not None:
            return self.labelled(inputs, np.full_like(inputs, self.label))
        if self.config.labels and inputs.ndim == 2:  # noqa: PLR2004 - tokens alone
            raise UsageError("this model reads a text under a label, and no label is named")
        return inputs

    def new_workspace(self, time: int, batch: int, *, keep: bool = True) -> Workspace:
        """Allocate room for windows of up to ``time`` steps of ``batch`` lanes, and pack the operands.

        Without ``keep`` nothing is kept for a way back: for those who only run forward.
        """
        dtype = self.parameters.dtype
        operands = self.stack.new_operands(dtype, single=is_single(time, batch, keep=keep))
        tape, scratch = self.stack.new_tape(time, batch, dtype, keep=keep), self.head.new_scratch(time * batch, dtype)
        d_operands = self.stack.new_gradient_operands(operands) if keep else ()
        columns = self.stack.new_columns(tape, dtype)
        work = Workspace(operands, d_operands, tape, columns, scratch)
        self.pack(work)
        return work

    def pack(self, work: Workspace, how: Regularization = OFF) -> None:
        """Derive the operands from the parameters, for a window without the connections that are dropped in it."""
        self.stack.pack(self.parameters, work.operands, work.tape, how)

    def initial_states(self, batch: int) -> States:
        """The states in which a text begins, as copies."""
        return self.stack.initial_states(self.parameters, batch)

    def zero_states(self, batch: int) -> States:
        """Zeros in the shape of the states: the gradient of states that nothing depends on."""
        return self.stack.zero_states(batch, self.parameters.dtype)

    def _forward(
        self, work: Workspace, inputs: Ids, starts: Flags | None, states: States, how: Regularization = OFF
    ) -> tuple[Array, States]:
        """The top layer's output as columns [H, T * B], and the states after."""
        after = self.stack.forward(self.parameters, work.operands, work.tape, inputs, starts, states, how)
        T, B = inputs.shape[-2:]
        if T == 1:
            return work.tape.activations[0], after
        columns = work.columns.second[: self.config.hidden, : T * B]
        write_columns(columns, work.tape.activations[:T])
        return columns, after

    def loss_and_gradients(
        self,
        work: Workspace,
        inputs: Ids,
        targets: Ids,
        starts: Flags,
        states: States,
        how: Regularization = OFF,
        upstream: tuple[Array, States] | None = None,
    ) -> tuple[float, States, States]:
        """One window of truncated backpropagation through time: the loss and every gradient.

        Args:
            work: packed for this window; its tape is overwritten, and ``parameters.gradients`` too.
            inputs: [T, B], ids; -1 is the zero vector. Where texts have labels, what ``labelled`` gives.
            targets: [T, B], ids; -1 is not counted.
            starts: [T, B]; where True, the states are the initial ones before that step.
            states: carried from the window before; no gradient flows into it (that is the truncation).
            how: what to do against learning by heart; the loss is told without what that adds.
            upstream: gradients of something added to the loss, with respect to the top layer's output
                [H, T, B] and the final states.

        Returns:
            The mean loss in nats, the states after the last step, and the gradients with respect to ``states``.
        """
        inputs = self._read(inputs)
        columns, after = self._forward(work, inputs, starts, states, how)
        (T, B), H, tape = inputs.shape[-2:], self.config.hidden, work.tape
        activations = columns.reshape(H, T, B, copy=False)
        d_columns = work.columns.first[:H, : T * B]
        d_activations = d_columns.reshape(H, T, B, copy=False)
        total, count = self.head.loss_and_gradients(
            self._head_views, self._head_gradients, activations, targets, d_activations, work.scratch, how.smoothing
        )
        d_after = self.zero_states(B)
        if upstream is not None:
            d_activations += upstream[0]
            d_after = upstream[1]
        write_steps(tape.d_outputs[:T], d_columns)
        d_states = self.stack.backward(
            self.parameters, work.operands, work.d_operands, tape, work.columns, inputs, starts, d_after
        )
        return total / max(count, 1), after, d_states

    def advance(self, work: Workspace, inputs: Ids, starts: Flags | None, states: States) -> States:
        """The states after a window, for tokens whose predictions nobody needs."""
        return self.stack.forward(self.parameters, work.operands, work.tape, self._read(inputs), starts, states)

    def log_probabilities(
        self, work: Workspace, inputs: Ids, targets: Ids, starts: Flags, states: States
    ) -> tuple[Array, States]:
        """Log-probability in nats of each target [T, B] (float64, 0 where it is -1), and the states after."""
        columns, after = self._forward(work, self._read(inputs), starts, states)
        activations = columns.reshape(self.config.hidden, *targets.shape, copy=False)
        return self.head.log_probabilities(self._head_views, activations, targets, work.scratch), after

    def logits(self, work: Workspace, inputs: Ids, starts: Flags | None, states: States) -> tuple[Array, States]:
        """Log-probabilities of every next token, [V, T, B], that may lack their normalisation, and the states after."""
        columns, after = self._forward(work, self._read(inputs), starts, states)
        return self.head.logits(self._head_views, columns).reshape(-1, *inputs.shape[-2:]), after
