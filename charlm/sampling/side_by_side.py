"""Many samples, a step of all of them at a time: they share every product."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.nn.arrays import Ids
from charlm.nn.language_model import LanguageModel
from charlm.sampling.config import SamplingConfig
from charlm.sampling.drawing import Choice, Chooser, Drawer
from charlm.sampling.drawn import Drawn
from charlm.sampling.progress import Progress
from charlm.sampling.stream import AHEAD, check_logits, generator_of, warm_up

MOST_LANES = 64
"""Samples that are drawn side by side, at most."""
KEPT_PROMPTS = 1024
"""Prompts whose states are kept for the next sample."""


class Job(NamedTuple):
    """A sample that is to be drawn.

    Attributes:
        prompt: int64 [N], ids; read from a start.
        seed: of this sample alone.
    """

    prompt: Ids
    seed: Sequence[int]


def sample_side_by_side(
    model: LanguageModel, jobs: Iterable[Job], config: SamplingConfig, lanes: int
) -> Iterator[tuple[int, Drawn]]:
    """Draw many samples, a step of all lanes at a time; a lane that has ended takes the next one.

    Each follows the same distribution as ``charlm.sampling.stream.sample``'s and its own seed. Products of another
    width round otherwise, so the same seed gives the same tokens for the same number of lanes.

    Args:
        model: what to draw from.
        jobs: what to draw; read as lanes come free.
        config: how.
        lanes: B, how many are drawn side by side.

    Yields:
        Which sample (from 0, in the order of the jobs) and what was drawn, as each ends.

    Raises:
        ModelError: the model gives no first token a probability.
        UsageError: ``config.never`` leaves nothing to draw.
    """
    drawing = Lanes(model, jobs, config, lanes)
    yield from drawing.begin()
    while drawing.active:
        yield from drawing.step()


class Lanes:
    """Samples in lanes: a step draws a token in each lane that has one.

    Args:
        model: what to draw from.
        jobs: what to draw; read as lanes come free.
        config: how.
        lanes: B.

    Attributes:
        tokens: int64 [1, B], the last token of each lane.
    """

    def __init__(self, model: LanguageModel, jobs: Iterable[Job], config: SamplingConfig, lanes: int) -> None:
        vocabulary = model.config.vocabulary
        self._model = model
        self._waiting = enumerate(jobs)
        self._work = model.new_workspace(1, lanes, keep=False)
        self._states = model.initial_states(lanes)
        self._drawer = Drawer(config, vocabulary) if config.simple else None
        self._chooser = Chooser(config, vocabulary)
        self._progress = Progress(config, vocabulary, lanes)
        self._random = _Random(lanes)
        self._sample = [0] * lanes
        self._checked = False
        self._beginning = lru_cache(KEPT_PROMPTS)(lambda ids: warm_up(model, np.frombuffer(ids, np.int64)))
        self.tokens = np.full((1, lanes), -1)

    @property
    def active(self) -> bool:
        """Whether any lane has a sample."""
        return bool(self._progress.busy.any())

    def begin(self) -> Iterator[tuple[int, Drawn]]:
        """Put a sample in every lane; yields those that end before their first token."""
        return self._fill(range(len(self._sample)))

    def step(self) -> Iterator[tuple[int, Drawn]]:
        """Draw a token in every lane; yields the samples that end with it, and puts others in their lanes."""
        logits, self._states = self._model.logits(self._work, self.tokens, None, self._states)
        if not self._checked:
            check_logits(logits)
            self._checked = True
        progress = self._progress
        uniform = self._random.numbers(progress.lengths, progress.busy)
        if self._drawer is not None:
            choice = Choice(self._drawer.draw(logits[:, 0], uniform))
        else:
            choice = self._chooser.choose(logits[:, 0], uniform, progress.recent(), progress.allowed())
        self.tokens = choice.ids[None]
        ended = progress.take(choice)
        for lane in ended:
            yield self._sample[lane], progress.drawn(lane)
        yield from self._fill(ended)

    def _fill(self, lanes: Iterable[int]) -> Iterator[tuple[int, Drawn]]:
        """Begin the next samples in these lanes."""
        for lane in lanes:
            # Some end before they begin: where no token is wanted, or a constraint allows none.
            for index, job in self._waiting:
                if self._progress.begin(lane, job.prompt):
                    self._place(lane, index, job)
                    break
                yield index, self._progress.drawn(lane)

    def _place(self, lane: int, index: int, job: Job) -> None:
        self._sample[lane] = index
        self._random.begin(lane, job.seed)
        first, begin = self._beginning(np.asarray(job.prompt, np.int64).tobytes())
        self.tokens[:, lane] = first[:, 0]
        for state, initial in zip(self._states, begin, strict=True):
            for part, fresh in zip(state, initial, strict=True):
                part[:, lane] = fresh[:, 0]


class _Random:
    """The random numbers of the samples in the lanes: the same as if drawn one at a time."""

    def __init__(self, lanes: int) -> None:
        self._lanes = np.arange(lanes)
        self._numbers = np.zeros((lanes, AHEAD))
        self._generators: dict[int, np.random.Generator] = {}

    def begin(self, lane: int, seed: Sequence[int]) -> None:
        """A new sample in a lane."""
        self._generators[lane] = generator_of(seed)

    def numbers(self, lengths: NDArray[np.int64], busy: NDArray[np.bool_]) -> NDArray[np.float64]:
        """For each lane the number for its next token, [B], after so many tokens."""
        place = lengths % AHEAD
        for lane in np.flatnonzero(busy & (place == 0)).tolist():
            self._numbers[lane] = self._generators[lane].random(AHEAD)
        uniform: NDArray[np.float64] = self._numbers[self._lanes, place]
        return uniform
