"""A trained model as one file that can be shared: weights, vocabulary, and how it came to be."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.config import BaseRecord, CorpusRecord, ModelConfig, TextConfig, require
from charlm.errors import ModelError, UsageError
from charlm.files import Tensors, expect_tensors, read_tensors
from charlm.labels.label_set import LabelSet
from charlm.lanes import TextLabels
from charlm.nn.arrays import Ids
from charlm.nn.fitting import fitting_text
from charlm.nn.language_model import LanguageModel, parameter_specs
from charlm.scoring import Evaluation, Parts, TokenScores, evaluate, score_texts, score_tokens
from charlm.seal import sealed_bytes, unsealed
from charlm.text.parts import Part
from charlm.text.reading import check_encoding
from charlm.text.tokenizer import Tokenizer, read_as
from charlm.text.vocabulary import Vocabulary
from charlm.train_config import TrainConfig

FORMAT = 5
"""Version of the file format; the two before are read too, any other is refused."""
_UNSEALED, _FIRST = 4, 3
"""The format before, which has no digest, and the one before that, whose models are described by fewer fields."""
MODEL_FILE = "model.safetensors"
LANGUAGE_MODEL = "language model"
_READ_BY = {
    LANGUAGE_MODEL: "charlm sample, score, rank, which, diff, next, eval, explain, neurons, gradients, vocab, export "
    "and charlm info",
    "tagger": "charlm tag apply, charlm tag eval and charlm info",
    "classifier": "charlm classify apply, charlm classify eval and charlm info",
    "n-gram model": "charlm ngram score, eval and export, and charlm info",
}
"""The kinds of model that there are, and the commands that are for them."""
_KEYS = {"format", "kind", "model", "text", "record"}
_ABOUT = {"corpus": dict, "made_with": dict, "base": dict | None}
_RECORD = {
    **_ABOUT,
    "train": dict,
    "step": int,
    "valid_nats_per_token": float | int | None,
}
VOCABULARY_TENSORS = ("vocabulary.data", "vocabulary.offsets", "vocabulary.counts")
LABEL_TENSORS = ("labels.data", "labels.offsets", "labels.counts")


@dataclass(frozen=True)
class TrainedModel:
    """A network with its tokenizer and its record.

    Attributes:
        network: parameters in float32.
        tokenizer: text to ids and back.
        text: how the corpus was read and split.
        record: what was trained on what, and how well: JSON.
        labels: which its texts have; None for a model of texts without.
    """

    network: LanguageModel
    tokenizer: Tokenizer
    text: TextConfig
    record: Mapping[str, Any]
    labels: LabelSet | None = None

    @property
    def line_end(self) -> int | None:
        """The id that ends a line where every line is a text of its own; None where lines follow one another."""
        return self.tokenizer.line_end_id if self.text.independent_lines else None

    @property
    def label_names(self) -> tuple[str, ...] | None:
        """The names of its labels, by id; None where it has none."""
        return None if self.labels is None else self.labels.names

    def under(self, label: str | None) -> "TrainedModel":
        """The model reading every text under one of its labels; a model without labels, under none, is itself.

        Raises:
            UsageError: it has labels and none is named, or this is none of them.
        """
        if self.labels is None:
            if label is not None:
                raise UsageError(f"--label {label} goes with a model of texts with labels, and this one has none")
            return self
        if label is None:
            raise UsageError(f"this model needs a label: name one of {self.labels} with --label")
        if label not in self.labels.names:
            raise UsageError(f"the model has no label {label!r}: --label takes one of {self.labels}")
        return replace(self, network=self.network.under(self.labels.names.index(label)))

    def score_texts(self, texts: Sequence[Ids]) -> list[NDArray[np.float64]]:
        """Log-probability (nats) of every token of each text, each from a start."""
        return score_texts(self.network, texts)

    def score_tokens(self, texts: Sequence[Ids], best: int = 0) -> list[TokenScores]:
        """As ``score_texts``, with rank and entropy of each token, and so many of the likeliest in its place."""
        return score_tokens(self.network, texts, best)

    def evaluate(self, part: Part, *, exact: bool = False, by_part: Parts | None = None) -> Evaluation:
        """What encoded text costs, each line under its label; see ``charlm.scoring.evaluate``."""
        line_end, unknown = self.line_end, self.tokenizer.unknown_id
        labels = None if part.labels is None else TextLabels.of_lines(part.ids, line_end, part.labels)
        return evaluate(
            self.network, part.ids, line_end=line_end, unknown=unknown, exact=exact, by_part=by_part, labels=labels
        )


def model_bytes(model: TrainedModel) -> bytes:
    """The bytes of the model's file; the same model gives the same bytes.

    Raises:
        OutputError: a weight is NaN or infinite.
    """
    tensors: dict[str, Any] = dict(model.network.parameters.views)
    tensors.update(vocabulary_tensors(model.tokenizer.vocabulary))
    tensors.update(label_tensors(model.labels))
    metadata = {
        "format": FORMAT,
        "kind": LANGUAGE_MODEL,
        "model": model.network.config.to_json(),
        "text": model.text.to_json(),
        "record": model.record,
    }
    return sealed_bytes(tensors, metadata)


def vocabulary_tensors(vocabulary: Vocabulary) -> dict[str, Any]:
    """A vocabulary as the tensors of a file."""
    return dict(zip(VOCABULARY_TENSORS, (vocabulary.data, vocabulary.offsets, vocabulary.counts), strict=True))


def vocabulary_of(tensors: Tensors) -> Vocabulary:
    """The vocabulary among the tensors of a file.

    Raises:
        KeyError: a tensor is missing.
        ModelError: they are not those of a vocabulary.
    """
    return Vocabulary.from_arrays(*(tensors[name] for name in VOCABULARY_TENSORS))


def label_tensors(labels: LabelSet | None) -> dict[str, Any]:
    """Labels as the tensors of a file; none where there are no labels."""
    return {} if labels is None else dict(zip(LABEL_TENSORS, labels.to_arrays(), strict=True))


def labels_of(tensors: Tensors) -> LabelSet | None:
    """The labels among the tensors of a file, if there are any.

    Raises:
        KeyError: a tensor is missing.
        ModelError: they are not those of labels.
    """
    return LabelSet.from_arrays(*(tensors[name] for name in LABEL_TENSORS)) if LABEL_TENSORS[0] in tensors else None


def load_model(path: Path) -> TrainedModel:
    """Read a model file, or the one in a run's folder.

    Raises:
        ModelError: it is missing, damaged, of another format, or does not fit itself.
    """
    file = path / MODEL_FILE if os.path.isdir(path) else path  # noqa: PTH112 - Path.is_dir raises where it may not look
    tensors, metadata = read_tensors(file)
    try:
        return _from_file(file, tensors, metadata)
    except (UsageError, ModelError) as error:
        message = str(error)
        raise ModelError(message if str(file) in message else f"{file}: {message}") from error


def check_kind(file: Path, metadata: Mapping[str, Any], wanted: tuple[str, ...]) -> None:
    """Check that a file is a model of one of these kinds.

    Raises:
        ModelError: it is of another; the message says which, and what reads it.
    """
    kind, either = metadata.get("kind", "something unnamed"), " or ".join(wanted)
    if kind in wanted:
        return
    if isinstance(kind, str) and kind in _READ_BY:
        called = f"an {kind}" if kind.startswith("n-") else f"a {kind}"
        raise ModelError(f"{file} is {called}, not a {either}: it is for {_READ_BY[kind]}")
    raise ModelError(f"{file} holds no {either} but: {kind}")


def check_about(about: Any, kinds: Mapping[str, Any] = _ABOUT) -> None:
    """Check what a record says of the corpus, the machine and the model that a run began with.

    Args:
        about: a JSON value.
        kinds: what it must hold: key -> type.

    Raises:
        ModelError: something is missing or of another type.
    """
    if not isinstance(about, dict):
        raise ModelError("its record is damaged: it is no JSON object")
    wrong = [key for key, kind in kinds.items() if key not in about or not isinstance(about[key], kind)]
    if wrong:
        raise ModelError(f"its record is damaged: {', '.join(wrong)} missing or of another type")
    CorpusRecord.from_json(about["corpus"])
    if about["base"] is not None:
        BaseRecord.from_json(about["base"])


def check_record(record: Any) -> None:
    """Check what commands read of a record.

    Raises:
        ModelError: something is missing or of another type.
    """
    check_about(record, _RECORD)
    valid = record["valid_nats_per_token"]
    if valid is not None and not math.isfinite(valid):
        raise ModelError("its record is damaged: its validation loss is not finite")
    TrainConfig.from_json(record["train"])


def tokenizer_of(text: TextConfig, vocabulary: Vocabulary) -> Tokenizer:
    """The tokenizer of texts that are read so.

    Raises:
        ModelError: the vocabulary is not one of this level.
        UsageError: a value is out of its range, or does not go with another.
    """
    if read_as(text.level, text.encoding) is not None:
        check_encoding(text.encoding)
    require("the most characters that validate", text.most_validated, minimum=1)
    if text.valid_fraction is not None:
        require("--valid-fraction", text.valid_fraction, above=0, below=1)
    return Tokenizer(text.level, text.unit, vocabulary, text.lowercase)


def check_tensors(file: Path, tensors: Tensors, config: ModelConfig) -> None:
    """Check that tensors are the parameters of such a model, a vocabulary and labels of its size, before it is made.

    Args:
        file: for the message.
        tensors: what was read.
        config: what its metadata say of the model.

    Raises:
        ModelError: they are not; the message says what they fit instead.
        UsageError: the configuration names a block or option that does not exist.
    """
    expected: dict[str, tuple[tuple[int, ...], Any]] = {
        spec.name: (spec.shape, np.float32) for spec in parameter_specs(config)
    }
    expected |= string_tensors(VOCABULARY_TENSORS, config.vocabulary, tensors)
    if config.labels:
        expected |= string_tensors(LABEL_TENSORS, config.labels, tensors)
    try:
        expect_tensors(file, tensors, expected)
    except ModelError as error:
        shapes = {
            name: tensor.shape for name, tensor in tensors.items() if name not in (*VOCABULARY_TENSORS, *LABEL_TENSORS)
        }
        found = fitting_text(shapes, config)
        raise ModelError(f"{error}; {found}" if found else str(error)) from error


def check_labels(config: ModelConfig, text: TextConfig) -> None:
    """Check that a model has labels if the text that it was trained on has.

    Raises:
        ModelError: one has, and the other has not.
    """
    if bool(config.labels) != text.labels:
        raise ModelError(f"its model has {config.labels} labels, but its text has {'some' if text.labels else 'none'}")


def string_tensors(names: Sequence[str], size: int, tensors: Tensors) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Shapes and types of the tensors that hold so many strings with their counts."""
    data, offsets, counts = names
    found = tensors.get(data)
    return {
        offsets: ((size + 1,), np.int64),
        counts: ((size,), np.int64),
        data: ((0,) if found is None else found.shape, np.uint8),
    }


def _from_file(file: Path, tensors: Tensors, metadata: dict[str, Any]) -> TrainedModel:
    if "format" in metadata:
        check_kind(file, metadata, (LANGUAGE_MODEL,))
    found = metadata.get("format")
    if found not in (FORMAT, _UNSEALED, _FIRST):
        raise ModelError(f"{file} has format {found}, this charlm reads {FORMAT}: use the charlm that wrote it")
    if found == FORMAT:
        metadata = unsealed(file, tensors, metadata)
    if set(metadata) != _KEYS:
        raise ModelError(f"{file} is damaged: its metadata has the keys {', '.join(sorted(metadata))}")
    check_record(metadata["record"])
    read = ModelConfig.from_format_before if found == _FIRST else ModelConfig.from_json
    config, text = read(metadata["model"]), TextConfig.from_json(metadata["text"])
    check_tensors(file, tensors, config)
    check_labels(config, text)
    tokenizer = tokenizer_of(text, vocabulary_of(tensors))
    network = LanguageModel(config)
    for name, view in network.parameters.views.items():
        view[...] = tensors[name]
    return TrainedModel(network, tokenizer, text, metadata["record"], labels_of(tensors))
