"""What every command that trains does once its options are read: begin a run, try it out, or go on with one."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any, Generic

import numpy as np

from charlm.cli.console import counted, duration, note, result
from charlm.cli.find import RUNS, last_run
from charlm.cli.inputs import find_texts
from charlm.cli.preparing import preparing
from charlm.cli.progress import Interrupt, View, follow
from charlm.cli.run_options import Asked
from charlm.errors import UsageError
from charlm.machine import fingerprint, peak_memory
from charlm.text.sources import Texts
from charlm.training.config_file import Known, write
from charlm.training.reports import StepReport
from charlm.training.run import Run, SubjectT

TRIED_STEPS = 5
"""Steps that ``--dry-run`` times, after one that warms up."""
WORDS = {
    "steps": "steps",
    "seconds": "seconds",
    "lr": "a learning rate of",
    "eval_every": "steps between validations",
    "patience": "validations of patience",
}
_BEGAN = time.perf_counter()


def clock() -> float:
    """Seconds since the command began, near enough."""
    return time.perf_counter() - _BEGAN


@dataclass(frozen=True)
class Trainable(Generic[SubjectT]):
    """A kind of model, as commands see it.

    Attributes:
        kind: what its file calls itself.
        command: what trains one, such as "train".
        known: type and meaning of every option.
        check: refuses options that make no sense.
        begin: makes a run, as ``training.setup.begin``.
        resume: makes one of a folder, as ``training.setup.resume``.
        options_of: the options that repeat a run.
        announce: says what was found and what is about to be done.
        view: how a run is shown.
    """

    kind: str
    command: str
    known: Known
    check: Callable[[Any], None]
    begin: Callable[..., Run[SubjectT]]
    resume: Callable[..., Run[SubjectT]]
    options_of: Callable[[Run[SubjectT]], Mapping[str, Any]]
    announce: Callable[[Run[SubjectT], Mapping[str, Any]], None]
    view: Callable[[Run[SubjectT]], View]


def begin(kind: Trainable[Any], folder: Path | None, corpus: list[str], asked: Asked, options: dict[str, Any]) -> None:
    """Check everything, then train."""
    run = begun(kind, folder, corpus, options, overwrite=asked.overwrite, quiet=asked.quiet)
    with Interrupt().watching() as interrupt, closing(run.folder):
        run.claim()
        write(run.folder, kind.command, run.about["corpus"]["paths"], kind.options_of(run), kind.known)
        if not asked.quiet:
            announce(kind, run, options)
            announce_no_lock(run)
        follow(run, interrupt, kind.view(run), stop_at=asked.stop_at, quiet=asked.quiet)


def try_out(kind: Trainable[Any], folder: Path | None, corpus: list[str], options: dict[str, Any]) -> None:
    """Check everything, take a few steps, and say what the run would be; nothing is written."""
    run = begun(kind, folder, corpus, options, overwrite=True, quiet=False)
    announce(kind, run, options)
    plan, steps = run.train, (each for each in run.trainer.run() if isinstance(each, StepReport))
    with np.errstate(all="ignore"):
        times = [clock(), *(clock() for _ in islice(steps, 1 + TRIED_STEPS))]
    taken = [later - earlier for earlier, later in pairwise(times)]
    step = median(taken[1:] or taken)  # the first warms up; a run of hardly any time has no other
    if plan.steps is None:
        length = f"{plan.seconds:g} s, about {plan.seconds / step:,.0f} steps" if plan.seconds else ""
    else:
        _, share = run.trainer.rhythm.share() or (0, 0.0)
        length = f"about {duration(plan.steps * step / (1 - share))} for {counted(plan.steps, 'step')}"
    memory = peak_memory()
    result(f"parameters: {len(run.trainer.parameters):,}")
    result(f"memory: {memory / 1e6:,.0f} MB" if memory else "memory: not known on this system")
    result(f"a step: {1e3 * step:.1f} ms, {plan.window * plan.batch / step:,.0f} tokens a second")
    result(f"the run: {length}")
    result(
        f"the folder: {run.folder.path}, {'which holds a run already' if run.folder.occupied() else 'not there yet'}"
    )


def begun(
    kind: Trainable[Any],
    folder: Path | None,
    corpus: list[str],
    options: dict[str, Any],
    *,
    overwrite: bool,
    quiet: bool,
) -> Run[Any]:
    """A run that is ready to begin, its texts read, shown as they are read."""
    with preparing(quiet=quiet) as watched:
        return kind.begin(
            lambda encoding: watched(find_texts(corpus, encoding)),
            lambda texts: folder_for(folder, texts),
            options,
            overwrite=overwrite,
            clock=clock,
        )


def go_on(kind: Trainable[Any], folder: Path | None, corpus: list[str], asked: Asked, options: dict[str, Any]) -> None:
    """Continue a stopped run from its folder."""
    if folder is None:
        folder = folder_for(None, find_texts(corpus, None)) if corpus else last_run(kind.kind)
    with preparing(quiet=asked.quiet) as watched:
        run = kind.resume(
            folder, corpus, lambda names, encoding: watched(find_texts(names, encoding)), options, clock=clock
        )
    with Interrupt().watching() as interrupt, closing(run.folder):
        if not asked.quiet:
            _announce_again(run)
            announce_no_lock(run)
        follow(run, interrupt, kind.view(run), stop_at=asked.stop_at, quiet=asked.quiet)


def announce(kind: Trainable[Any], run: Run[Any], options: dict[str, Any]) -> None:
    """Say what was found, what is about to be done, and how often it is validated."""
    kind.announce(run, options)
    if (validation := run.trainer.rhythm.share()) is not None:
        times, share = validation
        note(f"validating {counted(times, 'time')}, in about {share:.1%} of the run")


def announce_no_lock(run: Run[Any]) -> None:
    """Say so where others cannot be kept out of the folder."""
    if run.folder.unlocked:
        note(f"the file system of {run.folder.path} has no locks: see that no other run writes there meanwhile")


def folder_for(given: Path | None, texts: Texts, suffix: str = "") -> Path:
    """Where a model of these texts is to be kept.

    Raises:
        UsageError: none is named, and the texts give none a name.
    """
    if given is not None:
        return given
    if texts.stem is None:
        raise UsageError(f"{texts.name} gives the model no name: name a folder for it with --model FOLDER")
    return RUNS / f"{texts.stem}{suffix}"


def _announce_again(run: Run[Any]) -> None:
    """Say where the run goes on, and whether that is the machine that it began on."""
    before, now = run.about["made_with"], fingerprint()
    changed = [f"{key} {before.get(key)} -> {value}" for key, value in now.items() if before.get(key) != value]
    if changed:
        note(f"the machine differs from where the run began, so its last digits may too: {', '.join(changed)}")
    for text in _changes(run):
        note(text)
    note(_where(run))


def _changes(run: Run[Any]) -> list[str]:
    """What has just been changed, in words."""
    changes = run.about.get("changes", [])
    if not changes or changes[-1]["step"] != run.trainer.progress.step:
        return []
    was, now = changes[-1]["was"], run.train.to_json()
    said = [f"{WORDS[name]} {now[name]} instead of {was[name]}" for name in WORDS if now[name] != was[name]]
    if {name for name in ("steps", "seconds") if now[name] != was[name]}:
        said.append("the schedule of the learning rate is stretched to the new length")
    return [f"from here on: {'; '.join(said)}"] if said else []


def _where(run: Run[Any]) -> str:
    folder, step = run.folder.path, run.trainer.progress.step
    if not run.trainer.is_finished:
        return f"continuing {folder} after {counted(step, 'step')}"
    if run.trainer.is_out_of_patience:
        return f"{folder} has run out of patience after {counted(step, 'step')}; a larger --patience goes on"
    return (
        f"{folder} is finished, after {counted(step, 'step')}: there is nothing to continue. "
        "For a longer run add --steps, --epochs or --time"
    )
