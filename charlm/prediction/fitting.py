"""The weights of a mixture, by expectation maximisation (Jelinek & Mercer 1980; Dempster, Laird & Rubin 1977).

    share of part k in token t:   s_tk = w_k P_k(t) / sum over j of w_j P_j(t)
    weight:                       w_k <- mean over t of s_tk

The likelihood of the tokens never falls, and it has one maximum, since its logarithm is concave in the weights.
"""

from dataclasses import dataclass

import numpy as np

from charlm.errors import InputError
from charlm.nn.heads.cross_entropy import Real

GAIN = 1e-10
"""Nats a token: a round that gains less is the last one."""
ROUNDS = 10_000


@dataclass(frozen=True)
class Fit:
    """Weights and what they are worth.

    Attributes:
        weights: [K], they sum to one.
        nats: a token, of the mixture, in each round, and at the end: [rounds + 1].
    """

    weights: tuple[float, ...]
    nats: tuple[float, ...]


def fit_weights(log_probabilities: Real, *, gain: float = GAIN, rounds: int = ROUNDS) -> Fit:
    """The weights under which tokens are likeliest, from even ones.

    Args:
        log_probabilities: [N, K], nats, what each part says of each token.
        gain: nats a token that a round must gain for another to follow.
        rounds: most of them.

    Raises:
        InputError: there is no token, or one that no part gives a probability.
    """
    largest = log_probabilities.max(axis=1, initial=-np.inf, keepdims=True)
    if not len(largest) or not np.isfinite(largest).all():
        raise InputError("the weights cannot be fitted: the text is empty, or holds a token that no model expects")
    likely = np.exp(log_probabilities - largest)
    weights = np.full(likely.shape[1], 1 / likely.shape[1])
    nats: list[float] = []
    for _ in range(rounds):
        mixed = likely @ weights
        nats.append(-float((np.log(mixed) + largest[:, 0]).mean()))
        if len(nats) > 1 and nats[-2] - nats[-1] < gain:
            break
        weights = weights * (likely.T @ (1 / mixed)) / len(likely)
        weights /= weights.sum()
    else:
        nats.append(-float((np.log(likely @ weights) + largest[:, 0]).mean()))
    return Fit(tuple(weights.tolist()), tuple(nats))
