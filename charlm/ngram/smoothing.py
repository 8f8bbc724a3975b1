"""Interpolated modified Kneser-Ney (Chen & Goodman 1998; estimated as Heafield et al. 2013 do).

    p(w | context) = (a(context w) - D(a(context w))) / sum_x a(context x) + b(context) p(w | shorter context)
    b(context)     = sum_x D(a(context x)) / sum_x a(context x)

a, the *adjusted count*, is how often an n-gram occurs where it is of the highest order or begins with <s>; elsewhere it
is how many different words it occurs behind. D is 0 for a = 0, and D_1, D_2, D_3 for a = 1, 2 and more, of each order:

    Y = t_1 / (t_1 + 2 t_2),   D_k = k - (k + 1) Y t_{k+1} / t_k

where t_k n-grams of the order have a = k. The shortest context leaves its mass to a uniform distribution over all words
but <s>; so <UNK> has a probability even where no word of the text was unknown.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.nn.arrays import Ids

FALLBACK = (0.5, 1.0, 1.5)
"""Discounts of an order whose counts give none, as KenLM's --discount_fallback has them: characters are too few for
their counts of counts to fall as they should."""
_TOLD_APART = 3
"""Adjusted counts up to here have discounts of their own; the last is for all above too."""

Real = NDArray[np.float64]


class Discounts(NamedTuple):
    """What is taken from the adjusted counts of an order.

    Attributes:
        values: D_1, D_2 and D_3.
        estimated: whether they come from the counts; else they are ``FALLBACK``.
    """

    values: tuple[float, float, float]
    estimated: bool


@dataclass(frozen=True, eq=False)
class Smoothed:
    """Probabilities of a trie's n-grams.

    Attributes:
        log_probabilities: for each order, [n-grams], natural logarithms; of <s> 0.
        log_backoffs: for each order but the highest, [n-grams]; 0 where nothing follows.
        discounts: of each order.
    """

    log_probabilities: tuple[Real, ...]
    log_backoffs: tuple[Real, ...]
    discounts: tuple[Discounts, ...]


def interpolate(adjusted: Ids, contexts: Ids, number: int, discounts: Discounts, below: Real) -> tuple[Real, Real]:
    """Probabilities of n-grams, and the backoffs of their contexts.

    Args:
        adjusted: [n-grams], a.
        contexts: [n-grams], which context each has.
        number: of contexts.
        discounts: of the order.
        below: [n-grams], the probability of each behind the shorter context.

    Returns:
        [n-grams] and [number]; a context that nothing follows leaves all to the shorter one.
    """
    taken = np.array((0.0, *discounts.values))[np.minimum(adjusted, _TOLD_APART)]
    total, left = (np.bincount(contexts, weights, number) for weights in (adjusted, taken))
    share = np.divide(left, total, out=np.ones(number), where=total > 0)
    of_each = total[contexts]
    own = np.divide(adjusted - taken, of_each, out=np.zeros(len(adjusted)), where=of_each > 0)
    return own + share[contexts] * below, share


def counts_of_counts(adjusted: Ids) -> Ids:
    """How many n-grams have an adjusted count of 0, of 1, of 2 and so on; the last is for all above too."""
    return np.bincount(np.minimum(adjusted, _TOLD_APART + 2), minlength=_TOLD_APART + 3)


def discounts_of(number: Ids) -> Discounts:
    """The discounts of an order; ``FALLBACK`` where none can be estimated, or one is not positive or above its count.

    KenLM lets a discount be 0. Contexts whose n-grams all have such counts would leave nothing for what they never saw.

    Args:
        number: counts of its adjusted counts, as ``counts_of_counts`` gives them.
    """
    t = [float(each) for each in number[1 : _TOLD_APART + 2]]
    if all(t[:-1]):
        y = t[0] / (t[0] + 2 * t[1])
        values = [k - (k + 1) * y * t[k] / t[k - 1] for k in range(1, _TOLD_APART + 1)]
        if all(0 < value <= k for k, value in enumerate(values, 1)):
            return Discounts((values[0], values[1], values[2]), estimated=True)
    return Discounts(FALLBACK, estimated=False)
