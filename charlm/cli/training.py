"""What ``charlm train`` does once its options are read."""

import math
import re
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from charlm.cli.console import counted, note
from charlm.cli.progress import Interrupt, follow
from charlm.config import ModelConfig, TextConfig, TrainConfig, require
from charlm.errors import InputError, ModelError, OutputError, UsageError
from charlm.machine import fingerprint
from charlm.nn.registry import block_options
from charlm.text.corpus import Corpus, prepare
from charlm.text.sources import one_file
from charlm.text.tokenizer import check_options
from charlm.training.defaults import default_sizes, fit
from charlm.training.run import Run, RunConfig
from charlm.training.run_folder import RunFolder

_BEGAN = time.perf_counter()
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
MOST_STEPS = 10**9
"""Longer runs are slips of the finger."""


def clock() -> float:
    """Seconds since the command began, near enough."""
    return time.perf_counter() - _BEGAN


@dataclass(frozen=True)
class Choices:
    """The options of ``charlm train`` that decide the result, None where not given."""

    valid: Path | None
    valid_fraction: float | None
    level: str | None
    unit: str | None
    independent_lines: bool | None
    min_count: int | None
    max_vocab: int | None
    lowercase: bool | None
    encoding: str | None
    cell: str | None
    reset: str | None
    activation: str | None
    layers: int | None
    hidden: int | None
    embedding: int | None
    window: int | None
    batch: int | None
    epochs: float | None
    steps: int | None
    time: str | None
    optimizer: str | None
    lr: float | None
    schedule: str | None
    warmup: float | None
    clip: float | None
    dropout: float | None
    weight_decay: float | None
    seed: int | None

    def named(self) -> list[str]:
        """The options that were given, as they are typed."""
        return [f"--{f.name.replace('_', '-')}" for f in fields(self) if getattr(self, f.name) is not None]

    @property
    def block(self) -> str:
        """The recurrent block."""
        return ModelConfig.cell if self.cell is None else self.cell

    @property
    def options(self) -> dict[str, str]:
        """Those of the block's options that were given."""
        return {key: value for key, value in (("reset", self.reset), ("activation", self.activation)) if value}

    @property
    def seconds(self) -> float | None:
        """``--time`` in seconds.

        Raises:
            UsageError: it is no length of time.
        """
        return None if self.time is None else _seconds(self.time)

    def of(self, kind: type) -> dict[str, Any]:
        """Those that are fields of a configuration and were given."""
        names = {f.name for f in fields(kind)} & {f.name for f in fields(self)}
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


def begin(folder: Path, path: Path, given: Choices, *, overwrite: bool, quiet: bool) -> None:
    """Check everything, then train."""
    _check(given)
    files = RunFolder(folder)
    if files.occupied() and not overwrite:
        raise OutputError(
            f"{folder} holds a model already: continue it with --resume, replace it with --overwrite, "
            "or write elsewhere with --model OTHER"
        )
    text = TextConfig(**given.of(TextConfig))
    text = replace(text, unit=check_options(text.level, given.unit, text.lowercase))
    corpus = _prepare(path, given.valid, text, given.independent_lines, given.seed)
    config = _configure(given, text, corpus)
    about = {"corpus": _about(path, given.valid, corpus), "made_with": fingerprint()}
    run = Run(files, config, corpus, about, clock)
    with Interrupt().watching() as interrupt:
        files.create()
        if overwrite:
            files.replace()
        if not quiet:
            _announce(path, folder, run, given)
        follow(run, interrupt, quiet=quiet)


def continue_run(folder: Path, path: Path | None, *, quiet: bool) -> None:
    """Continue a stopped run from its folder."""
    files = RunFolder(folder)
    tensors, state = files.load_state()
    try:
        config, about = RunConfig.from_json(state["run"]), state["about"]
        was = about["corpus"]
        valid, digests = was["valid_path"], (was["digest"], was["valid_digest"])
        found = Path(was["path"]) if path is None else path
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{files.state_file} is damaged ({error}): begin anew with --overwrite") from error
    corpus = _prepare(
        found,
        None if valid is None else Path(valid),
        config.text,
        config.text.independent_lines,
        config.train.seed,
    )
    if (corpus.digest, corpus.valid_digest) != digests:
        raise InputError(f"{found} has changed since the run began: put it back, or begin anew with --overwrite")
    run = Run(files, config, corpus, about, clock)
    with Interrupt().watching() as interrupt:
        run.resume(tensors, state)
        if not quiet:
            _announce_again(run)
        follow(run, interrupt, quiet=quiet)


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


def _check(given: Choices) -> None:
    """Refuse what makes no sense before any file is read."""
    block_options(given.block, given.options)
    ModelConfig(vocabulary=2, **given.of(ModelConfig))
    lengths = [name for name in ("--epochs", "--steps", "--time") if getattr(given, name[2:]) is not None]
    if len(lengths) > 1:
        raise UsageError(f"{' and '.join(lengths)} both give the length of the run: leave out one")
    if given.valid is not None and given.valid_fraction is not None:
        raise UsageError("--valid and --valid-fraction both say what validates: leave out one")
    if given.epochs is not None:
        require("--epochs", given.epochs, above=0, maximum=MOST_STEPS)
    if given.steps is not None:
        require("--steps", given.steps, minimum=1, maximum=MOST_STEPS)
    if given.min_count is not None:
        require("--min-count", given.min_count, minimum=1)
    seconds = given.seconds
    steps = None if seconds is not None else given.steps if given.steps is not None else 1
    TrainConfig(**{**given.of(TrainConfig), "steps": steps, "seconds": seconds})


def _seconds(text: str) -> float:
    """A length of time such as 90, 90s, 1.5m or 1h, in seconds."""
    match = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*([smh]?)", text.strip())
    if not match or float(match[1]) <= 0:
        raise UsageError(f"--time is {text!r}: give a length such as 90s, 5m or 1h")
    return float(match[1]) * _UNITS[match[2]]


def _prepare(
    path: Path, valid: Path | None, text: TextConfig, independent_lines: bool | None, seed: int | None
) -> Corpus:
    return prepare(
        one_file(path),
        level=text.level,
        unit=text.unit,
        encoding=text.encoding,
        min_count=text.min_count,
        max_vocab=text.max_vocab,
        lowercase=text.lowercase,
        independent_lines=independent_lines,
        valid_texts=None if valid is None else one_file(valid),
        valid_fraction=text.valid_fraction,
        seed=TrainConfig(steps=1).seed if seed is None else seed,
    )


def _configure(given: Choices, text: TextConfig, corpus: Corpus) -> RunConfig:
    """Fill in what was not chosen."""
    tokens = len(corpus.train)
    sizes = default_sizes(tokens)
    shape = {"hidden": sizes.hidden, "embedding": sizes.embedding, **given.of(ModelConfig)}
    model = ModelConfig(
        **{
            **shape,
            "vocabulary": len(corpus.tokenizer),
            "cell": given.block,
            "options": block_options(given.block, given.options),
        }
    )
    window, batch = fit(tokens, given.window or sizes.window, given.batch or sizes.batch)
    seconds, steps = given.seconds, given.steps
    if seconds is None and steps is None:
        steps = max(1, math.ceil((given.epochs or sizes.epochs) * tokens / (window * batch)))
    rates = {"lr": sizes.lr, "dropout": sizes.dropout, "weight_decay": sizes.weight_decay}
    chosen = {**rates, **given.of(TrainConfig)}
    train = TrainConfig(**{**chosen, "window": window, "batch": batch, "steps": steps, "seconds": seconds})
    unit = corpus.tokenizer.unit
    return RunConfig(model, replace(text, unit=unit, independent_lines=corpus.independent_lines), train)


def _about(path: Path, valid: Path | None, corpus: Corpus) -> dict[str, Any]:
    return {
        "path": str(path),
        "digest": corpus.digest,
        "valid_path": None if valid is None else str(valid),
        "valid_digest": corpus.valid_digest,
        "train_tokens": len(corpus.train),
        "valid_tokens": len(corpus.valid),
        "train_characters": corpus.train.characters,
        "valid_characters": corpus.valid.characters,
        "train_unknown": corpus.train.unknown,
    }


def _announce(path: Path, folder: Path, run: Run, given: Choices) -> None:
    """Say what was found and what is about to be done."""
    corpus, config = run.corpus, run.config
    train, valid = corpus.train, corpus.valid
    if corpus.independent_lines:
        why = "looks like a list: each line is a text of its own (--no-independent-lines: one text)"
        blank = f"; {counted(corpus.blank_lines, 'blank line')} left out" if corpus.blank_lines else ""
        note(f"{path} {why if corpus.detected else 'is read as independent lines'}{blank}")
    note(
        f"training on {counted(train.lines, 'line')}, {counted(train.characters, 'character')}; "
        f"validating on {counted(valid.lines, 'line')}, {counted(valid.characters, 'character')}"
    )
    unknown = f", {counted(corpus.dropped_types, 'rare type')} read as <UNK>" if corpus.dropped_types else ""
    missing = f"; {counted(valid.unknown, 'validation token')} unknown" if valid.unknown else ""
    note(f"vocabulary of {counted(len(corpus.tokenizer), 'token')}{unknown}{missing}")
    wanted = default_sizes(len(train))
    for name, value, asked in (
        ("--window", config.train.window, given.window or wanted.window),
        ("--batch", config.train.batch, given.batch or wanted.batch),
    ):
        if value < asked:
            note(f"the text is shorter than a step: {name} {asked} becomes {value}")
    model, plan = config.model, config.train
    length = f"{plan.seconds:g} seconds" if plan.steps is None else counted(plan.steps, "step")
    note(
        f"{model.cell} {model.layers} x {model.hidden}, {counted(len(run.trainer.model.parameters), 'parameter')}; "
        f"{length} of {plan.batch} x {plan.window} tokens; writing {folder}"
    )
