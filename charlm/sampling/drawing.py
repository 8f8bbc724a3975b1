"""A token from a distribution."""

import numpy as np
from numpy.typing import NDArray

from charlm.errors import UsageError
from charlm.sampling.config import SamplingConfig

SHARPEST = 1e300
"""What logits are multiplied with at most: their differences stay finite, and all but the largest give zero."""

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
