"""How far the samples in the lanes have come: what they have drawn, and what may follow."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charlm.nn.arrays import Ids
from charlm.sampling.config import SamplingConfig
from charlm.sampling.constraints import EOS, LENGTH, Place, Rules
from charlm.sampling.drawing import Choice
from charlm.sampling.drawn import Details, Drawn

ROOM = 64
"""Tokens that there is room for at first."""


class Progress:
    """What has been drawn in each of B lanes.

    Args:
        config: how it is drawn.
        vocabulary: V.
        lanes: B.

    Attributes:
        lengths: int64 [B], tokens drawn.
        busy: bool [B], whether a lane has a sample that goes on.

    Raises:
        UsageError: ``config.never`` leaves nothing to draw.
    """

    def __init__(self, config: SamplingConfig, vocabulary: int, lanes: int) -> None:
        self._config = config
        self._vocabulary = vocabulary
        self._stop = np.array(config.stop, np.int64)
        self._lanes = np.arange(lanes)
        self._rules = Rules(config.constraints, config.never, config.stop, vocabulary) if config.constraints else None
        self._places: list[Place] = [Place((), None, None)] * lanes
        self._reasons = [LENGTH] * lanes
        self._recent = None if config.filters.penalty == 1 else _Recent(config.filters.window, vocabulary, lanes)
        best = min(config.alternatives, vocabulary)
        kinds: list[tuple[DTypeLike, tuple[int, ...]]] = [(np.int64, ())]
        if config.details:
            kinds += [(np.float64, ()), (np.float64, ()), (np.int64, (best,)), (np.float64, (best,))]
        room = min(ROOM, config.length)
        self._kept: list[NDArray[Any]] = [np.zeros((lanes, room, *shape), kind) for kind, shape in kinds]
        self.lengths = np.zeros(lanes, np.int64)
        self.busy = np.zeros(lanes, np.bool_)

    def begin(self, lane: int, prompt: Ids) -> bool:
        """A new sample in a lane; whether it goes on to a first token."""
        self.lengths[lane] = 0
        ended = LENGTH if self._config.length == 0 else None
        if self._rules is not None:
            self._places[lane] = self._rules.begin(prompt)
            ended = self._places[lane].ended or ended
        if self._recent is not None:
            self._recent.begin(lane, prompt)
        self._reasons[lane] = ended or LENGTH
        self.busy[lane] = ended is None
        return ended is None

    def recent(self) -> NDArray[np.bool_] | None:
        """Which tokens each lane has had of late, bool [V, B]; None where nobody asks."""
        return None if self._recent is None else self._recent.tokens()

    def allowed(self) -> NDArray[np.bool_] | None:
        """Which tokens may follow in each lane, bool [V, B]; None for all that are ever drawn."""
        if self._rules is None or all(place.allowed is None for place in self._places):
            return None
        return np.stack([self._rules.mask(place) for place in self._places], axis=1)

    def take(self, choice: Choice) -> list[int]:
        """Append a token to each lane's sample; the lanes whose samples end with it."""
        if self.lengths.max() == self._kept[0].shape[1]:
            self._kept = [np.concatenate((each, np.zeros_like(each)), axis=1) for each in self._kept]
        for kept, column in zip(self._kept, choice.kept(), strict=True):
            kept[self._lanes, self.lengths] = column.T
        if self._recent is not None:
            self._recent.take(choice.ids, self.busy)
        self.lengths += self.busy
        ended = self.busy & (self.lengths == self._config.length)
        if self._stop.size:
            ended |= self.busy & np.isin(choice.ids, self._stop)
        if self._rules is not None:
            for lane in np.flatnonzero(self.busy).tolist():
                place = self._places[lane] = self._rules.after(self._places[lane], int(choice.ids[lane]))
                ended[lane] |= place.ended is not None
        lanes: list[int] = np.flatnonzero(ended).tolist()
        for lane in lanes:
            of_stop = EOS if choice.ids[lane] in self._config.stop else None
            self._reasons[lane] = of_stop or self._places[lane].ended or LENGTH
            # An idle lane goes on for itself, and nothing may forbid it everything.
            self._places[lane] = Place((), None, None)
        self.busy[lanes] = False
        return lanes

    def drawn(self, lane: int) -> Drawn:
        """The sample of a lane."""
        ids, *details = (each[lane, : self.lengths[lane]].copy() for each in self._kept)
        return Drawn(ids, self._reasons[lane], Details(*details) if details else None)


class _Recent:
    """The last tokens in each lane, the prompt's included."""

    def __init__(self, window: int, vocabulary: int, lanes: int) -> None:
        self._lanes = np.arange(lanes)
        self._vocabulary = vocabulary
        # Behind all tokens stands one for the places that nothing has come to yet.
        self._ids = np.full((window, lanes), vocabulary)
        self._next = np.zeros(lanes, np.int64)

    def begin(self, lane: int, prompt: Ids) -> None:
        """A new sample in a lane."""
        window = len(self._ids)
        last = np.asarray(prompt)[-window:]
        self._ids[:, lane] = self._vocabulary
        self._ids[: len(last), lane] = last
        self._next[lane] = len(last) % window

    def take(self, tokens: NDArray[np.int64], busy: NDArray[np.bool_]) -> None:
        """One more token a lane."""
        self._ids[self._next[busy], self._lanes[busy]] = tokens[busy]
        self._next[busy] = (self._next[busy] + 1) % len(self._ids)

    def tokens(self) -> NDArray[np.bool_]:
        """Bool [V, B]: which tokens are among the last ones."""
        seen = np.zeros((self._vocabulary + 1, len(self._lanes)), np.bool_)
        seen[self._ids, self._lanes] = True
        return seen[:-1]
