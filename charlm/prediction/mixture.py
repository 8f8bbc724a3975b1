"""A linear mixture of predictors (Jelinek & Mercer 1980): P(token) = sum over k of w_k P_k(token)."""

import math
from collections.abc import Sequence

import numpy as np

from charlm.errors import UsageError
from charlm.nn.heads.cross_entropy import Real
from charlm.prediction.predictor import Predictor

SLACK = 1e-9
"""How far from 1 the sum of weights may be, which come from decimals."""


class MixturePredictor:
    """Predictors that read the same text, each with its weight.

    Args:
        parts: of one vocabulary.
        weights: of each, from 0 to 1.

    Raises:
        UsageError: the weights do not sum to one, one is negative, or vocabularies differ.
    """

    def __init__(self, parts: Sequence[Predictor], weights: Sequence[float]) -> None:
        if len(parts) != len(weights) or min(weights) < 0 or abs(math.fsum(weights) - 1) > SLACK:
            raise UsageError(f"the weights {', '.join(map(str, weights))} of {len(parts)} models must sum to one")
        if len({part.vocabulary for part in parts}) > 1:
            raise UsageError("a mixture needs models of one vocabulary")
        shares = np.array(weights) / math.fsum(weights)
        self._parts = [part for part, share in zip(parts, shares, strict=True) if share > 0]
        self._logs = np.log(shares[shares > 0])
        self._scores = np.zeros((len(self._parts), parts[0].vocabulary))

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return self._scores.shape[1]

    def start(self, *, forget: bool = True) -> None:
        """As ``Predictor.start``."""
        for part in self._parts:
            part.start(forget=forget)

    def log_probabilities(self) -> Real:
        """As ``Predictor.log_probabilities``."""
        for part, log, row in zip(self._parts, self._logs, self._scores, strict=True):
            np.add(part.log_probabilities(), log, out=row)
        return log_sum(self._scores)

    def read(self, token: int) -> None:
        """As ``Predictor.read``."""
        for part in self._parts:
            part.read(token)


def log_sum(scores: Real) -> Real:
    """Log of the sum of exp of each column [K, V]: [V]; a column that is -inf throughout gives -inf."""
    largest = scores.max(axis=0)
    shift = np.where(np.isneginf(largest), 0, largest)
    with np.errstate(divide="ignore"):
        found: Real = np.log(np.exp(scores - shift).sum(axis=0)) + shift
    return found
