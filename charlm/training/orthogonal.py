"""The orthogonal matrix nearest to another, nearly, by products alone."""

import numpy as np

from charlm.nn.arrays import Array

ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic a s + b s^3 + c s^5: applied five times, it takes singular values from 0.002 to 1 to between 0.68 and
1.21. It is steep at zero, and needs no fixed point at 1 (Jordan et al. 2024)."""
TINY = 1e-7


def orthogonal(matrix: Array) -> Array:
    """U V^T of a matrix U S V^T [m, n], nearly: its singular values are brought near 1.

    X = a X + (b X X^T + c (X X^T)^2) X, over and over, from X = matrix / its norm: Newton's and Schulz's iteration
    (Higham 2008, chapter 8), with the coefficients of Jordan et al. 2024. A matrix of zeros stays one.
    """
    a, b, c = (matrix.dtype.type(each) for each in COEFFICIENTS)
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if tall else matrix  # the smaller of the two matrices of Gram
    wide = wide / (np.linalg.norm(wide) + matrix.dtype.type(TINY))
    for _ in range(ITERATIONS):
        gram = wide @ wide.T
        square = gram @ gram
        gram *= b
        square *= c
        square += gram
        step = square @ wide
        wide *= a
        wide += step
    return wide.T if tall else wide
