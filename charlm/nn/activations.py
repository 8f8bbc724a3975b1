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
