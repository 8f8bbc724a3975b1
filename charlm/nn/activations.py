"""Activations in place, on the blocks that a step has just computed."""

import numpy as np

from charlm.nn.arrays import Array

HALF = np.array(0.5, np.float32)
"""As an array: a Python number takes longer to convert than 500 numbers take to be halved. Exact in every dtype."""


def gates_in_place(z: Array, sigmoids: int) -> None:
    """Activate stacked pre-activations [rows, B]: the first ``sigmoids`` rows by the sigmoid, the rest by tanh.

    sigmoid(x) = tanh(x / 2) / 2 + 1/2, and the operand that made ``z`` has halved the sigmoid rows
    already, so one tanh over the whole block does all the work.
    """
    np.tanh(z, z)
    s = z[:sigmoids]
    s *= HALF
    s += HALF
