"""How far a run is: by steps exactly, by the clock whatever the machine does."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.training.pace import SLACK, Plan, StepPace, TimePace


class Machine:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        """The time that the test has set."""
        return self.now


@given(st.integers(1, 10_000))
def test_a_run_of_steps_ends_exactly(steps: int) -> None:
    pace = StepPace(steps)
    assert pace.progress(0) == 0
    assert pace.progress(steps - 1) < 1
    assert pace.progress(steps) == 1
    assert not pace.replan(1)


def run(seconds: float, step_seconds: list[float], reserve: float = 0.0) -> tuple[float, list[float], list[Plan]]:
    """Drive a run bound by time: the time it ended, progress after each step, and its plans."""
    machine, plans, progress = Machine(), [], [0.0]
    pace = TimePace(seconds, machine.clock, lambda: reserve)
    for step, took in enumerate(itertools.cycle(step_seconds), start=1):
        machine.now += took
        if pace.replan(step):
            plans.append(pace.plan)
        progress.append(pace.progress(step))
        if progress[-1] >= 1:
            return machine.now, progress, plans
    raise AssertionError


@given(st.lists(st.floats(0.002, 0.3), min_size=1, max_size=400))
def test_a_run_of_seconds_ends_in_time_and_never_goes_back(step_seconds: list[float]) -> None:
    """Whatever the machine does, progress rises to 1 and the end is one look at the clock late at most."""
    ended, progress, _ = run(20.0, step_seconds, reserve=1.0)
    assert all(b >= a for a, b in itertools.pairwise(progress))
    assert 15 < ended < 20 + 1.5


def test_a_steady_machine_progresses_with_the_clock() -> None:
    ended, progress, _ = run(50.0, [0.05])
    assert ended == pytest.approx(50, abs=1.1)
    for step, done in enumerate(progress[:900]):
        assert done == pytest.approx(step * 0.05 / 50, abs=0.02)


def test_a_machine_that_stalls_does_not_rush_through_the_schedule() -> None:
    """Three slow seconds in the middle cost their own share of the schedule, and little more."""
    _, progress, _ = run(50.0, [0.02] * 1000 + [1.0] * 3 + [0.02] * 100_000)
    assert progress[1003] < (20 + 3) / 50 + 0.02
    assert progress[1100] < (20 + 3 + 2) / 50 + 0.03


def test_plans_replay_the_progress() -> None:
    """Progress at every step follows from the logged plans alone."""
    _, progress, plans = run(10.0, [0.03, 0.011, 0.2])
    for step in range(1, len(progress)):
        plan = [plan for plan in plans if plan.step <= step][-1]
        assert plan.at(step) == progress[step]


def test_a_plan_reaches_no_further_than_its_ceiling() -> None:
    plan = Plan(step=10, progress=0.5, slope=0.1, ceiling=0.55)
    assert plan.at(10) == 0.5
    assert plan.at(1000) == 0.55
    assert SLACK > 1


def test_pauses_are_no_training_time() -> None:
    """A validation between two looks at the clock does not make the machine look slow."""
    machine = Machine()
    pace = TimePace(100.0, machine.clock, lambda: 0.0)
    machine.now = 0.1
    pace.replan(1)
    slope = pace.plan.slope
    machine.now += 5.0
    pace.paused(5.0)
    for step in range(2, 12):
        machine.now += 0.1
        pace.replan(step)
    assert pace.plan.slope == pytest.approx(slope, rel=0.1)
