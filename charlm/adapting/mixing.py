"""The weights of a mixture that suits a text: of a network, its cache, n-grams and other models, all at once.

A cache has a share of the network's weight, so with w_n and w_c as the weights of network and cache in the mixture of
all parts, share = w_c / (w_n + w_c), and what is mixed in keeps its own.
"""

from collections.abc import Container
from dataclasses import replace

import numpy as np

from charlm.adapting.remembering import bounded, cost
from charlm.nn.heads.cross_entropy import Real
from charlm.prediction.config import Adaptation
from charlm.prediction.fitting import fit_weights


def fitted_mixture(
    how: Adaptation, network: Real, cache: Real | None, others: Real, given: Container[str]
) -> tuple[Adaptation, float]:
    """An adaptation with the weights under which a text costs least, and what a token of it costs then.

    Args:
        how: its other numbers, and the shares that stay.
        network: [N], log-probability of each token.
        cache: [N], what the cache says by itself; None where there is none.
        others: [N, K], likewise: of the n-grams, if there are any, and the models.
        given: names of the options whose numbers stay.
    """
    own = network
    if cache is not None and how.cache is not None:
        own = cached(network, cache, how.cache.share)
    if "weights" in given or "ngram_share" in given:
        shares = [*([how.ngrams.weight] if how.ngrams else []), *(how.models.weights if how.models else [])]
        return how, cost(np.column_stack((own, others)), [how.weight, *shares])
    if cache is None or "cache_share" in given:
        columns = np.column_stack((own, others))
        first, *rest = bounded(fit_weights(columns).weights)
        return with_weights(how, rest), cost(columns, [first, *rest])
    columns = np.column_stack((network, cache, others))
    of_network, of_cache, *rest = bounded(fit_weights(columns).weights)
    assert how.cache is not None  # noqa: S101 - there is what it says
    how = replace(how, cache=replace(how.cache, share=of_cache / (of_network + of_cache)))
    return with_weights(how, rest), cost(columns, [of_network, of_cache, *rest])


def cached(network: Real, cache: Real, share: float) -> Real:
    """What a network with a cache says of tokens, [N], by what each says of them."""
    with np.errstate(divide="ignore"):
        found: Real = np.logaddexp(network + np.log1p(-share), cache + np.log(share))
    return found


def with_weights(how: Adaptation, weights: list[float]) -> Adaptation:
    """An adaptation with the weights of its n-grams, if it has any, and of its models."""
    left = list(weights)
    # Both at once: old weights and new ones together may be more than the whole.
    return replace(
        how,
        ngrams=replace(how.ngrams, weight=left.pop(0)) if how.ngrams else None,
        models=replace(how.models, weights=left) if how.models else None,
    )
