"""Means of the weights along a run, which are validated and kept while training goes on with the weights themselves.

Late in a run the weights wander about a good place more than they approach it; their mean is nearer to it (Polyak &
Juditsky 1992). Both kinds are the same running mean, ``mean += share * (weights - mean)``, with another share:

* ``ema``: the past weighs ``min(decay, (1 + n) / (10 + n))`` at the n-th set of weights, n = 0, 1, ..., so that the
  mean of a young run reaches back over about a tenth of it and not to its random beginning (the warm-up of TensorFlow's
  ``ExponentialMovingAverage``; Kingma & Ba 2015, section 7.2, average Adam's weights so). The first is taken as it is.
* ``asgd``: all weights since the mean was begun count alike. It is begun where validation has ceased to improve
  (NT-ASGD, Merity et al. 2017, algorithm 1).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from charlm.nn.arrays import Array
from charlm.nn.parameters import Parameters
from charlm.train_config import TrainConfig

BLOCK = 1 << 16
"""Parameters that are worked on at a time: with the mean and scratch, 0.8 MB of float32."""
TENSOR = "average.mean"
"""What the mean is called in a run's state."""


class Average(ABC):
    """A running mean of the parameters, in a buffer of their layout.

    Args:
        parameters: what is averaged.

    Attributes:
        mean: [count], meaningless before anything was added.
        added: how many sets of weights are in it.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.mean: Array = np.zeros_like(parameters.values)
        self.added = 0
        self._scratch = np.empty(min(BLOCK, len(parameters)), parameters.dtype)

    @abstractmethod
    def stepped(self) -> None:
        """Take note of the weights behind a step."""

    @abstractmethod
    def validated(self, loss: float) -> None:
        """Take note of what a validation cost, in nats a token."""

    def forget(self) -> None:
        """Begin anew: the weights were replaced, for they had been spoilt, and the mean may be too."""
        self.added = 0
        self.mean[...] = 0

    def _add(self, share: float) -> None:
        """Move the mean towards the present weights, by this share of the way."""
        self.added += 1
        if share == 1:
            self.mean[...] = self.parameters.values
            return
        for mean, values, scratch in self._blocks():
            np.subtract(values, mean, out=scratch)
            np.multiply(scratch, mean.dtype.type(share), out=scratch)
            np.add(mean, scratch, out=mean)

    def _blocks(self) -> Iterator[tuple[Array, Array, Array]]:
        """Mean, weights and scratch, block by block."""
        for begin in range(0, len(self.parameters), BLOCK):
            mean = self.mean[begin : begin + BLOCK]
            yield mean, self.parameters.values[begin : begin + BLOCK], self._scratch[: mean.size]

    def _swap(self) -> None:
        for mean, values, scratch in self._blocks():
            scratch[...] = values
            values[...] = mean
            mean[...] = scratch

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """While this lasts, the parameters are the mean, where there is one; not to be entered twice."""
        if not self.added:
            yield
            return
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def state(self) -> dict[str, Any]:
        """The numbers that continuing needs besides the mean, as JSON."""
        return {"added": self.added}

    def restore(self, mean: Array, numbers: Mapping[str, Any]) -> None:
        """Continue from a mean and what ``state`` gave.

        Raises:
            KeyError: a number is missing.
            ValueError: one is none that ``state`` gives.
        """
        self.mean[...] = mean
        self.added = _count(numbers["added"])


class MovingAverage(Average):
    """``ema``: an exponentially fading memory of the weights behind every step.

    Args:
        parameters: what is averaged.
        decay: weight of the past, once there is enough of it.
    """

    def __init__(self, parameters: Parameters, decay: float) -> None:
        super().__init__(parameters)
        self.decay = decay

    def stepped(self) -> None:
        """Let the weights join, with the share that is due."""
        n = self.added
        self._add(1 - min(self.decay, (1 + n) / (10 + n)) if n else 1.0)

    def validated(self, loss: float) -> None:
        """It goes on whatever validation says."""


class TriggeredAverage(Average):
    """``asgd``: the plain mean of all weights since validation ceased to improve.

    It begins with the weights of a validation that is worse than the best of those more than ``after`` validations
    before it; after that the mean is what is validated.

    Args:
        parameters: what is averaged.
        after: the paper's n, its non-monotone interval.
    """

    def __init__(self, parameters: Parameters, after: int) -> None:
        super().__init__(parameters)
        self.after = after
        self._recent: list[float] = []
        self._best_before = math.inf

    def stepped(self) -> None:
        """Let the weights join, once the mean was begun."""
        if self.added:
            self._add(1 / (self.added + 1))

    def validated(self, loss: float) -> None:
        """Begin the mean, if this is the time."""
        if not self.added and loss > self._best_before:
            self._add(1.0)
        self._recent.append(loss)
        if len(self._recent) > self.after:
            self._best_before = min(self._best_before, self._recent.pop(0))

    def state(self) -> dict[str, Any]:
        """As ``Average.state``, with the losses that are compared with."""
        best = self._best_before if math.isfinite(self._best_before) else None
        return {**super().state(), "recent": list(self._recent), "best_before": best}

    def restore(self, mean: Array, numbers: Mapping[str, Any]) -> None:
        """As ``Average.restore``."""
        super().restore(mean, numbers)
        self._recent = [_loss(value) for value in numbers["recent"]]
        if len(self._recent) > self.after:
            raise ValueError(f"{len(self._recent)} validations are remembered")
        best = numbers["best_before"]
        self._best_before = math.inf if best is None else _loss(best)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise ValueError(f"so many weights cannot have been averaged: {value!r:.100}")
    return value


def _loss(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or value < 0:
        raise ValueError(f"no validation costs {value!r:.100}")
    return float(value)


def make_average(config: TrainConfig, parameters: Parameters) -> Average | None:
    """The mean that a run keeps; None where it keeps none, which takes no memory."""
    if config.average == "ema":
        return MovingAverage(parameters, config.average_decay)
    if config.average == "asgd":
        return TriggeredAverage(parameters, config.average_after)
    return None
