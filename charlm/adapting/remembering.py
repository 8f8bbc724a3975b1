"""The numbers of a cache that suit a text: what the network's head reads is written down once, and all are tried on it.

What the cache says of token t, of the n tokens before it:

    P_cache(t) = sum over i of t - n .. t - 1 of [token i is token t] exp(theta h_t . h_i) / sum over i of the same

as in ``charlm.prediction.cache``. Its share is the weight of a mixture with what the network says, and the best one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from charlm.nn.arrays import Array, Ids
from charlm.nn.heads.cross_entropy import Real
from charlm.prediction.config import Cache
from charlm.prediction.fitting import fit_weights
from charlm.prediction.network import HiddenPredictor

THETAS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2)
"""Those that are tried where none is given."""
FEWEST = 100
"""Tokens: smaller caches are not tried unless asked for."""
LEAST = 1e-4
"""Share that a mixture leaves to each part: what is fitted to one text is to rule out nothing in another."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a network said of a text as it read it.

    Attributes:
        log_probabilities: [N], of each token.
        hidden: [N, H], what the head read before each token; none where nobody needs it.
    """

    log_probabilities: Real
    hidden: Array | None


def recorded(network: HiddenPredictor, ids: Ids, line_end: int | None, *, keep: bool) -> Recorded:
    """Read a text, and write down what the network says of it.

    Args:
        network: it forgets first.
        ids: [N].
        line_end: where lines are independent, the id that ends one.
        keep: also what the head reads.
    """
    logs, hidden = np.empty(len(ids)), list[Array]()
    network.start()
    for place, token in enumerate(ids.tolist()):
        logs[place] = network.log_probabilities()[token]
        if keep:
            hidden.append(network.hidden().copy())
        network.read(token)
        if token == line_end:
            network.start(forget=False)
    return Recorded(logs, np.array(hidden) if keep else None)


@dataclass(frozen=True, eq=False)
class CacheFit:
    """A cache that suits a text.

    Attributes:
        config: its numbers.
        log_probabilities: [N], what the cache says by itself of each token; -inf where it has not seen it.
        nats: what a token costs the network with this cache.
    """

    config: Cache
    log_probabilities: Real
    nats: float


def best_cache(seen: Recorded, ids: Ids, cache: Cache, *, theta: bool, share: bool) -> CacheFit:
    """The cache that a text costs least with.

    Args:
        seen: what the network said of the text.
        ids: [N], the text.
        cache: its size is the largest that is tried.
        theta: whether others than its own are tried.
        share: whether the best share takes the place of its own.
    """
    thetas = THETAS if theta else (cache.theta,)
    sizes = [cache.size]
    while sizes[-1] // 2 >= FEWEST:
        sizes.append(sizes[-1] // 2)
    logs = cache_log_probabilities(seen, ids, sizes, thetas)
    fits = [
        fitted(replace(cache, size=size, theta=each), seen.log_probabilities, logs[row, column], share=share)
        for row, size in enumerate(sizes)
        for column, each in enumerate(thetas)
    ]
    return min(fits, key=lambda fit: fit.nats)


def fitted(cache: Cache, network: Real, remembered: Real, *, share: bool) -> CacheFit:
    """A cache with its share.

    Args:
        cache: its size and theta.
        network: [N], log-probabilities.
        remembered: likewise, of the cache by itself.
        share: whether to find the best one.
    """
    columns = np.stack((network, remembered), axis=1)
    if share:
        _, weight = bounded(fit_weights(columns).weights)
        cache = replace(cache, share=weight)
    return CacheFit(cache, remembered, cost(columns, (1 - cache.share, cache.share)))


def bounded(weights: Sequence[float]) -> tuple[float, ...]:
    """Weights of which none is too small to count."""
    raised = np.maximum(weights, LEAST)
    return tuple((raised / raised.sum()).tolist())


def cost(columns: Real, weights: Sequence[float]) -> float:
    """Nats a token of a mixture; ``columns`` [N, K] are what its parts say of each token."""
    with np.errstate(divide="ignore"):
        return -float(np.logaddexp.reduce(columns + np.log(weights), axis=1).mean())


def cache_log_probabilities(seen: Recorded, ids: Ids, sizes: Sequence[int], thetas: Sequence[float]) -> Real:
    """What caches say of each token, [sizes, thetas, N]; of the first one what the network says."""
    assert seen.hidden is not None  # noqa: S101 - it was kept for this
    tokens, scale = np.asarray(ids, np.int64), np.array(thetas)[:, None]
    found = np.full((len(sizes), len(thetas), len(tokens)), seen.log_probabilities)
    for place in range(1, len(tokens)):
        first = max(0, place - max(sizes))
        near = (seen.hidden[first:place] @ seen.hidden[place]).astype(np.float64) * scale
        same = tokens[first:place] == tokens[place]
        for row, size in enumerate(sizes):
            found[row, :, place] = _remembered(near[:, -size:], same[-size:])
    return found


def _remembered(near: Real, same: np.ndarray) -> Real:
    """Log-probability of a token, [thetas], by how near earlier steps [thetas, n] were, and which had that token."""
    weights = np.exp(near - near.max(axis=1, keepdims=True))
    with np.errstate(divide="ignore"):
        logs: Real = np.log(weights[:, same].sum(axis=1) / weights.sum(axis=1))
    return logs
