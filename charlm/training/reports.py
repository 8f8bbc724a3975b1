"""What a trainer tells as it goes."""

from dataclasses import dataclass

from charlm.scoring import Cost
from charlm.training.pace import Plan


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
class SkipReport:
    """A step that changed nothing, since it would have spoilt the weights.

    Attributes:
        step: steps done, this one included.
        what: what was not finite: "loss" or "gradient".
        progress: share of the run that is done.
    """

    step: int
    what: str
    progress: float


@dataclass(frozen=True)
class ReturnReport:
    """The run has gone back to its best weights so far, and goes on with a lower learning rate.

    Attributes:
        step: steps done.
        what: what was not finite, again and again: "loss", "gradient" or "validation loss".
        best_step: the step that the weights are of; 0 for those that the run began with.
        lr_share: what learning rates are multiplied by from now on.
    """

    step: int
    what: str
    best_step: int
    lr_share: float


@dataclass(frozen=True)
class ValidationReport:
    """A validation.

    Attributes:
        step: steps done.
        train_loss: mean training loss in nats a token since the last validation; None without a step since.
        valid: cost of the validation part; for a language model, a ``charlm.scoring.Evaluation``.
        best: whether it is the best so far.
        progress: share of the run that is done.
        lr: learning rate of the step before it.
        clipped: share of the steps since the last validation whose gradient was clipped.
        spikes: how many of these steps had a loss far above those before them.
        skipped: how many steps since then changed nothing, since loss or gradient was not finite.
        lowered: whether the plateau schedule lowers the learning rate from here on.
    """

    step: int
    train_loss: float | None
    valid: Cost
    best: bool
    progress: float
    lr: float
    clipped: float
    spikes: int
    skipped: int
    lowered: bool = False


@dataclass(frozen=True)
class PlanReport:
    """A run bound by time has measured its speed and planned anew."""

    plan: Plan


Report = StepReport | SkipReport | ReturnReport | ValidationReport | PlanReport
