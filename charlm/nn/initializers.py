"""How parameters begin."""

import numpy as np

from charlm.nn.arrays import Array


def uniform(out: Array, bound: float, generator: np.random.Generator) -> None:
    """Fill ``out`` with uniform numbers between -bound and bound."""
    out[...] = generator.uniform(-bound, bound, out.shape)


def glorot(out: Array, generator: np.random.Generator) -> None:
    """Fill a matrix [out, in] uniformly within sqrt(6 / (in + out)) (Glorot & Bengio 2010, equation 16)."""
    uniform(out, float(np.sqrt(6.0 / sum(out.shape))), generator)


def orthogonal(out: Array, generator: np.random.Generator) -> None:
    """Fill a square matrix with a random orthogonal one (Saxe et al. 2014).

    The QR factor of a Gaussian matrix; the signs of R's diagonal make it uniform over the group.
    """
    q, r = np.linalg.qr(generator.standard_normal(out.shape))
    out[...] = q * np.sign(np.diag(r))
