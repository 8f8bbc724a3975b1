"""A trained tagger or classifier as one file that can be shared: weights, vocabulary, labels, and how it came to be."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from charlm.checkpoint import (
    FORMAT,
    LABEL_TENSORS,
    MODEL_FILE,
    VOCABULARY_TENSORS,
    check_kind,
    check_record,
    label_tensors,
    string_tensors,
    vocabulary_of,
    vocabulary_tensors,
)
from charlm.errors import ModelError, UsageError
from charlm.files import Tensors, expect_tensors, read_tensors
from charlm.labelling.config import KINDS, LabellingConfig
from charlm.labels.label_set import LabelSet
from charlm.nn.label_config import LabelModelConfig
from charlm.nn.label_model import LabelModel, parameter_specs
from charlm.seal import sealed_bytes, unsealed
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import Vocabulary

_KEYS = {"format", "kind", "model", "text", "record"}
_CHARACTERS = ("spelling.data", "spelling.offsets", "spelling.counts")
"""Names of the tensors of the vocabulary of characters, where words' spellings are read."""


@dataclass(frozen=True)
class Labeler:
    """A label model with what its numbers stand for, and its record.

    Attributes:
        network: parameters in float32.
        vocabulary: of tokens.
        characters: of the characters that words are spelt with; None where spellings are not read.
        labels: which there are.
        text: how labelled texts are read.
        record: what was trained on what, and how well: JSON.
    """

    network: LabelModel
    vocabulary: Vocabulary
    characters: Vocabulary | None
    labels: LabelSet
    text: LabellingConfig
    record: Mapping[str, Any]

    @property
    def tokenizer(self) -> Tokenizer:
        """Cuts the texts of a classifier."""
        return Tokenizer(self.text.level, self.text.unit, self.vocabulary, self.text.lowercase)


def constants(vocabulary: Vocabulary, characters: Vocabulary | None, labels: LabelSet) -> dict[str, Any]:
    """What a model's file holds besides weights."""
    tensors = vocabulary_tensors(vocabulary) | label_tensors(labels)
    if characters is not None:
        tensors |= dict(zip(_CHARACTERS, vocabulary_tensors(characters).values(), strict=True))
    return tensors


def constants_of(tensors: Tensors) -> tuple[Vocabulary, Vocabulary | None, LabelSet]:
    """What ``constants`` was given, from the tensors of a file.

    Raises:
        KeyError: a tensor is missing.
        ModelError: they are not those of a vocabulary or of labels.
    """
    has_characters = _CHARACTERS[0] in tensors
    characters = Vocabulary.from_arrays(*(tensors[name] for name in _CHARACTERS)) if has_characters else None
    return vocabulary_of(tensors), characters, LabelSet.from_arrays(*(tensors[name] for name in LABEL_TENSORS))


def labeler_bytes(model: Labeler) -> bytes:
    """The bytes of the model's file; the same model gives the same bytes.

    Raises:
        OutputError: a weight is NaN or infinite.
    """
    tensors: dict[str, Any] = dict(model.network.parameters.views)
    tensors |= constants(model.vocabulary, model.characters, model.labels)
    metadata = {
        "format": FORMAT,
        "kind": model.text.kind,
        "model": model.network.config.to_json(),
        "text": model.text.to_json(),
        "record": model.record,
    }
    return sealed_bytes(tensors, metadata)


def load_labeler(path: Path, kind: str | None = None) -> Labeler:
    """Read the file of a tagger or classifier, or the one in a run's folder.

    Args:
        path: of the file or folder.
        kind: which of the two it must be; None for either.

    Raises:
        ModelError: it is missing, damaged, of another kind or format, or does not fit itself.
    """
    file = path / MODEL_FILE if os.path.isdir(path) else path  # noqa: PTH112 - Path.is_dir raises where it may not look
    tensors, metadata = read_tensors(file)
    try:
        return _from_file(file, tensors, metadata, kind)
    except (KeyError, UsageError, ModelError) as error:
        message = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(message if str(file) in message else f"{file}: {message}") from error


def _from_file(file: Path, tensors: Tensors, metadata: dict[str, Any], kind: str | None) -> Labeler:
    check_kind(file, metadata, KINDS if kind is None else (kind,))
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{file} has format {metadata.get('format')}, this charlm reads {FORMAT}: train it anew")
    metadata = unsealed(file, tensors, metadata)
    if set(metadata) != _KEYS:
        raise ModelError(f"{file} is damaged: its metadata has the keys {', '.join(sorted(metadata))}")
    check_record(metadata["record"])
    config, text = LabelModelConfig.from_json(metadata["model"]), LabellingConfig.from_json(metadata["text"])
    if text.kind != metadata["kind"] or text.per_token != (config.unit == "token"):
        raise ModelError(f"{file} is damaged: its metadata describe two kinds of model")
    vocabulary, characters, labels = constants_of(tensors)
    check_labeler(file, tensors, config)
    if not text.per_token:
        Tokenizer(text.level, text.unit, vocabulary, text.lowercase)  # which notices what is no token at its level
    network = LabelModel(config)
    for name, view in network.parameters.views.items():
        view[...] = tensors[name]
    return Labeler(network, vocabulary, characters, labels, text, metadata["record"])


def check_labeler(file: Path, tensors: Tensors, config: LabelModelConfig) -> None:
    """Check that tensors are the parameters of such a model, and vocabularies and labels of its sizes.

    Args:
        file: for the message.
        tensors: what was read.
        config: what its metadata say of the model.

    Raises:
        ModelError: they are not.
        UsageError: the configuration names a block or option that does not exist.
    """
    expected: dict[str, tuple[tuple[int, ...], Any]] = {
        spec.name: (spec.shape, np.float32) for spec in parameter_specs(config)
    }
    expected |= string_tensors(VOCABULARY_TENSORS, config.vocabulary, tensors)
    expected |= string_tensors(LABEL_TENSORS, config.labels, tensors)
    if config.characters:
        expected |= string_tensors(_CHARACTERS, config.characters, tensors)
    expect_tensors(file, tensors, expected)
