"""Clipping by the global norm (Pascanu et al. 2013)."""

import math

import numpy as np

from charlm.nn.arrays import Array


def global_norm(gradient: Array) -> float:
    """Euclidean norm of the flat gradient; not finite if any entry is not.

    The dot product of float32 overflows where the norm exceeds 1e19: that is not finite either.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return math.sqrt(float(np.dot(gradient, gradient)))


def clip(gradient: Array, limit: float) -> float:
    """Scale the gradient in place so that its norm is at most ``limit``; return the norm it had.

    A gradient that is not finite is left as it is: the caller decides.
    """
    norm = global_norm(gradient)
    if math.isfinite(norm) and norm > limit:
        gradient *= gradient.dtype.type(limit / norm)
    return norm
