"""The learning-rate range test (Smith 2017): a short run whose rate rises from far too low to far too high.

Each step multiplies the rate by the same factor; the loss, smoothed, first hardly falls, then falls faster and faster,
and rises where the rate is too high. Two rates are read off the curve:

* where the loss falls fastest by the logarithm of the rate. For a language model that is often too low: the fastest
  fall is that from nothing to the frequencies of the tokens;
* a tenth of the rate at which it had fallen lowest, before it rises: the last that did good, with a margin, since a
  step bears more than a whole run does. That is the suggestion.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from charlm.errors import TrainingError
from charlm.training.reports import StepReport
from charlm.training.trainer import Trainer

STEPS = 200
LOWEST, HIGHEST = 1e-6, 10.0
SMOOTHING = 0.9
"""Weight of the past in the smoothed loss, which is corrected for its beginning as Adam's moments are."""
DIVERGED = 1.5
"""The test ends where the smoothed loss is so many times the lowest."""
SETTLED = 10
"""Steps at the beginning that are not judged: their smoothed loss is hardly smooth."""
MARGIN = 0.1


@dataclass(frozen=True)
class Trial:
    """One step of the test.

    Attributes:
        lr: its learning rate.
        loss: in nats a token.
        smoothed: the mean of the losses up to it, the last ones weighing most.
    """

    lr: float
    loss: float
    smoothed: float


@dataclass(frozen=True)
class RateSearch:
    """What a test has found.

    Attributes:
        trials: its steps, the rate rising.
        diverged: the rate at which it ended, since the loss rose or was not finite; None where it bore the highest.
        steepest: the rate at which the loss fell fastest.
        lowest: the rate at which it was lowest.
        suggestion: the rate to train with.
    """

    trials: tuple[Trial, ...]
    diverged: float | None
    steepest: float
    lowest: float
    suggestion: float


def find_rate(trainer: Trainer, *, steps: int = STEPS) -> RateSearch:
    """Train with rising rates; the weights are spoilt afterwards.

    Args:
        trainer: of a run that has not begun.
        steps: at most so many.

    Raises:
        TrainingError: the loss is not finite from the first steps on.
    """
    rates = [LOWEST * (HIGHEST / LOWEST) ** (k / (steps - 1)) for k in range(steps)]
    trials: list[Trial] = []
    total, best, diverged = 0.0, math.inf, None
    for k, lr in enumerate(rates, 1):
        report = trainer.step_at(lr)
        if not isinstance(report, StepReport):
            diverged = lr
            break
        total = SMOOTHING * total + (1 - SMOOTHING) * report.loss
        smoothed = total / (1 - SMOOTHING**k)
        trials.append(Trial(lr, report.loss, smoothed))
        if k > SETTLED and smoothed > DIVERGED * best:
            diverged = lr
            break
        best = min(best, smoothed)
    if len(trials) < SETTLED + 2:
        raise TrainingError("the loss is not finite from the first steps on, at any learning rate: try a lower --clip")
    return _judged(trials, diverged)


def _judged(trials: Sequence[Trial], diverged: float | None) -> RateSearch:
    judged = trials[SETTLED:]
    bottom = min(range(len(judged)), key=lambda i: judged[i].smoothed)
    falling = judged[: bottom + 1] if bottom else judged[:2]
    # Rates rise by the same factor, so that differences from step to step are slopes by the logarithm.
    steepest = min(pairwise(falling), key=lambda two: two[1].smoothed - two[0].smoothed)[1].lr
    lowest = judged[bottom].lr
    return RateSearch(tuple(trials), diverged, steepest, lowest, MARGIN * lowest)
