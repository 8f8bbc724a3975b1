"""Models with random weights of every kind, and what the engine says of tokens, for the tests of other formats."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel, load_model, model_bytes
from charlm.config import CorpusRecord, ModelConfig, TextConfig
from charlm.nn.arrays import Array, States
from charlm.nn.fitting import kind_name
from charlm.nn.language_model import LanguageModel
from charlm.nn.registry import every_kind
from charlm.scoring import log_softmax
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import Vocabulary
from charlm.train_config import TrainConfig

CHARACTERS = ["a", "b", "\0", "\ud800", "Ä", "\U0001f600", "\n", '"', "\x85"]
"""Among them all that a format might trip over."""
KINDS = {kind_name(cell, options): (cell, options) for cell, options in every_kind()}
EXPRESSIBLE = (
    "lstm",
    "coupled-lstm",
    "gru with reset after",
    "rnn with activation tanh",
    "rnn with activation relu",
)
"""The kinds that a module of PyTorch computes."""
HIDDEN, EMBEDDING = 4, 5
SHAPES: dict[str, dict[str, Any]] = {
    "one layer": {"layers": 1},
    "everything": {"layers": 2, "residual": True, "initial": "learned"},
    "tied": {"layers": 1, "embedding": HIDDEN, "tied": True},
}


def model_of(kind: str, *, unit: str = "line", lowercase: bool = False, seed: int = 1, **shape: Any) -> TrainedModel:
    """A model with random weights, zeros of both signs among them; its record is made up."""
    cell, options = KINDS[kind]
    types = [each for each in CHARACTERS if unit != "line" or each != "\n"]
    vocabulary = Vocabulary.from_counts(types, np.arange(len(types), 0, -1), eos_count=3)
    sizes = {"vocabulary": len(vocabulary), "hidden": HIDDEN, "embedding": EMBEDDING}
    network = LanguageModel(ModelConfig(**{**sizes, "cell": cell, "options": options, **shape}))
    values = network.parameters.values
    values[...] = 0.7 * np.random.default_rng(seed).standard_normal(values.size)
    for view in network.parameters.views.values():
        view.flat[0], view.flat[1] = 0.0, -0.0
    text = TextConfig(unit=unit, lowercase=lowercase)
    corpus = CorpusRecord(["some.txt"], "0" * 64, None, None, 9, 1, 9, 1, 0)
    record = {
        "corpus": corpus.to_json(),
        "made_with": {"charlm": "0"},
        "base": None,
        "train": TrainConfig(steps=1).to_json(),
        "step": 1,
        "valid_nats_per_token": 1.25,
    }
    return TrainedModel(network, Tokenizer("char", unit, vocabulary, lowercase), text, record)


def saved(model: TrainedModel, path: Path) -> Path:
    """The model as a file, which charlm itself finds whole."""
    path.write_bytes(model_bytes(model))
    load_model(path)
    return path


def tokens_of(network: LanguageModel, time: int = 6, batch: int = 3) -> NDArray[np.int64]:
    """Tokens [T, B] to read: every lane begins a text, and the last one another in between."""
    tokens = np.random.default_rng(2).integers(0, network.config.vocabulary, (time, batch))
    tokens[0] = -1
    tokens[time // 2, -1] = -1
    return tokens


def engine_steps(network: LanguageModel, tokens: NDArray[np.int64]) -> tuple[list[Array], list[States]]:
    """After each of the tokens [T, B]: log-probabilities [B, V], and the states."""
    batch = tokens.shape[1]
    work, states = network.new_workspace(1, batch), network.zero_states(batch)
    found: list[Array] = []
    after: list[States] = []
    for read in tokens:
        logits, states = network.logits(work, read[None], read[None] < 0, states)
        found.append(log_softmax(logits[:, 0].astype(np.float64)).T)
        after.append(states)
    return found, after
