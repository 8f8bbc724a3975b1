"""Inverted dropout: each value is dropped with probability ``rate``, the others are scaled by 1 / (1 - rate).

Srivastava et al. 2014; scaling while training, so that nothing changes when the model is used.
"""

import numpy as np

from charlm.nn.arrays import Array

_LEVELS = 1 << 16


def draw_mask(out: Array, rate: float, generator: np.random.Generator) -> None:
    """Fill ``out`` with zeros (probability ``rate``) and 1 / (1 - rate).

    The decision uses 16 random bits a value, four values a draw of the generator: several times
    faster than a float each, and the rate is exact to 2**-16. The scale is that of the rate so rounded.
    """
    dropped = min(round(rate * _LEVELS), _LEVELS - 1)
    bits = generator.integers(0, 1 << 64, -(-out.size // 4), dtype=np.uint64).view(np.uint16)
    kept = bits[: out.size].reshape(out.shape) >= dropped
    np.multiply(kept, out.dtype.type(_LEVELS / (_LEVELS - dropped)), out=out)
