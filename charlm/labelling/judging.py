"""How well a tagger tags what is labelled already: figures of merit of its labels, and of entities."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from charlm.errors import NOT_FINITE, ModelError
from charlm.labelling.dataset import Dataset
from charlm.labelling.model import Labeler
from charlm.labelling.predicting import judge
from charlm.labels.measures import ClassFigures, EntityFigures, accuracy, class_figures, entity_figures
from charlm.nn.arrays import Flags, Ids
from charlm.nn.heads.cross_entropy import Real
from charlm.text.vocabulary import UNK


class Judged(NamedTuple):
    """What a tagger makes of labelled sentences, token by token.

    Attributes:
        truth: [tokens], ids of the true labels.
        predicted: [tokens], of the likeliest.
        nats: [tokens], what the true ones cost.
        unknown: [tokens], whether the vocabulary lacks the word.
        starts: [sentences + 1], where each sentence begins, and the end.
    """

    truth: Ids
    predicted: Ids
    nats: Real
    unknown: Flags
    starts: Ids


@dataclass(frozen=True, eq=False)
class TaggingResult:
    """What ``charlm tag eval`` says of labelled sentences.

    Attributes:
        labels: by id.
        sentences: how many.
        tokens: how many.
        nats_per_label: mean cost of a true label.
        accuracy: share of the labels that are right.
        unknown: tokens that the vocabulary lacks.
        unknown_accuracy: share of these whose label is right; None where there is none.
        classes: precision, recall and F1 of each label.
        entities: those of entities; None where labels are plain.
    """

    labels: tuple[str, ...]
    sentences: int
    tokens: int
    nats_per_label: float
    accuracy: float
    unknown: int
    unknown_accuracy: float | None
    classes: ClassFigures
    entities: EntityFigures | None

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm tag eval --json`` writes."""
        figures = zip(
            self.labels,
            self.classes.precision.tolist(),
            self.classes.recall.tolist(),
            self.classes.f1.tolist(),
            self.classes.confusion.sum(axis=1).tolist(),
            strict=True,
        )
        data: dict[str, Any] = {
            "sentences": self.sentences,
            "tokens": self.tokens,
            "nats_per_label": self.nats_per_label,
            "accuracy": self.accuracy,
            "unknown": self.unknown,
            "unknown_accuracy": self.unknown_accuracy,
            "macro_f1": self.classes.macro_f1,
            "labels": {
                name: {"precision": precision, "recall": recall, "f1": f1, "true": true}
                for name, precision, recall, f1, true in figures
            },
        }
        if self.entities is not None:
            by_type = {kind: asdict(each) for kind, each in self.entities.by_type.items()}
            data["entities"] = {"overall": asdict(self.entities.overall), "by_type": by_type}
        return data


def judge_tags(model: Labeler, data: Dataset) -> Judged:
    """Tag sentences that have labels.

    Raises:
        ModelError: the weights are so large that nothing is finite.
    """
    predicted, nats = judge(model.network, data)
    if not np.isfinite(nats).all():
        raise ModelError(NOT_FINITE)
    return Judged(data.targets, predicted, nats, data.ids == UNK, data.starts)


def together(parts: Sequence[Judged]) -> Judged:
    """Several as one."""
    ends = np.cumsum([0, *(len(part.truth) for part in parts)])
    starts = [part.starts[:-1] + begin for part, begin in zip(parts, ends, strict=False)]
    truth, predicted, nats, unknown = (np.concatenate(each) for each in list(zip(*parts, strict=True))[:-1])
    return Judged(truth, predicted, nats, unknown, np.append(np.concatenate(starts), ends[-1]))


def figures_of(model: Labeler, judged: Judged) -> TaggingResult:
    """The figures of what was judged."""
    labels, unknown = model.labels, judged.unknown
    return TaggingResult(
        labels=labels.names,
        sentences=len(judged.starts) - 1,
        tokens=len(judged.truth),
        nats_per_label=float(judged.nats.mean()),
        accuracy=accuracy(judged.truth, judged.predicted),
        unknown=int(np.count_nonzero(unknown)),
        unknown_accuracy=accuracy(judged.truth[unknown], judged.predicted[unknown]) if unknown.any() else None,
        classes=class_figures(judged.truth, judged.predicted, len(labels)),
        entities=entity_figures(labels.names, judged.truth, judged.predicted, judged.starts)
        if labels.entities
        else None,
    )
