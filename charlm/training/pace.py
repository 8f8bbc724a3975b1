"""How far a run is, by steps or by the clock.

A run bound by time must still be a function of numbers that can be written down: progress is linear in steps
between *plans*, and each plan is logged, so that the learning rate of every step follows from the log.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

REPLAN_SECONDS = 1.0
SLACK = 1.5
"""A plan reaches no further than so many times the progress that is due until the next: a machine that was slow
for a moment and is fast again must not rush through the schedule."""


class Plan(NamedTuple):
    """From ``step`` on, progress is ``progress`` plus ``slope`` for every further step, up to ``ceiling``."""

    step: int
    progress: float
    slope: float
    ceiling: float

    def at(self, step: int) -> float:
        """Progress at a step."""
        return min(self.ceiling, self.progress + (step - self.step) * self.slope)


class Pace(Protocol):
    """Progress of a run, from 0 to 1.

    Attributes:
        plan: what a run bound by time goes by at present.
    """

    plan: Plan

    def progress(self, step: int) -> float:
        """Share of the run that is done after so many steps."""

    def replan(self, step: int) -> bool:
        """Look at the clock if it is time to; True when there is a new plan."""

    def paused(self, seconds: float) -> None:
        """So much of the time since the last look at the clock was no training."""

    def resume(self, plan: Plan, step: int) -> None:
        """Continue a run at a step under the plan that it had."""


class StepPace:
    """A run of a known number of steps: one plan for all of it."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.plan = Plan(0, 0.0, 1 / steps, 1.0)

    def progress(self, step: int) -> float:
        """Exactly 1 after the last step, which adding up slopes would miss by a rounding."""
        return step / self.steps

    def replan(self, step: int) -> bool:
        """There is nothing to plan anew."""
        del step
        return False

    def paused(self, seconds: float) -> None:
        """Time does not matter."""

    def resume(self, plan: Plan, step: int) -> None:
        """The plan depends on nothing but the number of steps."""


class TimePace:
    """A run of so many seconds, counted by ``clock``, which may have run before the first step.

    Args:
        seconds: length of the run.
        clock: seconds since the run's beginning.
        reserve: seconds to keep for the last validation and saving, as known at the time of asking.
    """

    def __init__(self, seconds: float, clock: Callable[[], float], reserve: Callable[[], float]) -> None:
        self.seconds = seconds
        self.clock = clock
        self.reserve = reserve
        self.plan = Plan(0, 0.0, 0.0, 1.0)
        self._asked = clock()
        self._asked_step = 0

    def progress(self, step: int) -> float:
        """As the present plan has it."""
        return self.plan.at(step)

    def replan(self, step: int) -> bool:
        """Measure speed and what is left; at first every step, then once a second."""
        now = self.clock()
        if self.plan.slope and now - self._asked < REPLAN_SECONDS:
            return False
        left = self.seconds - self.reserve() - now
        before = self.plan.at(step)
        if left <= 0:
            self.plan = Plan(step, 1.0, 0.0, 1.0)
        elif step > self._asked_step:
            # What is left of the run is to be done in the time that is left, at the speed just seen.
            step_seconds = max(now - self._asked, 1e-9) / (step - self._asked_step)
            steps_left = max(1.0, left / step_seconds)
            due = (1 - before) * SLACK * max(REPLAN_SECONDS, step_seconds) / left
            self.plan = Plan(step, before, (1 - before) / steps_left, min(1.0, before + due))
        self._asked, self._asked_step = now, step
        return True

    def paused(self, seconds: float) -> None:
        """Leave a pause out of the measured speed."""
        self._asked += seconds

    def resume(self, plan: Plan, step: int) -> None:
        """Take up the plan, and measure from now on."""
        self.plan = plan
        self._asked, self._asked_step = self.clock(), step
