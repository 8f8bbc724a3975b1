"""Log-probabilities of texts whose tokens come in blocks, so that a text of any length takes no more memory.

As ``scoring`` packs texts that are there as a whole, texts stand in lanes side by side, each from a start, one behind
another. A lane holds one block of its text at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charlm.nn.arrays import Flags, Ids
from charlm.nn.language_model import LanguageModel
from charlm.scoring import LANES, judged_tokens, log_softmax

STEPS = 256
"""Steps of a window times its lanes, at least: what a window costs beside them is little then."""
LEAST_STEPS = 32
_NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Scored:
    """Tokens of several texts in the order in which they were scored, which in each text is its own.

    Attributes:
        texts: int64 [n], the number of the text that each is of.
        ids: int64 [n].
        logprobs: float64 [n], nats.
        ranks: int64 [n], 1 is the likeliest; None where they were not asked for.
        entropies: float64 [n], nats, of each token's step; likewise.
    """

    texts: NDArray[np.int64]
    ids: NDArray[np.int64]
    logprobs: NDArray[np.float64]
    ranks: NDArray[np.int64] | None = None
    entropies: NDArray[np.float64] | None = None


def score_streams(model: LanguageModel, texts: Sequence[Iterable[Ids]], *, details: bool = False) -> Iterator[Scored]:
    """Score texts together, each from a start.

    Args:
        model: whose probabilities.
        texts: the ids of each, in blocks.
        details: also rank and entropy of each token, which need the whole distribution at its step.
    """
    lanes = min(LANES, max(1, len(texts)))
    steps = LEAST_STEPS if details else max(LEAST_STEPS, STEPS // lanes)
    work, states = model.new_workspace(steps, lanes, keep=False), model.initial_states(lanes)
    dealt = _Lanes(texts, lanes)
    while (window := dealt.next_window(steps)) is not None:
        there = window.texts >= 0
        which, ids = window.texts[there], window.targets[there]
        if details:
            logits, states = model.logits(work, window.inputs, window.starts, states)
            yield Scored(which, ids, *judged_tokens(log_softmax(logits[:, there].astype(np.float64)), ids))
        else:
            found, states = model.log_probabilities(work, window.inputs, window.targets, window.starts, states)
            yield Scored(which, ids, found[there].astype(np.float64, copy=False))


@dataclass(frozen=True)
class _Window:
    """T steps of B lanes, each array [T, B]; -1 is no token, and no text."""

    texts: NDArray[np.int64]
    inputs: NDArray[np.int64]
    targets: NDArray[np.int64]
    starts: Flags


class _Lanes:
    """Deals texts to lanes; one whose text has ended takes the next."""

    def __init__(self, texts: Sequence[Iterable[Ids]], width: int) -> None:
        self._waiting = enumerate(map(iter, texts))
        self._text = np.full(width, -1, np.int64)
        self._blocks: list[Iterator[Ids]] = [iter(()) for _ in range(width)]
        self._ids: list[Ids] = [_NOTHING] * width
        self._before = np.full(width, -1, np.int64)

    def next_window(self, steps: int) -> _Window | None:
        """The next so many steps of every lane, or None when no lane has a token left."""
        shape = (steps, self._text.size)
        texts, inputs, targets = (np.full(shape, -1, np.int64) for _ in range(3))
        starts = np.zeros(shape, np.bool_)
        for lane in range(self._text.size):
            t = 0
            while t < steps and self._refill(lane):
                some = self._ids[lane][: steps - t]
                rows = slice(t, t + some.size)
                texts[rows, lane] = self._text[lane]
                targets[rows, lane] = some
                starts[t, lane] = self._before[lane] < 0
                inputs[t, lane] = self._before[lane]
                inputs[t + 1 : t + some.size, lane] = some[:-1]
                self._before[lane] = some[-1]
                self._ids[lane] = self._ids[lane][some.size :]
                t += some.size
        return _Window(texts, inputs, targets, starts) if texts[0].max() >= 0 else None

    def _refill(self, lane: int) -> bool:
        """See that a lane has tokens; False where there are none left."""
        while not self._ids[lane].size:
            block = next(self._blocks[lane], None)
            if block is not None:
                self._ids[lane] = block
                continue
            text = next(self._waiting, None)
            if text is None:
                return False
            self._text[lane], self._blocks[lane] = text
            self._before[lane] = -1
        return True
