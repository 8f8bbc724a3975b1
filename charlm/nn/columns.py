"""Two ways for an array to hold a window, and the copies between them.

*Steps* [T, rows, B]: each step is one contiguous piece. The loop over time works on these, since reading and writing
pieces of a row of every step, T * B numbers apart, takes several times as long.

*Columns* [rows, T * B]: the steps side by side, as the products of a whole window need them. One piece of memory, which
the layers use one after another, takes what such a product needs; the copy is one pass.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charlm.nn.arrays import Array

STRIP = 16
"""float32 numbers in a cache line of 64 bytes."""
NARROW = 32
"""Lanes below which a product of a step is too narrow to be fast."""


def write_transposed(out: Array, matrix: Array) -> None:
    """``out[...] = matrix.T``, in strips of rows that fill a cache line: twice as fast as in one go."""
    for begin in range(0, len(matrix), STRIP):
        out[:, begin : begin + STRIP] = matrix[begin : begin + STRIP].T


def write_scaled(out: Array, matrix: Array, scale: np.floating) -> None:
    """``out[...] = matrix * scale``; into contiguous columns in strips of rows, as above, in a seventh of the time."""
    if out.strides[0] >= out.strides[1]:
        np.multiply(matrix, scale, out=out)
        return
    for begin in range(0, len(matrix), STRIP):
        rows = slice(begin, begin + STRIP)
        out[rows] = matrix[rows] * scale


def new_steps(time: int, rows: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> Array:
    """Allocate [T, rows, B], not yet written.

    Where nothing is kept for a way back, all steps share the memory of one, which then stays in the cache.
    """
    if keep:
        return np.empty((time, rows, batch), dtype)
    one = np.empty((rows, batch), dtype)
    return np.lib.stride_tricks.as_strided(one, (time, rows, batch), (0, *one.strides))


def write_columns(out: Array, steps: Array) -> None:
    """Write steps [T, rows, B] into ``out`` [rows, T * B]."""
    time, rows, batch = steps.shape
    _lanes(out.reshape(rows, time, batch, copy=False))[...] = _lanes(steps).T


def write_steps(out: Array, columns: Array) -> None:
    """Write columns [rows, T * B] into ``out`` [T, rows, B]."""
    time, rows, batch = out.shape
    _lanes(out)[...] = _lanes(columns.reshape(rows, time, batch, copy=False)).T


def _lanes(array: Array) -> NDArray[np.void]:
    """[..., B] as [...] of pieces of B numbers: NumPy copies a piece at a time in half to nine tenths of the time."""
    return array.view(np.dtype((np.void, array.shape[-1] * array.itemsize)))[..., 0]


def steps_of(columns: Array, time: int) -> Array:
    """Columns [rows, T * B] as steps [T, rows, B], a view: what is written into it is written into ``columns``."""
    return columns.reshape(len(columns), time, -1, copy=False).transpose(1, 0, 2)


def flat(columns: Array) -> Array:
    """[rows, T, B] as [rows, T * B], a view: what is written into it is written into ``columns``.

    Raises:
        ValueError: it cannot be without a copy.
    """
    rows, time, batch = columns.shape
    return columns.reshape(rows, time * batch, copy=False)


class WindowColumns(NamedTuple):
    """What the products of a layer's window are made of.

    Attributes:
        d_gates: [G * H, T * B], the tape's gradients of the pre-activations.
        inputs: [rows, T * B], the tape's inputs.
    """

    d_gates: Array
    inputs: Array


class Columns:
    """Memory for the columns of one window after another, of at most T steps of B lanes.

    A layer has the gradients of its gates in ``first`` and its inputs in ``second``. Between forward and backward the
    head has its own here: the gradient of the activations in ``first``, the activations in ``second``.

    Attributes:
        first: [rows, (T + 1) * B]; one column a row more than is used, since rows that stand a multiple of 4096 bytes
            apart fall on the same few sets of the caches and push one another out.
        second: likewise, with rows of its own.
    """

    def __init__(self, first: int, second: int, time: int, batch: int, dtype: DTypeLike) -> None:
        self.first: Array = np.empty((first, (time + 1) * batch), dtype)
        self.second: Array = np.empty((second, (time + 1) * batch), dtype)

    def window(self, d_gates: Array, inputs: Array) -> WindowColumns:
        """Copy the gradients of a layer's gates [T, G * H, B] and its inputs [T, rows, B]."""
        (time, gate_rows, batch), input_rows = d_gates.shape, inputs.shape[1]
        window = WindowColumns(self.first[:gate_rows, : time * batch], self.second[:input_rows, : time * batch])
        write_columns(window.d_gates, d_gates)
        write_columns(window.inputs, inputs)
        return window


def window_product(matrix: Array, steps: Array, out: Array) -> None:
    """``out[t] = matrix @ steps[t]`` for a window [T, rows, B] at once; orientation chosen by the shape alone."""
    time, rows, batch = steps.shape
    if batch >= NARROW or time == 1:
        np.matmul(matrix, steps, out=out)
        return
    columns = np.empty((rows, time * batch), steps.dtype)
    write_columns(columns, steps)
    write_steps(out, matrix @ columns)


def sum_over_window(d: Array, values: Iterable[Array]) -> Array:
    """[H, 1]: the sum over steps and lanes of d [T, H, B] times the values [H, B] of each; the gradient of a vector.

    One step at a time, so that nothing of the window's size is made.
    """
    total = np.zeros((d.shape[1], 1), d.dtype)
    for step, value in zip(d, values, strict=False):  # the tape may be longer than the window
        total[:, 0] += np.einsum("hb,hb->h", step, value)
    return total
