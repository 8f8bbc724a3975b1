"""What every head is to a model."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array, Ids, Views
from charlm.nn.columns import flat
from charlm.nn.heads.cross_entropy import Real
from charlm.nn.parameters import ParameterSpec


class Head(ABC):
    """From the top layer's activations to the probability of every token, and the loss."""

    @abstractmethod
    def parameter_specs(self) -> list[ParameterSpec]:
        """Its own parameters."""

    @abstractmethod
    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """Draw the first values of its parameters, which are zeros."""

    @abstractmethod
    def new_scratch(self, columns: int, dtype: DTypeLike) -> Array:
        """Allocate what the head works in, for windows of up to so many steps times lanes."""

    @abstractmethod
    def logits(self, views: Views, activations: Array) -> Array:
        """Log-probabilities of every token, normalised or not, for activations [H, N]: [V, N]."""

    @abstractmethod
    def _log_likelihoods(self, views: Views, columns: Array, targets: Ids, scratch: Array) -> Real:
        """``log_probabilities`` of columns [H, N] and targets [N]."""

    @abstractmethod
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
        """The sum of the losses of columns [H, N], targets [N]; writes the gradients of ``share`` times it."""

    def log_probabilities(self, views: Views, activations: Array, targets: Ids, scratch: Array) -> Array:
        """Log-probability (nats) of each target [T, B] given activations [H, T, B]; 0 where the target is -1.

        Args:
            views: the head's parameters.
            activations: [H, T, B].
            targets: [T, B], ids; -1 is not asked for.
            scratch: of ``new_scratch``, for so many columns at least.

        Returns:
            [T, B], float64.
        """
        return self._log_likelihoods(views, flat(activations), targets.reshape(-1), scratch).reshape(targets.shape)

    def loss_and_gradients(
        self,
        views: Views,
        gradients: Views,
        activations: Array,
        targets: Ids,
        d_activations: Array,
        scratch: Array,
        smoothing: float = 0.0,
    ) -> tuple[float, int]:
        """Cross-entropy with the targets that are not -1, and the gradients of its mean over them.

        Args:
            views: the head's parameters.
            gradients: the head's gradients; overwritten.
            activations: [H, T, B].
            targets: [T, B], ids; -1 is not counted.
            d_activations: [H, T, B]; overwritten.
            scratch: of ``new_scratch``, for so many columns at least.
            smoothing: of the targets, for the gradients alone; ``cross_entropy.py`` says what it is.

        Returns:
            The sum of the losses in nats, and how many targets it counts.
        """
        wanted = targets.reshape(-1)
        count = int(np.count_nonzero(wanted >= 0))
        share, columns, d_columns = 1 / max(count, 1), flat(activations), flat(d_activations)
        total = self._cross_entropy(views, gradients, columns, wanted, share, d_columns, scratch, smoothing)
        return total, count
