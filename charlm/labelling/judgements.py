"""How right a classifier is, text by text, and in figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from charlm.labelling.dataset import Dataset
from charlm.labelling.predicting import judge, log_probabilities
from charlm.labels.measures import ClassFigures, class_figures
from charlm.nn.arrays import Ids
from charlm.nn.heads.cross_entropy import Real
from charlm.nn.label_model import LabelModel

BINS = 15
"""Into which confidences are sorted for the calibration error, as Guo et al. have it."""


@dataclass(frozen=True, eq=False)
class Judgements:
    """What a classifier said of texts, beside the truth.

    Attributes:
        truth: [texts], the true labels.
        predicted: [texts], the likeliest ones.
        nats: [texts], what the true labels cost, as training counts it.
        confidence: [texts], probabilities of the likeliest labels.
        given: [texts], those of the true ones.
        tokens: of all texts.
        unknown: of these, how many are <UNK>.
    """

    truth: Ids
    predicted: Ids
    nats: Real
    confidence: Real
    given: Real
    tokens: int
    unknown: int

    def __len__(self) -> int:
        return len(self.truth)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Those of all parts, one behind another."""
        names = ("truth", "predicted", "nats", "confidence", "given")
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(**arrays, tokens=sum(part.tokens for part in parts), unknown=sum(part.unknown for part in parts))

    def figures(self, labels: int) -> ClassFigures:
        """Accuracy, precision, recall and F1 of so many labels."""
        return class_figures(self.truth, self.predicted, labels)

    def calibration_error(self) -> float:
        """How far confidence is from accuracy: the expected calibration error (Guo et al. 2017).

        Texts are sorted into bins of equal width by the probability of their likeliest label; the error is the mean
        of |accuracy - confidence| over the bins, each weighted by its texts.
        """
        bins = np.minimum((self.confidence * BINS).astype(np.int64), BINS - 1)
        gaps = np.bincount(bins, (self.truth == self.predicted) - self.confidence, BINS)
        return float(np.abs(gaps).sum() / len(self))


def judge_texts(network: LabelModel, data: Dataset, unknown: int | None) -> Judgements:
    """Judge texts that have labels, one at least.

    Args:
        network: of a classifier.
        data: the texts.
        unknown: the id of <UNK>; None where there is none.
    """
    confidence, given = np.empty(len(data)), np.empty(len(data))
    for places, logs in log_probabilities(network, data):
        confidence[places] = np.exp(logs.max(axis=0))
        given[places] = np.exp(logs[data.targets[places], np.arange(len(places))])
    strange = 0 if unknown is None else int(np.count_nonzero(data.ids == unknown))
    return Judgements(data.targets, *judge(network, data), confidence, given, len(data.ids), strange)
