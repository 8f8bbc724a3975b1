"""The continuous cache (Grave, Joulin & Usunier 2017, "Improving neural language models with a continuous cache").

    P_cache(token) is proportional to  sum over i of [token i came] exp(theta h . h_i)
    P(token) = (1 - share) P_network(token) + share P_cache(token)

h is what the head reads now, and h_i what it read before token i, of the last so many tokens.
"""

import math

import numpy as np

from charlm.nn.heads.cross_entropy import Real
from charlm.prediction.config import Cache
from charlm.prediction.network import HiddenPredictor


class CachePredictor:
    """A network's predictor with a cache.

    Args:
        network: gives the probabilities and what the head reads.
        config: of the cache.
    """

    def __init__(self, network: HiddenPredictor, config: Cache) -> None:
        first = network.hidden()
        self._network = network
        self._config = config
        # A ring: as soon as it is full, each step takes the place of the oldest.
        self._hidden = np.zeros((config.size, len(first)), first.dtype)
        self._tokens = np.zeros(config.size, np.int64)
        self._count = 0

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return self._network.vocabulary

    def start(self, *, forget: bool = True) -> None:
        """As ``Predictor.start``; what is remembered of earlier texts is what was adapted to them."""
        if forget:
            self._count = 0
        self._network.start(forget=forget)

    def log_probabilities(self) -> Real:
        """As ``Predictor.log_probabilities``; an empty cache leaves the network's."""
        found, share = self._network.log_probabilities(), self._config.share
        if not self._count or not share:
            return found
        remembered = self._remembered()
        seen = np.flatnonzero(remembered)
        mixed = found + math.log1p(-share)
        mixed[seen] = np.logaddexp(mixed[seen], np.log(remembered[seen]) + math.log(share))
        return mixed

    def read(self, token: int) -> None:
        """As ``Predictor.read``."""
        place = self._count % self._config.size
        self._hidden[place] = self._network.hidden()
        self._tokens[place] = token
        self._count += 1
        self._network.read(token)

    def _remembered(self) -> Real:
        """P_cache [vocabulary]: the product in the network's type, what becomes of it in float64."""
        used = min(self._count, self._config.size)
        weights = (self._hidden[:used] @ self._network.hidden()).astype(np.float64)
        weights *= self._config.theta
        weights -= weights.max()
        np.exp(weights, out=weights)
        weights /= weights.sum()
        found: Real = np.bincount(self._tokens[:used], weights, self.vocabulary).astype(np.float64, copy=False)
        return found
