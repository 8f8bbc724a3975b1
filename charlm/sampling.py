"""Text from a model: each token drawn is the input of the next step."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charlm.config import require
from charlm.errors import NOT_FINITE, ModelError, UsageError
from charlm.nn.arrays import Ids, States
from charlm.nn.language_model import LanguageModel

WARM_WINDOW = 64
"""Prompt tokens that are read at a time."""
MOST_LANES = 64
"""Samples that are drawn side by side, at most."""
AHEAD = 64
"""Random numbers that are drawn at a time for each of them."""
SHARPEST = 1e300
"""What logits are multiplied with at most: their differences stay finite, and all but the largest give zero."""

WHOLE = 1 - 2.0**-52
"""A little less than the whole: no rounding of a share of it can reach past the last token that has a weight."""


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


class Drawer:
    """Draws a token from each column of logits, [V, B].

    Args:
        config: how.
        vocabulary: V.

    Raises:
        UsageError: ``config.never`` leaves nothing to draw.
    """

    def __init__(self, config: SamplingConfig, vocabulary: int) -> None:
        self._never = np.array(sorted(set(config.never)), np.int64)
        if self._never.size >= vocabulary:
            raise UsageError(f"all {vocabulary} tokens are excluded: there is nothing left to draw")
        self._greedy = config.temperature == 0
        self._sharpness = SHARPEST if config.temperature < 1 / SHARPEST else 1 / config.temperature

    def draw(self, logits: NDArray[np.floating], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
        """Ids [B] for uniform random numbers [B] in [0, 1); at temperature 0 the smallest of the likeliest.

        By inverting the cumulative distribution: the first token whose cumulated weight exceeds the number's share of
        the whole.
        """
        weights = self._allowed(logits)
        if self._greedy:
            likeliest: NDArray[np.int64] = weights.argmax(axis=0)
            return likeliest
        self._cumulate(weights, np.maximum.reduce(weights, axis=0))
        drawn: NDArray[np.int64] = np.add.reduce(weights <= uniform * (weights[-1] * WHOLE), axis=0)
        return drawn

    def draw_one(self, logits: NDArray[np.floating], uniform: float) -> int:
        """The id that ``draw`` gives for one column [V] and its number, by the shorter ways that one column has.

        A reduction takes NumPy longer to set up than a column of characters takes to be reduced.
        """
        weights = self._allowed(logits)
        likeliest = weights.argmax()
        if self._greedy:
            return int(likeliest)
        self._cumulate(weights, weights[likeliest])
        return int(weights.searchsorted(uniform * (weights[-1] * WHOLE), "right"))

    def _allowed(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        """A copy of logits [V, ...] in which nothing speaks for what is never drawn."""
        weights = logits.astype(np.float64)
        if self._never.size:
            weights[self._never] = -np.inf
        return weights

    def _cumulate(self, weights: NDArray[np.float64], largest: NDArray[np.float64] | np.float64) -> None:
        """From logits [V, ...], and the largest of each column, to the cumulated weights, in place."""
        weights -= largest
        if self._sharpness != 1:
            weights *= self._sharpness
        np.exp(weights, weights)
        np.add.accumulate(weights, 0, None, weights)


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
    numbers, drawer = _numbers(_generator(seed)), Drawer(config, model.config.vocabulary)
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


def sample_side_by_side(
    model: LanguageModel, prompt: Ids, config: SamplingConfig, seeds: Iterable[Sequence[int]], lanes: int
) -> Iterator[tuple[int, Ids]]:
    """Draw many samples after one prompt, a step of all lanes at a time; a lane that has ended takes the next one.

    Each follows the same distribution as ``sample``'s and its own seed. Products of another width round otherwise, so
    the same seed gives the same tokens for the same number of lanes.

    Args:
        model: what to draw from.
        prompt: [N], ids; read once, from a start.
        config: how.
        seeds: one a sample.
        lanes: B, how many are drawn side by side.

    Yields:
        Which sample (from 0, in the order of the seeds) and its ids, as each ends.

    Raises:
        ModelError: as ``sample``.
    """
    waiting = enumerate(_generator(seed) for seed in seeds)
    if config.length == 0:
        yield from ((index, np.zeros(0, np.int64)) for index, _ in waiting)
        return
    first, begin = warm_up(model, prompt)
    work = model.new_workspace(1, lanes, keep=False)
    states: States = tuple(tuple(np.repeat(part, lanes, axis=1) for part in state) for state in begin)
    tokens = np.repeat(first, lanes, axis=1)
    drawer, streams = Drawer(config, model.config.vocabulary), _Streams(lanes, config)
    streams.fill(range(lanes), waiting)
    checked = False
    while streams.active:
        logits, states = model.logits(work, tokens, None, states)
        if not checked:
            check_logits(logits)
            checked = True
        tokens = streams.take(drawer.draw(logits[:, 0], streams.uniform()))[None]
        ended = streams.ended()
        yield from streams.collect(ended)
        for lane in streams.fill(ended, waiting):
            tokens[:, lane] = first[:, 0]
            for state, initial in zip(states, begin, strict=True):
                for part, fresh in zip(state, initial, strict=True):
                    part[:, lane] = fresh[:, 0]


class _Streams:
    """The samples in the lanes: what each has drawn, and its random numbers."""

    def __init__(self, lanes: int, config: SamplingConfig) -> None:
        self._stop = np.array(config.stop, np.int64)
        self._lanes = np.arange(lanes)
        self._most = config.length
        self._drawn = np.zeros((lanes, min(AHEAD, config.length)), np.int64)
        self._length = np.zeros(lanes, np.int64)
        self._busy = np.zeros(lanes, np.bool_)
        self._sample = [0] * lanes
        self._generators: dict[int, np.random.Generator] = {}
        self._random = np.zeros((lanes, AHEAD))
        self._stopped = np.zeros(lanes, np.bool_)

    @property
    def active(self) -> bool:
        """Whether any lane has a sample."""
        return bool(self._busy.any())

    def fill(self, lanes: Iterable[int], waiting: Iterator[tuple[int, np.random.Generator]]) -> list[int]:
        """Begin the next samples in these lanes; those that got one."""
        filled = []
        for lane in lanes:
            self._length[lane] = 0
            following = next(waiting, None)
            self._busy[lane] = following is not None
            if following is not None:
                self._sample[lane], self._generators[lane] = following
                filled.append(lane)
        return filled

    def uniform(self) -> NDArray[np.float64]:
        """The next random number of each lane; the numbers are the same as if drawn one at a time."""
        place = self._length % AHEAD
        for lane in np.flatnonzero(self._busy & (place == 0)).tolist():
            self._random[lane] = self._generators[lane].random(AHEAD)
        uniform: NDArray[np.float64] = self._random[self._lanes, place]
        return uniform

    def take(self, tokens: NDArray[np.int64]) -> NDArray[np.int64]:
        """Append a token to each lane's sample."""
        if self._length.max() == self._drawn.shape[1]:
            self._drawn = np.concatenate((self._drawn, np.zeros_like(self._drawn)), axis=1)
        self._drawn[self._lanes, self._length] = tokens
        self._length += self._busy
        self._stopped = np.isin(tokens, self._stop) if self._stop.size else self._stopped
        return tokens

    def ended(self) -> list[int]:
        """Lanes whose samples are complete."""
        found: list[int] = np.flatnonzero(self._busy & (self._stopped | (self._length == self._most))).tolist()
        return found

    def collect(self, lanes: list[int]) -> list[tuple[int, Ids]]:
        """The samples of these lanes."""
        return [(self._sample[lane], self._drawn[lane, : self._length[lane]].copy()) for lane in lanes]


def check_logits(logits: NDArray[np.floating]) -> None:
    """Check a first distribution: weights that are too large to be of any use show there.

    Not every one is checked, since a token is drawn in microseconds.

    Raises:
        ModelError: it holds NaN.
    """
    if np.isnan(logits).any():
        raise ModelError(NOT_FINITE)


def _generator(seed: Sequence[int]) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(list(seed))))


def _numbers(generator: np.random.Generator) -> Iterator[float]:
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
