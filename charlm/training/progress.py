"""The numbers that a run carries from step to step, besides arrays."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self

from charlm.config import Strict
from charlm.errors import UsageError

SPIKE = 1.5
"""A loss so many times the average of those before it is a spike."""
SETTLED = 50
"""Steps before which the loss falls so fast, or is so uncertain, that its average says nothing."""
MOST = 2**53
"""More steps than any run has; up to here floats count exactly."""
MEMORY = 0.98
"""Weight of the past in that average."""


@dataclass
class Progress(Strict):
    """Where a run is.

    Attributes:
        step: steps done.
        validations: validations done.
        validated_step: the step of the last one.
        best_loss: nats a token of the best one.
        best_step: its step.
        without_gain: validations since the best one.
        loss_sum: of the losses since the last validation.
        loss_steps: how many these are.
        loss_average: decaying average of all losses.
        lr: learning rate of the last step.
        clipped: steps since the last validation whose gradient was clipped.
        spikes: such steps with a loss far above those before them.
        skipped: such steps that changed nothing.
        all_skipped: steps that changed nothing, of the whole run.
        failures: such steps one after another, up to now.
        returns: how often the run went back to its best weights.
        lr_share: what learning rates are multiplied by, since that was so.
        reductions: how often the plateau schedule has lowered the learning rate.
    """

    added: ClassVar[Mapping[str, Any]] = MappingProxyType({"reductions": 0})

    step: int = 0
    validations: int = 0
    validated_step: int = 0
    best_loss: float = math.inf
    best_step: int = 0
    without_gain: int = 0
    loss_sum: float = 0.0
    loss_steps: int = 0
    loss_average: float = 0.0
    lr: float = 0.0
    clipped: int = 0
    spikes: int = 0
    skipped: int = 0
    all_skipped: int = 0
    failures: int = 0
    returns: int = 0
    lr_share: float = 1.0
    reductions: int = 0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 0 or (isinstance(value, int) and value > MOST):
                raise UsageError(f"{name} is {value!r:.100}")

    def to_json(self) -> dict[str, Any]:
        """As a JSON object, which has no infinity."""
        return {**super().to_json(), "best_loss": self.best_loss if math.isfinite(self.best_loss) else None}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """From what ``to_json`` gave.

        Raises:
            ModelError: it is something else.
        """
        if not isinstance(data, dict) or data.get("best_loss", 0) is not None:
            return super().from_json(data)
        found = super().from_json({**data, "best_loss": 0.0})
        found.best_loss = math.inf
        return found

    @property
    def has_best(self) -> bool:
        """Whether any weights have been validated; ``validations`` are counted anew where the run's length changes."""
        return math.isfinite(self.best_loss)

    def took(self, loss: float, lr: float, *, clipped: bool) -> None:
        """Count a step."""
        self.step += 1
        self.loss_sum += loss
        self.loss_steps += 1
        self.lr = lr
        self.clipped += clipped
        self.spikes += self.step > SETTLED and loss > SPIKE * self.loss_average
        weight = MEMORY if self.loss_average else 0.0
        self.loss_average = weight * self.loss_average + (1 - weight) * loss
        self.failures = 0

    def failed(self) -> None:
        """Count a step that changed nothing."""
        self.step += 1
        self.skipped += 1
        self.all_skipped += 1
        self.failures += 1

    def went_back(self, lr_share: float) -> None:
        """Count a return to the best weights; what was seen since the last validation is of no account."""
        self.returns += 1
        self.lr_share = lr_share
        self.failures = 0
        self._begin_interval()

    def validated(self, loss: float, number: int) -> bool:
        """Count a validation, the ``number``-th; whether it is the best."""
        best = loss < self.best_loss
        if best:
            self.best_loss, self.best_step = loss, self.step
        self.validations, self.validated_step = number, self.step
        self.without_gain = 0 if best else self.without_gain + 1
        self._begin_interval()
        return best

    def _begin_interval(self) -> None:
        self.loss_sum, self.loss_steps = 0.0, 0
        self.clipped = self.spikes = self.skipped = 0
