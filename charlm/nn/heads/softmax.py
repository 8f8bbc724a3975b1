"""The softmax head: y = softmax(W_y a + b_y), and its cross-entropy with the next token.

Works through the window in blocks of columns that stay small, whatever the vocabulary. Losses are summed in float64.
"""

from collections.abc import Iterator

import numpy as np

from charlm.nn.arrays import Array, Ids, Views
from charlm.nn.columns import flat
from charlm.nn.initializers import glorot
from charlm.nn.parameters import ParameterSpec

BLOCK = 1 << 20
"""Logits that are worked on at a time."""


class SoftmaxHead:
    """W_y [V, H] and b_y [V] over activations [H, T, B]."""

    def __init__(self, hidden: int, vocabulary: int) -> None:
        self.hidden = hidden
        self.vocabulary = vocabulary

    def parameter_specs(self) -> list[ParameterSpec]:
        return [
            ParameterSpec("W_y", (self.vocabulary, self.hidden), True),
            ParameterSpec("b_y", (self.vocabulary,), False),
        ]

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """Glorot-uniform weights, zero biases."""
        glorot(views["W_y"], generator)

    def logits(self, views: Views, activations: Array) -> Array:
        """W_y a + b_y for activations [H, N]: [V, N]."""
        logits: Array = np.matmul(views["W_y"], activations)
        logits += views["b_y"][:, None]
        return logits

    def log_probabilities(self, views: Views, activations: Array, targets: Ids) -> Array:
        """Log-probability (nats) of each target [T, B] given activations [H, T, B]; 0 where the target is -1.

        Returns:
            [T, B], float64.
        """
        columns, wanted = flat(activations), targets.reshape(-1)
        out = np.zeros(wanted.size)
        for part in self._blocks(wanted.size):
            shifted, sums = _exponentials(self.logits(views, columns[:, part]))[1:]
            known = np.flatnonzero(wanted[part] >= 0)
            chosen = shifted[wanted[part][known], known].astype(np.float64)
            out[part][known] = chosen - np.log(sums[known].astype(np.float64))
        return out.reshape(targets.shape)

    def loss_and_gradients(
        self, views: Views, gradients: Views, activations: Array, targets: Ids, d_activations: Array
    ) -> tuple[float, int]:
        """Cross-entropy with the targets that are not -1, and the gradients of its mean over them.

        Args:
            views: the head's parameters.
            gradients: the head's gradients; overwritten.
            activations: [H, T, B].
            targets: [T, B], ids; -1 is not counted.
            d_activations: [H, T, B]; overwritten.

        Returns:
            The sum of the losses in nats, and how many targets it counts.
        """
        columns, d_columns, wanted = flat(activations), flat(d_activations), targets.reshape(-1)
        count = int(np.count_nonzero(wanted >= 0))
        share = columns.dtype.type(1 / max(count, 1))
        dW, db, total = gradients["W_y"], gradients["b_y"], 0.0
        dW[...] = 0
        db[...] = 0
        for part in self._blocks(wanted.size):
            logits = self.logits(views, columns[:, part])
            d_logits, shifted, sums = _exponentials(logits)
            known = np.flatnonzero(wanted[part] >= 0)
            chosen = wanted[part][known], known
            total -= float(np.sum(shifted[chosen].astype(np.float64) - np.log(sums[known].astype(np.float64))))
            d_logits *= share / sums
            d_logits[chosen] -= share
            if known.size < d_logits.shape[1]:
                d_logits[:, wanted[part] < 0] = 0
            dW += d_logits @ columns[:, part].T
            db += d_logits.sum(axis=1)
            np.matmul(views["W_y"].T, d_logits, out=d_columns[:, part])
        return total, count

    def _blocks(self, columns: int) -> Iterator[slice]:
        width = max(64, BLOCK // self.vocabulary)
        return (slice(begin, min(begin + width, columns)) for begin in range(0, columns, width))


def _exponentials(logits: Array) -> tuple[Array, Array, Array]:
    """exp(logits - max) [V, N], the shifted logits (in place of ``logits``), and the column sums [N]."""
    logits -= logits.max(axis=0)
    exponentials = np.exp(logits)
    return exponentials, logits, exponentials.sum(axis=0)
