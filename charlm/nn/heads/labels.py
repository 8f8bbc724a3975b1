"""Label heads: from activations to the probability of each of K labels, and the loss.

    softmax    y = softmax(W_y a + b_y);   L = -log y[target]
    sigmoid    y = sigmoid(W_y a + b_y);   L = -sum_k (t_k log y_k + (1 - t_k) log(1 - y_k)),  t = [target]

The labels of a softmax exclude one another; those of a sigmoid are judged each by itself, so that none or several may
be likely. The loss of the latter is the full binary cross-entropy. The post prints it without its second term,
L = -sum_k t_k log y_k: that is smallest where every y_k is 1, whatever the input, and teaches nothing.
"""

from abc import ABC, abstractmethod

import numpy as np

from charlm.config import OUTPUTS, choose
from charlm.nn.arrays import Array, Ids, Views
from charlm.nn.heads.cross_entropy import Classes, Real, cross_entropy, log_softmax, scratch_size, write_logits
from charlm.nn.initializers import glorot
from charlm.nn.parameters import ParameterSpec


class LabelHead(ABC):
    """W_y [K, H] and b_y [K] over columns of activations [H, N].

    Args:
        hidden: H.
        labels: K.
    """

    def __init__(self, hidden: int, labels: int) -> None:
        self.hidden = hidden
        self.labels = labels

    def parameter_specs(self) -> list[ParameterSpec]:
        return [ParameterSpec("W_y", (self.labels, self.hidden), True), ParameterSpec("b_y", (self.labels,), False)]

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """Glorot-uniform weights, zero biases."""
        glorot(views["W_y"], generator)

    @abstractmethod
    def log_probabilities(self, views: Views, columns: Array) -> Real:
        """Log-probability in nats of each label, [K, N]; of a sigmoid each by itself."""

    @abstractmethod
    def losses(self, views: Views, columns: Array, targets: Ids) -> Real:
        """Loss in nats of each target [N]; 0 where it is -1."""

    @abstractmethod
    def _weighted(
        self,
        views: Views,
        gradients: Views,
        columns: Array,
        targets: Ids,
        share: float,
        weights: Real,
        d_columns: Array,
        smoothing: float,
    ) -> float:
        """The sum of the losses, each times its weight; writes the gradients of ``share`` times it."""

    def loss_and_gradients(
        self,
        views: Views,
        gradients: Views,
        columns: Array,
        targets: Ids,
        d_columns: Array,
        weights: Array | None = None,
        smoothing: float = 0.0,
    ) -> float:
        """The mean loss in nats of the targets that are not -1, and its gradients.

        Args:
            views: the head's parameters.
            gradients: the head's gradients; overwritten.
            columns: [H, N].
            targets: [N], labels; -1 is not counted.
            d_columns: [H, N]; overwritten, with zeros where the target is -1.
            weights: [K], what a target of each label counts in the mean; None: 1.
            smoothing: of the targets of a softmax, for the gradients alone; ``cross_entropy.py`` says what it is. A
                target's weight is that of all its loss.
        """
        counts = np.asarray(targets >= 0, np.float64)
        if weights is not None:
            counts *= weights[targets]
        total = float(counts.sum())
        share = 1 / total if total else 0.0
        return share * self._weighted(views, gradients, columns, targets, share, counts, d_columns, smoothing)


class SoftmaxLabels(LabelHead):
    """One of K labels."""

    def log_probabilities(self, views: Views, columns: Array) -> Real:
        return np.asarray(log_softmax(_classes(views), columns), np.float64)

    def losses(self, views: Views, columns: Array, targets: Ids) -> Real:
        found = self.log_probabilities(views, columns)
        return np.where(targets >= 0, -found[targets, np.arange(targets.size)], 0)

    def _weighted(
        self,
        views: Views,
        gradients: Views,
        columns: Array,
        targets: Ids,
        share: float,
        weights: Real,
        d_columns: Array,
        smoothing: float,
    ) -> float:
        scratch = np.empty(scratch_size(self.labels, targets.size), columns.dtype)
        layer, d_layer = _classes(views), _classes(gradients)
        return cross_entropy(layer, d_layer, columns, targets, share, d_columns, scratch, weights, smoothing)


class SigmoidLabels(LabelHead):
    """Any of K labels. The target's output is to be 1, the others' 0."""

    def log_probabilities(self, views: Views, columns: Array) -> Real:
        return -_softplus(-self._logits(views, columns))

    def losses(self, views: Views, columns: Array, targets: Ids) -> Real:
        found = _softplus(_against(self._logits(views, columns), targets))
        return np.where(targets >= 0, found.sum(axis=0), 0)

    def _weighted(
        self,
        views: Views,
        gradients: Views,
        columns: Array,
        targets: Ids,
        share: float,
        weights: Real,
        d_columns: Array,
        smoothing: float,
    ) -> float:
        assert not smoothing, "labels judged by themselves have no distribution to smooth"
        against = _against(self._logits(views, columns), targets)
        total = float(_softplus(against).sum(axis=0) @ weights)
        # d softplus(s) = sigmoid(s); the target's s is -z.
        d_logits = _against((np.tanh(against / 2) + 1) / 2 * (share * weights).astype(columns.dtype), targets)
        np.matmul(d_logits, columns.T, out=gradients["W_y"])
        gradients["b_y"][...] = d_logits.sum(axis=1)
        np.matmul(views["W_y"].T, d_logits, out=d_columns)
        return total

    def _logits(self, views: Views, columns: Array) -> Array:
        logits = np.empty((self.labels, columns.shape[1]), columns.dtype)
        write_logits(_classes(views), columns, logits)
        return logits


def make_label_head(output: str, hidden: int, labels: int) -> LabelHead:
    """The head with this output.

    Raises:
        UsageError: there is no such output.
    """
    choose("output", output, OUTPUTS)
    return (SoftmaxLabels if output == OUTPUTS[0] else SigmoidLabels)(hidden, labels)


def _classes(views: Views) -> Classes:
    return Classes(views["W_y"], views["b_y"])


def _against(logits: Array, targets: Ids) -> Array:
    """The logits [K, N] with the sign at which each speaks against the target: -log of what y is to be is softplus."""
    known = np.flatnonzero(targets >= 0)
    found = logits.copy()
    found[targets[known], known] *= -1
    return found


def _softplus(z: Array) -> Real:
    """log(1 + e^z), in float64, without overflow: max(z, 0) + log(1 + e^-|z|)."""
    return np.logaddexp(0, z, dtype=np.float64)
