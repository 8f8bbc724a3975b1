"""Any number of samples, so that more of them never change the first ones.

Which samples share their products depends on their place alone, not on how many are wanted: the first is one stream,
read while it is drawn; the next ones go in few lanes; all others in many. A width of lanes is never narrowed, and what
is in the other lanes changes nothing of a product's column. So for the same seeds ten samples are the first ten of a
thousand, bit for bit. Widths that followed the number would round otherwise.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from charlm.nn.language_model import LanguageModel
from charlm.sampling.config import SamplingConfig
from charlm.sampling.constraints import EOS, LENGTH
from charlm.sampling.drawn import Drawn
from charlm.sampling.side_by_side import MOST_LANES, Job, Lanes, sample_side_by_side
from charlm.sampling.stream import sample

FEW_LANES = 8
"""Lanes for the samples behind the first one. One stream and few lanes are quicker for few samples than many lanes."""


class Stream:
    """A sample that can be read while it is drawn, once.

    Args:
        tokens: its ids, as they are drawn.
        whole: what has been drawn when they are through.
        live: whether they are still to be drawn.

    Attributes:
        live: likewise, when it began.
    """

    def __init__(self, tokens: Iterable[int], whole: Callable[[], Drawn], *, live: bool = True) -> None:
        self._tokens = iter(tokens)
        self._whole = whole
        self.live = live

    def __iter__(self) -> Iterator[int]:
        """The ids that have not been read yet."""
        return self._tokens

    @property
    def drawn(self) -> Drawn:
        """All of it; what is left is drawn first."""
        for _ in self._tokens:
            pass
        return self._whole()


def draw_one(model: LanguageModel, job: Job, config: SamplingConfig) -> Stream:
    """Draw a sample as one stream.

    Args:
        model: what to draw from.
        job: which sample.
        config: how.

    Raises:
        UsageError: ``config.never`` leaves nothing to draw.
    """
    return _simple_stream(model, job, config) if config.simple else _lane_alone(model, job, config)


def draw_many(model: LanguageModel, jobs: Iterable[Job], config: SamplingConfig) -> Iterator[Stream]:
    """Draw samples, in their order.

    Memory holds what is drawn in the lanes and what waits for a sample before it, at most ``config.length`` steps of
    ``MOST_LANES`` tokens, however many samples there are.

    Args:
        model: what to draw from.
        jobs: which samples; read as they are needed.
        config: how.

    Yields:
        The first sample while it is drawn, and the others whole.

    Raises:
        ModelError: the model gives no first token a probability.
        UsageError: ``config.never`` leaves nothing to draw.
    """
    waiting = iter(jobs)
    for job in islice(waiting, 1):
        yield draw_one(model, job, config)
    for some, lanes in ((islice(waiting, FEW_LANES - 1), FEW_LANES), (waiting, MOST_LANES)):
        for job in islice(some, 1):
            yield from map(whole, _in_order(sample_side_by_side(model, _with(job, some), config, lanes)))


def _with(first: Job, others: Iterable[Job]) -> Iterator[Job]:
    yield first
    yield from others


def _in_order(ended: Iterable[tuple[int, Drawn]]) -> Iterator[Drawn]:
    """Samples in the order they began in: they end in another."""
    waiting: dict[int, Drawn] = {}
    following = 0
    for index, drawn in ended:
        waiting[index] = drawn
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def whole(drawn: Drawn) -> Stream:
    """A sample that has been drawn already."""
    return Stream(drawn.ids.tolist(), lambda: drawn, live=False)


def _simple_stream(model: LanguageModel, job: Job, config: SamplingConfig) -> Stream:
    ids: list[int] = []

    def tokens() -> Iterator[int]:
        for token in sample(model, job.prompt, config, job.seed):
            ids.append(token)
            yield token

    def all_of_it() -> Drawn:
        return Drawn(np.array(ids, np.int64), EOS if ids and ids[-1] in config.stop else LENGTH)

    return Stream(tokens(), all_of_it)


def _lane_alone(model: LanguageModel, job: Job, config: SamplingConfig) -> Stream:
    found: list[Drawn] = []
    lane = Lanes(model, [job], config, 1)

    def tokens() -> Iterator[int]:
        found.extend(drawn for _, drawn in lane.begin())
        while lane.active:
            found.extend(drawn for _, drawn in lane.step())
            yield int(lane.tokens[0, 0])

    return Stream(tokens(), lambda: found[0])
