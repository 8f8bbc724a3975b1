"""Arrays of columns [rows, T, B], as the products and the loops over time use them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array

STRIP = 16
"""float32 numbers in a cache line of 64 bytes."""


def write_transposed(out: Array, matrix: Array) -> None:
    """``out[...] = matrix.T``, in strips of rows that fill a cache line: twice as fast as in one go."""
    for begin in range(0, len(matrix), STRIP):
        out[:, begin : begin + STRIP] = matrix[begin : begin + STRIP].T


def new_columns(rows: int, time: int, batch: int, dtype: DTypeLike) -> Array:
    """Allocate [rows, T, B] with room for a column more a row, not yet written.

    Without it the rows of common sizes stand a multiple of 4096 bytes apart, where all of them fall on the
    same few sets of the caches and push one another out.
    """
    return np.empty((rows, time + 1, batch), dtype)[:, :time]


def flat(columns: Array) -> Array:
    """[rows, T, B] as [rows, T * B], a view: what is written into it is written into ``columns``.

    Raises:
        ValueError: it cannot be without a copy.
    """
    rows, time, batch = columns.shape
    return columns.reshape(rows, time * batch, copy=False)


def sum_over_window(d: Array, values: Iterable[Array]) -> Array:
    """[H, 1]: the sum over steps and lanes of d [H, T, B] times the values [H, B] of each; the gradient of a vector.

    One step at a time, so that nothing of the window's size is made.
    """
    total = np.zeros((d.shape[0], 1), d.dtype)
    for t, value in zip(range(d.shape[1]), values, strict=False):  # the tape may be longer than the window
        total[:, 0] += np.einsum("hb,hb->h", d[:, t], value)
    return total
