"""Whole texts in lanes: every token once, in order, and next to nothing beside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import InputError
from charlm.nn.text_lanes import pack_texts

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=40)


def texts_of(lengths: list[int]) -> list[np.ndarray]:
    """Each token is another."""
    ends = np.cumsum(lengths)
    return [np.arange(end - length, end) for end, length in zip(ends, lengths, strict=True)]


@given(LENGTHS, st.integers(1, 12))
def test_every_text_stands_whole_in_one_lane(lengths: list[int], batch: int) -> None:
    texts = texts_of(lengths)
    lanes = pack_texts(texts, batch)
    time, width = lanes.ids.shape
    assert width <= batch
    assert lanes.number == len(texts)
    np.testing.assert_array_equal(lanes.lengths, lengths)
    np.testing.assert_array_equal(lanes.ids >= 0, lanes.text >= 0)
    assert np.count_nonzero(lanes.ids >= 0) == sum(lengths)
    assert np.count_nonzero(lanes.begins) == np.count_nonzero(lanes.ends) == len(texts)
    for number, text in enumerate(texts):
        t, b = np.nonzero(lanes.text == number)
        assert np.all(b == b[0])
        np.testing.assert_array_equal(t, t[0] + np.arange(len(text)))
        np.testing.assert_array_equal(lanes.ids[t, b], text)
        assert lanes.begins[t[0], b[0]]
        assert lanes.ends[t[-1], b[0]]
    # What is left of a lane is behind its texts, and no lane is empty from its top.
    assert np.all(np.diff((lanes.ids >= 0).astype(int), axis=0) <= 0)
    assert np.all(lanes.begins[0])
    assert time >= max(lengths)


@given(LENGTHS, st.integers(1, 12))
def test_lanes_are_about_even(lengths: list[int], batch: int) -> None:
    """Longest first into the emptiest: at most a third longer than they could be (Graham 1969)."""
    lanes = pack_texts(texts_of(lengths), batch)
    time, width = lanes.ids.shape
    assert time <= 4 / 3 * max(*lengths, -(-sum(lengths) // width), 1) + max(lengths) / 3


def test_nearly_nothing_is_left_over() -> None:
    """Of sentences in the number that fills a window of 32 x 32."""
    rng = np.random.default_rng(1)
    lengths = [int(length) for length in rng.integers(2, 30, 64)]
    lanes = pack_texts(texts_of(lengths), 32)
    assert lanes.ids.shape[1] == 32
    assert np.mean(lanes.ids < 0) < 0.06


def test_one_long_text_does_not_fill_the_window_with_nothing() -> None:
    """Its lane is long; then there are fewer lanes."""
    lanes = pack_texts(texts_of([300, *[10] * 30]), 32)
    assert lanes.ids.shape == (300, 2)


@given(LENGTHS, st.integers(1, 12))
def test_what_is_laid_out_is_taken_out(lengths: list[int], batch: int) -> None:
    texts = texts_of(lengths)
    lanes = pack_texts(texts, batch)
    values = [7 * text + 1 for text in texts]
    laid = lanes.lay_out(values)
    np.testing.assert_array_equal(laid, np.where(lanes.ids >= 0, 7 * lanes.ids + 1, -1))
    for found, value in zip(lanes.take_out(np.stack([laid, -laid])), values, strict=True):
        np.testing.assert_array_equal(found, [value, -value])


def test_the_same_texts_are_laid_out_alike() -> None:
    texts = texts_of([3, 3, 2, 5, 3])
    first, second = pack_texts(texts, 2), pack_texts(texts, 2)
    np.testing.assert_array_equal(first.ids, second.ids)


def test_a_text_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="text 2 of 3 has no tokens"):
        pack_texts([np.array([1]), np.array([], int), np.array([2])], 2)
