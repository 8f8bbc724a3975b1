"""A model as files for PyTorch, and back.

    state.safetensors   the state dict, in float32
    load_model.py       its module, which loads it
    score_text.py       scores texts with it
    vocabulary.json     the token of each id

The metadata of the state dict hold what PyTorch has no place for: configuration, vocabulary and record of the model,
and a digest of its weights, which tells whether they are still those that were exported.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from charlm.checkpoint import TrainedModel, check_record, load_model
from charlm.config import IMPORTED, ModelConfig, TextConfig
from charlm.errors import ModelError, OutputError, UsageError
from charlm.exchange.gates import conversion_of
from charlm.exchange.loader import loader, scorer
from charlm.exchange.state_dict import network_of, state_dict, state_shapes
from charlm.exchange.state_file import STATE_FILE, StateFile, misfits, read_state
from charlm.exchange.supported import refuse_labels
from charlm.exchange.tokens import token_list
from charlm.files import tensor_bytes
from charlm.nn.language_model import LanguageModel
from charlm.nn.registry import block_options
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import Vocabulary

FORMAT = 2
"""Version of the metadata; the one before is read too, any other is refused."""
KIND = "a state dict of PyTorch, which charlm import reads"
LOADER_FILE = "load_model.py"
SCORER_FILE = "score_text.py"
VOCABULARY_FILE = "vocabulary.json"
_KEYS = {"format", "kind", "model", "text", "record", "vocabulary", "weights"}
_MODULES = {4: "nn.LSTM", 3: "nn.GRU", 1: "nn.RNN"}
"""By the number of their gates."""


@dataclass(frozen=True)
class Imported:
    """A model that was read from a state dict, and whether its weights are others than those exported."""

    model: TrainedModel
    changed: bool


@dataclass(frozen=True)
class _Frame:
    """Everything of a model but its weights, of which there is only a digest."""

    config: ModelConfig
    text: TextConfig
    tokenizer: Tokenizer
    record: Mapping[str, Any]
    weights: str


def exported_files(model: TrainedModel) -> dict[str, bytes]:
    """What ``charlm export --to pytorch`` writes, by name: the state dict comes last.

    Raises:
        ModelError: no module of PyTorch computes the model, or it has labels.
        OutputError: the vocabulary is too large for the header of a safetensors file.
    """
    from safetensors import SafetensorError  # noqa: PLC0415 - only commands that touch models pay for it

    refuse_labels(model)
    tensors, vocabulary = state_dict(model.network), model.tokenizer.vocabulary
    metadata = {
        "format": FORMAT,
        "kind": KIND,
        "model": model.network.config.to_json(),
        "text": model.text.to_json(),
        "record": model.record,
        "vocabulary": {
            "data": base64.b64encode(vocabulary.data.tobytes()).decode("ascii"),
            "offsets": vocabulary.offsets.tolist(),
            "counts": vocabulary.counts.tolist(),
        },
        "weights": _digest(model.network),
    }
    try:
        state = tensor_bytes(tensors, metadata)
    except SafetensorError as error:
        raise OutputError(
            f"a vocabulary of {len(vocabulary):,} tokens is too large for the header of {STATE_FILE} ({error}): "
            "train with a smaller --max-vocab"
        ) from error
    return {
        VOCABULARY_FILE: token_list(vocabulary).encode("ascii") + b"\n",
        LOADER_FILE: loader(model).encode("ascii"),
        SCORER_FILE: scorer(model).encode("ascii"),
        STATE_FILE: state,
    }


def import_state(path: Path, like: Path | None = None) -> Imported:
    """Read a state dict of PyTorch.

    Args:
        path: the file, or the folder that was exported.
        like: a model whose configuration, vocabulary and record are taken; None for those of the file.

    Raises:
        ModelError: a file cannot be read, or the tensors are not those of such a model; everything that is wrong with
            them is listed.
    """
    state = read_state(path)
    frame = _own_frame(state) if like is None else _frame_of(load_model(like))
    try:
        network = _checked_network(state, frame.config)
    except ModelError as error:
        whose = "the configuration in its metadata" if like is None else str(like)
        raise ModelError(f"{state.path} does not fit {whose}: {error}") from error
    if like is not None:
        _check_own_words(state, like, frame.config)
    changed = _digest(network) != frame.weights
    record = _changed_record(frame.record, path) if changed else frame.record
    return Imported(TrainedModel(network, frame.tokenizer, frame.text, record), changed)


def _changed_record(record: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The record of the model that weights came from, for weights that it did not have."""
    return {**record, "valid_nats_per_token": None, "made_with": {**record["made_with"], IMPORTED: str(path)}}


def _check_own_words(state: StateFile, like: Path, config: ModelConfig) -> None:
    """Tensors may fit several kinds of model; then what their file says of itself must not be overruled.

    Raises:
        ModelError: it says that its tensors are of another kind.
    """
    if isinstance(state.metadata, dict) and state.metadata.get("kind") == KIND:
        theirs = _config_of(state.metadata).kind
        if theirs != config.kind:
            raise ModelError(
                f"{state.path} says that it is of {theirs}, {like} is of {config.kind}: "
                "leave out --like, since the file says all that is needed"
            )


def _checked_network(state: StateFile, config: ModelConfig) -> LanguageModel:
    wrong = misfits(state, state_shapes(config))
    if wrong:
        raise ModelError("; ".join([*_other_module(state, config), *wrong]))
    return network_of(state.tensors, config)


def _other_module(state: StateFile, config: ModelConfig) -> list[str]:
    """Which recurrent module the tensors are of, if that is another than the configuration's."""
    _, shape = state.specs.get("recurrent.weight_hh_l0", ("", ()))
    conversion = conversion_of(config)
    gates = shape[0] // shape[1] if len(shape) == 2 and shape[1] and shape[0] % shape[1] == 0 else 0  # noqa: PLR2004 - [G * H, H]
    if gates == len(conversion.gates) or gates not in _MODULES:
        return []
    return [f"its recurrent module is an {_MODULES[gates]}, that of {config.cell} an nn.{conversion.module}"]


def _digest(network: LanguageModel) -> str:
    return hashlib.sha256(network.parameters.values.tobytes()).hexdigest()


def _frame_of(model: TrainedModel) -> _Frame:
    refuse_labels(model)
    return _Frame(model.network.config, model.text, model.tokenizer, model.record, _digest(model.network))


def _own_frame(state: StateFile) -> _Frame:
    """What a file's metadata say.

    Raises:
        ModelError: there are none, they are damaged, or of another kind.
    """
    data = state.metadata
    if data is None:
        raise ModelError(
            f"{state.path} has no configuration and no vocabulary, since charlm did not write it: name with --like the "
            "model that it comes from, or one of the same cell, sizes and vocabulary"
        )
    if isinstance(data, dict) and data.get("kind") == "language model":
        raise ModelError(f"{state.path} is a model of charlm already: every command takes it with --model")
    if (
        not isinstance(data, dict)
        or data.get("kind") != KIND
        or data.get("format") not in (FORMAT, FORMAT - 1)
        or set(data) != _KEYS
    ):
        raise ModelError(
            f"{state.path} has metadata that this charlm does not know: name with --like the model that it comes from"
        )
    try:
        return _parsed_frame(data)
    except (ModelError, UsageError) as error:
        raise ModelError(f"the metadata of {state.path} are damaged: {error}") from error


def _config_of(data: Mapping[str, Any]) -> ModelConfig:
    read = ModelConfig.from_json if data.get("format") == FORMAT else ModelConfig.from_format_before
    return read(data.get("model"))


def _parsed_frame(data: Mapping[str, Any]) -> _Frame:
    check_record(data["record"])
    config, text = _config_of(data), TextConfig.from_json(data["text"])
    block_options(config.cell, config.options)
    vocabulary = _vocabulary_of(data["vocabulary"])
    if len(vocabulary) != config.vocabulary:
        raise ModelError(f"its vocabulary has {len(vocabulary)} tokens, its model {config.vocabulary}")
    tokenizer = Tokenizer(text.level, text.unit, vocabulary, text.lowercase)
    return _Frame(config, text, tokenizer, data["record"], str(data["weights"]))


def _vocabulary_of(data: Any) -> Vocabulary:
    try:
        tokens = np.frombuffer(base64.b64decode(data["data"], validate=True), np.uint8)
        return Vocabulary.from_arrays(tokens, np.array(data["offsets"], np.int64), np.array(data["counts"], np.int64))
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise ModelError(f"its vocabulary cannot be read ({error})") from error
