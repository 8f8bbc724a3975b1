"""Means of weights against sums written out in float64."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.errors import UsageError
from charlm.nn.parameters import Parameters, ParameterSpec
from charlm.train_config import TrainConfig
from charlm.training import averaging
from charlm.training.averaging import Average, MovingAverage, TriggeredAverage, make_average

SIZE = 23
SPECS = [ParameterSpec("W", (4, 5), True), ParameterSpec("b", (3,), False)]


def walk(steps: int, seed: int = 0) -> np.ndarray:
    """Weights behind each step, [steps, SIZE]."""
    return np.random.default_rng(seed).standard_normal((steps, SIZE)).cumsum(axis=0)


def averaged(make: Callable[[Parameters], Average], weights: np.ndarray, dtype: type = np.float64) -> Average:
    """What is left when these weights have come one after another."""
    parameters = Parameters(SPECS, dtype)
    average = make(parameters)
    for each in weights:
        parameters.values[...] = each
        average.stepped()
    return average


def ema(weights: np.ndarray, decay: float) -> np.ndarray:
    """Every share multiplied out: what each step's weights count for at the end."""
    decays = [0.0] + [min(decay, (1 + n) / (10 + n)) for n in range(1, len(weights))]
    shares = [(1 - d) * math.prod(decays[n + 1 :]) for n, d in enumerate(decays)]
    assert sum(shares) == pytest.approx(1)
    expected: np.ndarray = np.asarray(shares) @ weights
    return expected


@pytest.mark.parametrize("block", [7, SIZE, 1 << 16])
@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99, 0.9999])
@pytest.mark.parametrize("steps", [1, 2, 9, 200])
def test_the_moving_average_is_the_sum_written_out(
    steps: int, decay: float, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever blocks end; with no decay it is the last weights."""
    monkeypatch.setattr(averaging, "BLOCK", block)
    weights = walk(steps)
    found = averaged(lambda parameters: MovingAverage(parameters, decay), weights)
    np.testing.assert_allclose(found.mean, ema(weights, decay), rtol=0, atol=1e-12)
    if not decay:
        np.testing.assert_allclose(found.mean, weights[-1], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found.parameters.values, weights[-1])


def test_in_float32_it_stays_near_the_sum_in_float64() -> None:
    weights = walk(3000) / 50
    found = averaged(lambda parameters: MovingAverage(parameters, 0.999), weights, np.float32)
    assert found.mean.dtype == np.float32
    np.testing.assert_allclose(found.mean, ema(weights.astype(np.float32).astype(float), 0.999), rtol=0, atol=2e-6)


def trigger(losses: list[float], after: int) -> int | None:
    """Algorithm 1 of Merity et al. 2017: the validation, from 0, at which averaging begins."""
    logs: list[float] = []
    for t, loss in enumerate(losses):
        if t > after and loss > min(logs[: t - after]):
            return t
        logs.append(loss)
    return None


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(0, 12).map(float), max_size=30), st.integers(1, 6), st.integers(0, 10))
def test_averaging_begins_where_the_paper_says(losses: list[float], after: int, kept: int) -> None:
    """Also where it is stopped on the way and goes on from what was saved."""
    average = TriggeredAverage(Parameters(SPECS, np.float64), after)
    began = None
    for t, loss in enumerate(losses):
        if t == kept:
            mean, numbers = average.mean, average.state()
            average = TriggeredAverage(Parameters(SPECS, np.float64), after)
            average.restore(mean, numbers)
        average.stepped()
        average.validated(loss)
        if average.added and began is None:
            began = t
    # In the paper's code and here alike, nothing is compared with before there are more validations than ``after``.
    assert began == trigger(losses, after)


def test_once_begun_all_weights_count_alike() -> None:
    """Those of the validation that begins it included, those before it not."""
    parameters = Parameters(SPECS, np.float64)
    average, weights = TriggeredAverage(parameters, 1), walk(12)
    for each, loss in zip(weights[:4], (3.0, 2.0, 2.5, 4.0), strict=True):
        parameters.values[...] = each
        average.stepped()
        average.validated(loss)
    assert average.added == 1
    for each in weights[4:]:
        parameters.values[...] = each
        average.stepped()
    np.testing.assert_allclose(average.mean, weights[3:].mean(axis=0), rtol=0, atol=1e-12)
    average.validated(9.0)
    assert average.added == len(weights) - 3


@pytest.mark.parametrize("block", [7, 1 << 16])
def test_in_place_the_mean_takes_the_place_of_the_weights_for_a_while(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(averaging, "BLOCK", block)
    weights = walk(50)
    average = averaged(lambda parameters: MovingAverage(parameters, 0.9), weights, np.float32)
    raw, mean = average.parameters.values.copy(), average.mean.copy()
    assert not np.array_equal(raw, mean)

    def fail() -> None:
        np.testing.assert_array_equal(average.parameters.values, mean)
        raise RuntimeError

    with pytest.raises(RuntimeError), average.in_place():
        fail()
    np.testing.assert_array_equal(average.parameters.values, raw)
    np.testing.assert_array_equal(average.mean, mean)


def test_where_nothing_was_added_the_weights_stand_for_themselves() -> None:
    """Before the first step, before averaging begins, and behind weights that were spoilt."""
    parameters = Parameters(SPECS)
    average = MovingAverage(parameters, 0.9)
    parameters.values[...] = np.nan
    average.stepped()
    average.forget()
    assert np.isfinite(average.mean).all()
    parameters.values[...] = 3
    with average.in_place():
        np.testing.assert_array_equal(parameters.values, 3)
    average.stepped()
    np.testing.assert_array_equal(average.mean, 3)


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"added": 1},
        {"added": -1, "recent": [], "best_before": None},
        {"added": True, "recent": [], "best_before": None},
        {"added": 1, "recent": [1.0, 2.0, 3.0], "best_before": None},
        {"added": 1, "recent": ["x"], "best_before": None},
        {"added": 1, "recent": [], "best_before": math.inf},
    ],
)
def test_numbers_that_nobody_wrote_are_refused(numbers: dict[str, object]) -> None:
    average = TriggeredAverage(Parameters(SPECS), 2)
    with pytest.raises((KeyError, ValueError)):
        average.restore(average.mean, numbers)


def test_nothing_is_kept_unasked() -> None:
    parameters = Parameters(SPECS)
    assert make_average(TrainConfig(steps=1), parameters) is None
    assert isinstance(make_average(TrainConfig(steps=1, average="ema"), parameters), MovingAverage)
    assert isinstance(make_average(TrainConfig(steps=1, average="asgd"), parameters), TriggeredAverage)


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        ({"average": "swa"}, "none, ema, asgd"),
        ({"average_decay": 1.0}, "--average-decay"),
        ({"average_after": 0}, "--average-after"),
        ({"plateau_factor": 1.0}, "--plateau-factor"),
        ({"plateau_after": 0}, "--plateau-after"),
        ({"average": "asgd", "patience": 5}, "before --average-after 5"),
        ({"schedule": "plateau", "patience": 2}, "before --plateau-after 2"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, object], mentioned: str) -> None:
    with pytest.raises(UsageError, match=mentioned):
        TrainConfig(steps=1, **options)  # type: ignore[arg-type]  # as they come from a file
