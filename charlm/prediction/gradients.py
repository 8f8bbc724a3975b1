"""Mean squares of the gradients on training text, by which dynamic evaluation's "rms" scales its steps.

Of windows as long as its segments, one lane wide, so that they are gradients like those it will meet.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from charlm.errors import ModelError
from charlm.lanes import Lanes, Piece, TextLabels, line_bounds
from charlm.nn.arrays import Array, Ids
from charlm.nn.language_model import LanguageModel
from charlm.scoring import model_inputs

WINDOWS = 1000
"""Windows that are enough for a mean."""
PLACES = 16
"""A text that is longer than those is read in so many places."""


def mean_squares(
    model: LanguageModel,
    ids: Ids,
    segment: int,
    *,
    windows: int = WINDOWS,
    line_end: int | None = None,
    labels: TextLabels | None = None,
) -> Array:
    """The mean square of the gradient of each parameter.

    Args:
        model: its gradients are overwritten.
        ids: [N], N >= 1, a text, best one that it was trained on.
        segment: tokens of a window, over which the loss is a mean.
        windows: about how many to read, spread over the text.
        line_end: the id that ends a line where lines are independent; else None.
        labels: of the lines, for a model of texts with labels.

    Returns:
        [parameters], in the model's type, in the order of ``Parameters.values``.

    Raises:
        ModelError: a gradient is not finite.
    """
    work, gradient = model.new_workspace(segment, 1), model.parameters.gradient_values
    lanes, states = Lanes(_spread(ids, segment * windows, line_end, labels), 1), model.initial_states(1)
    total, count = np.zeros(len(gradient)), 0
    while (window := lanes.next_window(segment)) is not None:
        inputs = model_inputs(window, ids, labels, model)
        _, states, _ = model.loss_and_gradients(work, inputs, window.targets(ids), window.starts, states)
        total += np.square(gradient, dtype=np.float64)
        count += 1
    if not np.isfinite(total).all():
        raise ModelError("the model's gradients are not finite: use another copy of it, or train it again")
    return (total / count).astype(gradient.dtype)


def _spread(ids: Ids, wanted: int, line_end: int | None, labels: TextLabels | None) -> Iterator[Piece]:
    """About so many tokens of a text, from all over it; whole lines where lines are independent."""
    if line_end is not None:
        bounds = line_bounds(ids, line_end) if labels is None else labels.bounds
        for begin, end in list(pairwise(bounds.tolist()))[:: -(-len(ids) // wanted)]:
            yield Piece(begin, end, begin)
    elif len(ids) <= wanted:
        yield Piece(0, len(ids), 0)
    else:
        for place in range(PLACES):
            begin = len(ids) * place // PLACES
            yield Piece(begin, begin + -(-wanted // PLACES), begin)
