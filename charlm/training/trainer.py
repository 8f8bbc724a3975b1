"""Gradient descent along a sequence of windows, as a sequence of reports.

A step whose loss or gradient is not finite changes nothing. Where several follow one another, the weights themselves
are spoilt: the run goes back to the best ones so far, with fresh moments and half the learning rate. All of it follows
from the numbers in ``Progress``, so that a run that is stopped and continued does the same.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from charlm.errors import TrainingError
from charlm.nn.arrays import Array, Views
from charlm.nn.regularization import Regularization
from charlm.scoring import Cost
from charlm.train_config import TrainConfig
from charlm.training.averaging import TENSOR, make_average
from charlm.training.clipping import clip
from charlm.training.optimizers import make_optimizer
from charlm.training.pace import Pace, Plan, StepPace, TimePace
from charlm.training.plateau import is_stuck, share
from charlm.training.progress import Progress
from charlm.training.reports import PlanReport, Report, ReturnReport, SkipReport, StepReport, ValidationReport
from charlm.training.rhythm import Rhythm
from charlm.training.schedules import factor
from charlm.training.work import Work

MOST_FAILURES = 5
"""Steps one after another that may change nothing before the run goes back."""
MOST_RETURNS = 5
"""How often a run goes back before it gives up."""
SLOWER = 0.5
"""What the learning rate is multiplied by each time."""


class Trainer:
    """Trains a network, validating as it goes.

    Args:
        work: the network, its windows and what validates it.
        config: how to train.
        clock: seconds since the run began, for runs bound by time.
        best_weights: gives the parameters of the best validation; without one, those that the run began with.
    """

    def __init__(
        self,
        work: Work,
        config: TrainConfig,
        *,
        clock: Callable[[], float],
        best_weights: Callable[[], Views],
    ) -> None:
        self.work = work
        self.parameters = work.network.parameters
        self.config = config
        self.clock = clock
        self.best_weights = best_weights
        self.optimizer = make_optimizer(config.optimizer, self.parameters, config.weight_decay)
        self.average = make_average(config, self.parameters)
        self.generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([config.seed, 2])))
        self.progress = Progress()
        self.pace: Pace = (
            StepPace(config.steps)
            if config.steps is not None
            else TimePace(config.seconds or 0.0, clock, lambda: self.rhythm.seconds)
        )
        self.rhythm = Rhythm(work, config)

    def run(self) -> Iterator[Report]:
        """Train to the end of the run; every step and validation is reported once it is complete.

        Between two reports the trainer may be saved, or left for good.

        Raises:
            TrainingError: loss or gradient are not finite, and lower learning rates did not help.
        """
        while True:
            # First what the last step left to do: the run may have been stopped right behind it.
            if self.progress.failures >= MOST_FAILURES:
                yield self._go_back("loss or gradient")
            done = self.pace.progress(self.progress.step)
            if self.progress.loss_steps and self.rhythm.is_due(self.progress, done):
                yield self._validate(done)
            if self.is_finished:
                self._check_result()
                return
            yield self._step()
            if self.pace.replan(self.progress.step):
                yield PlanReport(self.pace.plan)

    def _check_result(self) -> None:
        """A run without any weights that could be validated has come to nothing.

        Raises:
            TrainingError: it is such a run.
        """
        if not self.progress.has_best:
            raise TrainingError(
                f"the run is at its end, and its loss was not finite at any validation: there is nothing to keep. Try "
                f"a lower --lr (it was {self.config.lr:g}) or a lower --clip"
            )

    @property
    def is_finished(self) -> bool:
        """Whether the run has its length, or has run out of patience."""
        return self.pace.progress(self.progress.step) >= 1 or self.is_out_of_patience

    @property
    def is_out_of_patience(self) -> bool:
        """Whether so many validations as ``patience`` says came after the best one."""
        patience = self.config.patience
        return patience is not None and self.progress.without_gain >= patience

    def step_at(self, lr: float) -> StepReport | SkipReport:
        """One step with a learning rate that no schedule has chosen."""
        return self._step(lr)

    def _scheduled(self, step: int) -> float:
        """The learning rate of a step of the usual length."""
        config = self.config
        # The factor of the middle of the step: neither the first nor the last step is wasted on zero.
        middle = (self.pace.progress(step) + self.pace.progress(step + 1)) / 2
        lr = config.lr * self.progress.lr_share * share(config, self.progress)
        return lr * factor(config.schedule, middle, config.warmup)

    def _step(self, lr: float | None = None) -> StepReport | SkipReport:
        began, config, step = self.clock(), self.config, self.progress.step
        loss = self.work.loss_and_gradients(Regularization.of(config, self.generator))
        norm = clip(self.parameters.gradient_values, config.clip)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            return self._skip("gradient" if math.isfinite(loss) else "loss")
        lr = (self._scheduled(step) if lr is None else lr) * self.work.window_share
        self.optimizer.update(lr)
        if self.average is not None:
            self.average.stepped()
        self.work.accept()
        self.progress.took(loss, lr, clipped=norm > config.clip)
        self.rhythm.stepped(self.clock() - began)
        return StepReport(step + 1, loss, norm, lr, self.pace.progress(step + 1))

    def _skip(self, what: str) -> SkipReport:
        """Leave the weights as they are, and begin anew behind the window."""
        self.work.begin_anew()
        self.progress.failed()
        return SkipReport(self.progress.step, what, self.pace.progress(self.progress.step))

    def _go_back(self, what: str) -> ReturnReport:
        """Take the best weights so far, fresh moments and a lower learning rate.

        Raises:
            TrainingError: that has been tried often enough.
        """
        if self.progress.returns == MOST_RETURNS:
            raise TrainingError(
                f"the {what} is not finite at step {self.progress.step}, {MOST_RETURNS} times over and at "
                f"{self.progress.lr_share:g} of the learning rate: training cannot go on. The best weights so far are "
                f"kept. Try a lower --lr (it was {self.config.lr:g}) or a lower --clip"
            )
        for name, weights in self.best_weights().items():
            self.parameters.views[name][...] = weights
        self.optimizer.forget()
        if self.average is not None:
            self.average.forget()
        self.work.begin_anew()
        self.progress.went_back(SLOWER * self.progress.lr_share)
        return ReturnReport(self.progress.step, what, self.progress.best_step, self.progress.lr_share)

    def change(self, config: TrainConfig) -> None:
        """Go on with another configuration, of which only what is ``run.CHANGEABLE`` may be another."""
        was, step, self.config, self.rhythm.config = self.config, self.progress.step, config, config
        if config.steps is not None:
            self.pace = StepPace(config.steps)
        else:
            self.pace.resume(_stretched(self.pace.plan, step, was, config), step)

    def averaged(self) -> AbstractContextManager[None]:
        """While this lasts, the network's weights are those to validate, keep and use: the mean, where one is kept.

        Not to be entered twice, and nothing is to be trained or saved meanwhile.
        """
        return nullcontext() if self.average is None else self.average.in_place()

    def evaluate(self) -> Cost:
        """What the validation part costs with those weights."""
        with self.averaged():
            return self.work.evaluate()

    def is_sound(self) -> bool:
        """Whether everything that would be saved is finite; the step after one that is not notices."""
        means = () if self.average is None else (self.average.mean,)
        arrays = (self.parameters.values, *means, *self.optimizer.moments.values(), *self.work.place().values())
        return all(np.isfinite(array).all() for array in arrays)

    def _validate(self, done: float) -> ValidationReport | ReturnReport:
        began = self.clock()
        valid = self.evaluate()
        if not math.isfinite(valid.nats):
            return self._go_back("validation loss")
        self.rhythm.seconds = self.clock() - began
        self.pace.paused(self.rhythm.seconds)
        state = self.progress
        steps, sums = state.loss_steps, (state.loss_sum, state.clipped, state.spikes, state.skipped)
        loss, clipped, spikes, skipped = sums
        best = state.validated(valid.nats_per_token, self.rhythm.number(state, done))
        lowered = is_stuck(self.config, state)
        state.reductions += lowered
        if self.average is not None:
            self.average.validated(valid.nats_per_token)
        return ValidationReport(
            state.step, loss / steps, valid, best, done, state.lr, clipped / steps, spikes, skipped, lowered
        )

    def state(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Everything that continuing needs besides texts and configuration: tensors and JSON."""
        tensors: dict[str, Any] = dict(self.parameters.views)
        tensors.update({f"optimizer.{name}": moment for name, moment in self.optimizer.moments.items()})
        tensors.update(self.work.place())
        numbers = {
            "progress": self.progress.to_json(),
            "plan": self.pace.plan,
            "updates": self.optimizer.updates,
            "generator": _texts(self.generator.bit_generator.state),
            "seconds": self.clock(),
            "validation_seconds": self.rhythm.seconds,
        }
        if self.average is not None:
            tensors[TENSOR] = self.average.mean
            numbers["average"] = self.average.state()
        return tensors, numbers

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any], was: TrainConfig) -> None:
        """Continue from what ``state`` gave, exactly; for runs bound by time the clock must go on where it was.

        Args:
            tensors: as ``state`` gave them.
            numbers: likewise.
            was: the configuration of the run until then; its length and learning rate may have been others.
        """
        for name, view in self.parameters.views.items():
            view[...] = tensors[name]
        for name, moment in self.optimizer.moments.items():
            moment[...] = tensors[f"optimizer.{name}"]
        self.work.move_to(tensors)
        self.progress = Progress.from_json(numbers["progress"])
        self.rhythm.seconds = float(numbers["validation_seconds"])
        if self.average is not None:
            self.average.restore(tensors[TENSOR], numbers["average"])
        self.optimizer.updates = numbers["updates"]
        self.generator.bit_generator.state = _numbers(numbers["generator"])
        self.pace.resume(_stretched(Plan(*numbers["plan"]), self.progress.step, was, self.config), self.progress.step)
        if (was.steps, was.seconds) != (self.config.steps, self.config.seconds):
            # Validations are due at shares of the run, which is of another length now.
            self.progress.validations = self.rhythm.expected(self.pace.progress(self.progress.step))


def _stretched(plan: Plan, step: int, was: TrainConfig, now: TrainConfig) -> Plan:
    """The plan of a run whose time was changed: what is done is another share of it, and all else to be seen."""
    if was.seconds is None or now.seconds is None or was.seconds == now.seconds:
        return plan
    return Plan(step, min(1.0, plan.at(step) * was.seconds / now.seconds), 0.0, 1.0)


def _texts(state: Any) -> Any:
    """A generator's state with its 128-bit integers as text, which JSON readers do not round."""
    if isinstance(state, dict):
        return {key: _texts(value) for key, value in state.items()}
    return str(state) if isinstance(state, int) else state


def _numbers(state: Any) -> Any:
    if isinstance(state, dict):
        return {key: _numbers(value) for key, value in state.items()}
    return int(state) if isinstance(state, str) and state.isdigit() else state
