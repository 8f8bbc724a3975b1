"""Inverted dropout: each value is dropped with probability ``rate``, the others are scaled by 1 / (1 - rate).

Srivastava et al. 2014; scaling while training, so that nothing changes when the model is used.

*Plain*, every value of every step is decided by itself. *Variational* (Gal & Ghahramani 2016), what is dropped is the
same at every step. *On embeddings* (the same paper, section 4.2; Merity et al. 2017), whole tokens are dropped, each
everywhere: its embedding is zero wherever it stands.

Departures: where the papers decide once for a text, here it is once for a window of truncated backpropagation, and for
each lane; a text that goes on in the next window meets another mask, and texts that share a lane's window share one.
Their dropout of the recurrent state is left to DropConnect (``dropconnect.py``). A matrix that is tied to the embedding
is whole where it is the head's, and embeddings of labels are never dropped.
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
        mask: that of the last window, a view of ``memory``, [1, rows, B] where it is the same at every step; None where
            nothing was dropped.
    """

    memory: Array
    mask: Array | None = None

    def forward(self, values: Array, rate: float, how: Regularization) -> None:
        """Drop some of the values [t, rows, B] of a window of up to T steps, in place."""
        self.mask = None
        if rate > 0:
            self.mask = self.memory[: 1 if how.variational else len(values)]
            draw_mask(self.mask, rate, how.generator)
            values *= self.mask

    def backward(self, d_values: Array) -> None:
        """From the gradient of what was left of the values to that of the values, in place."""
        if self.mask is not None:
            d_values *= self.mask


def draw_scales(table: Array, tokens: int, how: Regularization) -> Array | None:
    """What each row of an embedding [V + K, E] of V tokens and K labels is multiplied by in a window.

    Returns:
        [V + K], 1 for labels; None where no tokens are dropped.
    """
    if how.embedding == 0:
        return None
    scales = np.ones(len(table), table.dtype)
    draw_mask(scales[:tokens], how.embedding, how.generator)
    return scales


def draw_mask(out: Array, rate: float, generator: np.random.Generator) -> None:
    """Fill ``out`` with zeros (probability ``rate``) and 1 / (1 - rate).

    The decision uses 16 random bits a value, four values a draw of the generator: several times
    faster than a float each, and the rate is exact to 2**-16. The scale is that of the rate so rounded.
    """
    dropped = min(round(rate * _LEVELS), _LEVELS - 1)
    bits = generator.integers(0, 1 << 64, -(-out.size // 4), dtype=np.uint64).view(np.uint16)
    kept = bits[: out.size].reshape(out.shape) >= dropped
    np.multiply(kept, out.dtype.type(_LEVELS / (_LEVELS - dropped)), out=out)
