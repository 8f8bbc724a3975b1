"""From options to a run that is ready to begin, and from a folder to one that goes on."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin

from charlm.cache.corpora import prepare
from charlm.checkpoint import TrainedModel, load_model, vocabulary_of
from charlm.config import BaseRecord, CorpusRecord, ModelConfig, TextConfig, TrainConfig, require
from charlm.errors import InputError, ModelError, OutputError, UsageError
from charlm.files import Tensors
from charlm.machine import fingerprint
from charlm.nn.registry import block_options, known_options
from charlm.text.corpus import Corpus
from charlm.text.parts import Part
from charlm.text.sources import Texts, find_texts
from charlm.text.tokenizer import Tokenizer, check_options, read_as
from charlm.training.defaults import (
    Sizes,
    default_sizes,
    default_softmax,
    fit,
    guess_level,
    most_validated,
    text_defaults,
)
from charlm.training.options import MEANINGS, TYPES_AND_MEANINGS, Options, flags
from charlm.training.run import Run, RunConfig
from charlm.training.run_folder import RunFolder

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
MOST_STEPS = 10**9
"""Longer runs are slips of the finger."""
_NAME_ONE = "name a text, as in charlm eval FILE"
_SHAPE = ("cell", *known_options(), "layers", "hidden", "embedding", "residual", "initial", "tied", "softmax")
_FROM_BASE = ("level", "unit", "lowercase", *_SHAPE)
"""What a run that starts from a model has from that model."""
_TYPES: Mapping[str, tuple[type, ...]] = {
    name: tuple(get_origin(each) or each for each in (get_args(kind) or (kind,)))
    + ((int,) if float in (get_args(kind) or (kind,)) else ())
    for name, (kind, _) in TYPES_AND_MEANINGS.items()
}


@dataclass(frozen=True)
class Base:
    """The trained model that a run starts from, and the path it was loaded from."""

    path: str
    model: TrainedModel


def begin(
    find: Callable[[str | None], Texts],
    folder_of: Callable[[Texts], Path],
    options: Options,
    *,
    overwrite: bool = False,
    clock: Callable[[], float],
) -> Run:
    """Check everything, read the texts, and make a run of them; nothing is written yet.

    Args:
        find: finds what to train on, given its encoding, None where its bytes are read.
        folder_of: where a run on these texts is to be kept.
        options: what was chosen.
        overwrite: whether a run that is there already may be replaced.
        clock: seconds since the command began.

    Raises:
        UsageError: an option is wrong or does not go with another.
        InputError: a text cannot be read or is too short.
        ModelError: the model to start from cannot be read.
        OutputError: the folder holds a model and ``overwrite`` is False.
    """
    check(options)
    base = _base(options)
    texts = find(_encoding_for(options, base))
    folder = folder_of(texts)
    files = RunFolder(folder)
    if files.occupied() and not overwrite:
        raise OutputError(
            f"{folder} holds a model already: continue it with --resume, replace it with --overwrite, "
            "or write elsewhere with --model OTHER"
        )
    text = _text_config(texts, options, base)
    encoding = read_as(text.level, text.encoding)
    valid = find_texts([str(options["valid"])], encoding=encoding) if "valid" in options else None
    corpus = prepare(
        texts,
        valid_texts=valid,
        independent_lines=_independent_lines(options, base),
        seed=options.get("seed", TrainConfig(steps=1).seed),
        tokenizer=base.model.tokenizer if base else None,
        extend=options.get("extend_vocab", False),
        **_reading(text),
    )
    config = _configure(options, text, corpus, base)
    about = {
        "corpus": _about(texts, valid, corpus),
        "made_with": fingerprint(),
        "base": _about_base(base, extended=options.get("extend_vocab", False)),
    }
    return Run(files, config, corpus, about, clock, base=base.model.network if base else None, overwrite=overwrite)


Find = Callable[[Sequence[str], str | None], Texts]
"""Finds the texts that names stand for, given their encoding: ``text.sources.find_texts``, or what adds to it."""


def resume(folder: Path, names: Sequence[str], find: Find, *, clock: Callable[[], float]) -> Run:
    """A run that goes on where the one in the folder was stopped.

    Args:
        folder: of a run that was stopped.
        names: of what it was trained on; none for those that it was begun with.
        find: finds the texts of these names.
        clock: seconds since the command began.

    Raises:
        ModelError: the folder holds no run, or a damaged one.
        InputError: the texts cannot be read, or have changed.
        OutputError: the folder cannot be written.
    """
    files = RunFolder(folder)
    tensors, state = files.load_state()
    try:
        config, about = RunConfig.from_json(state["run"]), state["about"]
        was = CorpusRecord.from_json(about["corpus"])
    except (KeyError, TypeError, AttributeError, ModelError) as error:
        raise ModelError(f"{files.state_file} is damaged ({error}): begin anew with --overwrite") from error
    tokenizer = _tokenizer_of(files, config, tensors)
    again = "put it back, or begin anew with --overwrite"
    encoding = read_as(config.text.level, config.text.encoding)
    texts, valid = find(names or _again(was), encoding), _valid_texts(was, encoding)
    corpus = _same_corpus(was, texts, valid, config.text, config.train.seed, tokenizer, "the run began", again)
    run = Run(files, config, corpus, about, clock)
    run.resume(tensors, state)
    return run


def own_texts(model: TrainedModel) -> tuple[Texts, Texts | None]:
    """The texts that a model was trained on and, if there were any, those it was validated with.

    Raises:
        InputError: they are not there any more, or cannot be read again.
    """
    was, encoding = CorpusRecord.from_json(model.record["corpus"]), read_as(model.text.level, model.text.encoding)
    try:
        return find_texts(_again(was), encoding=encoding), _valid_texts(was, encoding)
    except InputError as error:
        raise InputError(f"the model's own corpus is not here ({error}): {_NAME_ONE}") from error


def own_part(model: TrainedModel, texts: Texts, valid: Texts | None) -> Part:
    """The validation part of the corpus that a model was trained on, split again as it was then.

    Args:
        model: the model.
        texts: its corpus, as ``own_texts`` gives it.
        valid: its validation text, likewise.

    Raises:
        InputError: the corpus has changed.
    """
    was = CorpusRecord.from_json(model.record["corpus"])
    seed = model.record["train"]["seed"]
    since = "the model was trained on it"
    return _same_corpus(was, texts, valid, model.text, seed, model.tokenizer, since, _NAME_ONE).valid


def _again(was: CorpusRecord) -> list[str]:
    if not was.paths or "-" in was.paths:
        raise InputError("it was no file, so it cannot be read again; name the text once more")
    return was.paths


def _valid_texts(was: CorpusRecord, encoding: str | None) -> Texts | None:
    return None if was.valid_paths is None else find_texts(was.valid_paths, encoding=encoding)


def _same_corpus(
    was: CorpusRecord,
    texts: Texts,
    valid: Texts | None,
    text: TextConfig,
    seed: int,
    tokenizer: Tokenizer,
    since: str,
    remedy: str,
) -> Corpus:
    """A corpus read once more.

    Raises:
        InputError: it cannot be, or has changed since.
    """
    corpus = prepare(
        texts,
        valid_texts=valid,
        independent_lines=text.independent_lines,
        seed=seed,
        tokenizer=tokenizer,
        **_reading(text),
    )
    if (corpus.digest, corpus.valid_digest) != (was.digest, was.valid_digest):
        raise InputError(f"{texts.name} has changed since {since}: {remedy}")
    return corpus


def _tokenizer_of(files: RunFolder, config: RunConfig, tensors: Tensors) -> Tokenizer:
    try:
        return Tokenizer(config.text.level, config.text.unit, vocabulary_of(tensors), config.text.lowercase)
    except (KeyError, UsageError, ModelError) as error:
        raise ModelError(f"{files.state_file} is damaged ({error}): begin anew with --overwrite") from error


def check(options: Options) -> None:
    """Refuse what makes no sense before any file is read.

    Raises:
        UsageError: an option is unknown or out of range, or does not go with another.
    """
    unknown = sorted(set(options) - set(MEANINGS))
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}: there are {', '.join(MEANINGS)}")
    _check_types(options)
    if "level" in options:
        check_options(options["level"], options.get("unit"), options.get("lowercase", False))
    block_options(_cell(options), _block_options(options))
    ModelConfig(vocabulary=2, **_model_options(options, ModelConfig.hidden, ModelConfig.embedding))
    lengths = flags(name for name in ("epochs", "steps", "time") if name in options)
    if len(lengths) > 1:
        raise UsageError(f"{' and '.join(lengths)} both give the length of the run: leave out one")
    if options.get("residual") and "base" not in options and options.get("layers", ModelConfig.layers) == 1:
        raise UsageError("--residual connects layers, of which there is one: add --layers 2 or more, or leave it out")
    if "valid" in options and "valid_fraction" in options:
        raise UsageError("--valid and --valid-fraction both say what validates: leave out one")
    if "epochs" in options:
        require("--epochs", options["epochs"], above=0, maximum=MOST_STEPS)
    if "steps" in options:
        require("--steps", options["steps"], minimum=1, maximum=MOST_STEPS)
    if "min_count" in options:
        require("--min-count", options["min_count"], minimum=1)
    _check_base(options)
    seconds = _seconds(options)
    steps = None if seconds is not None else options.get("steps", 1)
    TrainConfig(**{**_of(options, TrainConfig), "steps": steps, "seconds": seconds})


def _check_types(options: Options) -> None:
    """What comes from Python may be of any type."""
    for name, value in options.items():
        kind = _TYPES[name]
        fits = isinstance(value, kind) and (bool in kind or not isinstance(value, bool))
        if not fits:
            wanted = " or ".join(each.__name__ for each in kind)
            raise UsageError(f"{flags([name])[0]} is {value!r}: it must be {wanted}")


def _check_base(options: Options) -> None:
    if "base" not in options:
        if options.get("extend_vocab"):
            raise UsageError("--extend-vocab goes with --from MODEL: without it the vocabulary is built anew")
        return
    taken = flags(name for name in _FROM_BASE if name in options)
    if taken:
        raise UsageError(f"--from takes {', '.join(taken)} from the model: leave that out")
    limits = flags(name for name in ("min_count", "max_vocab") if name in options)
    if limits and not options.get("extend_vocab"):
        raise UsageError(f"--from keeps the model's vocabulary: leave out {', '.join(limits)}, or add --extend-vocab")


def _base(options: Options) -> Base | None:
    if "base" not in options:
        return None
    path = str(options["base"])
    model = load_model(Path(path))
    if options.get("extend_vocab") and model.network.config.softmax == "adaptive":
        raise UsageError(
            f"--extend-vocab adds tokens at the end, and {path} has an adaptive softmax, whose tokens must stand by "
            "falling frequency: leave it out, or train anew"
        )
    return Base(path, model)


def _encoding_for(options: Options, base: Base | None) -> str | None:
    """What a run's texts are encoded in, before anything is known of them."""
    was = base.model.text if base else TextConfig(level=options.get("level", "char"))
    return read_as(was.level, options.get("encoding", was.encoding))


def _independent_lines(options: Options, base: Base | None) -> bool | None:
    """Whether lines are independent: as chosen, as in the model to start from, or to be found out."""
    return options.get("independent_lines", base.model.text.independent_lines if base else None)


def _text_config(texts: Texts, options: Options, base: Base | None) -> TextConfig:
    given = {"most_validated": most_validated(_seconds(options)), **_of(options, TextConfig)}
    if base is not None:
        kept = {name: getattr(base.model.text, name) for name in ("level", "unit", "lowercase", "encoding")}
        return TextConfig(**{**kept, **given})
    level = options.get("level") or guess_level(texts)
    unit = check_options(level, options.get("unit"), options.get("lowercase", False))
    return TextConfig(**{**text_defaults(level), **given, "level": level, "unit": unit})


def _reading(text: TextConfig) -> dict[str, Any]:
    """What of a text's configuration decides how it is read; ``independent_lines`` may still have to be found out."""
    return {f.name: getattr(text, f.name) for f in fields(text) if f.name != "independent_lines"}


def _of(options: Options, kind: type) -> dict[str, Any]:
    """Those of the options that are fields of a configuration."""
    names = {f.name for f in fields(kind)}
    return {name: value for name, value in options.items() if name in names}


def _model_options(options: Options, hidden: int, embedding: int) -> dict[str, Any]:
    """Those of the options that a model has, and its sizes where they were not named: one for both if tied."""
    if options.get("tied"):
        hidden = embedding = options.get("hidden", options.get("embedding", hidden))
    return {"hidden": hidden, "embedding": embedding, **_of(options, ModelConfig)}


def _cell(options: Options) -> str:
    return options.get("cell", ModelConfig.cell)


def _block_options(options: Options) -> dict[str, str]:
    known = known_options()
    return {name: str(value) for name, value in options.items() if name in known}


def _seconds(options: Options) -> float | None:
    """``--time`` in seconds: a number, or a length of time such as 90, 90s, 1.5m or 1h.

    Raises:
        UsageError: it is no length of time.
    """
    text = options.get("time")
    if text is None or not isinstance(text, str):
        return None if text is None else float(text)
    match = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*([smh]?)", text.strip())
    if not match or float(match[1]) <= 0:
        raise UsageError(f"--time is {text!r}: give a length such as 90s, 5m or 1h")
    return float(match[1]) * _UNITS[match[2]]


def sizes_for(options: Options, config: TextConfig, tokens: int) -> Sizes:
    """What is picked for so many training tokens where nobody chose."""
    return default_sizes(tokens, config.level, seconds=_seconds(options), fine_tuning="base" in options)


def _configure(options: Options, text: TextConfig, corpus: Corpus, base: Base | None) -> RunConfig:
    """Fill in what was not chosen."""
    tokens = len(corpus.train)
    sizes = sizes_for(options, text, tokens)
    text = replace(text, independent_lines=corpus.independent_lines)
    model = _model_config(options, sizes, len(corpus.tokenizer), base)
    window, batch = fit(tokens, options.get("window", sizes.window), options.get("batch", sizes.batch))
    seconds, steps = _seconds(options), options.get("steps")
    if seconds is None and steps is None:
        length = options["epochs"] * tokens if "epochs" in options else sizes.length(tokens)
        steps = max(1, math.ceil(length / (window * batch)))
    rates = {"lr": sizes.lr, "dropout": sizes.dropout, "weight_decay": sizes.weight_decay}
    chosen = {**rates, **_of(options, TrainConfig)}
    train = TrainConfig(**{**chosen, "window": window, "batch": batch, "steps": steps, "seconds": seconds})
    return RunConfig(model, text, train)


def _model_config(options: Options, sizes: Sizes, vocabulary: int, base: Base | None) -> ModelConfig:
    if base is not None:
        return replace(base.model.network.config, vocabulary=vocabulary)
    given = _model_options(options, sizes.hidden, sizes.embedding)
    given = {"softmax": default_softmax(vocabulary, given["hidden"], tied=options.get("tied", False)), **given}
    cell = _cell(options)
    chosen = block_options(cell, _block_options(options))
    return ModelConfig(**{**given, "vocabulary": vocabulary, "cell": cell, "options": chosen})


def _about(texts: Texts, valid: Texts | None, corpus: Corpus) -> dict[str, Any]:
    return CorpusRecord(
        paths=list(texts.given),
        digest=corpus.digest,
        valid_paths=None if valid is None else list(valid.given),
        valid_digest=corpus.valid_digest,
        train_tokens=len(corpus.train),
        valid_tokens=len(corpus.valid),
        train_characters=corpus.train.characters,
        valid_characters=corpus.valid.characters,
        train_unknown=corpus.train.unknown,
    ).to_json()


def _about_base(base: Base | None, *, extended: bool) -> dict[str, Any] | None:
    if base is None:
        return None
    return BaseRecord(base.path, base.model.record["corpus"]["digest"], extended).to_json()


def picks(options: Options, run: Run) -> list[str]:
    """What was picked for a run where nobody chose, as options to type; those that never vary are left out."""
    config, train, tokens = run.config, run.config.train, len(run.corpus.train)
    sizes = sizes_for(options, config.text, tokens)
    values: dict[str, Any] = {
        "level": config.text.level,
        "unit": config.text.unit,
        "hidden": config.model.hidden,
        "embedding": config.model.embedding,
        "softmax": config.model.softmax if config.model.softmax == "adaptive" else None,
        "window": train.window,
        "batch": train.batch,
        "epochs": f"{sizes.length(tokens) / tokens:.3g}",
        "lr": f"{train.lr:g}",
        "dropout": f"{train.dropout:g}",
        "weight_decay": f"{train.weight_decay:g}",
        **({} if "base" in options else text_defaults(config.text.level)),
    }
    given = set(options) | (set(_FROM_BASE) if "base" in options else set())
    if {"steps", "time"} & given:
        given.add("epochs")
    left = {name: value for name, value in values.items() if name not in given and value is not None}
    return [f"{flag} {value}" for flag, value in zip(flags(left), left.values(), strict=True)]


def shrunk(options: Options, run: Run) -> list[str]:
    """Sizes that are smaller than chosen or picked since the text is short, in words."""
    sizes, train = sizes_for(options, run.config.text, len(run.corpus.train)), run.config.train
    wanted = {"--window": options.get("window", sizes.window), "--batch": options.get("batch", sizes.batch)}
    found = {"--window": train.window, "--batch": train.batch}
    return [f"{flag} {wanted[flag]} becomes {found[flag]}" for flag in wanted if found[flag] < wanted[flag]]
