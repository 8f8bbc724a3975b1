"""charlm's side of each case."""

from collections.abc import Iterator

import numpy as np

from bench.arithmetic import training_flops
from bench.task import Task
from bench.texts import LINES, lines
from charlm.config import ModelConfig
from charlm.nn.language_model import LanguageModel
from charlm.sampling import SamplingConfig, sample
from charlm.scoring import score_texts
from charlm.training.clipping import clip
from charlm.training.optimizers import make_optimizer

PRODUCT = 2048
"""Rows and columns of the product that stands for the fastest there is."""


def model_config(cell: str, vocabulary: int, embedding: int, hidden: int, layers: int) -> ModelConfig:
    """The shape of a model; ``cell`` is a block with, after a hyphen, where a GRU resets."""
    block, _, reset = cell.partition("-")
    return ModelConfig(vocabulary, block, {"reset": reset} if reset else {}, layers, hidden, embedding)


def random_model(config: ModelConfig) -> LanguageModel:
    """A model as training begins with it."""
    model = LanguageModel(config)
    model.initialize(0)
    return model


def training_of(config: ModelConfig, window: int, batch: int) -> Task:
    """One step as the trainer takes it: pack, forward, backward, clip to norm 1, Adam."""
    model = random_model(config)
    optimizer = make_optimizer("adamw", model.parameters, 0.0)
    inputs, targets = np.random.default_rng(0).integers(config.vocabulary, size=(2, window, batch))
    work, starts = model.new_workspace(window, batch), np.zeros((window, batch), np.bool_)
    states = model.initial_states(batch)

    def step() -> None:
        nonlocal states
        model.pack(work)
        _, states, _ = model.loss_and_gradients(work, inputs, targets, starts, states)
        clip(model.parameters.gradient_values, 1.0)
        optimizer.update(1e-3)

    return Task(step)


def training(cell: str, *, vocabulary: int, embedding: int, hidden: int, layers: int, window: int, batch: int) -> Task:
    """A training step."""
    return training_of(model_config(cell, vocabulary, embedding, hidden, layers), window, batch)


def arithmetic(
    cell: str, *, vocabulary: int, embedding: int, hidden: int, layers: int, window: int, batch: int
) -> Task:
    """A training step, counted in the GFLOP that it needs."""
    config = model_config(cell, vocabulary, embedding, hidden, layers)
    return training_of(config, window, batch)._replace(amount=training_flops(config, window, batch) / 1e9)


def product(size: int = PRODUCT) -> Task:
    """The product of two square matrices, in GFLOP."""
    left, right = np.random.default_rng(0).standard_normal((2, size, size), np.float32)
    out = np.empty_like(left)

    def step() -> None:
        np.matmul(left, right, out=out)

    return Task(step, 2 * size**3 / 1e9)


def charlm_streams(model: LanguageModel, number: int, length: int) -> Iterator[list[int]]:
    """So many samples of so many tokens each, from an empty prompt at temperature 1."""
    config, prompt = SamplingConfig(length), np.empty(0, np.int64)
    return (list(sample(model, prompt, config, [0, stream])) for stream in range(number))


def sampling(*, vocabulary: int, embedding: int, hidden: int, layers: int, length: int, streams: int = 1) -> Task:
    """Samples of an LSTM, in tokens of all streams together."""
    model = random_model(model_config("lstm", vocabulary, embedding, hidden, layers))

    def step() -> None:
        for _ in charlm_streams(model, streams, length):
            pass

    return Task(step, streams * length)


def scoring(cell: str, *, vocabulary: int, embedding: int, hidden: int, layers: int, count: int = LINES) -> Task:
    """The log-probabilities of a file of lines, in tokens."""
    model, texts = random_model(model_config(cell, vocabulary, embedding, hidden, layers)), lines(vocabulary, count)

    def step() -> None:
        score_texts(model, texts)

    return Task(step, sum(text.size for text in texts))
