"""Random models, and what their figures are when they are computed anew in float64 from whole distributions."""

import math
from typing import Any

import numpy as np

import charlm
from charlm.checkpoint import TrainedModel
from charlm.config import ModelConfig, TextConfig
from charlm.nn.language_model import LanguageModel
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import Vocabulary

LETTERS = list("ab .\u05d0\U0001f600")
"""What the random models know: Latin and Hebrew letters, a space, a point and an emoji."""


def random_model(tokens: list[str] | None = None, level: str = "char", seed: int = 0, **text: Any) -> charlm.Model:
    """A small model that is far from uniform."""
    tokens = LETTERS if tokens is None else tokens
    vocabulary = (
        Vocabulary.of_bytes(np.ones(257, np.int64))
        if level == "byte"
        else Vocabulary.from_counts(tokens, np.arange(len(tokens), 0, -1), unknown_count=1)
    )
    network = LanguageModel(ModelConfig(len(vocabulary), hidden=7, embedding=5))
    network.initialize(seed)
    generator = np.random.default_rng(seed)
    for view in network.parameters.views.values():
        view[...] = 2 * view + generator.normal(0, 0.3, view.shape)
    unit = "file" if level == "byte" else "line"
    config = TextConfig(**{"level": level, "unit": unit, **text})
    tokenizer = Tokenizer(level, config.unit, vocabulary, config.lowercase)
    return charlm.Model(TrainedModel(network, tokenizer, config, {}))


def chain_rule(model: charlm.Model, text: str) -> list[float]:
    """Log-probabilities of a text's tokens, <EOS> included, read off the whole distributions at every step."""
    ids = model.trained.tokenizer.encode_sentence(text.removesuffix("\n"))
    table = model.log_probabilities([ids])[0]
    return [float(table[place, token]) for place, token in enumerate(ids.tolist())]


def spelling(model: charlm.Model, token: str) -> float:
    """Log-probability of the spelling of a token that the model does not know, character by character."""
    tokens = model.vocabulary[2:]
    known = "".join(tokens)
    others = 1 / (0x110000 - len(set(known)))
    if model.level == "char":
        return math.log(others)
    total = len(known) + len(tokens) + 2
    shares = [known.count(character) or others for character in token] + [len(tokens) + 1]
    return sum(math.log(share / total) for share in shares)


def spelt_chain_rule(model: charlm.Model, text: str) -> list[float]:
    """As ``chain_rule``, with the spelling of unknown tokens."""
    tokenizer, nats = model.trained.tokenizer, chain_rule(model, text)
    for place, token in enumerate(tokenizer.encode_sentence(text.removesuffix("\n")).tolist()):
        if token == tokenizer.unknown_id:
            nats[place] += spelling(model, tokenizer.cut(text)[place])
    return nats
