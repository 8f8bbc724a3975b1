"""Reading a text with a predictor: the one rule for what comes before what."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from charlm.nn.arrays import Ids
from charlm.nn.heads.cross_entropy import Real
from charlm.prediction.predictor import Predictor
from charlm.text.store import blocks_of


def distributions(predictor: Predictor, ids: Ids, line_end: int | None = None) -> Iterator[tuple[int, Real]]:
    """Each token of a text with the log-probabilities of all tokens in its place, which are not to be written to.

    Args:
        predictor: stands where the text begins.
        ids: [N].
        line_end: where lines are independent, the id that ends one; the next one begins with what was adapted to.
    """
    for block in blocks_of(ids):
        for token in block.tolist():
            yield token, predictor.log_probabilities()
            predictor.read(token)
            if token == line_end:
                predictor.start(forget=False)


def log_probabilities_of(predictor: Predictor, ids: Ids, line_end: int | None = None) -> Real:
    """Log-probability (nats) of each token of a text [N], as ``distributions`` reads it."""
    return np.array([found[token] for token, found in distributions(predictor, ids, line_end)], np.float64)


def component_log_probabilities(
    predictors: Sequence[Predictor],
    ids: Ids,
    line_end: int | None = None,
    passed: Callable[[int], None] | None = None,
) -> Real:
    """What each predictor says of each token of a text: all that the weights of their mixture are fitted from.

    Args:
        predictors: K; each begins anew.
        ids: [N].
        line_end: as ``distributions`` takes it.
        passed: is told how many tokens a predictor has read when it has read them all.

    Returns:
        [N, K], nats.
    """
    columns = []
    for predictor in predictors:
        predictor.start()
        columns.append(log_probabilities_of(predictor, ids, line_end))
        if passed is not None:
            passed(len(ids))
    return np.stack(columns, axis=1)
