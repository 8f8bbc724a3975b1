"""The learning-rate range test on losses that are known."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from charlm.errors import TrainingError
from charlm.training.rate_finder import DIVERGED, HIGHEST, LOWEST, MARGIN, SETTLED, RateSearch, find_rate
from charlm.training.reports import SkipReport, StepReport


class Trainer:
    """One whose loss follows from the learning rate alone."""

    def __init__(self, loss: Callable[[float], float]) -> None:
        self.loss = loss
        self.rates: list[float] = []

    def step_at(self, lr: float) -> StepReport | SkipReport:
        """A step."""
        self.rates.append(lr)
        step, loss = len(self.rates), self.loss(lr)
        return StepReport(step, loss, 1.0, lr, 0.0) if math.isfinite(loss) else SkipReport(step, "loss", 0.0)


def bowl(lr: float) -> float:
    """Falls fastest at 1e-3, is lowest at 1e-1, and rises from there on."""
    place = math.log10(lr)
    falling = 3 - 2 / (1 + math.exp(-4 * (place + 3)))
    return falling - 0.05 * min(place + 1, 0) + max(place + 1, 0) ** 2 * 2


def found(loss: Callable[[float], float], steps: int = 300) -> RateSearch:
    """What a test of this loss finds."""
    trainer: Any = Trainer(loss)
    return find_rate(trainer, steps=steps)


def test_rates_rise_by_the_same_factor() -> None:
    trials = found(lambda _: 1.0).trials
    assert [trials[0].lr, trials[-1].lr] == pytest.approx([LOWEST, HIGHEST])
    factors = [b.lr / a.lr for a, b in pairwise(trials)]
    assert factors == pytest.approx([factors[0]] * len(factors))


def test_the_loss_is_smoothed_without_a_bias_to_zero() -> None:
    """The mean written out: each loss counts 0.9 of the one behind it."""
    trials = found(bowl).trials
    for k in (0, 1, 7, 100):
        weights = [0.9 ** (k - i) for i in range(k + 1)]
        mean = sum(w * trial.loss for w, trial in zip(weights, trials, strict=False)) / sum(weights)
        assert trials[k].smoothed == pytest.approx(mean)
    assert all(trial.smoothed == pytest.approx(1) for trial in found(lambda _: 1.0).trials)


def test_it_finds_where_the_loss_falls_fastest_and_where_it_is_lowest() -> None:
    """Both a little late, for smoothing looks back."""
    search = found(bowl)
    assert 1e-3 <= search.steepest < 2e-3
    assert 0.1 <= search.lowest < 0.25
    assert search.suggestion == pytest.approx(MARGIN * search.lowest)
    lowest = min(search.trials[SETTLED:], key=lambda trial: trial.smoothed)
    assert search.lowest == lowest.lr


def test_it_ends_where_the_loss_rises_out_of_bounds() -> None:
    search = found(bowl)
    assert search.diverged == search.trials[-1].lr
    smoothed = [trial.smoothed for trial in search.trials]
    rose = [k for k in range(SETTLED, len(smoothed)) if smoothed[k] > DIVERGED * min(smoothed[:k])]
    assert rose == [len(smoothed) - 1]


def test_it_ends_where_the_loss_is_not_finite() -> None:
    search = found(lambda lr: math.nan if lr > 0.5 else 2 - lr)
    assert search.diverged is not None
    assert 0.5 < search.diverged < 0.6
    assert search.trials[-1].lr <= 0.5
    assert search.lowest == search.trials[-1].lr


def test_where_every_rate_is_borne_the_test_says_so() -> None:
    search = found(lambda lr: 2 - lr / 10)
    assert search.diverged is None
    assert search.lowest == search.trials[-1].lr


def test_a_loss_that_only_rises_has_an_answer_too() -> None:
    search = found(lambda lr: 1 + lr)
    assert search.lowest == search.trials[SETTLED].lr
    assert search.steepest >= search.lowest


def test_a_loss_that_is_never_finite_has_none() -> None:
    trainer: Any = Trainer(lambda _: math.nan)
    with pytest.raises(TrainingError, match="not finite"):
        find_rate(trainer)
    assert len(trainer.rates) == 1
