"""Names for the kinds of arrays that travel through the engine, and where their memory comes from."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.floating[Any]]
"""Real numbers: float32 to train, float64 to check."""
Ids = NDArray[np.integer[Any]]
"""Token ids; -1 stands for no token."""
Flags = NDArray[np.bool_]
Views = Mapping[str, Array]
"""Named tensors that share one flat buffer."""
State = tuple[Array, ...]
"""What one layer carries from step to step: (hidden,) or (hidden, cell), each [H, B]."""
States = tuple[State, ...]
"""One State a layer, from the bottom up."""
Allocate = Callable[[tuple[int, ...], DTypeLike], Array]
"""Shape and dtype -> an array, as ``np.zeros`` gives it."""


def from_memory(memory: Array) -> Allocate:
    """Hand out ``memory`` (flat, of one dtype) piece by piece instead of allocating."""
    begin = 0

    def allocate(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        nonlocal begin
        end = begin + math.prod(shape)
        assert memory.dtype == dtype, "memory of another kind"
        assert end <= memory.size, "more than there is"
        piece, begin = memory[begin:end], end
        return piece.reshape(shape)

    return allocate
