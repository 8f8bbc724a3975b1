"""One run from beginning to end: trains, validates, keeps the best model, and can be stopped and continued.

A run that is stopped and continued ends as if it had not been stopped, so what a stop validates does not count as a
validation. Where the weights of the stop are the better model all the same, the folder keeps the best ones that do
count beside it.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from charlm.checkpoint import TrainedModel, load_model, vocabulary_tensors
from charlm.config import ModelConfig, TextConfig, TrainConfig
from charlm.errors import ModelError
from charlm.files import Tensors
from charlm.nn.arrays import Array, Views
from charlm.nn.language_model import LanguageModel
from charlm.text.corpus import Corpus
from charlm.text.vocabulary import UNK
from charlm.training.batching import Stream
from charlm.training.reports import PlanReport, Report, ReturnReport, SkipReport, StepReport, ValidationReport
from charlm.training.run_folder import RunFolder
from charlm.training.saved_numbers import check_numbers
from charlm.training.trainer import Trainer

SAVE_SECONDS = 60.0
"""Longest time between two saves of the state."""
EVENTS = {SkipReport: "skipped", ReturnReport: "returned"}
"""What the log calls a report."""
CHANGEABLE = ("steps", "seconds", "lr", "eval_every", "patience")
"""What of a training configuration may be another when a run goes on."""


@dataclass(frozen=True)
class RunConfig:
    """All that decides a run besides its texts."""

    model: ModelConfig
    text: TextConfig
    train: TrainConfig

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"model": self.model.to_json(), "text": self.text.to_json(), "train": self.train.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "RunConfig":
        """From a JSON object.

        Raises:
            ModelError: a part is missing or does not fit.
        """
        return cls(
            ModelConfig.from_json(data.get("model")),
            TextConfig.from_json(data.get("text")),
            TrainConfig.from_json(data.get("train")),
        )


class Run:
    """A run in a folder.

    Args:
        folder: where it is kept.
        config: what is trained and how.
        corpus: on what.
        about: of the corpus and the machine, for the record: JSON.
        clock: seconds since the command began.
        base: the network to start from; the corpus's vocabulary is its own, with tokens added at the end or none.
        overwrite: whether it takes the place of a run that is there already.

    Attributes:
        trainer: the trainer at work.
        stopped: whether ``reports`` ended because it was asked to.
        loss_at_stop: nats a token of the validation text then; None where that was not seen.
    """

    def __init__(
        self,
        folder: RunFolder,
        config: RunConfig,
        corpus: Corpus,
        about: dict[str, Any],
        clock: Callable[[], float],
        *,
        base: LanguageModel | None = None,
        overwrite: bool = False,
    ) -> None:
        self.folder = folder
        self.config = config
        self.corpus = corpus
        self.about = about
        self.stopped = False
        self.loss_at_stop: float | None = None
        self._was_finished = False
        self._overwrite = overwrite
        self._seconds_before = 0.0
        self._clock = clock
        self._saved_at = clock()
        self._base = base
        tokenizer, train = corpus.tokenizer, config.train
        stream = Stream(corpus.train.ids, tokenizer.line_end_id, corpus.independent_lines, train.restart, train.seed)
        self.trainer = Trainer(
            self._begun_network(),
            stream,
            corpus.valid.ids,
            train,
            unknown=tokenizer.unknown_id,
            clock=self.clock,
            best_weights=self._best_weights,
        )

    def _begun_network(self) -> LanguageModel:
        """The network as the run begins with it."""
        network = LanguageModel(self.config.model)
        network.initialize(self.config.train.seed)
        if self._base is not None:
            network.take_over(self._base, like=UNK)
        return network

    def _best_weights(self) -> Views:
        """Those of the best validation; before there is one, those that the run began with."""
        known = self.trainer.progress.has_best
        network = load_model(self.folder.model_file).network if known else self._begun_network()
        return network.parameters.views

    def claim(self) -> None:
        """Make the folder, and make sure that it can be written; an earlier run goes once this one has something.

        Raises:
            OutputError: that is not so.
        """
        self.folder.claim(overwrite=self._overwrite)

    def clock(self) -> float:
        """Seconds that the run has taken, those before it was last stopped included."""
        return self._seconds_before + self._clock()

    @property
    def model(self) -> TrainedModel:
        """The model with its present weights, which are those of the last validation."""
        progress = self.trainer.progress
        return self._model(progress.best_loss if progress.has_best else None)

    def _model(self, valid: float | None) -> TrainedModel:
        """The model with its present weights, and what the validation text costs with them, in nats a token."""
        record = {
            **self.about,
            "train": self.config.train.to_json(),
            "step": self.trainer.progress.step,
            "valid_nats_per_token": valid,
        }
        return TrainedModel(self.trainer.model, self.corpus.tokenizer, self.config.text, record)

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
            self.folder.prepare_model(self.model)
        elif not self.folder.model_is_as_saved():
            self._check_model(load_model(self.folder.model_file))
        self._was_finished = not lost and self.trainer.is_finished and self.folder.log_is_complete()
        if not self._was_finished:
            self.folder.cut_log()
        if lost:
            self._save_state()

    def _check_model(self, found: TrainedModel) -> None:
        """A model that is newer than the state is right if this run wrote it: it was ended between the two files."""
        mine = self.model
        same = found.text == mine.text and found.network.config == mine.network.config
        trained = [{**model.record["train"], **dict.fromkeys(CHANGEABLE)} for model in (found, mine)]
        if not same or trained[0] != trained[1] or found.record["corpus"] != mine.record["corpus"]:
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
            if isinstance(report, ValidationReport):
                if report.best:
                    self.folder.prepare_model(self.model)
                self._log_validation(report)
                self._save_state()
            elif isinstance(report, PlanReport):
                self.folder.log({"event": "plan", **report.plan._asdict()})
            elif isinstance(report, SkipReport | ReturnReport):
                self.folder.log({"event": EVENTS[type(report)], **asdict(report)})
            elif self._clock() - self._saved_at > SAVE_SECONDS:
                self._save_state()
            yield report
            if isinstance(report, StepReport | SkipReport) and stop() and not self.trainer.is_finished:
                self._stop()
                return
        if not self._was_finished:
            self._log("finished", why="patience" if self.trainer.is_out_of_patience else "length")

    def _tensors(self, of_trainer: dict[str, Array]) -> Tensors:
        """What the state's file holds. A vocabulary that was begun with another corpus cannot be made again."""
        return {**of_trainer, **vocabulary_tensors(self.corpus.tokenizer.vocabulary)}

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
            self.folder.save_model(self._model(loss))

    def _save_state(self) -> None:
        """Save what continuing needs, unless it is spoilt: the trainer is about to notice."""
        if not self.trainer.is_sound():
            self.folder.save_prepared()
            return
        # The best model by a scheduled validation is kept, so that a run that is stopped and resumed ends as
        # if nothing had happened; only a run that has none yet leaves its present weights.
        if not self.trainer.progress.has_best:
            self.folder.prepare_model(self.model)
        tensors, state = self.trainer.state()
        self.folder.save_state(self._tensors(tensors), {**state, "run": self.config.to_json(), "about": self.about})
        self._saved_at = self._clock()

    def _log(self, event: str, **more: Any) -> None:
        self.folder.log({"event": event, "step": self.trainer.progress.step, "seconds": round(self.clock(), 3), **more})

    def _log_validation(self, report: ValidationReport) -> None:
        train = self.config.train
        self._log(
            "validation",
            progress=report.progress,
            train_nats_per_token=report.train_loss,
            valid_nats_per_token=report.valid.nats_per_token,
            best=report.best,
            lr=report.lr,
            tokens=report.step * train.window * train.batch,
            clipped=report.clipped,
            spikes=report.spikes,
            skipped=report.skipped,
            valid=asdict(report.valid),
        )
