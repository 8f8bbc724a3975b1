"""Inverted dropout: each value is dropped with probability ``rate``, the others are scaled by 1 / (1 - rate).

Srivastava et al. 2014; scaling while training, so that nothing changes when the model is used.
"""

from dataclasses import dataclass

import numpy as np

from charlm.nn.arrays import Array
from charlm.nn.regularization import Regularization

_LEVELS = 1 << 16


@dataclass
class Dropout:
    """Dropout at one place of a network.

    Attributes:
        memory: [T, rows, B], room for the mask of a window; it costs no memory until something is dropped.
        mask: that of the last window, a view of ``memory``; None where nothing was dropped.
    """

    memory: Array
    mask: Array | None = None

    def forward(self, values: Array, rate: float, how: Regularization) -> None:
        """Drop values of a window of up to T steps, in place."""
        self.mask = None
        if rate > 0:
            self.mask = self.memory[: len(values)]
            draw_mask(self.mask, rate, how.generator)
            values *= self.mask

    def backward(self, d_values: Array) -> None:
        """From the gradient of what was left of the values to that of the values, in place."""
        if self.mask is not None:
            d_values *= self.mask


def draw_mask(out: Array, rate: float, generator: np.random.Generator) -> None:
    """Fill ``out`` with zeros (probability ``rate``) and 1 / (1 - rate).

    The decision uses 16 random bits a value, four values a draw of the generator: several times
    faster than a float each, and the rate is exact to 2**-16. The scale is that of the rate so rounded.
    """
    dropped = min(round(rate * _LEVELS), _LEVELS - 1)
    bits = generator.integers(0, 1 << 64, -(-out.size // 4), dtype=np.uint64).view(np.uint16)
    kept = bits[: out.size].reshape(out.shape) >= dropped
    np.multiply(kept, out.dtype.type(_LEVELS / (_LEVELS - dropped)), out=out)
