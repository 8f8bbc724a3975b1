"""A run that is done again as its log has it: the same steps under the same plans, without a look at the clock.

What a run owes to the clock is in its log: its plans, when it validated, and what was changed when it went on. All else
follows from its options, so that the same text on the same machine gives the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from charlm.errors import ModelError, TrainingError
from charlm.files import parse_json
from charlm.train_config import TrainConfig
from charlm.training.pace import Plan
from charlm.training.reports import Report, SkipReport, StepReport, ValidationReport
from charlm.training.run_folder import RunFolder
from charlm.training.saved_numbers import is_plan

_NOT_FINITE = "validation loss"
"""What a return is reported with that took the place of a validation."""


class Change(NamedTuple):
    """What of a run was another from some moment on.

    Attributes:
        step: steps done by then.
        validated: whether a validation behind that step came first.
        now: names of fields of the configuration -> their values from then on.
    """

    step: int
    validated: bool
    now: Mapping[str, Any]


@dataclass(frozen=True)
class Recording:
    """A run as its log tells it.

    Attributes:
        folder: where it is.
        plans: step -> the plan made behind it.
        rates: step -> its learning rate, None where it changed nothing; empty for runs that are not bound by time.
        losses: step -> nats a token of the validation behind it, None where they were not finite.
        changes: in their order.
        ended: steps at its end.
        stopped: whether it was stopped then.
    """

    folder: Path
    plans: Mapping[int, Plan]
    rates: Mapping[int, float | None]
    losses: Mapping[int, float | None]
    changes: tuple[Change, ...]
    ended: int
    stopped: bool

    def check(self, report: Report) -> None:
        """See that a report tells what the log has.

        Raises:
            TrainingError: a step has another learning rate.
        """
        if not self.rates or not isinstance(report, StepReport | SkipReport):
            return
        lr = report.lr if isinstance(report, StepReport) else None
        expected = self.rates.get(report.step)
        if lr != expected:
            raise TrainingError(
                f"step {report.step} has the learning rate {lr}, and {self.folder} had {expected}: this is no replay. "
                "Its files were changed, or this is another machine, on which validations come out otherwise"
            )

    def agrees(self, report: ValidationReport) -> bool:
        """Whether a validation costs what it did then, to the last bit."""
        return self.losses.get(report.step) == report.valid.nats_per_token

    def change_behind(self, report: Report) -> Change | None:
        """What is to be changed behind a report."""
        if not isinstance(report, StepReport | SkipReport | ValidationReport):
            return None
        moment = (report.step, isinstance(report, ValidationReport))
        return next((change for change in self.changes if (change.step, change.validated) == moment), None)


def read_recording(folder: Path, kind: str) -> tuple[Recording, Mapping[str, Any]]:
    """Read a run that is over.

    Args:
        folder: of the run.
        kind: of its model.

    Returns:
        What its log tells, and what its state says of it: JSON.

    Raises:
        ModelError: it is not over, or damaged, or its log does not have what a replay needs.
    """
    files = RunFolder(folder)
    _, state = files.load_state(replayed=True)
    files.check_kind(state, kind)
    events = _events(files.log_file)
    last = events[-1] if events else {}
    if last.get("event") not in ("finished", "stopped"):
        raise ModelError(
            f"{folder} cannot be replayed: its log does not end with the run's end. Wait for it, or go on with it, by "
            "--resume"
        )
    try:
        found = _recording(folder, events, last)
        train = TrainConfig.from_json(state["run"]["train"])
        for change in found.changes:
            TrainConfig.from_json({**train.to_json(), **change.now})
        changes = state["about"].get("changes", [])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder} cannot be replayed: its log is damaged ({error})") from error
    complete = len(found.rates) == found.ended and all(step + 1 in found.rates for step in range(found.ended))
    if train.seconds is not None and not complete:
        raise ModelError(f"{folder} cannot be replayed: its log lacks the learning rates of some of its steps")
    if len(changes) != len(found.changes):
        raise ModelError(f"{folder} cannot be replayed: it was changed on its way, and its log does not say when")
    return found, state


def _events(path: Path) -> list[dict[str, Any]]:
    """The objects of a log.

    Raises:
        ModelError: it cannot be read, or a line is none.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}, so its run cannot be replayed") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            event = parse_json(line.decode())
        except ValueError:
            event = None
        if not isinstance(event, dict):
            raise ModelError(f"{path}: line {number} is damaged, so its run cannot be replayed")
        found.append(event)
    return found


def _recording(folder: Path, events: list[dict[str, Any]], last: dict[str, Any]) -> Recording:
    """What a log tells.

    Raises:
        KeyError: something is missing of it.
        TypeError: something is of another type.
        ValueError: something is out of its range.
    """
    plans: dict[int, Plan] = {}
    rates: dict[int, float | None] = {}
    losses: dict[int, float | None] = {}
    changes: list[Change] = []
    for event in events:
        step = event["step"]
        if not isinstance(step, int):
            raise TypeError(f"no step is {step!r:.100}")
        match event["event"]:
            case "plan":
                plan = [step, event["progress"], event["slope"], event["ceiling"]]
                if not is_plan(plan):
                    raise ValueError(f"no plan is {plan!r:.100}")
                plans[step] = Plan(*plan)
            case "rates":
                first = step - len(event["lr"]) + 1
                rates.update(enumerate(event["lr"], first))
            case "validation":
                losses[step] = event["valid_nats_per_token"]
            case "returned" if event["what"] == _NOT_FINITE:
                losses[step] = None
            case "changed":
                changes.append(Change(step, step in losses, dict(event["now"])))
    return Recording(folder, plans, rates, losses, tuple(changes), last["step"], last["event"] == "stopped")


def begun_with(state: Mapping[str, Any]) -> TrainConfig:
    """The configuration that a run began with, by its state.

    Raises:
        ModelError: the state does not say it.
    """
    try:
        changes = state["about"].get("changes", [])
        return replace(TrainConfig.from_json(state["run"]["train"]), **(changes[0]["was"] if changes else {}))
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the state of the run is damaged ({error}), so it cannot be replayed") from error


class RecordedPace:
    """Progress by the plans of a log."""

    def __init__(self, plans: Mapping[int, Plan]) -> None:
        self.plans = plans
        self.plan = Plan(0, 0.0, 0.0, 1.0)

    def progress(self, step: int) -> float:
        """As the present plan has it."""
        return self.plan.at(step)

    def replan(self, step: int) -> bool:
        """Take up the plan that was made behind this step, if there was one."""
        if step not in self.plans:
            return False
        self.plan = self.plans[step]
        return True

    def paused(self, seconds: float) -> None:
        """Time does not matter."""

    def resume(self, plan: Plan, step: int) -> None:
        """Go by this plan until the next."""
        del step
        self.plan = plan
