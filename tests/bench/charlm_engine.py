"""charlm's side of each case."""

from collections.abc import Iterator

import numpy as np

from bench.parts import seconds_alone
from bench.task import Task
from bench.texts import LINES, lines
from charlm.arithmetic import training_flops
from charlm.config import ModelConfig
from charlm.nn.arrays import Ids
from charlm.nn.language_model import LanguageModel
from charlm.sampling.config import SamplingConfig
from charlm.sampling.side_by_side import MOST_LANES, Job, sample_side_by_side
from charlm.sampling.stream import sample
from charlm.scoring import score_texts
from charlm.speed import training_step

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


def training(cell: str, *, vocabulary: int, embedding: int, hidden: int, layers: int, window: int, batch: int) -> Task:
    """A training step."""
    return Task(training_step(model_config(cell, vocabulary, embedding, hidden, layers), window, batch))


def alone(cell: str, *, vocabulary: int, embedding: int, hidden: int, layers: int, window: int, batch: int) -> Task:
    """How long the parts of a training step take one by one."""
    config = model_config(cell, vocabulary, embedding, hidden, layers)
    return Task(lambda: None, least=sum(seconds_alone(config, window, batch).values()))


def arithmetic(
    cell: str, *, vocabulary: int, embedding: int, hidden: int, layers: int, window: int, batch: int
) -> Task:
    """A training step, counted in the GFLOP that it needs."""
    config = model_config(cell, vocabulary, embedding, hidden, layers)
    return Task(training_step(config, window, batch), training_flops(config, window, batch) / 1e9)


def product(size: int = PRODUCT) -> Task:
    """The product of two square matrices, in GFLOP."""
    left, right = np.random.default_rng(0).standard_normal((2, size, size), np.float32)
    out = np.empty_like(left)

    def step() -> None:
        np.matmul(left, right, out=out)

    return Task(step, 2 * size**3 / 1e9)


def streams_of(model: LanguageModel, number: int, length: int) -> Iterator[Ids]:
    """So many samples of so many tokens each, from an empty prompt at temperature 1."""
    config, prompt = SamplingConfig(length), np.empty(0, np.int64)
    if number == 1:
        yield np.array(list(sample(model, prompt, config, [0, 0])))
        return
    jobs = (Job(prompt, (0, stream)) for stream in range(number))
    yield from (drawn.ids for _, drawn in sample_side_by_side(model, jobs, config, MOST_LANES))


def sampling(*, vocabulary: int, embedding: int, hidden: int, layers: int, length: int, streams: int = 1) -> Task:
    """Samples of an LSTM, in tokens of all streams together."""
    model = random_model(model_config("lstm", vocabulary, embedding, hidden, layers))

    def step() -> None:
        for _ in streams_of(model, streams, length):
            pass

    return Task(step, streams * length)


def scoring(cell: str, *, vocabulary: int, embedding: int, hidden: int, layers: int, count: int = LINES) -> Task:
    """The log-probabilities of a file of lines, in tokens."""
    model, texts = random_model(model_config(cell, vocabulary, embedding, hidden, layers)), lines(vocabulary, count)

    def step() -> None:
        score_texts(model, texts)

    return Task(step, sum(text.size for text in texts))
