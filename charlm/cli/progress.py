"""Following a run: a bar in a terminal, plain lines elsewhere, and what Ctrl-C does."""

import math
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple, Protocol

import numpy as np
from tqdm import tqdm

from charlm.cli import ENDINGS
from charlm.cli.console import Stopped, aside, counted, note, result
from charlm.scoring import Cost
from charlm.training.reports import Report, ReturnReport, SkipReport, StepReport, ValidationReport
from charlm.training.run import Run

OVERFIT = 0.5
"""A best step before this share of the run is worth a remark."""
SILENCE_SECONDS = 20.0
"""Longer than this nothing is said only in a terminal, where the bar moves."""
SMOOTHING = 0.98
"""Weight of the past in the training loss that is shown."""
BITS = 1 / math.log(2)


class View(NamedTuple):
    """How runs of one kind are shown.

    Attributes:
        command: what begins one, such as "train".
        per: what a loss is counted by, such as "a token".
        figures: what else is said of a validation, in words.
        live: what the present weights do, as text that is indented.
    """

    command: str
    per: str
    figures: Callable[[Cost], str]
    live: Callable[[], str]


def in_bits(nats: float) -> str:
    """A loss in bits, in brackets."""
    return f"({nats * BITS:.4f} bits)"


class Interrupt:
    """Whether Ctrl-C or a termination signal has asked for an end."""

    def __init__(self) -> None:
        self.asked = False
        self._insisted = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The first signal asks; a second one does not wait, and later ones must not disturb the end."""
        del number, frame
        if self.asked and not self._insisted:
            self._insisted = True
            raise KeyboardInterrupt
        self.asked = True

    @contextmanager
    def watching(self) -> Iterator["Interrupt"]:
        """While this lasts, SIGINT, SIGTERM and the closing of the terminal ask for an end.

        Those that were ignored before, as in the background or under nohup, stay so.
        """
        before: list[tuple[int, Any]] = []
        try:
            for number in ENDINGS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    # At once, so that what has been set is known whenever a signal strikes.
                    before.append((number, signal.signal(number, self.handle)))  # noqa: PERF401 - as said
            yield self
        finally:
            for number, handler in before:
                signal.signal(number, handler)


class Display(Protocol):
    """Shows a run's reports."""

    def step(self, report: StepReport) -> None:
        """After every step."""

    def validation(self, report: ValidationReport) -> None:
        """After every validation."""

    def remark(self, text: str) -> None:
        """When something has happened."""

    def close(self) -> None:
        """At the end, whatever it was."""


def follow(run: Run[Any], interrupt: Interrupt, view: View, *, stop_at: int | None = None, quiet: bool) -> None:
    """Run to the end, to a step, or until ``interrupt`` asks for an end, showing how it goes.

    Raises:
        Stopped: it was stopped by ``interrupt``; the message says what continues it.
    """
    state = run.trainer.progress
    display: Display = _Silent() if quiet else _Bar(run, view) if sys.stderr.isatty() else _Lines(run, view)
    # What is not finite ends the run with a message of its own.
    with np.errstate(all="ignore"):
        try:
            for report in run.reports(lambda: interrupt.asked or (stop_at is not None and state.step >= stop_at)):
                _show(display, report)
        except KeyboardInterrupt:
            # Asked for a second time: what was saved before is all there is to say.
            if not run.stopped:
                raise
        finally:
            display.close()
    if run.stopped:
        message = _how_to_go_on(run, view)
        if interrupt.asked:
            raise Stopped(message)
        if not quiet:
            note(message)
    elif not quiet:
        _say_what_came_of(run, view)


def _say_what_came_of(run: Run[Any], view: View) -> None:
    progress = run.trainer.progress
    best = progress.best_loss
    if progress.all_skipped:
        note(f"{counted(progress.all_skipped, 'step')} changed nothing, since loss or gradient was not finite")
    if run.trainer.is_out_of_patience:
        note(f"ended after {counted(progress.step, 'step')}: no better validation in {progress.without_gain}")
    elif progress.best_step < OVERFIT * progress.step:
        share = f"{progress.best_step / progress.step:.0%}"
        note(
            f"the best weights came at {share} of the run; since then it has learnt its text by heart: "
            "fewer --epochs, more --dropout or more text may do better"
        )
    result(f"{run.folder.path}: validation {best:.4f} nats {view.per} {in_bits(best)} at step {progress.best_step}")


def _show(display: Display, report: Report) -> None:
    match report:
        case StepReport():
            display.step(report)
        case ValidationReport():
            display.validation(report)
        case SkipReport():
            display.remark(f"step {report.step:,} changed nothing: its {report.what} is not finite")
        case ReturnReport():
            weights = f"the weights of step {report.best_step:,}" if report.best_step else "the weights it began with"
            display.remark(
                f"step {report.step:,}: the {report.what} is not finite again and again, so the run goes back to "
                f"{weights} and on with {report.lr_share:g} of the learning rate"
            )


def _how_to_go_on(run: Run[Any], view: View) -> str:
    piped, folder = "-" in run.about["corpus"]["paths"], run.folder.path
    again = shlex.join(["charlm", *view.command.split(), *(["-"] if piped else []), "--resume", "--model", str(folder)])
    how = "go on by sending the same text to" if piped else "go on with"
    seen = "" if run.loss_at_stop is None else f" at {run.loss_at_stop:.4f} nats {view.per}"
    return f"stopped after {counted(run.trainer.progress.step, 'step')}{seen}; {how}: {again}"


def _validation_line(run: Run[Any], report: ValidationReport, view: View) -> str:
    train = "" if report.train_loss is None else f"train {report.train_loss:.4f}, "
    valid = report.valid.nats_per_token
    return (
        f"step {report.step:,} ({report.progress:.0%}, {run.clock():.0f} s): {train}"
        f"validation {valid:.4f} nats {view.per} {in_bits(valid)}{view.figures(report.valid)}"
        f"{', best' if report.best else ''}{', learning rate lowered' if report.lowered else ''}"
    )


def _live(run: Run[Any], view: View) -> str:
    """What those weights do that were validated."""
    with run.trainer.averaged():
        return view.live()


class _Silent:
    def step(self, report: StepReport) -> None:
        pass

    def validation(self, report: ValidationReport) -> None:
        pass

    def remark(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass


class _Lines:
    """For standard error that is no terminal: lines at every validation, and a line where these are rare."""

    def __init__(self, run: Run[Any], view: View) -> None:
        self._run = run
        self._view = view
        self._said = self._began = run.clock()
        self._first = run.trainer.pace.progress(run.trainer.progress.step)

    def step(self, report: StepReport) -> None:
        now = self._run.clock()
        if now - self._said < SILENCE_SECONDS:
            return
        self._said = now
        done = max(report.progress - self._first, 1e-9)
        left = (now - self._began) * (1 - report.progress) / done
        note(
            f"step {report.step:,} ({report.progress:.0%}, {now:.0f} s): "
            f"train {report.loss:.4f} nats {self._view.per}, some {left:.0f} s left"
        )

    def validation(self, report: ValidationReport) -> None:
        self._said = self._run.clock()
        note(_validation_line(self._run, report, self._view))
        aside(_live(self._run, self._view))

    def remark(self, text: str) -> None:
        note(text)

    def close(self) -> None:
        pass


class _Bar:
    """For a terminal: a bar with the figures of the moment."""

    def __init__(self, run: Run[Any], view: View) -> None:
        self._run = run
        self._view = view
        self._loss = math.nan
        self._valid = ""
        self._began, self._first = run.clock(), run.trainer.progress.step
        done = run.trainer.pace.progress(self._first)
        self._bar = tqdm(
            total=1.0, initial=done, file=sys.stderr, dynamic_ncols=True, leave=False,
            bar_format="{percentage:3.0f}%|{bar}| {desc}, {remaining} left", mininterval=0.2,
        )  # fmt: skip

    def step(self, report: StepReport) -> None:
        weight = SMOOTHING if math.isfinite(self._loss) else 0.0
        self._loss = report.loss + weight * ((self._loss if weight else 0.0) - report.loss)
        elapsed = max(self._run.clock() - self._began, 1e-9)
        rate = (report.step - self._first) * self._run.subject.work.step_tokens / elapsed
        self._bar.set_description_str(
            f"{self._loss:.3f} nats ({self._loss * BITS:.3f} bits){self._valid}, lr {report.lr:.1e}, {rate:,.0f} tok/s",
            refresh=False,
        )
        self._bar.update(report.progress - self._bar.n)

    def validation(self, report: ValidationReport) -> None:
        self._valid = f", valid {report.valid.nats_per_token:.3f}"
        line = _validation_line(self._run, report, self._view)
        tqdm.write(f"{line}\n{_live(self._run, self._view)}", file=sys.stderr)

    def remark(self, text: str) -> None:
        tqdm.write(f"charlm: {text}", file=sys.stderr)

    def close(self) -> None:
        self._bar.close()
