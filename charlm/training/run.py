"""One run from beginning to end: trains, validates, keeps the best model, and can be stopped and continued.

A run that is stopped and continued ends as if it had not been stopped, so what a stop validates does not count as a
validation. Where the weights of the stop are the better model all the same, the folder keeps the best ones that do
count beside it.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any, Generic, TypeVar

from charlm.errors import ModelError
from charlm.files import Tensors
from charlm.nn.arrays import Array, Views
from charlm.train_config import TrainConfig
from charlm.training.replay import RecordedPace, Recording
from charlm.training.reports import PlanReport, Report, ReturnReport, SkipReport, StepReport, ValidationReport
from charlm.training.rhythm import RecordedRhythm
from charlm.training.run_folder import RunFolder
from charlm.training.saved_numbers import check_numbers
from charlm.training.subject import Saved, Subject
from charlm.training.trainer import Trainer

SAVE_SECONDS = 60.0
"""Longest time between two saves of the state."""
EVENTS = {SkipReport: "skipped", ReturnReport: "returned"}
"""What the log calls a report."""
CHANGEABLE = ("steps", "seconds", "lr", "eval_every", "patience")
"""What of a training configuration may be another when a run goes on."""


SubjectT = TypeVar("SubjectT", bound=Subject)


def changed_about(about: dict[str, Any], was: TrainConfig, step: int) -> dict[str, Any]:
    """The record of a run that goes on with another configuration than it had until this step."""
    change = {"step": step, "was": {name: getattr(was, name) for name in CHANGEABLE}}
    return {**about, "changes": [*about.get("changes", []), change]}


class Run(Generic[SubjectT]):
    """A run in a folder.

    Args:
        folder: where it is kept.
        subject: what is trained, and on what.
        train: how.
        about: of the corpus and the machine, for the record: JSON.
        clock: seconds since the command began.
        overwrite: whether it takes the place of a run that is there already.

    Attributes:
        trainer: the trainer at work.
        stopped: whether ``reports`` ended because it was asked to.
        loss_at_stop: nats a token of the validation text then; None where that was not seen.
        disagreed: steps whose validation cost something else than in the run that this one replays.
    """

    def __init__(
        self,
        folder: RunFolder,
        subject: SubjectT,
        train: TrainConfig,
        about: dict[str, Any],
        clock: Callable[[], float],
        *,
        overwrite: bool = False,
    ) -> None:
        self.folder = folder
        self.subject = subject
        self.train = train
        self.about = about
        self.stopped = False
        self.loss_at_stop: float | None = None
        self._was_finished = False
        self._recording: Recording | None = None
        self.disagreed: list[int] = []
        self._rates: list[float | None] = []
        self._overwrite = overwrite
        self._seconds_before = 0.0
        self._clock = clock
        self._saved_at = clock()
        self.trainer = Trainer(subject.work, train, clock=self.clock, best_weights=self._best_weights)

    def _best_weights(self) -> Views:
        """Those of the best validation; before there is one, those that the run began with."""
        known = self.trainer.progress.has_best
        return self.subject.read(self.folder.model_file).weights if known else self.subject.begun_weights()

    def replay(self, recording: Recording) -> None:
        """Do what another run did, by its log, instead of looking at the clock; it began as this one begins."""
        self._recording = recording
        self.trainer.rhythm = RecordedRhythm(self.subject.work, self.train, recording.losses)
        if self.train.seconds is not None:
            self.trainer.pace = RecordedPace(recording.plans)

    def _compare(self, report: Report) -> None:
        """See that a replay goes as the run that it replays.

        Raises:
            TrainingError: it does not.
        """
        if self._recording is None:
            return
        self._recording.check(report)
        if isinstance(report, ValidationReport) and not self._recording.agrees(report):
            self.disagreed.append(report.step)

    def _change_as_recorded(self, report: Report) -> None:
        """Change what the run that is replayed was changed in, if this is the moment."""
        change = self._recording.change_behind(report) if self._recording is not None else None
        if change is None:
            return
        was, self.train = self.train, replace(self.train, **change.now)
        self.about = changed_about(self.about, was, change.step)
        self.trainer.change(self.train)
        self._log_change()

    def _log_change(self) -> None:
        self._log("changed", now={name: getattr(self.train, name) for name in CHANGEABLE})

    def claim(self) -> None:
        """Make the folder, and make sure that it can be written; an earlier run goes once this one has something.

        Raises:
            OutputError: that is not so.
        """
        self.folder.claim(overwrite=self._overwrite)

    def clock(self) -> float:
        """Seconds that the run has taken, those before it was last stopped included."""
        return self._seconds_before + self._clock()

    def _model(self) -> bytes:
        """The model's file with its present weights, which are those of the last validation."""
        progress = self.trainer.progress
        return self._model_of(progress.best_loss if progress.has_best else None)

    def _model_of(self, valid: float | None) -> bytes:
        """The model's file with its present weights, and what validation costs with them, in nats a token."""
        record = {
            **self.about,
            "train": self.train.to_json(),
            "step": self.trainer.progress.step,
            "valid_nats_per_token": valid,
        }
        with self.trainer.averaged():
            return self.subject.file_bytes(record)

    def resume(self, tensors: dict[str, Any], state: dict[str, Any], was: TrainConfig) -> None:
        """Continue from what ``folder.load_state`` gave.

        Args:
            tensors: what it gave.
            state: likewise.
            was: the configuration of the run until then, of which only what is ``CHANGEABLE`` may have changed.

        Raises:
            ModelError: it does not fit.
            OutputError: the folder cannot be written.
        """
        self.folder.check_state(tensors, self._tensors(self.trainer.state()[0]))
        try:
            check_numbers(state)
            self._seconds_before = float(state["seconds"]) - self._clock()
            self.trainer.restore(tensors, state, was)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            raise ModelError(f"{self.folder.state_file} is damaged ({error}): begin anew with --overwrite") from error
        self.folder.take_back()
        lost = not self.folder.model_file.exists()
        if lost:
            # The best weights are lost: the present ones take their place until a validation betters them.
            progress = self.trainer.progress
            progress.best_loss, progress.best_step = self.trainer.evaluate().nats_per_token, progress.step
            self.folder.prepare_model(self._model())
        elif not self.folder.model_is_as_saved():
            self._check_model(self.subject.read(self.folder.model_file))
        self._was_finished = not lost and self.trainer.is_finished and self.folder.log_is_complete()
        if not self._was_finished:
            self.folder.cut_log()
            if was != self.train:
                self._log_change()
        if lost:
            self._save_state()

    def _check_model(self, found: Saved) -> None:
        """A model that is newer than the state is right if this run wrote it: it was ended between the two files."""
        configs = (TrainConfig.from_json(found.record["train"]), self.train)
        trained = [{**train.to_json(), **dict.fromkeys(CHANGEABLE)} for train in configs]
        same = found.described == self.subject.to_json() and trained[0] == trained[1]
        if not same or found.record["corpus"] != self.about["corpus"]:
            raise ModelError(
                f"{self.folder.model_file} is of another run than {self.folder.state_file}: take it away to go on "
                "without it, or begin anew with --overwrite"
            )

    def reports(self, stop: Callable[[], bool]) -> Iterator[Report]:
        """Train; every report has been saved and logged when it is yielded.

        Args:
            stop: asked after every step; when true, the state is saved and the run ends.

        Raises:
            TrainingError: training cannot go on.
            OutputError: a file cannot be written.
        """
        for report in self.trainer.run():
            self._compare(report)
            self._write(report)
            yield report
            if isinstance(report, StepReport | SkipReport) and stop() and not self.trainer.is_finished:
                self._stop()
                return
            self._change_as_recorded(report)
        if not self._was_finished:
            self._log_rates()
            self._log("finished", why="patience" if self.trainer.is_out_of_patience else "length")

    def _write(self, report: Report) -> None:
        """Log a report, and save what is due."""
        if isinstance(report, StepReport | SkipReport) and self.train.seconds is not None:
            # Those of runs that are not bound by time follow from their configuration.
            self._rates.append(report.lr if isinstance(report, StepReport) else None)
        if isinstance(report, ValidationReport):
            if report.best:
                self.folder.prepare_model(self._model())
            self._log_validation(report)
            self._save_state()
        elif isinstance(report, PlanReport):
            self._log_rates()
            self.folder.log({"event": "plan", **report.plan._asdict()})
        elif isinstance(report, SkipReport | ReturnReport):
            self.folder.log({"event": EVENTS[type(report)], **asdict(report)})
        elif self._clock() - self._saved_at > SAVE_SECONDS:
            self._save_state()

    def _log_rates(self) -> None:
        """Log the learning rates of the steps that are not logged yet; null for those that changed nothing."""
        if self._rates:
            self.folder.log({"event": "rates", "step": self.trainer.progress.step, "lr": self._rates})
            self._rates = []

    def _tensors(self, of_trainer: dict[str, Array]) -> Tensors:
        """What the state's file holds."""
        return {**of_trainer, **self.subject.constants()}

    def _stop(self) -> None:
        """Save, then see how good the weights are: a second request to stop loses nothing."""
        self.stopped = True
        self._save_state()
        if not self.trainer.is_sound():
            return
        loss, progress = self.trainer.evaluate().nats_per_token, self.trainer.progress
        self.loss_at_stop = loss
        self._log("stopped", valid_nats_per_token=loss)
        if loss < progress.best_loss:
            if progress.has_best:
                self.folder.set_aside()
            self.folder.save_model(self._model_of(loss))

    def _save_state(self) -> None:
        """Save what continuing needs, unless it is spoilt: the trainer is about to notice."""
        if not self.trainer.is_sound():
            self.folder.save_prepared()
            return
        self._log_rates()
        # The best model by a scheduled validation is kept, so that a run that is stopped and resumed ends as
        # if nothing had happened; only a run that has none yet leaves its present weights.
        if not self.trainer.progress.has_best:
            self.folder.prepare_model(self._model())
        tensors, state = self.trainer.state()
        run = {**self.subject.to_json(), "train": self.train.to_json()}
        self.folder.save_state(self._tensors(tensors), {**state, "run": run, "about": self.about})
        self._saved_at = self._clock()

    def _log(self, event: str, **more: Any) -> None:
        self.folder.log({"event": event, "step": self.trainer.progress.step, "seconds": round(self.clock(), 3), **more})

    def _log_validation(self, report: ValidationReport) -> None:
        self._log(
            "validation",
            progress=report.progress,
            train_nats_per_token=report.train_loss,
            valid_nats_per_token=report.valid.nats_per_token,
            best=report.best,
            lr=report.lr,
            tokens=self.subject.work.tokens(report.step),
            clipped=report.clipped,
            spikes=report.spikes,
            skipped=report.skipped,
            valid=asdict(report.valid),
            **({"lowered": True} if report.lowered else {}),
        )
