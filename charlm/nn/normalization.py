"""Layer normalisation over the features of every column (Ba et al. 2016, equation 4), and its way back.

    n = (z - mean(z)) / sqrt(var(z) + eps)

Mean and variance are over the rows of one column, the last axis but one; the variance is divided by their number. The
paper has no eps; it keeps a column of equal numbers, such as the product with a zero state, from a division by zero.
"""

import numpy as np

from charlm.nn.arrays import Array

EPSILON = 1e-5


def normalize(z: Array, out: Array) -> Array:
    """Write z [..., n, B], each column normalised, into ``out``; return what it was multiplied by, [..., B]."""
    np.subtract(z, z.mean(axis=-2, keepdims=True), out=out)
    variance = np.einsum("...nb,...nb->...b", out, out) / z.shape[-2]
    inverse: Array = 1 / np.sqrt(variance + z.dtype.type(EPSILON))
    out *= inverse[..., None, :]
    return inverse


def normalize_back(d_normal: Array, normal: Array, inverse: Array, out: Array) -> None:
    """Write the gradient of z into ``out``, from that of the normalised z: all [n, B], ``inverse`` [B].

    dz = inverse * (d - mean(d) - n * mean(d * n)), means over the rows.
    """
    along = np.einsum("nb,nb->b", d_normal, normal) / len(normal)
    centre = d_normal.mean(axis=0)
    np.multiply(normal, along, out=out)
    np.subtract(d_normal, out, out=out)
    out -= centre
    out *= inverse
