"""The labels that a classifier gives to texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from charlm.errors import NOT_FINITE, ModelError
from charlm.labelling.encoding import LONGEST_TEXT, encode_texts
from charlm.labelling.model import Labeler
from charlm.labelling.predicting import log_probabilities
from charlm.text.vocabulary import UNK


@dataclass(frozen=True)
class Classified:
    """What a classifier says of a text.

    Attributes:
        text: the text.
        label: the likeliest label.
        posterior: the probability of each label, by its name; of a sigmoid, of each by itself.
        tokens: how many were read, <EOS> among them.
        unknown: of these, how many were read as <UNK>.
        cut: whether the text is so long that only its first and last tokens were read.
    """

    text: str
    label: str
    posterior: Mapping[str, float]
    tokens: int
    unknown: int
    cut: bool

    @property
    def probability(self) -> float:
        """Of the likeliest label."""
        return self.posterior[self.label]


def classify(model: Labeler, texts: Sequence[str]) -> list[Classified]:
    """The labels of texts, in their order.

    Raises:
        ModelError: a probability is not finite, which no sound weights give.
    """
    if not texts:
        return []
    names, data = model.labels.names, encode_texts(texts, model.tokenizer)
    posteriors = np.empty((len(texts), len(names)))
    for places, logs in log_probabilities(model.network, data):
        posteriors[places] = np.exp(logs).T
    if not np.isfinite(posteriors).all():
        raise ModelError(NOT_FINITE)
    strange = np.zeros(len(data.ids), np.bool_) if model.vocabulary.raw else data.ids == UNK
    unknown = np.add.reduceat(strange, data.starts[:-1], dtype=np.int64)
    rows = zip(texts, posteriors, data.lengths.tolist(), unknown.tolist(), strict=True)
    return [
        Classified(
            text,
            names[found.argmax()],
            dict(zip(names, found.tolist(), strict=True)),
            tokens,
            number,
            tokens >= LONGEST_TEXT,
        )
        for text, found, tokens, number in rows
    ]
