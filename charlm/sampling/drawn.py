"""What has been drawn, and how likely it was."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charlm.nn.arrays import Ids


@dataclass(frozen=True)
class Details:
    """How likely the tokens of a sample were, in nats.

    Attributes:
        logprobs: float64 [N], under the model, whatever was filtered.
        drawn_logprobs: float64 [N], in the distribution that each was drawn from.
        best: int64 [N, K], the likeliest tokens in each place under the model, likeliest first.
        best_logprobs: float64 [N, K], theirs.
    """

    logprobs: NDArray[np.float64]
    drawn_logprobs: NDArray[np.float64]
    best: Ids
    best_logprobs: NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """One sample.

    Attributes:
        ids: int64 [N], what was drawn behind the prompt; the last may be one that ends a sample.
        stop: why it ended, one of the reasons of ``charlm.sampling.constraints`` or a constraint's own.
        details: how likely they were; None where nobody asked.
    """

    ids: Ids
    stop: str
    details: Details | None = None
