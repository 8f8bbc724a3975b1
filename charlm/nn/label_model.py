"""Models of labels: a label for each token of a text (tagging), or one for the whole text (classification).

x_t = embedding of token t [; its spelling, read by the character network]
a_t = the encoder's output, of one direction or two
y_t = head(a_t)                         a label a token
y   = head(pooled over t of a_t)        a label a text
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array, Ids
from charlm.nn.characters import CharacterNetwork, CharacterWork
from charlm.nn.columns import write_columns, write_steps
from charlm.nn.encoder import EncoderWork
from charlm.nn.heads.cross_entropy import Real
from charlm.nn.heads.labels import make_label_head
from charlm.nn.label_config import LabelModelConfig
from charlm.nn.language_model import LanguageModel
from charlm.nn.parameters import Parameters, ParameterSpec, below
from charlm.nn.pooling import Pooled, Pooling
from charlm.nn.reader import Reader
from charlm.nn.regularization import OFF, Regularization
from charlm.nn.text_lanes import TextLanes
from charlm.nn.transfer import check_transfer, take_over

HEAD, CHARACTERS = "head.", "characters."
"""What the names of the head's parameters, and of the character network's, begin with."""


@dataclass
class LabelWorkspace:
    """The memory that one user of a model works in; it grows where a batch is larger than any before.

    After the model's parameters change, ``LabelModel.pack`` brings the operands up to date.
    """

    reader: EncoderWork
    characters: CharacterWork | None
    pooled: Pooled | None = None  # of the last batch, where the unit is the text


def parameter_specs(config: LabelModelConfig) -> list[ParameterSpec]:
    """Name and shape of every parameter of a model, without making it.

    Raises:
        UsageError: the configuration names a block or option that does not exist.
    """
    network = _character_network(config)
    spelling = [] if network is None else network.parameter_specs()
    head = make_label_head(config.output, config.encoder.output_size, config.labels)
    return [
        *Reader(config.vocabulary, config.embedding, config.encoder).parameter_specs(),
        *(spec._replace(name=f"{CHARACTERS}{spec.name}") for spec in spelling),
        *(spec._replace(name=f"{HEAD}{spec.name}") for spec in head.parameter_specs()),
    ]


def _character_network(config: LabelModelConfig) -> CharacterNetwork | None:
    if not config.characters:
        return None
    return CharacterNetwork(config.characters, config.char_embedding, config.char_hidden, config.cell, config.options)


class LabelModel:
    """Embedding, character network, encoder and label head with their parameters.

    Args:
        config: its shape.
        dtype: float32 to train and use, float64 to check.

    Raises:
        UsageError: the configuration names a block or option that does not exist.
    """

    def __init__(self, config: LabelModelConfig, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.reader = Reader(config.vocabulary, config.embedding, config.encoder)
        self.network = _character_network(config)
        self.pooling = Pooling(config.pooling, config.hidden)
        self.head = make_label_head(config.output, config.encoder.output_size, config.labels)
        self.parameters = Parameters(parameter_specs(config), dtype)
        views, gradients = self.parameters.views, self.parameters.gradients
        self._head = below(views, HEAD), below(gradients, HEAD)
        self._characters = below(views, CHARACTERS), below(gradients, CHARACTERS)

    def initialize(self, seed: int) -> None:
        """Draw the parameters' first values; the same seed gives the same values in every dtype."""
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0])))
        self.reader.initialize(self.parameters.views, generator)
        if self.network is not None:
            self.network.initialize(self._characters[0], generator)
        self.head.initialize(self._head[0], generator)

    def take_over(self, other: LanguageModel) -> None:
        """Take the embedding of a language model, and its layers for the direction that reads forward.

        The vocabulary may begin with the language model's and go on. Everything else stays as it was drawn; only
        weights of the forward direction on what the language model does not read become small.

        Raises:
            UsageError: the sizes or the blocks differ; the message names what does.
        """
        check_transfer(self.config, other.config)
        take_over(self.parameters.views, other.parameters.views, other.config.vocabulary)

    def new_workspace(self, time: int = 1, batch: int = 1, *, keep: bool = True) -> LabelWorkspace:
        """Allocate room for ``batch`` lanes of up to ``time`` steps, and pack the operands.

        Without ``keep`` nothing is kept for a way back: for those who only run forward.
        """
        dtype = self.parameters.dtype
        work = LabelWorkspace(
            self.reader.encoder.new_work(time, batch, dtype, keep=keep),
            None if self.network is None else self.network.new_work(dtype, keep=keep),
        )
        self.pack(work)
        return work

    def pack(self, work: LabelWorkspace, how: Regularization = OFF) -> None:
        """Derive the operands from the parameters, for a batch without the connections that are dropped in it."""
        self.reader.encoder.pack(self.parameters.views, work.reader, how)
        if self.network is not None and work.characters is not None:
            self.network.reader.encoder.pack(self._characters[0], work.characters.reader, how)

    def _forward(self, work: LabelWorkspace, lanes: TextLanes, how: Regularization = OFF) -> Array:
        """What the head reads, [rows, N]: of N tokens, those of places without a text among them, or of N texts."""
        more = None
        if self.network is not None:
            assert work.characters is not None, "a workspace of another model"
            assert lanes.forms is not None, "these lanes have no spellings"
            more = self.network.forward(self._characters[0], work.characters, lanes.forms, how)
        outputs = self.reader.forward(self.parameters.views, work.reader, lanes, more, how)
        if self.config.unit == "text":
            work.pooled = self.pooling.forward(outputs, lanes)
            return work.pooled.columns
        columns = work.reader.room.columns.second[: outputs.shape[1], : lanes.ids.size]
        write_columns(columns, outputs)
        return columns

    def loss_and_gradients(
        self,
        work: LabelWorkspace,
        lanes: TextLanes,
        targets: Ids,
        how: Regularization = OFF,
        weights: Array | None = None,
    ) -> float:
        """The loss of a batch of texts, and every gradient.

        Args:
            work: packed for this batch; its tape is overwritten, and ``parameters.gradients`` too.
            lanes: the texts.
            targets: labels, [T, B] of tokens or [N] of texts; -1 is not counted.
            how: what to do against learning by heart, but for penalties on activations; the loss is told without what
                it adds.
            weights: [K], what a target of each label counts in the mean; None: 1.

        Returns:
            The mean loss in nats a target.
        """
        loss, _ = self._there_and_back(work, lanes, targets, how, weights)
        return loss

    def _there_and_back(
        self,
        work: LabelWorkspace,
        lanes: TextLanes,
        targets: Ids,
        how: Regularization = OFF,
        weights: Array | None = None,
    ) -> tuple[float, Array]:
        """The mean loss, and its gradient by what the encoder reads, [X, T * B], a view into ``work``."""
        assert how.activation == how.slowness == 0, "penalties on activations are of language models alone"
        columns, room = self._forward(work, lanes, how), work.reader.room
        d_outputs = room.d_outputs[: len(lanes.ids)]
        if work.pooled is None:
            d_columns = room.columns.first[: len(columns), : lanes.ids.size]
        else:
            d_columns = np.empty_like(columns)
        loss = self.head.loss_and_gradients(
            *self._head, columns, targets.reshape(-1), d_columns, weights, how.smoothing
        )
        if work.pooled is None:
            write_steps(d_outputs, d_columns)
        else:
            self.pooling.backward(d_columns, work.pooled, lanes, d_outputs)
        parameters = self.parameters
        d_input = self.reader.backward(parameters.views, parameters.gradients, work.reader, lanes)
        if self.network is not None:
            assert work.characters is not None, "a workspace of another model"
            assert lanes.forms is not None, "these lanes have no spellings"
            d_spelling = d_input[self.config.embedding :]
            self.network.backward(*self._characters, work.characters, lanes.forms, d_spelling)
        return loss, d_input

    def log_probabilities(self, work: LabelWorkspace, lanes: TextLanes) -> Real:
        """Log-probability in nats of every label, [K, T, B] of tokens or [K, N] of texts.

        Of a sigmoid: of each label by itself. Nothing is said of places where no text is.
        """
        found = self.head.log_probabilities(self._head[0], self._forward(work, lanes))
        return found if self.config.unit == "text" else found.reshape(-1, *lanes.ids.shape)

    def losses(self, work: LabelWorkspace, lanes: TextLanes, targets: Ids) -> Real:
        """The loss in nats of each target, in the shape of the targets; 0 where it is -1."""
        columns = self._forward(work, lanes)
        return self.head.losses(self._head[0], columns, targets.reshape(-1)).reshape(targets.shape)

    def judge(self, work: LabelWorkspace, lanes: TextLanes, targets: Ids) -> tuple[Real, Ids]:
        """The loss in nats of each target, 0 where it is -1, and the likeliest label in its place."""
        columns = self._forward(work, lanes)
        losses = self.head.losses(self._head[0], columns, targets.reshape(-1))
        likeliest = self.head.log_probabilities(self._head[0], columns).argmax(axis=0)
        return losses.reshape(targets.shape), likeliest.reshape(targets.shape)

    def input_gradients(self, work: LabelWorkspace, lanes: TextLanes, targets: Ids) -> Array:
        """What each token did for the targets: gradient times input, of minus the sum of the losses.

        It is above 0 for a token that speaks for the targets, below for one that speaks against them. Overwrites
        ``parameters.gradients``.

        Returns:
            [T, B], float64; 0 where no text is.
        """
        _, d_input = self._there_and_back(work, lanes, targets)
        time, batch = lanes.ids.shape
        # What was read still stands where it was written.
        x = work.reader.room.tapes[0][0].x[:time]
        product = np.einsum("txb,xtb->tb", x, d_input.reshape(-1, time, batch, copy=False), dtype=np.float64)
        return np.where(lanes.ids >= 0, -product * np.count_nonzero(targets >= 0), 0)
