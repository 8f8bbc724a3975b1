"""The adaptive softmax: frequent tokens at full size, rare ones in clusters of smaller rank (Grave et al. 2017).

    P(token) = P(token)                          among the head's classes, for a frequent token
    P(token) = P(cluster) P(token | cluster)     for a rare one

    head:     softmax(W_y a + b_y), over the frequent tokens and one class for each cluster
    cluster:  softmax(W_y (W_p a)), whose W_p projects a to a size that a factor of 4 makes smaller from one to the next

Ids must stand by falling frequency, as those of a vocabulary do. Most tokens of a text are frequent: training computes
a cluster only for the steps whose target is in it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array, Ids, Views
from charlm.nn.heads.cross_entropy import Classes, Real, cross_entropy, log_likelihoods, log_softmax, scratch_size
from charlm.nn.heads.head import Head
from charlm.nn.initializers import glorot
from charlm.nn.parameters import ParameterSpec

SHRINKS = 4
"""How many times smaller each cluster's rank is than that of the one before; the first's than the head's."""
_FREQUENT, _MIDDLE = 20, 4
"""The head has a 20th of the vocabulary, head and first cluster together a quarter."""


class Tail(NamedTuple):
    """A cluster: where its parameters' names begin, which ids it has, its class in the head, and its rank."""

    name: str
    ids: slice
    head_class: int
    rank: int


def cutoffs(vocabulary: int) -> list[int]:
    """Where clusters begin: behind a 20th of the vocabulary and behind a quarter, if something is left there.

    By Zipf's law three quarters of a text's tokens are among the first 20th of 100,000, and an eighth behind the first
    quarter.
    """
    first = max(1, vocabulary // _FREQUENT)
    second = max(first + 1, vocabulary // _MIDDLE)
    return [first, second] if second < vocabulary else [first]


class AdaptiveHead(Head):
    """W_y [F + K, H] and b_y [F + K] of F frequent tokens and K clusters; of each cluster W_p [R, H] and W_y [n, R].

    Args:
        hidden: H, at least 16, so that no cluster's rank R is 0.
        vocabulary: V.
    """

    def __init__(self, hidden: int, vocabulary: int) -> None:
        begins = cutoffs(vocabulary)
        ends = [*begins[1:], vocabulary]
        self.hidden = hidden
        self.vocabulary = vocabulary
        self.frequent = begins[0]
        self.tails = [
            Tail(f"tails.{k}.", slice(begin, end), begins[0] + k, hidden // SHRINKS ** (k + 1))
            for k, (begin, end) in enumerate(zip(begins, ends, strict=True))
        ]

    def parameter_specs(self) -> list[ParameterSpec]:
        classes = self.frequent + len(self.tails)
        specs = [ParameterSpec("W_y", (classes, self.hidden), True), ParameterSpec("b_y", (classes,), False)]
        for tail in self.tails:
            specs.append(ParameterSpec(f"{tail.name}W_p", (tail.rank, self.hidden), True))
            specs.append(ParameterSpec(f"{tail.name}W_y", (tail.ids.stop - tail.ids.start, tail.rank), True))
        return specs

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """Glorot-uniform weights, zero biases."""
        for spec in self.parameter_specs():
            if spec.decay:
                glorot(views[spec.name], generator)

    def new_scratch(self, columns: int, dtype: DTypeLike) -> Array:
        sizes = [self.frequent + len(self.tails), *(tail.ids.stop - tail.ids.start for tail in self.tails)]
        return np.empty(max(scratch_size(size, columns) for size in sizes), dtype)

    def logits(self, views: Views, activations: Array) -> Array:
        """Normalised log-probabilities for activations [H, N]: [V, N]."""
        found = np.empty((self.vocabulary, activations.shape[1]), activations.dtype)
        head = log_softmax(_head(views), activations)
        found[: self.frequent] = head[: self.frequent]
        for tail in self.tails:
            inside = log_softmax(_tail(views, tail), views[f"{tail.name}W_p"] @ activations)
            np.add(inside, head[tail.head_class], out=found[tail.ids])
        return found

    def _log_likelihoods(self, views: Views, columns: Array, targets: Ids, scratch: Array) -> Real:
        found = log_likelihoods(_head(views), columns, self._head_targets(targets), scratch)
        for tail in self.tails:
            members = _members(tail, targets)
            projected = views[f"{tail.name}W_p"] @ columns[:, members]
            found[members] += log_likelihoods(_tail(views, tail), projected, targets[members] - tail.ids.start, scratch)
        return found

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
        assert not smoothing, "smoothed targets need every cluster at every step"
        wanted = self._head_targets(targets)
        total = cross_entropy(_head(views), _head(gradients), columns, wanted, share, d_columns, scratch)
        for tail in self.tails:
            members, W_p = _members(tail, targets), views[f"{tail.name}W_p"]
            chosen = columns[:, members]
            projected = W_p @ chosen
            d_projected = np.empty_like(projected)
            inside = targets[members] - tail.ids.start
            layer, d_layer = _tail(views, tail), _tail(gradients, tail)
            total += cross_entropy(layer, d_layer, projected, inside, share, d_projected, scratch)
            np.matmul(d_projected, chosen.T, out=gradients[f"{tail.name}W_p"])
            d_columns[:, members] += W_p.T @ d_projected
        return total

    def _head_targets(self, targets: Ids) -> Ids:
        """The class of each target in the head: itself, or its cluster's; -1 stays."""
        found = targets.astype(np.int64)
        for tail in self.tails:
            found[_members(tail, targets)] = tail.head_class
        return found


def _head(views: Views) -> Classes:
    return Classes(views["W_y"], views["b_y"])


def _tail(views: Views, tail: Tail) -> Classes:
    return Classes(views[f"{tail.name}W_y"])


def _members(tail: Tail, targets: Ids) -> Ids:
    """Which of the targets are in a cluster."""
    return np.flatnonzero((targets >= tail.ids.start) & (targets < tail.ids.stop))
