"""Which label a text has, by a language model of texts with labels and Bayes' rule.

    P(label | text) = P(text | label) P(label) / (sum over labels of P(text | label) P(label))

P(text | label) is the model's; P(label) is the share that the label had of the texts trained on, or the same for all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel
from charlm.config import choose
from charlm.errors import NOT_FINITE, ModelError, UsageError
from charlm.labels.label_set import LabelSet
from charlm.labels.measures import ClassFigures, class_figures
from charlm.lanes import line_bounds
from charlm.nn.arrays import Ids
from charlm.scores import encode_text
from charlm.scoring import log_softmax, score_texts
from charlm.text.parts import Part

PRIORS = ("trained", "uniform")
"""P(label): the shares of the texts trained on, or the same for all."""
TOGETHER = 4096
"""Lines of a part that are judged at a time."""

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Posterior:
    """What a model thinks of a text's label.

    Attributes:
        text: as given.
        probabilities: label -> P(label | text), in the model's order of labels.
        logprobs: label -> log P(text | label) in nats.
        prior: label -> P(label).
    """

    text: str
    probabilities: Mapping[str, float]
    logprobs: Mapping[str, float]
    prior: Mapping[str, float]

    @property
    def label(self) -> str:
        """The likeliest."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm score --posterior --json`` writes."""
        return {"label": self.label, **asdict(self)}


def posteriors(model: TrainedModel, texts: Sequence[str | bytes], prior: str = PRIORS[0]) -> list[Posterior]:
    """The probability of every label, for each of several texts.

    Args:
        model: of texts with labels.
        texts: to be judged.
        prior: one of ``PRIORS``.

    Raises:
        UsageError: the model has no labels, there is no such prior, or a text has several lines.
        ModelError: a text has no finite log-probability.
    """
    labels = _labels_of(model)
    log_prior = _log_prior(labels, prior)
    logprobs = _log_likelihoods(model, labels, [encode_text(model, text) for text in texts])
    after = np.exp(_log_posterior(logprobs, log_prior))
    columns = zip(texts, after.T.tolist(), logprobs.T.tolist(), strict=True)
    before = dict(zip(labels.names, np.exp(log_prior).tolist(), strict=True))
    return [
        Posterior(
            text if isinstance(text, str) else text.decode("utf-8", "surrogateescape"),
            dict(zip(labels.names, probabilities, strict=True)),
            dict(zip(labels.names, nats, strict=True)),
            before,
        )
        for text, probabilities, nats in columns
    ]


def judge(model: TrainedModel, part: Part, prior: str = PRIORS[0]) -> ClassFigures:
    """How well Bayes' rule finds the labels of encoded lines.

    Raises:
        UsageError: the model has no labels, or there is no such prior.
        ModelError: a text has no finite log-probability.
    """
    labels = _labels_of(model)
    log_prior = _log_prior(labels, prior)
    assert part.labels is not None  # noqa: S101 - a model with labels reads texts with labels
    bounds, found = line_bounds(part.ids, model.line_end), []
    for first in range(0, len(part.labels), TOGETHER):
        ends = bounds[first : first + TOGETHER + 1].tolist()
        logprobs = _log_likelihoods(model, labels, [part.ids[begin:end] for begin, end in pairwise(ends)])
        found.append(_log_posterior(logprobs, log_prior).argmax(axis=0))
    return class_figures(part.labels, np.concatenate(found), len(labels))


def _labels_of(model: TrainedModel) -> LabelSet:
    if model.labels is None:
        raise UsageError("this model has no labels to choose from: train one of texts with labels, with --labels")
    return model.labels


def _log_prior(labels: LabelSet, prior: str) -> Real:
    """Log P(label), [K]; minus infinity for one that no text trained on had."""
    choose("--prior", prior, PRIORS)
    weights = labels.counts if prior == PRIORS[0] else np.ones(len(labels))
    with np.errstate(divide="ignore"):
        found: Real = np.log(weights / weights.sum())
    return found


def _log_likelihoods(model: TrainedModel, labels: LabelSet, texts: Sequence[Ids]) -> Real:
    """Log P(text | label) in nats, [K, N]."""
    networks = map(model.network.under, range(len(labels)))
    found = np.array([[each.sum() for each in score_texts(network, texts)] for network in networks])
    if not np.isfinite(found).all():
        raise ModelError(NOT_FINITE)
    return found


def _log_posterior(logprobs: Real, log_prior: Real) -> Real:
    """Log P(label | text), [K, N]."""
    return log_softmax(logprobs + log_prior[:, None])
