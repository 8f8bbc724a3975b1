"""A token from a distribution."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.errors import UsageError
from charlm.nn.arrays import Ids
from charlm.sampling.config import SamplingConfig
from charlm.sampling.constraints import nothing_left
from charlm.sampling.filters import filtered, sharpness
from charlm.scoring import largest, log_softmax

WHOLE = 1 - 2.0**-52
"""A little less than the whole: no rounding of a share of it can reach past the last token that has a weight."""


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
            raise UsageError(nothing_left(vocabulary))
        self._greedy = config.temperature == 0
        self._sharpness = sharpness(config.temperature)

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


class Choice(NamedTuple):
    """A token for each of B columns, and how likely it was where that is kept; see ``charlm.sampling.drawn.Details``.

    Attributes:
        ids: int64 [B].
        logprobs: [B].
        drawn_logprobs: [B].
        best: int64 [K, B].
        best_logprobs: [K, B].
    """

    ids: NDArray[np.int64]
    logprobs: NDArray[np.float64] | None = None
    drawn_logprobs: NDArray[np.float64] | None = None
    best: Ids | None = None
    best_logprobs: NDArray[np.float64] | None = None

    def kept(self) -> list[NDArray[Any]]:
        """Those that are there, in their order."""
        return [each for each in self if each is not None]


class Chooser:
    """Draws a token from each column of logits, [V, B], by all that a configuration says.

    Where nothing is filtered it draws from the logits as ``Drawer`` does: what is kept of the tokens, and constraints
    that leave them all, change nothing of what is drawn.

    Args:
        config: how.
        vocabulary: V.

    Raises:
        UsageError: ``config.never`` leaves nothing to draw.
    """

    def __init__(self, config: SamplingConfig, vocabulary: int) -> None:
        self._config = config
        self._ever = np.ones((vocabulary, 1), np.bool_)
        self._ever[list(config.never)] = False
        # What is filtered has had its temperature, and one token left at 0.
        self._drawer = Drawer(config if config.filters.idle else replace(config, temperature=1.0), vocabulary)
        self._number = min(config.alternatives, vocabulary)

    def choose(
        self,
        logits: NDArray[np.floating],
        uniform: NDArray[np.float64],
        recent: NDArray[np.bool_] | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Choice:
        """Tokens for uniform random numbers [B].

        Args:
            logits: [V, B].
            uniform: in [0, 1).
            recent: bool [V, B], what a repetition penalty is for.
            allowed: bool [V, B], what may be drawn, with at least one token a column; None for all that ever is.
        """
        config = self._config
        scores = np.where(self._ever if allowed is None else allowed, logits, -np.inf).astype(np.float64)
        if config.filters.idle and not config.details:
            return Choice(self._drawer.draw(scores, uniform))
        distribution = filtered(log_softmax(scores), config.filters, config.temperature, recent)
        ids = self._drawer.draw(scores if config.filters.idle else distribution, uniform)
        if not config.details:
            return Choice(ids)
        everything = log_softmax(logits.astype(np.float64))
        best = largest(everything, self._number) if self._number else np.zeros((0, len(ids)), np.int64)
        return Choice(
            ids,
            np.take_along_axis(everything, ids[None], axis=0)[0],
            np.take_along_axis(distribution, ids[None], axis=0)[0],
            best,
            np.take_along_axis(everything, best, axis=0),
        )
