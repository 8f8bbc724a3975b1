"""Truncated backpropagation through time over a corpus, as a sequence of reports."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from charlm.config import TrainConfig
from charlm.errors import TrainingError
from charlm.nn.arrays import Array, Ids, States
from charlm.nn.language_model import LanguageModel
from charlm.nn.stack import Dropout
from charlm.scoring import Evaluation, evaluate, evaluation_tokens
from charlm.training.batching import Batches, Stream
from charlm.training.clipping import clip
from charlm.training.optimizers import make_optimizer
from charlm.training.pace import Pace, Plan, StepPace, TimePace
from charlm.training.schedules import factor

VALIDATION_SHARE = 0.05
"""Share of a run that validation may take."""
MOST_VALIDATIONS = 20
FORWARD_COST = 0.3
"""A token's forward pass as a share of its training step."""


@dataclass(frozen=True)
class StepReport:
    """One optimiser step.

    Attributes:
        step: steps done, this one included.
        loss: mean loss of the step's window in nats a token.
        norm: global norm of the gradient before clipping.
        lr: learning rate of the step.
        progress: share of the run that is done.
    """

    step: int
    loss: float
    norm: float
    lr: float
    progress: float


@dataclass(frozen=True)
class ValidationReport:
    """A validation.

    Attributes:
        step: steps done.
        train_loss: mean training loss in nats a token since the last validation; None without a step since.
        valid: cost of the validation text.
        best: whether it is the best so far.
        progress: share of the run that is done.
    """

    step: int
    train_loss: float | None
    valid: Evaluation
    best: bool
    progress: float


@dataclass(frozen=True)
class PlanReport:
    """A run bound by time has measured its speed and planned anew."""

    plan: Plan


Report = StepReport | ValidationReport | PlanReport


@dataclass
class Progress:
    """The numbers that a run carries from step to step, besides arrays."""

    step: int = 0
    validations: int = 0
    best_loss: float = math.inf
    best_step: int = 0
    loss_sum: float = 0.0
    loss_steps: int = 0


class Trainer:
    """Trains a model on a stream, validating as it goes.

    Args:
        model: initialised; its parameters change.
        stream: training tokens.
        valid: validation tokens.
        config: how to train.
        unknown: id of the unknown token, if there is one.
        clock: seconds since the run began, for runs bound by time.
    """

    def __init__(
        self,
        model: LanguageModel,
        stream: Stream,
        valid: Ids,
        config: TrainConfig,
        *,
        unknown: int | None,
        clock: Callable[[], float],
    ) -> None:
        self.model = model
        self.stream = stream
        self.valid = valid
        self.config = config
        self.unknown = unknown
        self.clock = clock
        self.batches = Batches(stream, config.batch)
        self.optimizer = make_optimizer(config.optimizer, model.parameters, config.weight_decay)
        self.states: States = model.initial_states(config.batch)
        self.generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([config.seed, 2])))
        self.progress = Progress()
        self.pace: Pace = (
            StepPace(config.steps)
            if config.steps is not None
            else TimePace(config.seconds or 0.0, clock, lambda: self._validation_seconds)
        )
        self._work = model.new_workspace(config.window, config.batch)
        self._validation_seconds = 0.0

    def run(self) -> Iterator[Report]:
        """Train to the end of the run; every step and validation is reported once it is complete.

        Between two reports the trainer may be saved, or left for good.

        Raises:
            TrainingError: loss or gradient are not finite. The parameters are those before the step.
        """
        while True:
            # First what the last step left to do: the run may have been stopped right behind it.
            done = self.pace.progress(self.progress.step)
            due = done >= (self.progress.validations + 1) / self._validations() or done >= 1
            if due and self.progress.loss_steps:
                yield self._validate(done)
            if done >= 1:
                return
            yield self._step()
            if self.pace.replan(self.progress.step):
                yield PlanReport(self.pace.plan)

    def _step(self) -> StepReport:
        began, config, step = self.clock(), self.config, self.progress.step
        window, ids = self.batches.next_window(config.window), self.stream.ids
        self.model.pack(self._work)
        dropout = Dropout(config.dropout, self.generator) if config.dropout else None
        loss, states, _ = self.model.loss_and_gradients(
            self._work, window.inputs(ids), window.targets(ids), window.starts, self.states, dropout
        )
        norm = clip(self.model.parameters.gradient_values, config.clip)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainingError(
                f"the {'gradient' if math.isfinite(loss) else 'loss'} is not finite at step {step + 1}: "
                f"training cannot go on. Try a lower --lr (it was {config.lr:g}) or a lower --clip"
            )
        # The factor of the middle of the step: neither the first nor the last step is wasted on zero.
        middle = (self.pace.progress(step) + self.pace.progress(step + 1)) / 2
        lr = config.lr * factor(config.schedule, middle, config.warmup)
        self.optimizer.update(lr)
        self.states = states
        self.progress.step += 1
        self.progress.loss_sum += loss
        self.progress.loss_steps += 1
        if not self._validation_seconds:
            # Until one has been timed, a validation is taken to cost what its tokens should.
            self._validation_seconds = self._validation_steps() * (self.clock() - began)
        return StepReport(step + 1, loss, norm, lr, self.pace.progress(step + 1))

    def _validation_steps(self) -> float:
        """How many training steps a validation should cost."""
        tokens = evaluation_tokens(self.valid.size, lines=self.stream.independent_lines)
        return FORWARD_COST * tokens / (self.config.window * self.config.batch)

    def _validations(self) -> int:
        """How many validations the run has: as many as keep to their share of it."""
        length, cost = self.config.seconds, self._validation_seconds
        if self.config.steps is not None:
            # By steps alone: a run of so many steps must not depend on the clock.
            length, cost = self.config.steps, self._validation_steps()
        share = VALIDATION_SHARE * (length or 0.0)
        return int(max(1, share // cost)) if share < MOST_VALIDATIONS * cost else MOST_VALIDATIONS

    def evaluate(self) -> Evaluation:
        """What the validation text costs with the weights as they are."""
        line_end = self.stream.line_end if self.stream.independent_lines else None
        return evaluate(self.model, self.valid, line_end=line_end, unknown=self.unknown)

    def _validate(self, done: float) -> ValidationReport:
        began = self.clock()
        valid = self.evaluate()
        if not math.isfinite(valid.nats):
            raise TrainingError(
                f"the validation loss is not finite at step {self.progress.step}: the weights are spoilt. "
                f"Try a lower --lr (it was {self.config.lr:g}) or a lower --clip"
            )
        self._validation_seconds = self.clock() - began
        self.pace.paused(self._validation_seconds)
        state = self.progress
        state.validations = max(state.validations + 1, int(done * self._validations()))
        best = valid.nats_per_token < state.best_loss
        if best:
            state.best_loss, state.best_step = valid.nats_per_token, state.step
        train_loss = state.loss_sum / state.loss_steps if state.loss_steps else None
        state.loss_sum, state.loss_steps = 0.0, 0
        return ValidationReport(state.step, train_loss, valid, best, done)

    def state(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Everything that continuing needs besides model, stream and configuration: tensors and JSON."""
        tensors: dict[str, Any] = dict(self.model.parameters.views)
        tensors.update({f"optimizer.{name}": moment for name, moment in self.optimizer.moments.items()})
        tensors.update({f"place.{name}": array for name, array in self.batches.place().items()})
        for k, layer in enumerate(self.states):
            tensors.update({f"states.{k}.{i}": array for i, array in enumerate(layer)})
        numbers = {
            **{key: value for key, value in vars(self.progress).items() if key != "best_loss"},
            "best_loss": self.progress.best_loss if math.isfinite(self.progress.best_loss) else None,
            "plan": self.pace.plan,
            "updates": self.optimizer.updates,
            "generator": _texts(self.generator.bit_generator.state),
            "seconds": self.clock(),
            "validation_seconds": self._validation_seconds,
        }
        return tensors, numbers

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from what ``state`` gave, exactly; for runs bound by time the clock must go on where it was."""
        for name, view in self.model.parameters.views.items():
            view[...] = tensors[name]
        for name, moment in self.optimizer.moments.items():
            moment[...] = tensors[f"optimizer.{name}"]
        self.batches.move_to({name: tensors[f"place.{name}"] for name in ("lanes", "epoch")})
        self.states = tuple(
            tuple(np.array(tensors[f"states.{k}.{i}"]) for i in range(len(layer)))
            for k, layer in enumerate(self.states)
        )
        self.progress = Progress(
            step=numbers["step"],
            validations=numbers["validations"],
            best_loss=math.inf if numbers["best_loss"] is None else numbers["best_loss"],
            best_step=numbers["best_step"],
            loss_sum=numbers["loss_sum"],
            loss_steps=numbers["loss_steps"],
        )
        self.pace.resume(Plan(*numbers["plan"]), self.progress.step)
        self._validation_seconds = float(numbers["validation_seconds"])
        self.optimizer.updates = numbers["updates"]
        self.generator.bit_generator.state = _numbers(numbers["generator"])


def _texts(state: Any) -> Any:
    """A generator's state with its 128-bit integers as text, which JSON readers do not round."""
    if isinstance(state, dict):
        return {key: _texts(value) for key, value in state.items()}
    return str(state) if isinstance(state, int) else state


def _numbers(state: Any) -> Any:
    if isinstance(state, dict):
        return {key: _numbers(value) for key, value in state.items()}
    return int(state) if isinstance(state, str) and state.isdigit() else state
