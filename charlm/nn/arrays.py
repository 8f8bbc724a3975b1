"""Names for the kinds of arrays that travel through the engine."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
