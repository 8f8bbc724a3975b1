"""One sample: each token drawn is the input of the next step."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from charlm.errors import NOT_FINITE, ModelError
from charlm.nn.arrays import Ids, States
from charlm.nn.language_model import LanguageModel
from charlm.sampling.config import SamplingConfig
from charlm.sampling.drawing import Drawer

WARM_WINDOW = 64
"""Prompt tokens that are read at a time."""
AHEAD = 64
"""Random numbers that are drawn at a time for a sample."""


def sample(model: LanguageModel, prompt: Ids, config: SamplingConfig, seed: Sequence[int]) -> Iterator[int]:
    """Draw tokens one by one after a prompt, which may be empty.

    Args:
        model: what to draw from.
        prompt: [N], ids; read from a start (initial states, zero input).
        config: how.
        seed: of this sample alone; the same seed, model and prompt give the same tokens.

    Yields:
        Ids, at most ``config.length``; the last may be one of ``config.stop``.

    Raises:
        ModelError: the model gives no first token a probability.
    """
    numbers, drawer = numbers_of(generator_of(seed)), Drawer(config, model.config.vocabulary)
    tokens, states = warm_up(model, prompt)
    work = model.new_workspace(1, 1, keep=False)
    for step in range(config.length):
        logits, states = model.logits(work, tokens, None, states)
        if not step:
            check_logits(logits)
        drawn = drawer.draw_one(logits[:, 0, 0], next(numbers))
        yield drawn
        if drawn in config.stop:
            return
        tokens[0, 0] = drawn


def check_logits(logits: NDArray[np.floating]) -> None:
    """Check a first distribution: weights that are too large to be of any use show there.

    Not every one is checked, since a token is drawn in microseconds.

    Raises:
        ModelError: it holds NaN.
    """
    if np.isnan(logits).any():
        raise ModelError(NOT_FINITE)


def generator_of(seed: Sequence[int]) -> np.random.Generator:
    """The random numbers of a sample; the same seed gives the same ones."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(list(seed))))


def numbers_of(generator: np.random.Generator) -> Iterator[float]:
    """Uniform random numbers in [0, 1) without end: the same as if drawn one at a time."""
    while True:
        yield from generator.random(AHEAD).tolist()


def warm_up(model: LanguageModel, prompt: Ids) -> tuple[Ids, States]:
    """Read a text [N] from a start, but for its last token, whose output is the first distribution behind it.

    Args:
        model: what reads.
        prompt: the text; where it is empty, the last token is that of a start, -1.

    Returns:
        The last token, [1, 1], and the states in which it is to be read.
    """
    states, fed = model.initial_states(1), np.concatenate(([-1], np.asarray(prompt, np.int64)))[:, None]
    if len(prompt):
        work = model.new_workspace(WARM_WINDOW, 1, keep=False)
        for begin in range(0, len(fed) - 1, WARM_WINDOW):
            inputs = fed[begin : min(begin + WARM_WINDOW, len(fed) - 1)]
            states = model.advance(work, inputs, None, states)
    return fed[-1:], states
