"""Labels by id: their order, what is refused, and no trust in arrays from a file."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from charlm.errors import InputError, ModelError
from charlm.labels.label_set import LabelSet
from charlm.labels.rows import Coded


def learnt(*labels: str) -> LabelSet:
    return LabelSet.learn(Coded.of(labels), "data")


def test_order_is_by_count_then_code_point() -> None:
    labels = learnt("b", "a", "é", "é", "c", "b")
    assert labels.names == ("b", "é", "a", "c")
    assert labels.counts.tolist() == [2, 2, 1, 1]
    assert not labels.entities


def test_outside_stands_first_where_labels_mark_entities() -> None:
    assert learnt("B-A", "I-A", "I-A", "O").names == ("O", "I-A", "B-A")
    assert learnt("B-A", "O").entities
    assert learnt("N", "N", "O").names == ("N", "O")


def test_labels_of_another_part_are_no_labels() -> None:
    part = Coded.of(["a", "b", "c", "a"]).part(np.array([True, False, True, True]))
    assert LabelSet.learn(part, "data").names == ("a", "c")


@pytest.mark.parametrize(("labels", "what"), [([], "holds no label"), (["x", "x"], "holds no label but 'x'")])
def test_a_single_label_is_refused(labels: list[str], what: str) -> None:
    with pytest.raises(InputError) as error:
        learnt(*labels)
    assert str(error.value) == f"data {what}: there is nothing to tell apart, so name data with at least two labels"


def test_ids_of_other_data() -> None:
    labels = learnt("a", "a", "b", "c")
    assert labels.ids_of(Coded.of(["c", "a", "b", "a"]), str).tolist() == [2, 0, 1, 0]


def test_an_unseen_label_is_named_with_its_place() -> None:
    labels = learnt("a", "a", "b")
    with pytest.raises(InputError) as error:
        labels.ids_of(Coded.of(["a", "x", "y", "x"]), lambda place: f"file, line {place + 1}")
    assert str(error.value) == "file, line 2: the label 'x' did not occur in training; the model knows a, b"
    # What only another part of the data has is no matter.
    assert labels.ids_of(Coded.of(["x", "b"]).part(np.array([False, True])), str).tolist() == [1]


def test_long_lists_are_cut_in_messages() -> None:
    assert str(learnt(*(f"{number:02}" for number in range(23)))).endswith("18, 19 and 3 more")


@given(st.lists(st.text(min_size=1), min_size=2, unique=True))
def test_arrays_round_trip(names: list[str]) -> None:
    labels = learnt(*names, names[0])
    again = LabelSet.from_arrays(*labels.to_arrays())
    assert again.names == labels.names
    assert again.counts.tolist() == labels.counts.tolist()


def test_lone_surrogates_are_no_trouble() -> None:
    """JSON can spell them."""
    labels = learnt("\ud800", "a")
    assert LabelSet.from_arrays(*labels.to_arrays()).names == labels.names


def damaged() -> dict[str, list[NDArray[Any]]]:
    data, offsets, counts = (array.copy() for array in learnt("aé", "b").to_arrays())
    twice, invalid = data.copy(), data.copy()
    twice[:3] = np.frombuffer(b"bbb", np.uint8)
    invalid[0] = 0xFF
    return {
        "are no bytes": [data.astype(np.int16), offsets, counts],
        "two dimensions": [data[None], offsets, counts],
        "too few": [data[:3], offsets[:2], counts[:1]],
        "do not fit": [data, offsets, counts[:1]],
        "fall": [data, offsets[::-1], counts],
        "empty label": [data, np.array([0, 0, 4]), counts],
        "negative": [data, offsets, -counts],
        "no text": [invalid, offsets, counts],
        "inside a character": [data, np.array([0, 2, 4]), counts],
        "twice": [twice, np.array([0, 1, 2, 4]), np.ones(3, np.int64)],
    }


@pytest.mark.parametrize("name", damaged())
def test_damaged_arrays_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match="the model's label set is damaged"):
        LabelSet.from_arrays(*damaged()[name])
