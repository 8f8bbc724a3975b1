"""What ``charlm train`` does once its options are read."""

import time
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from charlm.cli.console import counted, duration, note, result
from charlm.cli.find import RUNS, last_run
from charlm.cli.inputs import find_texts
from charlm.cli.live_sample import language_view
from charlm.cli.preparing import preparing
from charlm.cli.progress import Interrupt, follow
from charlm.errors import UsageError
from charlm.machine import fingerprint, peak_memory
from charlm.text.sources import Texts
from charlm.text.tokens import MOST_TYPES
from charlm.training.changes import LENGTHS
from charlm.training.choices import picks, shrunk
from charlm.training.config_file import read, write
from charlm.training.language import LanguageSubject
from charlm.training.options import Options
from charlm.training.reports import StepReport
from charlm.training.run import Run
from charlm.training.setup import begin, resume

TRIED_STEPS = 5
"""Steps that ``--dry-run`` times, after one that warms up."""
WORDS = {
    "steps": "steps",
    "seconds": "seconds",
    "lr": "a learning rate of",
    "eval_every": "steps between validations",
    "patience": "validations of patience",
}
MUCH_UNKNOWN = 0.3
"""Share of <UNK> among the training tokens beyond which a warning is due."""
_BEGAN = time.perf_counter()


def clock() -> float:
    """Seconds since the command began, near enough."""
    return time.perf_counter() - _BEGAN


def with_config(
    file: str | None, corpus: list[str], folder: Path | None, options: Options
) -> tuple[list[str], Path | None, Options]:
    """What a file of options says, and before it what was typed.

    Raises:
        InputError: the file cannot be read.
        UsageError: a key is unknown, or a value makes no sense.
    """
    if file is None:
        return corpus, folder, options
    given = read(Path(file))
    # A length that is typed takes the place of the file's, whichever that is counted in.
    replaced = LENGTHS if set(options) & set(LENGTHS) else ()
    both: Any = {**{name: value for name, value in given.options.items() if name not in replaced}, **options}
    return corpus or given.corpus, folder or (Path(given.model) if given.model else None), both


def begin_here(
    folder: Path | None, corpus: list[str], options: Options, *, overwrite: bool, stop_at: int | None, quiet: bool
) -> None:
    """Check everything, then train."""
    run = _begun(folder, corpus, options, overwrite=overwrite, quiet=quiet)
    with Interrupt().watching() as interrupt, closing(run.folder):
        run.claim()
        write(run)
        if not quiet:
            _announce(run, options)
            _announce_no_lock(run)
        follow(run, interrupt, language_view(run), stop_at=stop_at, quiet=quiet)


def try_here(folder: Path | None, corpus: list[str], options: Options) -> None:
    """Check everything, take a few steps, and say what the run would be; nothing is written."""
    run = _begun(folder, corpus, options, overwrite=True, quiet=False)
    _announce(run, options)
    plan, steps = run.train, (each for each in run.trainer.run() if isinstance(each, StepReport))
    with np.errstate(all="ignore"):
        times = [clock(), *(clock() for _ in islice(steps, 1 + TRIED_STEPS))]
    taken = [later - earlier for earlier, later in pairwise(times)]
    step = median(taken[1:] or taken)  # the first warms up; a run of hardly any time has no other
    if plan.steps is None:
        length = f"{plan.seconds:g} s, about {plan.seconds / step:,.0f} steps" if plan.seconds else ""
    else:
        _, share = run.trainer.validation_share() or (0, 0.0)
        length = f"about {duration(plan.steps * step / (1 - share))} for {counted(plan.steps, 'step')}"
    memory = peak_memory()
    result(f"parameters: {len(run.trainer.parameters):,}")
    result(f"memory: {memory / 1e6:,.0f} MB" if memory else "memory: not known on this system")
    result(f"a step: {1e3 * step:.1f} ms, {plan.window * plan.batch / step:,.0f} tokens a second")
    result(f"the run: {length}")
    result(
        f"the folder: {run.folder.path}, {'which holds a run already' if run.folder.occupied() else 'not there yet'}"
    )


def _begun(
    folder: Path | None, corpus: list[str], options: Options, *, overwrite: bool, quiet: bool
) -> Run[LanguageSubject]:
    with preparing(quiet=quiet) as watched:
        return begin(
            lambda encoding: watched(find_texts(corpus, encoding)),
            lambda texts: _folder(folder, texts),
            options,
            overwrite=overwrite,
            clock=clock,
        )


def resume_here(folder: Path | None, corpus: list[str], options: Options, *, stop_at: int | None, quiet: bool) -> None:
    """Continue a stopped run from its folder."""
    if folder is None:
        folder = _folder(None, find_texts(corpus, None)) if corpus else last_run()
    with preparing(quiet=quiet) as watched:
        run = resume(folder, corpus, lambda names, encoding: watched(find_texts(names, encoding)), options, clock=clock)
    with Interrupt().watching() as interrupt, closing(run.folder):
        if not quiet:
            _announce_again(run)
            _announce_no_lock(run)
        follow(run, interrupt, language_view(run), stop_at=stop_at, quiet=quiet)


def _announce_no_lock(run: Run[LanguageSubject]) -> None:
    if run.folder.unlocked:
        note(f"the file system of {run.folder.path} has no locks: see that no other run writes there meanwhile")


def _folder(given: Path | None, texts: Texts) -> Path:
    if given is not None:
        return given
    if texts.stem is None:
        raise UsageError(f"{texts.name} gives the model no name: name a folder for it with --model FOLDER")
    return RUNS / texts.stem


def _announce_again(run: Run[LanguageSubject]) -> None:
    """Say where the run goes on, and whether that is the machine that it began on."""
    before, now = run.about["made_with"], fingerprint()
    changed = [f"{key} {before.get(key)} -> {value}" for key, value in now.items() if before.get(key) != value]
    if changed:
        note(f"the machine differs from where the run began, so its last digits may too: {', '.join(changed)}")
    for text in _changes(run):
        note(text)
    note(_where(run))


def _changes(run: Run[LanguageSubject]) -> list[str]:
    """What has just been changed, in words."""
    changes = run.about.get("changes", [])
    if not changes or changes[-1]["step"] != run.trainer.progress.step:
        return []
    was, now = changes[-1]["was"], run.train.to_json()
    said = [f"{WORDS[name]} {now[name]} instead of {was[name]}" for name in WORDS if now[name] != was[name]]
    if {name for name in ("steps", "seconds") if now[name] != was[name]}:
        said.append("the schedule of the learning rate is stretched to the new length")
    return [f"from here on: {'; '.join(said)}"] if said else []


def _where(run: Run[LanguageSubject]) -> str:
    folder, step = run.folder.path, run.trainer.progress.step
    if not run.trainer.is_finished:
        return f"continuing {folder} after {counted(step, 'step')}"
    if run.trainer.is_out_of_patience:
        return f"{folder} has run out of patience after {counted(step, 'step')}; a larger --patience goes on"
    return (
        f"{folder} is finished, after {counted(step, 'step')}: there is nothing to continue. "
        "For a longer run add --steps, --epochs or --time"
    )


def _announce(run: Run[LanguageSubject], options: Options) -> None:
    """Say what was found and what is about to be done."""
    corpus, subject = run.subject.corpus, run.subject
    train, valid = corpus.train, corpus.valid
    if corpus.independent_lines:
        why = "looks like a list: each line is a text of its own (--no-independent-lines: one text)"
        blank = f"; {counted(corpus.blank_lines, 'blank line')} left out" if corpus.blank_lines else ""
        note(f"{corpus.name} {why if corpus.detected else 'is read as independent lines'}{blank}")
    elif subject.text.unit == "line" and corpus.detected:
        note(f"{corpus.name} is read as one text, line after line (--independent-lines: each line a text of its own)")
    note(
        f"training on {counted(train.lines, 'line')}, {counted(train.characters, 'character')}; "
        f"validating on {counted(valid.lines, 'line')}, {counted(valid.characters, 'character')}"
    )
    _announce_vocabulary(run)
    chosen = picks(options, run)
    if chosen:
        note(f"chosen for {counted(len(train), 'token')}, unless you name another: {' '.join(chosen)}")
    if "level" not in options and not run.about["base"] and subject.text.level == "token":
        note("<unk> stands in the text, so it is taken for tokenised already (--level char: its characters)")
    for change in shrunk(options, run):
        note(f"the text is shorter than a step: {change}")
    model, plan = subject.model, run.train
    length = f"{plan.seconds:g} seconds" if plan.steps is None else counted(plan.steps, "step")
    base = f" from {run.about['base']['path']}" if run.about["base"] else ""
    size = counted(len(run.trainer.parameters), "parameter")
    note(
        f"{model.kind}: {model.layers} x {model.hidden}{base}, {size}; "
        f"{length} of {plan.batch} x {plan.window} tokens; writing {run.folder.path}"
    )
    if (validation := run.trainer.validation_share()) is not None:
        times, share = validation
        note(f"validating {counted(times, 'time')}, in about {share:.1%} of the run")


def _announce_vocabulary(run: Run[LanguageSubject]) -> None:
    corpus = run.subject.corpus
    dropped = corpus.dropped_types
    kind = "type the model does not know" if run.about["base"] else "rare type"
    plural = "types the model does not know" if run.about["base"] else "rare types"
    unknown = f", {counted(dropped, kind, plural)} read as <UNK>" if dropped else ""
    share = f", {corpus.train.unknown / len(corpus.train):.1%} of the tokens" if dropped else ""
    if dropped and run.about["base"]:
        share += " (--extend-vocab adds them)"
    missing = f"; {counted(corpus.valid.unknown, 'validation token')} unknown" if corpus.valid.unknown else ""
    note(f"vocabulary of {counted(len(corpus.tokenizer), 'token')}{unknown}{share}{missing}")
    if corpus.train.unknown > MUCH_UNKNOWN * len(corpus.train):
        note("so many unknown tokens make a model that knows little, however low its figures: lower the limits")
    if corpus.overflowed:
        note(f"more distinct tokens than are told apart (some {MOST_TYPES:,}): later ones were read as <UNK>")
