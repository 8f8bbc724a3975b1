"""The iteration that makes a matrix nearly orthogonal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from charlm.training.orthogonal import orthogonal

if TYPE_CHECKING:
    from charlm.nn.arrays import Array

SHAPES = [(6, 6), (16, 64), (64, 16), (1, 7), (256, 64)]


def drawn(shape: tuple[int, int], condition: float = 100.0) -> Array:
    """A matrix whose largest singular value is so many times its smallest."""
    generator = np.random.default_rng(3)
    left, _, right = np.linalg.svd(generator.standard_normal(shape), full_matrices=False)
    scaled: Array = (left * np.geomspace(1, 1 / condition, min(shape))) @ right
    return scaled


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_singular_values_come_near_one(shape: tuple[int, int], dtype: type[np.floating]) -> None:
    made = orthogonal(drawn(shape).astype(dtype))
    assert made.dtype == dtype
    assert made.shape == shape
    values = np.linalg.svd(made, compute_uv=False)
    assert values.min() > 0.67
    assert values.max() < 1.21


@pytest.mark.parametrize("shape", SHAPES)
def test_directions_stay(shape: tuple[int, int]) -> None:
    """Each singular vector keeps its partner: U^T X V is diagonal."""
    matrix = drawn(shape)
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    turned = left.T @ orthogonal(matrix) @ right.T
    np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=1e-9)
    assert (np.diag(turned) > 0).all()


def test_the_size_of_a_matrix_does_not_matter() -> None:
    matrix = drawn((8, 5)).astype(np.float32)
    np.testing.assert_allclose(orthogonal(matrix * np.float32(1e-3)), orthogonal(matrix), rtol=2e-3, atol=2e-3)


def test_a_matrix_is_read_only() -> None:
    """Its memory is the gradient's or the momentum's."""
    matrix = drawn((5, 8))
    before = matrix.copy()
    orthogonal(matrix)
    np.testing.assert_array_equal(matrix, before)


def test_nothing_stays_nothing() -> None:
    np.testing.assert_array_equal(orthogonal(np.zeros((4, 3), np.float32)), 0)
