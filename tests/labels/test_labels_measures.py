"""Figures of merit, against values worked out by hand and against a second way to count."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_cases import coded
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from charlm.labels.measures import EntityFigures, Figures, accuracy, class_figures, entity_figures
from charlm.labels.schemes import find_spans


def ids(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def entities(truth: list[str], predicted: list[str]) -> EntityFigures:
    """The figures of sentences whose labels stand between spaces."""
    names, both, starts = coded(*truth, *predicted)
    tokens = int(starts[len(truth)])
    return entity_figures(names, both[:tokens], both[tokens:], starts[: len(truth) + 1])


def counts(figures: Figures) -> tuple[int, int, int]:
    return figures.true, figures.predicted, figures.correct


def test_accuracy() -> None:
    assert accuracy(ids(0, 1, 2, 1), ids(0, 1, 1, 1)) == 0.75
    assert accuracy(ids(), ids()) == 0.0


def test_classes_by_hand() -> None:
    """Of four labels the third is never right, and the last neither occurs nor is predicted."""
    figures = class_figures(ids(0, 0, 0, 1, 1, 2), ids(0, 0, 1, 1, 0, 0), 4)
    assert figures.confusion.tolist() == [[2, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert figures.accuracy == 0.5
    assert_allclose(figures.precision, [2 / 4, 1 / 2, 0, 0])
    assert_allclose(figures.recall, [2 / 3, 1 / 2, 0, 0])
    assert_allclose(figures.f1, [4 / 7, 1 / 2, 0, 0])
    assert figures.macro_f1 == pytest.approx((4 / 7 + 1 / 2) / 3)


def test_no_examples_make_no_figures() -> None:
    figures = class_figures(ids(), ids(), 2)
    assert figures.accuracy == 0.0
    assert figures.macro_f1 == 0.0
    assert figures.f1.tolist() == [0, 0]


def test_entities_by_hand() -> None:
    truth = ["O B-PER I-PER O B-LOC", "B-ORG O B-PER"]
    guess = ["O B-PER I-PER O B-ORG", "B-ORG I-ORG O"]
    figures = entities(truth, guess)
    # One person is found and one missed; a place is taken for a company; a company is a word too long.
    assert counts(figures.overall) == (4, 3, 1)
    assert figures.overall.precision == pytest.approx(1 / 3)
    assert figures.overall.recall == pytest.approx(1 / 4)
    assert figures.overall.f1 == pytest.approx(2 / 7)
    assert {kind: counts(each) for kind, each in figures.by_type.items()} == {
        "LOC": (1, 0, 0),
        "ORG": (1, 2, 0),
        "PER": (2, 1, 1),
    }
    assert figures.by_type["PER"].f1 == pytest.approx(2 / 3)
    assert figures.by_type["LOC"].f1 == 0.0


def test_entities_end_with_their_sentence() -> None:
    assert counts(entities(["B-A", "I-A"], ["B-A", "I-A"]).overall) == (2, 2, 2)
    assert counts(entities(["B-A I-A"], ["B-A B-A"]).overall) == (1, 2, 0)


@pytest.mark.parametrize(("truth", "guess", "expected"), [
    (["O B-A"], ["O O"], (1, 0, 0)),
    (["O O"], ["O B-A"], (0, 1, 0)),
    (["O O"], ["O O"], (0, 0, 0)),
    (["O", "B-A"], ["O", "B-A"], (1, 1, 1)),
])  # fmt: skip
def test_nothing_to_find_or_nothing_found(truth: list[str], guess: list[str], expected: tuple[int, int, int]) -> None:
    found = entities(truth, guess).overall
    assert counts(found) == expected
    assert found.f1 == float(expected[2])


def test_a_scheme_without_types() -> None:
    assert counts(entities(["B I O B"], ["B I O O"]).by_type[""]) == (2, 1, 1)


LABELS = ("O", *(f"{letter}-{kind}" for kind in "AB" for letter in "BIES"))
TOKENS = st.lists(st.tuples(st.sampled_from(range(len(LABELS))), st.sampled_from(range(len(LABELS)))), min_size=1)


def keyed(sentences: list[list[int]], kind: str | None) -> set[Any]:
    """The entities of sentences, of one type or all of them."""
    found = set()
    for place, sentence in enumerate(sentences):
        spans = find_spans(LABELS, np.array(sentence), ids(0, len(sentence)))
        for type_id, begin, end in zip(spans.type_ids, spans.begins, spans.ends, strict=True):
            found |= (
                {(place, spans.types[type_id], int(begin), int(end))} if kind in {None, spans.types[type_id]} else set()
            )
    return found


@given(st.lists(TOKENS, min_size=1, max_size=4))
def test_the_library_counts_what_two_sets_have_in_common(sentences: list[list[tuple[int, int]]]) -> None:
    """Whatever labels a model writes, sensible or not, an entity is right where both sets hold it."""
    starts = np.cumsum([0, *map(len, sentences)])
    truth, guess = ([[pair[side] for pair in sentence] for sentence in sentences] for side in (0, 1))
    found = entity_figures(LABELS, np.concatenate(truth), np.concatenate(guess), starts)
    for kind, figures in [(None, found.overall), *found.by_type.items()]:
        true, predicted = keyed(truth, kind), keyed(guess, kind)
        correct = len(true & predicted)
        assert counts(figures) == (len(true), len(predicted), correct)
        assert figures.precision == pytest.approx(correct / max(len(predicted), 1))
        assert figures.recall == pytest.approx(correct / max(len(true), 1))
        assert figures.f1 == pytest.approx(2 * correct / max(len(true) + len(predicted), 1))
