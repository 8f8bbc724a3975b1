"""How often a run validates: as was asked, or so often that it takes a small share of the run."""

import math
from collections.abc import Collection

from charlm.train_config import TrainConfig
from charlm.training.progress import Progress
from charlm.training.work import Work

VALIDATION_SHARE = 0.05
"""Share of a run that validation may take where nobody says how often to validate."""
MOST_VALIDATIONS = 20
FORWARD_COST = 0.3
"""A token's forward pass as a share of its training step."""


class Rhythm:
    """Tells when a validation is due.

    Args:
        work: what is trained and validated.
        config: how.

    Attributes:
        seconds: that a validation takes; 0 as long as nothing is known of it. It matters to runs bound by time.
    """

    def __init__(self, work: Work, config: TrainConfig) -> None:
        self.work = work
        self.config = config
        self.seconds = 0.0

    def stepped(self, seconds: float) -> None:
        """Until a validation has been timed, it is taken to cost what its tokens should, by a step's seconds."""
        if not self.seconds:
            self.seconds = self._steps() * seconds

    def is_due(self, state: Progress, done: float) -> bool:
        """Whether it is time to validate, when this share of the run is done."""
        every = self.config.eval_every
        if done >= 1:
            return True
        if every is not None:
            return state.step - state.validated_step >= every
        return done >= (state.validations + 1) / self._times()

    def number(self, state: Progress, done: float) -> int:
        """Which validation one at this share of the run is."""
        return max(state.validations + 1, int(done * self._times()))

    def expected(self, done: float) -> int:
        """How many validations there should have been at this share of the run."""
        return int(done * self._times())

    def share(self) -> tuple[int, float] | None:
        """How often a run of so many steps validates, and about which share of its time that takes.

        None for a run that is bound by time, where validating keeps to its share.
        """
        steps, every = self.config.steps, self.config.eval_every
        if steps is None:
            return None
        times = self._times() if every is None else math.ceil(steps / every)
        cost = times * self._steps()
        return times, cost / (steps + cost)

    def _steps(self) -> float:
        """How many training steps a validation should cost."""
        return FORWARD_COST * self.work.validation_tokens() / self.work.step_tokens

    def _times(self) -> int:
        """How many validations the run has where nobody says: as many as keep to their share of it."""
        length, cost = self.config.seconds, self.seconds
        if self.config.steps is not None:
            # By steps alone: a run of so many steps must not depend on the clock.
            length, cost = self.config.steps, self._steps()
        share = VALIDATION_SHARE * (length or 0.0)
        return int(max(1, share // cost)) if share < MOST_VALIDATIONS * cost else MOST_VALIDATIONS


class RecordedRhythm(Rhythm):
    """Validates behind the steps that a log has a validation of.

    Args:
        work: what is trained and validated.
        config: how.
        steps: these steps.
    """

    def __init__(self, work: Work, config: TrainConfig, steps: Collection[int]) -> None:
        super().__init__(work, config)
        self._recorded = steps

    def is_due(self, state: Progress, done: float) -> bool:
        """Whether there was one."""
        del done
        return state.step in self._recorded
