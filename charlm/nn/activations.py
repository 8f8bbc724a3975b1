"""Activations in place, on the blocks that a step has just computed."""

import numpy as np

from charlm.nn.arrays import Array


def gates_in_place(z: Array, sigmoids: int) -> None:
    """Activate stacked pre-activations [rows, B]: the first ``sigmoids`` rows by the sigmoid, the rest by tanh.

    sigmoid(x) = tanh(x / 2) / 2 + 1/2, and the operand that made ``z`` has halved the sigmoid rows
    already, so one tanh over the whole block does all the work.
    """
    np.tanh(z, out=z)
    s = z[:sigmoids]
    s *= 0.5
    s += 0.5


def times_sigmoid_slope(d: Array, s: Array, scratch: Array) -> None:
    """``d *= s (1 - s)``: back through a sigmoid whose output is ``s``."""
    np.multiply(s, s, out=scratch)
    np.subtract(s, scratch, out=scratch)
    d *= scratch


def times_tanh_slope(d: Array, a: Array, scratch: Array) -> None:
    """``d *= 1 - a**2``: back through a tanh whose output is ``a``."""
    np.multiply(a, a, out=scratch)
    np.subtract(1, scratch, out=scratch)
    d *= scratch
