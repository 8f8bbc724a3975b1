"""The two shapes of a window, steps and columns: the copies between them, and products and sums over all steps."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.nn.columns import (
    NARROW,
    STRIP,
    Columns,
    new_steps,
    sum_over_window,
    window_product,
    write_columns,
    write_scaled,
    write_steps,
    write_transposed,
)


class Shape(NamedTuple):
    """Of a window."""

    time: int
    rows: int
    batch: int


SHAPES = st.builds(Shape, st.integers(1, 6), st.integers(1, 5), st.integers(1, 5))
OUT = 4
"""Rows of a matrix that is multiplied with the steps."""


def random_steps(shape: Shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


@settings(deadline=None, max_examples=60)
@given(SHAPES)
def test_columns_stand_step_by_step_and_lane_by_lane(shape: Shape) -> None:
    """What is at [t, r, b] comes to stand at [r, t * B + b], and back."""
    steps = random_steps(shape)
    columns = np.full((shape.rows, shape.time * shape.batch), np.nan)
    write_columns(columns, steps)
    for t, r, b in np.ndindex(*shape):
        assert columns[r, t * shape.batch + b] == steps[t, r, b]
    again = np.full(shape, np.nan)
    write_steps(again, columns)
    np.testing.assert_array_equal(again, steps)


@settings(deadline=None, max_examples=60)
@given(SHAPES, st.integers(0, 3), st.integers(0, 2))
def test_a_window_may_be_shorter_and_narrower_than_its_room(shape: Shape, longer: int, more: int) -> None:
    """Gates and inputs stand apart, are those of the window alone, and nothing is written past them."""
    gates, inputs = random_steps(shape), random_steps(shape._replace(rows=shape.rows + 2), 1)
    columns = Columns(shape.rows + more, shape.rows + 2 + more, shape.time + longer, shape.batch, np.float64)
    columns.first[...] = columns.second[...] = np.nan
    window = columns.window(gates, inputs)
    for found, steps, room in ((window.d_gates, gates, columns.first), (window.inputs, inputs, columns.second)):
        expected = np.hstack(list(steps))
        np.testing.assert_array_equal(found, expected)
        assert np.shares_memory(found, room)
        assert np.count_nonzero(~np.isnan(room)) == expected.size


@settings(deadline=None, max_examples=60)
@given(SHAPES)
def test_both_copies_go_into_parts_of_larger_arrays(shape: Shape) -> None:
    """Into some rows of columns, and into the first steps and some rows of a tape."""
    steps = random_steps(shape)
    room = np.zeros((shape.rows + 3, (shape.time + 1) * shape.batch))
    part = room[1:-2, : shape.time * shape.batch]
    write_columns(part, steps)
    np.testing.assert_array_equal(part, np.hstack(list(steps)))
    assert not np.any(room[0])
    assert not np.any(room[-2:])
    assert not np.any(room[:, shape.time * shape.batch :])
    tape = np.zeros((shape.time + 1, shape.rows + 2, shape.batch))
    write_steps(tape[: shape.time, 1:-1], part)
    np.testing.assert_array_equal(tape[:-1, 1:-1], steps)
    assert np.count_nonzero(tape) == np.count_nonzero(steps)


@pytest.mark.parametrize("time", [1, 2, 7])
@pytest.mark.parametrize("batch", [1, 2, NARROW - 1, NARROW, NARROW + 1])
def test_a_product_of_a_window_is_that_of_each_of_its_steps(time: int, batch: int) -> None:
    """On both sides of the width from which the steps are multiplied as they stand, into a part of a longer tape."""
    steps, matrix = random_steps(Shape(time + 1, 3, batch)), random_steps(Shape(1, OUT, 3), 1)[0]
    out = np.full((time + 1, OUT, batch), np.nan)
    window_product(matrix, steps[:time], out=out[:time])
    for t in range(time):
        np.testing.assert_allclose(out[t], matrix @ steps[t], rtol=0, atol=1e-14)
    assert np.all(np.isnan(out[time]))


@settings(deadline=None, max_examples=60)
@given(SHAPES, st.integers(0, 2))
def test_the_gradient_of_a_vector_is_summed_over_steps_and_lanes(shape: Shape, longer: int) -> None:
    """Over those of the window, though the tape may be longer."""
    d, values = random_steps(shape), random_steps(shape._replace(time=shape.time + longer), 1)
    expected = np.einsum("trb,trb->r", d, values[: shape.time])
    np.testing.assert_allclose(sum_over_window(d, values), expected[:, None], rtol=0, atol=1e-13)


@given(SHAPES)
def test_steps_that_are_not_kept_share_the_memory_of_one(shape: Shape) -> None:
    """What is written into one is in all; those that are kept are apart."""
    kept, shared = (new_steps(*shape, np.float32, keep=keep) for keep in (True, False))
    for steps in (kept, shared):
        assert steps.shape == shape
        assert steps.dtype == np.float32
        assert steps[0].flags.c_contiguous
        for t in range(shape.time):
            steps[t] = t
    np.testing.assert_array_equal(shared, shape.time - 1)
    np.testing.assert_array_equal(kept, np.broadcast_to(np.arange(shape.time)[:, None, None], shape))


@pytest.mark.parametrize("rows", [1, STRIP - 1, STRIP, STRIP + 1, 3 * STRIP])
def test_a_matrix_is_transposed_in_strips(rows: int) -> None:
    matrix = random_steps(Shape(1, rows, 5))[0]
    out = np.full((5, rows), np.nan)
    write_transposed(out, matrix)
    np.testing.assert_array_equal(out, matrix.T)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("rows", [1, STRIP - 1, STRIP, STRIP + 1, 3 * STRIP])
def test_a_matrix_is_scaled_in_strips(rows: int, order: Literal["C", "F"]) -> None:
    """Into a part of a matrix, as gates stand in an operand; what stands beside it stays."""
    matrix = random_steps(Shape(1, rows, 5))[0]
    whole = np.full((2 * rows, 8), np.nan, order=order)
    write_scaled(whole[rows:, 1:6], matrix, np.float64(0.5))
    np.testing.assert_array_equal(whole[rows:, 1:6], 0.5 * matrix)
    assert np.count_nonzero(np.isnan(whole)) == whole.size - matrix.size
