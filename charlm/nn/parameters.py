"""All parameters of a model in one flat buffer, with a twin of the same layout for their gradients.

One buffer makes the optimiser, the gradient norm and the checkpoint single passes over contiguous memory.
Tensors that weight decay applies to come first, so that they too are one contiguous piece.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array, Views


class ParameterSpec(NamedTuple):
    """Name, shape, and whether weight decay applies (to weights, not to biases)."""

    name: str
    shape: tuple[int, ...]
    decay: bool


class Parameters:
    """Named tensors as views into ``values``, and their gradients as views into ``gradient_values``.

    Attributes:
        values: [count], every parameter.
        gradient_values: [count], every gradient, in the same places.
        decayed: the first so many entries take weight decay.
        views: name -> the parameter, in its own shape.
        gradients: name -> its gradient, in the same shape.
    """

    def __init__(self, specs: Sequence[ParameterSpec], dtype: DTypeLike = np.float32) -> None:
        ordered = sorted(specs, key=lambda spec: not spec.decay)
        sizes = [int(np.prod(spec.shape)) for spec in ordered]
        self.values: Array = np.zeros(sum(sizes), dtype)
        self.gradient_values: Array = np.zeros(self.values.size, dtype)
        self.decayed = sum(size for spec, size in zip(ordered, sizes, strict=True) if spec.decay)
        self.views: dict[str, Array] = {}
        self.gradients: dict[str, Array] = {}
        begin = 0
        for spec, size in zip(ordered, sizes, strict=True):
            self.views[spec.name] = self.values[begin : begin + size].reshape(spec.shape)
            self.gradients[spec.name] = self.gradient_values[begin : begin + size].reshape(spec.shape)
            begin += size

    def __len__(self) -> int:
        return self.values.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values.dtype


def below(views: Views, prefix: str) -> dict[str, Array]:
    """The views whose names begin with ``prefix``, named by what follows it."""
    return {name[len(prefix) :]: view for name, view in views.items() if name.startswith(prefix)}
