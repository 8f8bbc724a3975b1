"""The numbers of dynamic evaluation that suit a text: one after another is made larger and smaller while that helps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from charlm.checkpoint import TrainedModel
from charlm.errors import ModelError
from charlm.nn.arrays import Array, Ids
from charlm.prediction.config import Dynamic
from charlm.prediction.dynamic import DynamicPredictor, copied
from charlm.prediction.gradients import mean_squares
from charlm.prediction.walking import log_probabilities_of

STEPS: Mapping[str, tuple[float, float, float]] = {
    "lr": (2.0, 0.0, float("inf")),
    "decay": (3.0, 0.0, 1.0),
    "segment": (2.0, 5, 160),
}
"""By what each number is multiplied and divided, and within which bounds."""
GAIN = 1e-4
"""Nats a token that a step must bring for another to follow."""


@dataclass(frozen=True, eq=False)
class Found:
    """Dynamic evaluation in some numbers.

    Attributes:
        config: the numbers.
        mean_squares: of the gradients, where "rms" needs them.
        nats: what a token of the text costs.
    """

    config: Dynamic
    mean_squares: Array | None
    nats: float


class Search:
    """Tries dynamic evaluation on a text.

    Args:
        model: to be adapted.
        ids: [N], the text that is to cost little.
        training: [M], the text whose gradients scale the steps of "rms".
        report: is told of everything that was tried, in words, and what a token costs with it.
    """

    def __init__(self, model: TrainedModel, ids: Ids, training: Ids, report: Callable[[str, float], None]) -> None:
        self._model = model
        self._ids = ids
        self._training = training
        self._report = report
        self._squares: dict[int, Array] = {}

    def best(self, begin: Dynamic, free: Sequence[str], *, in_time: Callable[[], bool]) -> Found:
        """The numbers with which the text costs least.

        Args:
            begin: where to begin.
            free: those of its fields that may change, of ``STEPS``.
            in_time: whether there is time for one more.

        Raises:
            ModelError: even the first numbers give no finite probabilities.
        """
        found = self._tried(begin)
        for name in free:
            for upwards in (True, False):
                while in_time():
                    config = _moved(found.config, name, upwards=upwards)
                    try:
                        other = None if config is None else self._tried(config)
                    except ModelError:
                        other = None  # it has run away
                    if other is None or other.nats > found.nats - GAIN:
                        break
                    found = other
        return found

    def _tried(self, config: Dynamic) -> Found:
        squares = self._mean_squares(config.segment) if config.method == "rms" else None
        predictor = DynamicPredictor(self._model.network, config, squares)
        predictor.start()
        nats = -float(log_probabilities_of(predictor, self._ids, self._model.line_end).mean())
        self._report(f"lr {config.lr:.3g}, decay {config.decay:.3g}, segments of {config.segment}", nats)
        return Found(config, squares, nats)

    def _mean_squares(self, segment: int) -> Array:
        """Of gradients of windows as long as segments."""
        if segment not in self._squares:
            # Of a copy: nobody expects that the gradients of a model change as it is looked at.
            model, line_end = copied(self._model.network), self._model.line_end
            self._squares[segment] = mean_squares(model, self._training, segment, line_end=line_end)
        return self._squares[segment]


def _moved(config: Dynamic, name: str, *, upwards: bool) -> Dynamic | None:
    """The numbers with one a step further; None where that is out of its bounds, or no step at all."""
    factor, least, most = STEPS[name]
    value = getattr(config, name)
    moved = min(most, max(least, value * factor if upwards else value / factor))
    changed: dict[str, Any] = {name: int(moved) if name == "segment" else moved}
    found = replace(config, **changed)
    return None if found == config else found
