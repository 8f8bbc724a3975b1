"""A softmax head by itself, that the tests of heads share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from charlm.nn.heads.head import Head


class HeadCase:
    """A head with random parameters and activations, and targets from its whole vocabulary, some of them -1."""

    def __init__(
        self, head: Head, hidden: int, vocabulary: int, seed: int, time: int, batch: int, dtype: type = np.float64
    ) -> None:
        rng = np.random.default_rng(seed)
        self.head = head
        shapes = {spec.name: spec.shape for spec in head.parameter_specs()}
        self.views: dict[str, np.ndarray] = {
            name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()
        }
        self.gradients: dict[str, np.ndarray] = {name: np.full(shape, np.nan, dtype) for name, shape in shapes.items()}
        self.activations: np.ndarray = rng.standard_normal((hidden, time, batch)).astype(dtype)
        self.targets = rng.integers(-1, vocabulary, (time, batch))
        self.d_activations = np.full_like(self.activations, np.nan)
        self.scratch = head.new_scratch(time * batch, dtype)

    def loss(self) -> float:
        """The mean loss; gradients are left in place."""
        total, count = self.head.loss_and_gradients(
            self.views, self.gradients, self.activations, self.targets, self.d_activations, self.scratch
        )
        assert count == np.count_nonzero(self.targets >= 0)
        return total / count

    def logprobs(self) -> np.ndarray:
        """Of every target."""
        return self.head.log_probabilities(self.views, self.activations, self.targets, self.scratch)
