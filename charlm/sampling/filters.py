"""What becomes of a distribution before a token is drawn: each filter takes one and gives one.

Distributions are log-probabilities in nats, float64 [V, ...], each along the first axis; what is left out has -inf, and
the rest is divided by what it sums to. Among equals those with the smaller ids are kept. All at once they apply in this
order (``filtered``), each to what the one before has left:

    1.  repetition_penalty   Keskar et al. 2019, "CTRL"
    2.  temperature
    3.  top_k                Fan et al. 2018
    4.  top_p                Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration"
    5.  min_p                Nguyen et al. 2024
    6.  typical              Meister et al. 2023, "Locally Typical Sampling"
"""

import numpy as np
from numpy.typing import NDArray

from charlm.sampling.config import Filters
from charlm.scoring import log_softmax

SHARPEST = 1e300
"""What differences of log-probabilities are multiplied with at most: they stay finite, and all but those of the largest
give zero."""
FEW = 128
"""So many of the likeliest tokens are sorted first, in the hope that they suffice."""

Distributions = NDArray[np.float64]
"""Log-probabilities, [V, ...]."""


def filtered(
    logprobs: Distributions, filters: Filters, heat: float, recent: NDArray[np.bool_] | None = None
) -> Distributions:
    """Apply all filters, in their order.

    Args:
        logprobs: [V, ...].
        filters: which.
        heat: the temperature.
        recent: bool [V, ...], tokens whose repetition is penalised; needed where there is a penalty.
    """
    if filters.penalty != 1 and recent is not None:
        logprobs = repetition_penalty(logprobs, recent, filters.penalty)
    logprobs = temperature(logprobs, heat)
    if filters.top_k is not None:
        logprobs = top_k(logprobs, filters.top_k)
    if filters.top_p < 1:
        logprobs = top_p(logprobs, filters.top_p)
    if filters.min_p > 0:
        logprobs = min_p(logprobs, filters.min_p)
    if filters.typical < 1:
        logprobs = typical(logprobs, filters.typical)
    return logprobs


def repetition_penalty(logprobs: Distributions, recent: NDArray[np.bool_], penalty: float) -> Distributions:
    """Multiply the log-probabilities of recent tokens, bool [V, ...]: at 2 a probability of 1/3 counts as 1/9.

    Keskar et al. divide positive scores. A log-probability is a score that is never positive, so it is multiplied.
    """
    return log_softmax(np.where(recent, logprobs * penalty, logprobs))


def temperature(logprobs: Distributions, heat: float) -> Distributions:
    """Divide by the temperature: below 1 sharper, above 1 flatter; 0 leaves the likeliest token alone."""
    if heat == 1:
        return logprobs
    if heat == 0:
        return top_k(logprobs, 1)
    return log_softmax((logprobs - logprobs.max(axis=0)) * sharpness(heat))


def sharpness(heat: float) -> float:
    """What logits are multiplied with for a temperature above 0."""
    return SHARPEST if heat < 1 / SHARPEST else 1 / heat


def top_k(logprobs: Distributions, k: int) -> Distributions:
    """Keep the k likeliest tokens; all where there are not so many."""
    size = len(logprobs)
    if k >= size:
        return logprobs
    least = np.partition(logprobs, size - k, axis=0)[size - k]
    return _kept(logprobs, _largest(logprobs, least, np.asarray(k)))


def top_p(logprobs: Distributions, share: float) -> Distributions:
    """Keep the smallest set of the likeliest tokens whose probability reaches a share."""
    size, few = len(logprobs), FEW
    # Most often the likeliest few are enough, which are found without sorting all the others.
    while few < size:
        top = np.sort(np.partition(logprobs, size - few, axis=0)[size - few :], axis=0)[::-1]
        if np.all(np.exp(top).sum(axis=0) >= share):
            break
        few *= 16
    else:
        top = np.sort(logprobs, axis=0)[::-1]
    number = _needed(np.exp(top), share)
    least = np.take_along_axis(top, number[None] - 1, axis=0)[0]
    return _kept(logprobs, _largest(logprobs, least, number))


def min_p(logprobs: Distributions, share: float) -> Distributions:
    """Keep tokens whose probability is at least a share of the likeliest one's."""
    return _kept(logprobs, logprobs >= logprobs.max(axis=0) + np.log(share))


def typical(logprobs: Distributions, share: float) -> Distributions:
    """Keep the smallest set of the most typical tokens whose probability reaches a share.

    A token is the more typical the nearer its surprise -log p is to the entropy of the distribution.
    """
    probabilities = np.exp(logprobs)
    surprise = -np.where(probabilities > 0, logprobs, 0)
    distance = np.where(probabilities > 0, np.abs(surprise - (probabilities * surprise).sum(axis=0)), np.inf)
    order = np.argsort(distance, axis=0, kind="stable")
    number = _needed(np.take_along_axis(probabilities, order, axis=0), share)
    keep = np.zeros(logprobs.shape, np.bool_)
    places = np.arange(len(logprobs)).reshape(-1, *[1] * (logprobs.ndim - 1))
    np.put_along_axis(keep, order, places < number, axis=0)
    return _kept(logprobs, keep)


def _needed(probabilities: NDArray[np.float64], share: float) -> NDArray[np.int64]:
    """How many of the first probabilities [N, ...] reach a share together; all, if none but all do."""
    together = np.add.accumulate(probabilities, axis=0)
    number: NDArray[np.int64] = 1 + np.count_nonzero(together[:-1] < share, axis=0)
    return number


def _largest(values: Distributions, least: NDArray[np.float64], number: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where the so many largest values stand, the least of them given; among its equals those that come first."""
    reaching: NDArray[np.bool_] = values >= least
    if np.all(np.count_nonzero(reaching, axis=0) == number):
        return reaching  # as nearly always: none of the equals is left out
    above, level = values > least, values == least
    open_places = number - np.count_nonzero(above, axis=0)
    keep: NDArray[np.bool_] = above | (level & (np.add.accumulate(level, axis=0, dtype=np.int64) <= open_places))
    return keep


def _kept(logprobs: Distributions, keep: NDArray[np.bool_]) -> Distributions:
    """The distribution over some of the tokens."""
    return log_softmax(np.where(keep, logprobs, -np.inf))
