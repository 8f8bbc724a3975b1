"""What a step of training does against learning the text by heart: how much of what, and whence the chance comes.

One object says all of it to whoever trains a network; each kind lives in its own file, beside its paper.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from charlm.config import TrainConfig


@dataclass(frozen=True)
class Regularization:
    """How much of each kind; 0 is none of it.

    Attributes:
        generator: draws every mask.
        layers: share of the outputs of each layer that are dropped, the last one's apart (``dropout.py``).
        outputs: share of the last layer's.
    """

    generator: np.random.Generator
    layers: float = 0.0
    outputs: float = 0.0

    @classmethod
    def of(cls, config: TrainConfig, generator: np.random.Generator) -> Self:
        """What a configuration asks for."""
        return cls(generator, layers=config.dropout, outputs=config.dropout)


OFF = Regularization(np.random.default_rng(0))
"""Nothing of any kind: its generator is never asked."""
