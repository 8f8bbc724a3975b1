"""A trained model as one file that can be shared: weights, vocabulary, and how it came to be."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from charlm.config import BaseRecord, CorpusRecord, ModelConfig, TextConfig, TrainConfig, require
from charlm.errors import ModelError, UsageError
from charlm.files import Tensors, expect_tensors, read_tensors
from charlm.nn.fitting import fitting_text
from charlm.nn.language_model import LanguageModel, parameter_specs
from charlm.seal import sealed_bytes, unsealed
from charlm.text.reading import check_encoding
from charlm.text.tokenizer import Tokenizer, read_as
from charlm.text.vocabulary import Vocabulary

FORMAT = 5
"""Version of the file format; the two before are read too, any other is refused."""
_UNSEALED, _FIRST = 4, 3
"""The format before, which has no digest, and the one before that, whose models are described by fewer fields."""
MODEL_FILE = "model.safetensors"
LANGUAGE_MODEL = "language model"
_READ_BY = {
    LANGUAGE_MODEL: "charlm sample, score, next, eval, explain, gradients, vocab, export",
    "tagger": "charlm tag apply, charlm tag eval",
    "classifier": "charlm classify apply, charlm classify eval",
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
_VOCABULARY = ("vocabulary.data", "vocabulary.offsets", "vocabulary.counts")


@dataclass(frozen=True)
class TrainedModel:
    """A network with its tokenizer and its record.

    Attributes:
        network: parameters in float32.
        tokenizer: text to ids and back.
        text: how the corpus was read and split.
        record: what was trained on what, and how well: JSON.
    """

    network: LanguageModel
    tokenizer: Tokenizer
    text: TextConfig
    record: Mapping[str, Any]

    @property
    def line_end(self) -> int | None:
        """The id that ends a line where every line is a text of its own; None where lines follow one another."""
        return self.tokenizer.line_end_id if self.text.independent_lines else None


def model_bytes(model: TrainedModel) -> bytes:
    """The bytes of the model's file; the same model gives the same bytes.

    Raises:
        OutputError: a weight is NaN or infinite.
    """
    tensors: dict[str, Any] = dict(model.network.parameters.views)
    tensors.update(vocabulary_tensors(model.tokenizer.vocabulary))
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
    return dict(zip(_VOCABULARY, (vocabulary.data, vocabulary.offsets, vocabulary.counts), strict=True))


def vocabulary_of(tensors: Tensors) -> Vocabulary:
    """The vocabulary among the tensors of a file.

    Raises:
        KeyError: a tensor is missing.
        ModelError: they are not those of a vocabulary.
    """
    return Vocabulary.from_arrays(*(tensors[name] for name in _VOCABULARY))


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
        raise ModelError(f"{file} is a {kind}, not a {either}: it is for {_READ_BY[kind]} and charlm info")
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
    """Check that tensors are the parameters of such a model and a vocabulary of its size, before it is made.

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
    size = config.vocabulary
    expected["vocabulary.offsets"] = ((size + 1,), np.int64)
    expected["vocabulary.counts"] = ((size,), np.int64)
    data = tensors.get("vocabulary.data")
    expected["vocabulary.data"] = ((0,) if data is None else data.shape, np.uint8)
    try:
        expect_tensors(file, tensors, expected)
    except ModelError as error:
        shapes = {name: tensor.shape for name, tensor in tensors.items() if name not in _VOCABULARY}
        found = fitting_text(shapes, config)
        raise ModelError(f"{error}; {found}" if found else str(error)) from error


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
    tokenizer = tokenizer_of(text, vocabulary_of(tensors))
    network = LanguageModel(config)
    for name, view in network.parameters.views.items():
        view[...] = tensors[name]
    return TrainedModel(network, tokenizer, text, metadata["record"])
