"""Figures of merit: how often labels are right, class by class, and how well entities are found.

Where nothing is found, or nothing is there to find, a ratio of nothing counts as 0, as scikit-learn and conlleval have
it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.labels.schemes import Spans, find_spans

Ids = NDArray[np.integer[Any]]

# What nervaluate calls the scheme in which an entity is right or wrong as a whole.
_STRICT = "strict"


def accuracy(truth: Ids, predicted: Ids) -> float:
    """The share of labels, [n] both, that are right; 0 where there is none."""
    return float((truth == predicted).mean()) if len(truth) else 0.0


@dataclass(frozen=True, eq=False)
class ClassFigures:
    """How well classes are told apart.

    Attributes:
        confusion: int64 [labels, labels], how often each label (rows) was taken for each label (columns).
    """

    confusion: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return float(np.trace(self.confusion) / max(self.confusion.sum(), 1))

    @property
    def precision(self) -> NDArray[np.float64]:
        """Of what was taken for each label, the share that is right, [labels]."""
        return _ratio(np.diag(self.confusion), self.confusion.sum(axis=0))

    @property
    def recall(self) -> NDArray[np.float64]:
        """Of what has each label, the share that was found, [labels]."""
        return _ratio(np.diag(self.confusion), self.confusion.sum(axis=1))

    @property
    def f1(self) -> NDArray[np.float64]:
        """The harmonic mean of precision and recall, [labels]."""
        return _ratio(2 * np.diag(self.confusion), self._margins())

    @property
    def macro_f1(self) -> float:
        """The mean of `f1` over the labels that occur or were predicted; rare ones count as much as frequent ones."""
        occurring = self._margins() > 0
        return float(self.f1[occurring].mean()) if occurring.any() else 0.0

    def _margins(self) -> NDArray[np.int64]:
        margins: NDArray[np.int64] = self.confusion.sum(axis=0) + self.confusion.sum(axis=1)
        return margins


def class_figures(truth: Ids, predicted: Ids, labels: int) -> ClassFigures:
    """Compare predicted classes with the true ones.

    Args:
        truth: [n], ids from 0 to before `labels`.
        predicted: [n], likewise.
        labels: How many there are.
    """
    pairs = truth.astype(np.int64) * labels + predicted
    return ClassFigures(np.bincount(pairs, minlength=labels * labels).reshape(labels, labels))


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return part / np.maximum(whole, 1)


@dataclass(frozen=True)
class Figures:
    """How well entities are found: one is right if its tokens and its type are those of a true one, exactly.

    Attributes:
        true: Entities there are.
        predicted: Entities found.
        correct: Of these, right ones.
        precision: Share of the predicted that is correct.
        recall: Share of the true ones that was found.
        f1: The harmonic mean of both.
    """

    true: int
    predicted: int
    correct: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class EntityFigures:
    """How well entities are found.

    Attributes:
        overall: Of all entities, whatever their type (micro-averaged).
        by_type: Of each type that occurs or was predicted, by its name.
    """

    overall: Figures
    by_type: dict[str, Figures]


def entity_figures(labels: Sequence[str], truth: Ids, predicted: Ids, starts: Ids) -> EntityFigures:
    """Compare the entities that predicted labels mark with those that the true ones do.

    What an entity is, `find_spans` says; the figures are those of nervaluate's strict scheme, which are conlleval's.

    Args:
        labels: By id.
        truth: [tokens], the ids of the true labels.
        predicted: [tokens], those of the predicted ones.
        starts: [sentences + 1], where each sentence begins among the tokens, and the end.
    """
    from nervaluate import Evaluator  # noqa: PLC0415 - loaded only when it is used

    spans = [find_spans(labels, ids, starts) for ids in (truth, predicted)]
    types = sorted(set(spans[0].types) | set(spans[1].types))
    listed = [list(_by_sentence(each, starts)) for each in spans]
    evaluator = Evaluator(*listed, tags=types, loader="dict")
    evaluator.strategies = {_STRICT: evaluator.strategies[_STRICT]}  # the others would take three times as long again
    found = evaluator.evaluate()
    return EntityFigures(
        _figures(found["overall"][_STRICT]),
        {kind: _figures(found["entities"][kind][_STRICT]) for kind in types if kind in found["entities"]},
    )


def _by_sentence(spans: Spans, starts: Ids) -> Iterator[list[dict[str, Any]]]:
    """The entities of each sentence, as nervaluate takes them: with the last token of each instead of the next."""
    names = [spans.types[each] for each in spans.type_ids.tolist()]
    entities = [
        {"label": name, "start": begin, "end": end - 1}
        for name, begin, end in zip(names, spans.begins.tolist(), spans.ends.tolist(), strict=True)
    ]
    bounds = np.searchsorted(spans.begins, starts).tolist()
    return (entities[first:stop] for first, stop in pairwise(bounds))


def _figures(found: Any) -> Figures:
    """The figures of one of nervaluate's results."""
    return Figures(found.possible, found.actual, found.correct, *map(float, (found.precision, found.recall, found.f1)))
