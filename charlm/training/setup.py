"""From options to a run that is ready to begin, and from a folder to one that goes on."""

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from charlm.cache.corpora import prepare
from charlm.checkpoint import (
    LANGUAGE_MODEL,
    TrainedModel,
    check_about,
    check_labels,
    check_tensors,
    labels_of,
    tokenizer_of,
    vocabulary_of,
)
from charlm.config import BaseRecord, CorpusRecord, TextConfig
from charlm.errors import InputError, ModelError, UsageError
from charlm.labels.label_set import LabelSet
from charlm.machine import fingerprint
from charlm.ngram.model import NGramModel
from charlm.text.corpus import Corpus
from charlm.text.parts import Part
from charlm.text.sources import STANDARD_INPUT, Texts, find_texts
from charlm.text.tokenizer import Tokenizer, read_as
from charlm.train_config import TrainConfig
from charlm.training.changes import changed
from charlm.training.checks import check
from charlm.training.choices import (
    SPEED,
    Base,
    configure,
    encoding_for,
    independent_lines,
    load_base,
    measured_speed,
    reading,
    text_config,
)
from charlm.training.language import LanguageSubject, RunConfig
from charlm.training.options import Options
from charlm.training.progress import Progress
from charlm.training.run import Run, changed_about
from charlm.training.run_folder import RunFolder, of_model

_NAME_ONE = "name a text, as in charlm eval FILE"


def begin(
    find: Callable[[str | None], Texts],
    folder_of: Callable[[Texts], Path],
    options: Options,
    *,
    overwrite: bool = False,
    clock: Callable[[], float],
) -> Run[LanguageSubject]:
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
    base = load_base(options)
    texts = find(encoding_for(options, base))
    folder = folder_of(texts)
    files = RunFolder(folder)
    if not overwrite:
        files.check_free()
    text = text_config(texts, options, base)
    encoding = read_as(text.level, text.encoding)
    valid = find_texts([str(options["valid"])], encoding=encoding) if "valid" in options else None
    corpus = prepare(
        texts,
        valid_texts=valid,
        independent_lines=independent_lines(options, base),
        seed=options.get("seed", TrainConfig(steps=1).seed),
        tokenizer=base.model.tokenizer if base else None,
        extend=options.get("extend_vocab", False),
        known_labels=base.model.labels.names if base and base.model.labels else None,
        **reading(text),
    )
    speed = measured_speed(options, text, corpus, base)
    config = configure(options, text, corpus, base, speed)
    about = {
        "corpus": corpus_record(texts, valid, corpus),
        "made_with": fingerprint(),
        "base": _about_base(base, extended=options.get("extend_vocab", False)),
        **({} if speed is None else {SPEED: speed}),
    }
    subject = LanguageSubject(config, corpus, base.model.network if base else None)
    return Run(files, subject, config.train, about, clock, overwrite=overwrite)


Find = Callable[[Sequence[str], str | None], Texts]
"""Finds the texts that names stand for, given their encoding: ``text.sources.find_texts``, or what adds to it."""


def resume(
    folder: Path, names: Sequence[str], find: Find, options: Options | None = None, *, clock: Callable[[], float]
) -> Run[LanguageSubject]:
    """A run that goes on where the one in the folder was stopped.

    Args:
        folder: of a run that was stopped.
        names: of what it was trained on; none for those that it was begun with.
        find: finds the texts of these names.
        options: what of the run is to be another from now on.
        clock: seconds since the command began.

    Raises:
        UsageError: an option cannot be changed.
        ModelError: the folder holds no run, or a damaged one.
        InputError: the texts cannot be read, or have changed.
        OutputError: the folder cannot be written, or another run is at work in it.
    """
    files = RunFolder(folder)
    try:
        if folder.is_dir():
            files.lock()
        return _resume(files, names, find, options, clock)
    except BaseException:
        files.close()
        raise


def _resume(
    files: RunFolder, names: Sequence[str], find: Find, options: Options | None, clock: Callable[[], float]
) -> Run[LanguageSubject]:
    tensors, state = files.load_state()
    files.check_kind(state, LANGUAGE_MODEL)
    try:
        config, about = RunConfig.from_json(state["run"]), state["about"]
        was, step = CorpusRecord.from_json(about["corpus"]), Progress.from_json(state["progress"]).step
        check_about(about)
        check_tensors(files.state_file, of_model(tensors), config.model)
        check_labels(config.model, config.text)
        tokenizer, labels = tokenizer_of(config.text, vocabulary_of(tensors)), labels_of(tensors)
    except (KeyError, TypeError, AttributeError, ModelError, UsageError) as error:
        raise ModelError(f"{files.state_file} is damaged ({error}): begin anew with --overwrite") from error
    again = "put it back, or begin anew with --overwrite"
    encoding = read_as(config.text.level, config.text.encoding)
    texts, valid = find(names or recorded_paths(was), encoding), recorded_valid_texts(was, encoding)
    how = _Reading(config.text, config.train.seed, tokenizer, labels)
    corpus = _same_corpus(was, texts, valid, how, "the run began", again)
    check_window(files, config.train, len(corpus.train))
    train = config.train
    if options and (train := changed(train, options, len(corpus.train), step)) != config.train:
        about = changed_about(about, config.train, step)
    run = Run(files, LanguageSubject(replace(config, train=train), corpus), train, about, clock)
    run.resume(tensors, state, config.train)
    return run


Recorded = TrainedModel | NGramModel
"""Models whose records say what they were made of."""


def own_texts(model: Recorded, remedy: str = _NAME_ONE) -> tuple[Texts, Texts | None]:
    """The texts that a model was trained on and, if there were any, those it was validated with.

    Args:
        model: the model.
        remedy: what to do where that cannot be had, in words.

    Raises:
        InputError: they are not there any more, or cannot be read again.
    """
    if model.record["corpus"] is None:
        raise InputError(f"the model was imported, so nothing is known of its corpus: {remedy}")
    was, encoding = CorpusRecord.from_json(model.record["corpus"]), read_as(model.text.level, model.text.encoding)
    try:
        return find_texts(recorded_paths(was), encoding=encoding), recorded_valid_texts(was, encoding)
    except InputError as error:
        raise InputError(f"the model's own corpus is not here ({error}): {remedy}") from error


def own_corpus(model: Recorded, texts: Texts, valid: Texts | None, remedy: str = _NAME_ONE) -> Corpus:
    """The corpus that a model was trained on, split again as it was then.

    Args:
        model: the model.
        texts: its corpus, as ``own_texts`` gives it.
        valid: its validation text, likewise.
        remedy: as in ``own_texts``.

    Raises:
        InputError: the corpus has changed.
    """
    was = CorpusRecord.from_json(model.record["corpus"])
    how = _Reading(model.text, model.record["train"]["seed"], model.tokenizer, model.labels)
    return _same_corpus(was, texts, valid, how, "the model was trained on it", remedy)


def own_part(model: Recorded, texts: Texts, valid: Texts | None) -> Part:
    """The validation part of that corpus; otherwise as ``own_corpus``."""
    return own_corpus(model, texts, valid).valid


def recorded_paths(was: CorpusRecord) -> list[str]:
    """The names of the texts that a record speaks of.

    Raises:
        InputError: they cannot be read a second time.
    """
    if not was.paths or any(_flows(path) for path in was.paths):
        raise InputError("it was no file, so it cannot be read again; name the text once more")
    return was.paths


def _flows(path: str) -> bool:
    """Whether it is standard input, a pipe or a device: what is not read because some record names it."""
    if path == STANDARD_INPUT:
        return True
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - any text may stand there, also what is no path
    except (OSError, ValueError):
        return False  # finding it says what is wrong
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def recorded_valid_texts(was: CorpusRecord, encoding: str | None) -> Texts | None:
    """The texts that validated, where a record names such.

    Raises:
        InputError: they are not there, or cannot be read a second time.
    """
    if was.valid_paths is not None and any(_flows(path) for path in was.valid_paths):
        raise InputError("what it was validated with was no file, so it cannot be read again")
    return None if was.valid_paths is None else find_texts(was.valid_paths, encoding=encoding)


class _Reading(NamedTuple):
    """How a corpus was read."""

    text: TextConfig
    seed: int
    tokenizer: Tokenizer
    labels: LabelSet | None


def _same_corpus(
    was: CorpusRecord, texts: Texts, valid: Texts | None, how: _Reading, since: str, remedy: str
) -> Corpus:
    """A corpus read once more.

    Raises:
        InputError: it cannot be, or has changed since.
    """
    try:
        corpus = prepare(
            texts,
            valid_texts=valid,
            independent_lines=how.text.independent_lines,
            seed=how.seed,
            tokenizer=how.tokenizer,
            known_labels=how.labels.names if how.labels else None,
            **reading(how.text),
        )
    except UsageError as error:
        # Nobody has chosen these options now: they stood in a file.
        raise ModelError(f"the way to read {texts.name} that was recorded makes no sense ({error})") from error
    if (corpus.digest, corpus.valid_digest) != (was.digest, was.valid_digest):
        raise InputError(f"{texts.name} has changed since {since}: {remedy}")
    return corpus


def check_window(files: RunFolder, train: TrainConfig, tokens: int) -> None:
    """A run has windows that its text fills; room for larger ones could be more than there is.

    Raises:
        ModelError: they are larger.
    """
    if train.window * train.batch > tokens:
        raise ModelError(
            f"{files.state_file} is damaged (windows of {train.batch} x {train.window} tokens, of {tokens} in all): "
            "begin anew with --overwrite"
        )


def corpus_record(texts: Texts, valid: Texts | None, corpus: Corpus) -> dict[str, Any]:
    """What a model's record says of its corpus."""
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
