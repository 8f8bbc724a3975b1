"""What a step of training does against learning the text by heart: how much of what, and whence the chance comes.

One object says all of it to whoever trains a network; each kind lives in its own file, beside its paper.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from charlm.train_config import TrainConfig


@dataclass(frozen=True)
class Regularization:
    """How much of each kind; 0 is none of it. Only the gradient is another: losses are told without what is added.

    Attributes:
        generator: draws every mask.
        embedding: share of the tokens that are dropped, each of them everywhere (``dropout.py``).
        inputs: share of the numbers dropped in the embedded tokens.
        layers: share of the outputs of each layer that are dropped, the last one's apart.
        outputs: share of the last layer's.
        recurrent: share of the recurrent weights that are dropped (``dropconnect.py``).
        variational: whether what is dropped in inputs and outputs is the same at every step of a window.
        activation: alpha, what the mean square of the last layer's outputs counts (``activation_penalty.py``).
        slowness: beta, what the mean square of their change from step to step counts.
        smoothing: epsilon, the share of a target that all classes get alike (``heads/cross_entropy.py``).
    """

    generator: np.random.Generator
    embedding: float = 0.0
    inputs: float = 0.0
    layers: float = 0.0
    outputs: float = 0.0
    recurrent: float = 0.0
    variational: bool = False
    activation: float = 0.0
    slowness: float = 0.0
    smoothing: float = 0.0

    @classmethod
    def of(cls, config: TrainConfig, generator: np.random.Generator) -> Self:
        """What a configuration asks for."""
        return cls(
            generator,
            embedding=config.dropout_embedding,
            inputs=config.dropout_input,
            layers=config.dropout,
            outputs=config.dropout if config.dropout_output is None else config.dropout_output,
            recurrent=config.dropout_recurrent,
            variational=config.dropout_kind == "variational",
            activation=config.activation_penalty,
            slowness=config.slowness_penalty,
            smoothing=config.label_smoothing,
        )


OFF = Regularization(np.random.default_rng(0))
"""Nothing of any kind: its generator is never asked."""
