"""From options to the run of a tagger or classifier that is ready to begin, and from a folder to one that goes on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from charlm.checkpoint import check_about
from charlm.config import BaseRecord, CorpusRecord
from charlm.errors import InputError, ModelError, UsageError
from charlm.labelling.config import LabellingConfig
from charlm.labelling.corpus import (
    Known,
    LabelCorpus,
    read_columns_corpus,
    read_example_parts,
    read_examples_corpus,
    weights_of,
)
from charlm.labelling.model import Labeler, check_labeler, constants_of
from charlm.labels.examples import Examples
from charlm.machine import fingerprint
from charlm.nn.label_config import LabelModelConfig
from charlm.text.sources import Texts, find_texts
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import Vocabulary
from charlm.train_config import TrainConfig
from charlm.training.changes import changed
from charlm.training.choices import Base
from charlm.training.label_choices import (
    check_label_options,
    configure_labels,
    label_picks,
    labelling_config,
    load_language_model,
)
from charlm.training.labels import LabelSubject
from charlm.training.progress import Progress
from charlm.training.run import Run, changed_about
from charlm.training.run_folder import RunFolder, of_model
from charlm.training.setup import Find, check_window, recorded_paths, recorded_valid_texts

__all__ = ["begin_labels", "label_picks", "own_examples", "own_label_texts", "resume_labels"]

_NAME_ONE = "name a file to evaluate"


def begin_labels(
    kind: str,
    find: Callable[[str | None], Texts],
    folder_of: Callable[[Texts], Path],
    options: Mapping[str, Any],
    *,
    overwrite: bool = False,
    clock: Callable[[], float],
) -> Run[LabelSubject]:
    """Check everything, read the labelled files, and make a run of them; nothing is written yet.

    Args:
        kind: tagger or classifier.
        find: finds what to train on, given its encoding.
        folder_of: where a run on these files is to be kept.
        options: what was chosen; the keys of ``LabelOptions``.
        overwrite: whether a run that is there already may be replaced.
        clock: seconds since the command began.

    Raises:
        UsageError: an option is wrong or does not go with another.
        InputError: a file cannot be read, or is not right.
        ModelError: the model to start from cannot be read.
        OutputError: the folder holds a model and ``overwrite`` is False.
    """
    check_label_options(kind, options)
    base = load_language_model(kind, options)
    text = labelling_config(kind, options, base)
    texts = find(text.encoding)
    folder = folder_of(texts)
    files = RunFolder(folder)
    if not overwrite:
        files.check_free()
    valid = find_texts([str(options["valid"])], encoding=text.encoding) if "valid" in options else None
    seed = options.get("seed", TrainConfig(steps=1).seed)
    vocabulary = None if base is None else base.model.tokenizer.vocabulary
    corpus = _read(texts, valid, text, seed, base=vocabulary, chars=options.get("chars", False))
    model, train = configure_labels(options, corpus, base)
    about = {
        "corpus": _about(texts, valid, corpus),
        "made_with": fingerprint(),
        "base": _about_base(base),
    }
    network = base.model.network if base else None
    return Run(files, LabelSubject(model, corpus, train, network), train, about, clock, overwrite=overwrite)


def resume_labels(
    kind: str,
    folder: Path,
    names: Sequence[str],
    find: Find,
    options: Mapping[str, Any] | None = None,
    *,
    clock: Callable[[], float],
) -> Run[LabelSubject]:
    """A run that goes on where the one in the folder was stopped; as ``training.setup.resume``."""
    files = RunFolder(folder)
    try:
        if folder.is_dir():
            files.lock()
        return _resume(kind, files, names, find, options, clock)
    except BaseException:
        files.close()
        raise


def _resume(
    kind: str,
    files: RunFolder,
    names: Sequence[str],
    find: Find,
    options: Mapping[str, Any] | None,
    clock: Callable[[], float],
) -> Run[LabelSubject]:
    tensors, state = files.load_state()
    files.check_kind(state, kind)
    try:
        run, about = state["run"], state["about"]
        model, text = LabelModelConfig.from_json(run["model"]), LabellingConfig.from_json(run["text"])
        train = TrainConfig.from_json(run["train"])
        was, step = CorpusRecord.from_json(about["corpus"]), Progress.from_json(state["progress"]).step
        check_about(about)
        check_labeler(files.state_file, of_model(tensors), model)
        known = Known(*constants_of(tensors))
        weights_of(text.class_weights, known.labels)
        if not text.per_token:
            Tokenizer(text.level, text.unit, known.vocabulary, text.lowercase)
    except (KeyError, TypeError, AttributeError, ModelError, UsageError) as error:
        raise ModelError(f"{files.state_file} is damaged ({error}): begin anew with --overwrite") from error
    texts, valid = find(names or recorded_paths(was), text.encoding), recorded_valid_texts(was, text.encoding)
    corpus = _same(was, texts, valid, text, train.seed, known, "put it back, or begin anew with --overwrite")
    check_window(files, train, len(corpus.train.ids))
    before = train
    if options and (train := changed(train, options, len(corpus.train.ids), step)) != before:
        about = changed_about(about, before, step)
    made = Run(files, LabelSubject(model, corpus, train), train, about, clock)
    made.resume(tensors, state, before)
    return made


def own_label_texts(model: Labeler) -> LabelCorpus:
    """The texts that a model was trained on and validated with, read and split again as they were then.

    Raises:
        InputError: they are not there any more, or have changed.
    """
    was, known = CorpusRecord.from_json(model.record["corpus"]), Known(model.vocabulary, model.characters, model.labels)
    texts, valid = _own_files(was, model.text.encoding)
    return _same(was, texts, valid, model.text, model.record["train"]["seed"], known, _NAME_ONE)


def own_examples(model: Labeler) -> Examples:
    """The texts that a classifier was validated with, read and drawn again as they were then.

    Raises:
        InputError: they are not there any more, or have changed.
    """
    was = CorpusRecord.from_json(model.record["corpus"])
    texts, valid = _own_files(was, model.text.encoding)
    with _as_recorded(texts):
        parts = read_example_parts(texts, valid, model.text, model.record["train"]["seed"])
    _check_unchanged(was, texts, parts.digests, _NAME_ONE)
    return parts.valid


def _own_files(was: CorpusRecord, encoding: str) -> tuple[Texts, Texts | None]:
    """What a model was trained on and, if there was such, validated with.

    Raises:
        InputError: they are not there any more, or cannot be read again.
    """
    try:
        return find_texts(recorded_paths(was), encoding=encoding), recorded_valid_texts(was, encoding)
    except InputError as error:
        raise InputError(f"the model's own texts are not here ({error}): {_NAME_ONE}") from error


@contextmanager
def _as_recorded(texts: Texts) -> Iterator[None]:
    """Nobody has chosen these options now: they stood in a file.

    Raises:
        ModelError: they make no sense.
    """
    try:
        yield
    except UsageError as error:
        raise ModelError(f"the way to read {texts.name} that was recorded makes no sense ({error})") from error


def _read(
    texts: Texts,
    valid: Texts | None,
    text: LabellingConfig,
    seed: int,
    *,
    known: Known | None = None,
    base: Vocabulary | None = None,
    chars: bool = False,
) -> LabelCorpus:
    if text.per_token:
        return read_columns_corpus(texts, valid, text, seed, known=known, base=base, chars=chars)
    return read_examples_corpus(texts, valid, text, seed, known=known, base=base)


def _same(
    was: CorpusRecord,
    texts: Texts,
    valid: Texts | None,
    text: LabellingConfig,
    seed: int,
    known: Known,
    remedy: str,
) -> LabelCorpus:
    """The files read once more.

    Raises:
        InputError: they have changed since.
    """
    with _as_recorded(texts):
        corpus = _read(texts, valid, text, seed, known=known)
    _check_unchanged(was, texts, corpus.digests, remedy)
    return corpus


def _check_unchanged(was: CorpusRecord, texts: Texts, digests: tuple[str, str | None], remedy: str) -> None:
    if digests != (was.digest, was.valid_digest):
        raise InputError(f"{texts.name} has changed since the model was trained on it: {remedy}")


def _about(texts: Texts, valid: Texts | None, corpus: LabelCorpus) -> dict[str, Any]:
    return CorpusRecord(
        paths=list(texts.given),
        digest=corpus.digests[0],
        valid_paths=None if valid is None else list(valid.given),
        valid_digest=corpus.digests[1],
        train_tokens=len(corpus.train.ids),
        valid_tokens=len(corpus.valid.ids),
        train_characters=corpus.characters_read,
        valid_characters=corpus.valid_characters,
        train_unknown=corpus.unknown,
    ).to_json()


def _about_base(base: Base | None) -> dict[str, Any] | None:
    if base is None:
        return None
    return BaseRecord(base.path, base.model.record["corpus"]["digest"], extended=False).to_json()
