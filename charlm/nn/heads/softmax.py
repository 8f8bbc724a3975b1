"""The softmax head: y = softmax(W_y a + b_y), and its cross-entropy with the next token."""

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array, Ids, Views
from charlm.nn.heads.cross_entropy import Classes, Real, cross_entropy, log_likelihoods, scratch_size, write_logits
from charlm.nn.heads.head import Head
from charlm.nn.initializers import glorot
from charlm.nn.parameters import ParameterSpec


class SoftmaxHead(Head):
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
        """Glorot-uniform weights, zero biases; rows that are embeddings too have been drawn as such."""
        if not self.tied:
            glorot(views["W_y"], generator)

    def new_scratch(self, columns: int, dtype: DTypeLike) -> Array:
        return np.empty(scratch_size(self.vocabulary, columns), dtype)

    def logits(self, views: Views, activations: Array) -> Array:
        """W_y a + b_y for activations [H, N]: [V, N]."""
        logits = np.empty((self.vocabulary, activations.shape[1]), activations.dtype)
        write_logits(_classes(views), activations, logits)
        return logits

    def _log_likelihoods(self, views: Views, columns: Array, targets: Ids, scratch: Array) -> Real:
        return log_likelihoods(_classes(views), columns, targets, scratch)

    def _cross_entropy(
        self,
        views: Views,
        gradients: Views,
        columns: Array,
        targets: Ids,
        share: float,
        d_columns: Array,
        scratch: Array,
        smoothing: float,
    ) -> float:
        layer, d_layer = _classes(views), _classes(gradients)
        return cross_entropy(layer, d_layer, columns, targets, share, d_columns, scratch, smoothing=smoothing)


def _classes(views: Views) -> Classes:
    return Classes(views["W_y"], views["b_y"])
