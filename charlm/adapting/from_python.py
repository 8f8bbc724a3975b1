"""Tuning as Python calls it."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Unpack

from charlm.adapting.kept import Tuned, keep
from charlm.adapting.options import AdaptOptions
from charlm.adapting.tuning import SECONDS, TOKENS, Budget, Material, check_tuning
from charlm.adapting.tuning import tune as tune_model
from charlm.checkpoint import TrainedModel, load_model
from charlm.errors import InputError
from charlm.measuring import part_given
from charlm.text.parts import Part
from charlm.training.from_python import Paths
from charlm.training.setup import own_corpus, own_texts


def tune(
    path: str | PathLike[str],
    corpus: Paths | None = None,
    *,
    text: str | None = None,
    tokens: int = TOKENS,
    seconds: float = SECONDS,
    report: Callable[[str, float], None] = lambda _what, _nats: None,
    **options: Unpack[AdaptOptions],
) -> Tuned:
    """Choose what adapts a model best, and keep it with the model, as ``charlm tune`` does.

    Args:
        path: of the model's file, or of a run's folder.
        corpus: path of a text to choose on, or several; None and no ``text`` for the validation part of its own corpus.
        text: the text itself.
        tokens: of it, at most.
        seconds: after which no further numbers of dynamic evaluation are tried.
        report: is told of everything that was tried, in words, and what a token costs with it, in nats.
        **options: the mechanisms to tune, and numbers that are to stay; the keys of ``AdaptOptions`` but ``tuned``.

    Returns:
        What was chosen, and what it brings.

    Raises:
        UsageError: nothing is to be tuned, an option is wrong, the model has labels, or another one does not fit.
        ModelError: a model cannot be read.
        InputError: the text cannot be read, or is empty.
        OutputError: what was chosen cannot be written.
    """
    check_tuning(options)
    budget = Budget(tokens, seconds)
    model = load_model(Path(path))
    found = tune_model(model, options, lambda: _material(model, corpus, text), budget, report)
    keep(Path(path), found)
    return found


def _material(model: TrainedModel, corpus: Paths | None, text: str | None) -> Material:
    if corpus is not None or text is not None:
        return Material("the text" if corpus is None else str(corpus), part_given(model, corpus, text), training(model))
    texts, valid = own_texts(model)
    own = own_corpus(model, texts, valid)
    return Material(f"the validation part of {(valid or texts).name}", own.valid, own.train)


def training(model: TrainedModel) -> Part | None:
    """What a model was trained on, if that is there still and the same."""
    try:
        return own_corpus(model, *own_texts(model)).train
    except InputError:
        return None
