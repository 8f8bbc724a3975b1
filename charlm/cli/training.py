"""What ``charlm train`` does once its options are read."""

import time
from pathlib import Path

from charlm.cli.console import counted, note
from charlm.cli.find import RUNS
from charlm.cli.inputs import find_texts
from charlm.cli.preparing import preparing
from charlm.cli.progress import Interrupt, follow
from charlm.errors import UsageError
from charlm.machine import fingerprint
from charlm.text.sources import Texts
from charlm.text.tokens import MOST_TYPES
from charlm.training.options import Options
from charlm.training.run import Run
from charlm.training.setup import begin, picks, resume, shrunk

MUCH_UNKNOWN = 0.3
"""Share of <UNK> among the training tokens beyond which a warning is due."""
_BEGAN = time.perf_counter()


def clock() -> float:
    """Seconds since the command began, near enough."""
    return time.perf_counter() - _BEGAN


def begin_here(folder: Path | None, corpus: list[str], options: Options, *, overwrite: bool, quiet: bool) -> None:
    """Check everything, then train."""
    with preparing(quiet=quiet) as watched:
        run = begin(
            lambda encoding: watched(find_texts(corpus, encoding)),
            lambda texts: _folder(folder, texts),
            options,
            overwrite=overwrite,
            clock=clock,
        )
    with Interrupt().watching() as interrupt:
        run.claim()
        if not quiet:
            _announce(run, options)
        follow(run, interrupt, quiet=quiet)


def resume_here(folder: Path | None, corpus: list[str], *, quiet: bool) -> None:
    """Continue a stopped run from its folder."""
    folder = folder or _folder(None, find_texts(corpus, None))
    with preparing(quiet=quiet) as watched:
        run = resume(folder, corpus, lambda names, encoding: watched(find_texts(names, encoding)), clock=clock)
    with Interrupt().watching() as interrupt:
        if not quiet:
            _announce_again(run)
        follow(run, interrupt, quiet=quiet)


def _folder(given: Path | None, texts: Texts) -> Path:
    if given is not None:
        return given
    if texts.stem is None:
        raise UsageError(f"{texts.name} gives the model no name: name a folder for it with --model FOLDER")
    return RUNS / texts.stem


def _announce_again(run: Run) -> None:
    """Say where the run goes on, and whether that is the machine that it began on."""
    before, now = run.about["made_with"], fingerprint()
    changed = [f"{key} {before.get(key)} -> {value}" for key, value in now.items() if before.get(key) != value]
    if changed:
        note(f"the machine differs from where the run began, so its last digits may too: {', '.join(changed)}")
    note(_where(run))


def _where(run: Run) -> str:
    folder, step = run.folder.path, run.trainer.progress.step
    if run.trainer.pace.progress(step) < 1:
        return f"continuing {folder} after {counted(step, 'step')}"
    return (
        f"{folder} is finished, after {counted(step, 'step')}: there is nothing to continue. "
        "For a longer run, begin anew with --overwrite or --model OTHER"
    )


def _announce(run: Run, options: Options) -> None:
    """Say what was found and what is about to be done."""
    corpus, config = run.corpus, run.config
    train, valid = corpus.train, corpus.valid
    if corpus.independent_lines:
        why = "looks like a list: each line is a text of its own (--no-independent-lines: one text)"
        blank = f"; {counted(corpus.blank_lines, 'blank line')} left out" if corpus.blank_lines else ""
        note(f"{corpus.name} {why if corpus.detected else 'is read as independent lines'}{blank}")
    elif config.text.unit == "line" and corpus.detected:
        note(f"{corpus.name} is read as one text, line after line (--independent-lines: each line a text of its own)")
    note(
        f"training on {counted(train.lines, 'line')}, {counted(train.characters, 'character')}; "
        f"validating on {counted(valid.lines, 'line')}, {counted(valid.characters, 'character')}"
    )
    _announce_vocabulary(run)
    chosen = picks(options, run)
    if chosen:
        note(f"chosen for {counted(len(train), 'token')}, unless you name another: {' '.join(chosen)}")
    if "level" not in options and not run.about["base"] and config.text.level == "token":
        note("<unk> stands in the text, so it is taken for tokenised already (--level char: its characters)")
    for change in shrunk(options, run):
        note(f"the text is shorter than a step: {change}")
    model, plan = config.model, config.train
    length = f"{plan.seconds:g} seconds" if plan.steps is None else counted(plan.steps, "step")
    base = f" from {run.about['base']['path']}" if run.about["base"] else ""
    size = counted(len(run.trainer.model.parameters), "parameter")
    note(
        f"{model.kind}: {model.layers} x {model.hidden}{base}, {size}; "
        f"{length} of {plan.batch} x {plan.window} tokens; writing {run.folder.path}"
    )


def _announce_vocabulary(run: Run) -> None:
    corpus = run.corpus
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
