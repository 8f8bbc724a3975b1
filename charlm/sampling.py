"""Text from a model: each token drawn is the input of the next step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charlm.config import require
from charlm.errors import UsageError
from charlm.nn.arrays import Ids, States
from charlm.nn.language_model import LanguageModel, Workspace
from charlm.scoring import log_softmax

WARM_WINDOW = 64
"""Prompt tokens that are read at a time."""
NO_START = np.zeros((1, 1), np.bool_)
"""The starts of one step of one lane that goes on."""


@dataclass(frozen=True)
class SamplingConfig:
    """How tokens are drawn.

    Attributes:
        length: most tokens to draw.
        temperature: the logits are divided by it; 0 takes the likeliest token.
        never: ids that are never drawn.
        stop: ids after which a sample ends.
    """

    length: int
    temperature: float = 1.0
    never: tuple[int, ...] = ()
    stop: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        require("--length", self.length, minimum=0)
        require("--temperature", self.temperature, minimum=0)


def sample(model: LanguageModel, prompt: Ids, config: SamplingConfig, seed: Sequence[int]) -> Iterator[int]:
    """Draw tokens one by one after a prompt, which may be empty.

    Args:
        model: what to draw from.
        prompt: [N], ids; read from a start (zero states, zero input).
        config: how.
        seed: of this sample alone; the same seed, model and prompt give the same tokens.

    Yields:
        Ids, at most ``config.length``; the last may be one of ``config.stop``.
    """
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(list(seed))))
    work = model.new_workspace(WARM_WINDOW, 1)
    token, states = warm_up(model, work, prompt)
    for _ in range(config.length):
        logits, states = model.logits(work, token, NO_START, states)
        drawn = draw(logits[:, 0, 0], config, generator)
        yield drawn
        if drawn in config.stop:
            return
        token = np.array([[drawn]])


def warm_up(model: LanguageModel, work: Workspace, prompt: Ids) -> tuple[Ids, States]:
    """Read a text [N] from a start, but for its last token, whose output is the first distribution behind it.

    Args:
        model: what reads.
        work: for one lane of any length.
        prompt: the text; where it is empty, the last token is that of a start, -1.

    Returns:
        The last token, [1, 1], and the states in which it is to be read.
    """
    states, window = model.initial_states(1), work.tape.activations.shape[1]
    fed = np.concatenate(([-1], np.asarray(prompt, np.int64)))[:, None]
    for begin in range(0, len(fed) - 1, window):
        inputs = fed[begin : min(begin + window, len(fed) - 1)]
        states = model.advance(work, inputs, np.zeros(inputs.shape, np.bool_), states)
    return fed[-1:], states


def draw(logits: NDArray[np.floating], config: SamplingConfig, generator: np.random.Generator) -> int:
    """Draw one id from logits [V]; at temperature 0 the likeliest, the smallest id among equals.

    Raises:
        UsageError: ``config.never`` leaves nothing to draw.
    """
    if len(set(config.never)) >= logits.size:
        raise UsageError(f"all {logits.size} tokens are excluded: there is nothing left to draw")
    wide = logits.astype(np.float64)
    wide[list(config.never)] = -np.inf
    if config.temperature == 0:
        return int(np.argmax(wide))
    # With the largest subtracted first, a tiny temperature can overflow only towards minus infinity, which is right.
    with np.errstate(over="ignore"):
        cumulated = np.cumsum(np.exp(log_softmax((wide - wide.max()) / config.temperature)))
    drawn = int(np.searchsorted(cumulated, generator.random() * cumulated[-1], side="right"))
    return min(drawn, wide.size - 1)
