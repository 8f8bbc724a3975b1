"""The softmax head: y = softmax(W_y a + b_y), and its cross-entropy with the next token."""

import math

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array, Ids, Views
from charlm.nn.columns import flat
from charlm.nn.heads.cross_entropy import Classes, cross_entropy, log_likelihoods, new_scratch, write_logits
from charlm.nn.initializers import glorot, uniform
from charlm.nn.parameters import ParameterSpec


class SoftmaxHead:
    """W_y [V, H] and b_y [V] over activations [H, T, B].

    Args:
        hidden: H.
        vocabulary: V.
        tied: whether W_y is the embedding, and no parameter of the head's own.
    """

    def __init__(self, hidden: int, vocabulary: int, *, tied: bool = False) -> None:
        self.hidden = hidden
        self.vocabulary = vocabulary
        self.tied = tied

    def parameter_specs(self) -> list[ParameterSpec]:
        weights = [] if self.tied else [ParameterSpec("W_y", (self.vocabulary, self.hidden), True)]
        return [*weights, ParameterSpec("b_y", (self.vocabulary,), False)]

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """Glorot-uniform weights, or rows of unit length on average where they are embeddings too; zero biases."""
        if self.tied:
            uniform(views["W_y"], math.sqrt(3 / self.hidden), generator)
        else:
            glorot(views["W_y"], generator)

    def new_scratch(self, columns: int, dtype: DTypeLike) -> Array:
        """Allocate what the head works in, for windows of up to so many steps times lanes."""
        return new_scratch(self.vocabulary, columns, dtype)

    def logits(self, views: Views, activations: Array) -> Array:
        """W_y a + b_y for activations [H, N]: [V, N]."""
        logits = np.empty((self.vocabulary, activations.shape[1]), activations.dtype)
        write_logits(_classes(views), activations, logits)
        return logits

    def log_probabilities(self, views: Views, activations: Array, targets: Ids, scratch: Array) -> Array:
        """Log-probability (nats) of each target [T, B] given activations [H, T, B]; 0 where the target is -1.

        Returns:
            [T, B], float64.
        """
        found = log_likelihoods(_classes(views), flat(activations), targets.reshape(-1), scratch)
        return found.reshape(targets.shape)

    def loss_and_gradients(
        self, views: Views, gradients: Views, activations: Array, targets: Ids, d_activations: Array, scratch: Array
    ) -> tuple[float, int]:
        """Cross-entropy with the targets that are not -1, and the gradients of its mean over them.

        Args:
            views: the head's parameters.
            gradients: the head's gradients; overwritten.
            activations: [H, T, B].
            targets: [T, B], ids; -1 is not counted.
            d_activations: [H, T, B]; overwritten.
            scratch: of ``new_scratch``, for so many columns at least.

        Returns:
            The sum of the losses in nats, and how many targets it counts.
        """
        columns, d_columns, wanted = flat(activations), flat(d_activations), targets.reshape(-1)
        count = int(np.count_nonzero(wanted >= 0))
        layer, d_layer = _classes(views), _classes(gradients)
        total = cross_entropy(layer, d_layer, columns, wanted, 1 / max(count, 1), d_columns, scratch)
        return total, count


def _classes(views: Views) -> Classes:
    return Classes(views["W_y"], views["b_y"])
