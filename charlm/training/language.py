"""The language model as what a run trains: windows of a stream of tokens, carried states, and the model's file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from charlm.checkpoint import TrainedModel, label_tensors, load_model, model_bytes, vocabulary_tensors
from charlm.config import ModelConfig, TextConfig
from charlm.files import Tensors
from charlm.labels.label_set import LabelSet
from charlm.lanes import TextLabels
from charlm.nn.arrays import Array, Ids, States, Views
from charlm.nn.language_model import LanguageModel
from charlm.nn.regularization import Regularization
from charlm.scoring import Evaluation, evaluate, evaluation_tokens, model_inputs
from charlm.text.corpus import Corpus
from charlm.text.vocabulary import UNK
from charlm.train_config import TrainConfig
from charlm.training.batching import Batches, Stream
from charlm.training.subject import Saved, Subject
from charlm.training.windows import RandomWindows
from charlm.training.work import Work

_LENGTHS = "place.lengths"
"""What the place in the sequence of random lengths is called in a run's state."""


@dataclass(frozen=True)
class RunConfig:
    """All that decides a run besides its texts."""

    model: ModelConfig
    text: TextConfig
    train: TrainConfig

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "RunConfig":
        """From a JSON object.

        Raises:
            ModelError: a part is missing or does not fit.
        """
        return cls(
            ModelConfig.from_json(data.get("model")),
            TextConfig.from_json(data.get("text")),
            TrainConfig.from_json(data.get("train")),
        )


class LanguageWork(Work):
    """Truncated backpropagation through time along a stream.

    Args:
        network: initialised; its parameters change.
        stream: training tokens.
        valid: validation tokens.
        config: how to train.
        unknown: id of the unknown token, if there is one.
        labels: of the lines to train on and of those that validate, where they have some.
    """

    network: LanguageModel

    def __init__(
        self,
        network: LanguageModel,
        stream: Stream,
        valid: Ids,
        config: TrainConfig,
        *,
        unknown: int | None,
        labels: tuple[Ids | None, Ids | None] = (None, None),
    ) -> None:
        self.network = network
        self.labels, self.valid_labels = (
            None if each is None else TextLabels.of_lines(ids, stream.line_end, each)
            for ids, each in zip((stream.ids, valid), labels, strict=True)
        )
        self.stream = stream
        self.valid = valid
        self.unknown = unknown
        self.batches = Batches(stream, config.batch)
        self.states: States = network.initial_states(config.batch)
        self._after = self.states
        self.step_tokens = config.window * config.batch
        self._time, self._lanes = config.window, config.batch
        self.lengths = RandomWindows(config.window, config.seed) if config.random_windows else None
        self._training = network.gathering() if config.dropout_input else network
        self._memory = self._training.new_workspace(self.lengths.most if self.lengths else self._time, self._lanes)

    def loss_and_gradients(self, how: Regularization) -> float:
        time = self.lengths.next_length() if self.lengths else self._time
        self.window_share = time / self._time
        window, ids = self.batches.next_window(time), self.stream.ids
        inputs = model_inputs(window, ids, self.labels, self.network)
        self._training.pack(self._memory, how)
        loss, self._after, _ = self._training.loss_and_gradients(
            self._memory, inputs, window.targets(ids), window.starts, self.states, how
        )
        return loss

    def accept(self) -> None:
        self.states = self._after

    def begin_anew(self) -> None:
        self.states = self.network.initial_states(self._lanes)

    def evaluate(self) -> Evaluation:
        line_end = self.stream.line_end if self.stream.independent_lines else None
        return evaluate(self.network, self.valid, line_end=line_end, unknown=self.unknown, labels=self.valid_labels)

    def validation_tokens(self) -> int:
        return evaluation_tokens(self.valid.size, lines=self.stream.independent_lines)

    def tokens(self, steps: int) -> int:
        return super().tokens(steps) if self.lengths is None else self.lengths.steps * self._lanes

    def place(self) -> dict[str, Array]:
        tensors: dict[str, Any] = {f"place.{name}": array for name, array in self.batches.place().items()}
        if self.lengths is not None:
            tensors[_LENGTHS] = self.lengths.place()
        for k, layer in enumerate(self.states):
            tensors.update({f"states.{k}.{i}": array for i, array in enumerate(layer)})
        return tensors

    def move_to(self, place: Mapping[str, Any]) -> None:
        self.batches.move_to({name: place[f"place.{name}"] for name in ("lanes", "epoch")})
        if self.lengths is not None:
            self.lengths.move_to(place[_LENGTHS])
        self.states = tuple(
            tuple(np.array(place[f"states.{k}.{i}"]) for i in range(len(layer))) for k, layer in enumerate(self.states)
        )


class LanguageSubject(Subject):
    """A language model of a corpus.

    Args:
        config: what is trained and how.
        corpus: on what.
        base: the network to start from; the corpus's vocabulary is its own, with tokens added at the end or none.
    """

    work: LanguageWork

    def __init__(self, config: RunConfig, corpus: Corpus, base: LanguageModel | None = None) -> None:
        self.model, self.text = config.model, config.text
        self.corpus = corpus
        self._base = base
        self._seed = config.train.seed
        tokenizer, train = corpus.tokenizer, config.train
        stream = Stream(corpus.train.ids, tokenizer.line_end_id, corpus.independent_lines, train.restart, train.seed)
        self.labels = LabelSet(corpus.labels, corpus.label_counts) if corpus.labels else None
        self.work = LanguageWork(
            self._begun_network(),
            stream,
            corpus.valid.ids,
            train,
            unknown=tokenizer.unknown_id,
            labels=(corpus.train.labels, corpus.valid.labels),
        )

    def _begun_network(self) -> LanguageModel:
        network = LanguageModel(self.model)
        network.initialize(self._seed)
        if self._base is not None:
            network.take_over(self._base, like=UNK)
        return network

    def begun_weights(self) -> Views:
        return self._begun_network().parameters.views

    def to_json(self) -> dict[str, Any]:
        return {"model": self.model.to_json(), "text": self.text.to_json()}

    def file_bytes(self, record: Mapping[str, Any]) -> bytes:
        return model_bytes(TrainedModel(self.work.network, self.corpus.tokenizer, self.text, record, self.labels))

    def read(self, file: Path) -> Saved:
        found = load_model(file)
        described = {"model": found.network.config.to_json(), "text": found.text.to_json()}
        return Saved(found.network.parameters.views, described, found.record)

    def constants(self) -> Tensors:
        # A vocabulary that was begun with another corpus cannot be made again.
        return vocabulary_tensors(self.corpus.tokenizer.vocabulary) | label_tensors(self.labels)
