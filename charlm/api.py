"""The Python interface: ``import charlm`` shows what stands here.

Arrays are batch-first: ids are [batch, time], probabilities [batch, time, vocabulary].
"""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Unpack

import numpy as np

from charlm.adapting.from_python import tune
from charlm.adapting.kept import Tuned
from charlm.adapting.options import AdaptOptions
from charlm.attribution import Attribution, Confusion
from charlm.bayes import Posterior
from charlm.checkpoint import load_model
from charlm.classification import Classifier, load_classifier, train_classifier
from charlm.comparing import confusion, diff, which
from charlm.continuations import Continuation
from charlm.differences import Difference
from charlm.errors import CharlmError
from charlm.evaluation import EvaluationResult
from charlm.filling import Filled
from charlm.histories.history import RunHistory
from charlm.histories.reading import read_runs
from charlm.labelling.classifying import Classified
from charlm.labelling.tags import Tagged
from charlm.loaded_model.adapting import AdaptedModel
from charlm.loaded_model.model import Model
from charlm.neurons import Found
from charlm.ngrams import NGrams, load_ngrams, read_arpa, train_ngrams
from charlm.novelty.copies import Copied
from charlm.pairs import Accuracy, Judged, Pair, accuracies
from charlm.ranking import Alternative
from charlm.sample_options import BeamOptions, SampleOptions
from charlm.samples import Sample
from charlm.scores import Score
from charlm.tagging import Tagger, load_tagger, train_tagger
from charlm.templates import expand
from charlm.training.from_python import Paths, texts_given, train_to_the_end
from charlm.training.options import Options
from charlm.training.rate_finder import RateSearch, find_rate
from charlm.training.reports import Report, StepReport, ValidationReport
from charlm.training.setup import begin

__all__ = [
    "Accuracy",
    "AdaptOptions",
    "AdaptedModel",
    "Alternative",
    "Attribution",
    "BeamOptions",
    "CharlmError",
    "Classified",
    "Classifier",
    "Confusion",
    "Continuation",
    "Copied",
    "Difference",
    "EvaluationResult",
    "Filled",
    "Found",
    "Judged",
    "Model",
    "NGrams",
    "Options",
    "Pair",
    "Posterior",
    "RateSearch",
    "RunHistory",
    "Sample",
    "SampleOptions",
    "Score",
    "StepReport",
    "Tagged",
    "Tagger",
    "Tuned",
    "ValidationReport",
    "accuracies",
    "confusion",
    "diff",
    "expand",
    "find_lr",
    "history",
    "load",
    "load_classifier",
    "load_ngrams",
    "load_tagger",
    "read_arpa",
    "train",
    "train_classifier",
    "train_ngrams",
    "train_tagger",
    "tune",
    "which",
]


def load(path: str | PathLike[str]) -> Model:
    """Load a model file, or the one in a run's folder.

    Raises:
        ModelError: it is missing or damaged.
    """
    return Model(load_model(Path(path)), Path(path))


def history(paths: Paths) -> list[RunHistory]:
    """How runs went, as ``charlm history`` shows it: what their folders say, read without changing anything.

    Args:
        paths: folders of runs, or folders with such at any depth: one path, or several.

    Raises:
        ModelError: there is no run at one of the paths, or none has written anything down.
    """
    return read_runs([Path(path) for path in ([paths] if isinstance(paths, str | PathLike) else paths)])


def train(
    corpus: Paths | None = None,
    *,
    text: str | None = None,
    folder: str | PathLike[str] | None = None,
    overwrite: bool = False,
    report: Callable[[Report], None] | None = None,
    **options: Unpack[Options],
) -> Model:
    """Train a model, as ``charlm train`` does.

    Args:
        corpus: path of a text; also a folder, a glob pattern, or several of them.
        text: the text itself, instead.
        folder: where to keep the run: the model, its log and what continuing needs; None to keep nothing.
        overwrite: whether a run in that folder may be replaced.
        report: called with every step and validation.
        **options: the keys of ``Options``, which are the options of ``charlm train`` with underscores (``--from`` is
            ``base``); what is missing is chosen by the size of the corpus.

    Returns:
        The model with the best weights by validation loss.

    Raises:
        UsageError: an option is wrong or does not go with another.
        InputError: a text cannot be read or is too short.
        OutputError: a file cannot be written, the folder holds a run and ``overwrite`` is False, or a run is at work
            in it.
        TrainingError: training cannot go on.
    """
    return train_to_the_end(
        lambda kept, clock: begin(
            lambda encoding: texts_given(corpus, text, encoding),
            lambda _: kept,
            options,
            overwrite=overwrite,
            clock=clock,
        ),
        folder,
        report,
        load,
    )


def find_lr(corpus: Paths | None = None, *, text: str | None = None, **options: Unpack[Options]) -> RateSearch:
    """Try rising learning rates in a short run, as ``charlm train --find-lr`` does; nothing is written.

    Args:
        corpus: as for ``train``.
        text: likewise.
        **options: likewise, of the run that is meant.

    Returns:
        Every rate with its loss, the ``suggestion`` and what it was drawn from.

    Raises:
        UsageError: an option is wrong or does not go with another.
        InputError: a text cannot be read or is too short.
        TrainingError: the loss is not finite from the first steps on.
    """
    run = begin(
        lambda encoding: texts_given(corpus, text, encoding),
        lambda _: Path(),
        options,
        overwrite=True,
        clock=lambda: 0.0,
    )
    with np.errstate(all="ignore"):
        return find_rate(run.trainer)
