"""Activations in place."""

from __future__ import annotations

import numpy as np

from charlm.nn.activations import gates_in_place


def sigmoid(z: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-z)))


def test_sigmoid_rows_come_first_and_expect_halved_sums() -> None:
    z = np.random.default_rng(0).normal(scale=3, size=(6, 5))
    found = np.concatenate((z[:4] / 2, z[4:]))
    gates_in_place(found, 4)
    np.testing.assert_allclose(found[:4], sigmoid(z[:4]), rtol=0, atol=1e-15)
    np.testing.assert_allclose(found[4:], np.tanh(z[4:]), rtol=0, atol=1e-15)


def test_saturated_gates_are_exact_and_never_overflow() -> None:
    """A gate far out is 0 or 1, not nearly, and no warning is given."""
    for dtype in (np.float32, np.float64):
        z: np.ndarray = np.array([[-1e30, -500, 0, 500, 1e30]], dtype)
        gates_in_place(z, 1)
        np.testing.assert_array_equal(z, [[0, 0, 0.5, 1, 1]])
