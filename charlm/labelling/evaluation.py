"""How right a classifier is about texts that have labels: figures, and the texts that it is most wrong about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from charlm.labelling.encoding import encode_examples
from charlm.labelling.judgements import Judgements, judge_texts
from charlm.labelling.model import Labeler
from charlm.labels.examples import Examples
from charlm.labels.measures import ClassFigures


class Mistake(NamedTuple):
    """A text that was given a wrong label.

    Attributes:
        where: file and line.
        text: the text.
        label: the true one.
        predicted: the one it was given.
        probability: that the true one was given.
    """

    where: str
    text: str
    label: str
    predicted: str
    probability: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How right a classifier is about texts that have labels.

    Attributes:
        labels: the labels by id, which say what the rows of the figures are.
        judgements: what it said of each text.
        mistakes: texts with wrong labels, those whose true label was least likely first; as many as were asked for.
        files: the same of each file, where several were named.
    """

    labels: tuple[str, ...]
    judgements: Judgements
    mistakes: tuple[Mistake, ...]
    files: Mapping[str, "Evaluation"]

    @property
    def texts(self) -> int:
        """How many there are."""
        return len(self.judgements)

    @property
    def figures(self) -> ClassFigures:
        """Confusion matrix, and precision, recall and F1 of each label."""
        return self.judgements.figures(len(self.labels))

    @property
    def accuracy(self) -> float:
        """Share of the texts whose label is right."""
        return self.figures.accuracy

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the labels; rare ones count as much as frequent ones."""
        return self.figures.macro_f1

    @property
    def nats_per_text(self) -> float:
        """What the true labels cost, as validation in training counts it."""
        return float(self.judgements.nats.mean())

    @property
    def calibration_error(self) -> float:
        """How far probabilities are from the share that is right; see ``labelling.judgements``."""
        return self.judgements.calibration_error()

    @property
    def unknown_share(self) -> float:
        """Share of the tokens that were read as <UNK>."""
        return self.judgements.unknown / self.judgements.tokens

    def to_json(self) -> dict[str, Any]:
        """As ``charlm classify eval --json`` prints it."""
        figures = self.figures
        rows = zip(
            self.labels,
            *(each.tolist() for each in (figures.precision, figures.recall, figures.f1, figures.confusion.sum(axis=1))),
            strict=True,
        )
        names = ("label", "precision", "recall", "f1", "texts")
        return {
            "texts": self.texts,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "nats_per_text": self.nats_per_text,
            "calibration_error": self.calibration_error,
            "unknown_share": self.unknown_share,
            "labels": [dict(zip(names, row, strict=True)) for row in rows],
            "confusion": figures.confusion.tolist(),
            **({"mistakes": [each._asdict() for each in self.mistakes]} if self.mistakes else {}),
            **({"files": {name: each.to_json() for name, each in self.files.items()}} if self.files else {}),
        }


def evaluate_parts(model: Labeler, parts: Sequence[Examples], mistakes: int = 0) -> Evaluation:
    """Judge texts that have labels: those of each of these parts, and all together.

    Args:
        model: a classifier.
        parts: one at least.
        mistakes: how many texts with wrong labels to give.

    Raises:
        InputError: a label did not occur in training.
    """
    each = [_evaluate(model, part, mistakes) for part in parts]
    if len(each) == 1:
        return each[0]
    found = sorted((mistake for one in each for mistake in one.mistakes), key=lambda mistake: mistake.probability)
    files = {part.name: one for part, one in zip(parts, each, strict=True)}
    return Evaluation(
        each[0].labels, Judgements.joined([one.judgements for one in each]), tuple(found[:mistakes]), files
    )


def _evaluate(model: Labeler, examples: Examples, mistakes: int) -> Evaluation:
    tokenizer, names = model.tokenizer, model.labels.names
    found = judge_texts(model.network, encode_examples(examples, tokenizer, model.labels), tokenizer.unknown_id)
    wrong = np.flatnonzero(found.truth != found.predicted)
    worst = wrong[np.argsort(found.given[wrong], kind="stable")][:mistakes]
    return Evaluation(
        names,
        found,
        tuple(
            Mistake(
                examples.where(text),
                examples.texts[text],
                names[found.truth[text]],
                names[found.predicted[text]],
                float(found.given[text]),
            )
            for text in worst.tolist()
        ),
        {},
    )
