"""Taggers and classifiers as what a run trains: batches of whole texts in a seeded order, and the model's file."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from charlm.files import Tensors
from charlm.labelling.corpus import LabelCorpus
from charlm.labelling.dataset import Dataset, cut_batches
from charlm.labelling.model import Labeler, constants, labeler_bytes, load_labeler
from charlm.labelling.predicting import LabelCost, evaluate
from charlm.nn.arrays import Array, Views
from charlm.nn.label_config import LabelModelConfig
from charlm.nn.label_model import LabelModel
from charlm.nn.language_model import LanguageModel
from charlm.nn.regularization import Regularization
from charlm.train_config import TrainConfig
from charlm.training.subject import Saved, Subject
from charlm.training.work import Work

_ORDER = 3
"""What sets the orders of texts apart from other things that follow from the seed."""


class LabelWork(Work):
    """Whole texts, as many at a time as a window has room for.

    Args:
        network: initialised; its parameters change.
        train: what it learns from.
        valid: what validates it.
        config: how to train; a step takes about ``window`` times ``batch`` tokens, in ``batch`` lanes.
        weights: [K], what a target of each label counts; None: all the same.
    """

    network: LabelModel

    def __init__(
        self,
        network: LabelModel,
        train: Dataset,
        valid: Dataset,
        config: TrainConfig,
        weights: Array | None = None,
    ) -> None:
        self.network = network
        self.train, self.valid = train, valid
        self.weights = weights
        self.step_tokens = config.window * config.batch
        self.epoch = self.dealt = 0
        self._lanes, self._seed = config.batch, config.seed
        self._per_token = network.config.unit == "token"
        self._batches = self._deal()
        self._memory = network.new_workspace(config.window, config.batch)

    def _deal(self) -> Iterator[list[int]]:
        """The batches from where the sequence is, without end."""
        while True:
            seed = np.random.SeedSequence([self._seed, _ORDER, self.epoch])
            order = np.random.Generator(np.random.PCG64(seed)).permutation(len(self.train))
            for batch in islice(cut_batches(self.train.lengths, order, self.step_tokens), self.dealt, None):
                self.dealt += 1
                yield batch
            self.epoch += 1
            self.dealt = 0

    def loss_and_gradients(self, how: Regularization) -> float:
        lanes, targets = self.train.batch(next(self._batches), self._lanes, per_token=self._per_token)
        self.network.pack(self._memory, how)
        return self.network.loss_and_gradients(self._memory, lanes, targets, how, self.weights)

    def accept(self) -> None:
        """Nothing is carried from one batch to the next."""

    def begin_anew(self) -> None:
        """Nothing is carried from one batch to the next."""

    def evaluate(self) -> LabelCost:
        return evaluate(self.network, self.valid)

    def validation_tokens(self) -> int:
        return len(self.valid.ids)

    def place(self) -> dict[str, Array]:
        return {"place.epoch": np.array([self.epoch, self.dealt], np.int64)}

    def move_to(self, place: Mapping[str, Any]) -> None:
        epoch, dealt = (int(n) for n in place["place.epoch"])
        if not (0 <= epoch < 1 << 53 and 0 <= dealt <= len(self.train)):
            raise ValueError("the texts have no such place")
        self.epoch, self.dealt = epoch, dealt
        self._batches = self._deal()


class LabelSubject(Subject):
    """A tagger or a classifier of labelled texts.

    Args:
        model: its shape.
        corpus: what it is made of.
        train: how it is trained.
        base: a language model to start from, whose vocabulary the corpus's begins with.
    """

    work: LabelWork

    def __init__(
        self, model: LabelModelConfig, corpus: LabelCorpus, train: TrainConfig, base: LanguageModel | None = None
    ) -> None:
        self.model, self.text = model, corpus.text
        self.corpus = corpus
        self._base, self._seed = base, train.seed
        weights = corpus.weights()
        self.work = LabelWork(self._begun_network(), corpus.train, corpus.valid, train, weights)

    def _begun_network(self) -> LabelModel:
        network = LabelModel(self.model)
        network.initialize(self._seed)
        if self._base is not None:
            network.take_over(self._base)
        return network

    def begun_weights(self) -> Views:
        return self._begun_network().parameters.views

    def to_json(self) -> dict[str, Any]:
        return {"model": self.model.to_json(), "text": self.text.to_json()}

    def file_bytes(self, record: Mapping[str, Any]) -> bytes:
        known = self.corpus.known
        model = Labeler(self.work.network, known.vocabulary, known.characters, known.labels, self.text, record)
        return labeler_bytes(model)

    def read(self, file: Path) -> Saved:
        found = load_labeler(file, self.text.kind)
        described = {"model": found.network.config.to_json(), "text": found.text.to_json()}
        return Saved(found.network.parameters.views, described, found.record)

    def constants(self) -> Tensors:
        known = self.corpus.known
        return constants(known.vocabulary, known.characters, known.labels)
