"""Many samples, a step of all of them at a time: they share every product."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from charlm.nn.arrays import Ids, States
from charlm.nn.language_model import LanguageModel
from charlm.sampling.config import SamplingConfig
from charlm.sampling.drawing import Drawer
from charlm.sampling.stream import AHEAD, check_logits, generator_of, warm_up

MOST_LANES = 64
"""Samples that are drawn side by side, at most."""


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
    waiting = enumerate(generator_of(seed) for seed in seeds)
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
