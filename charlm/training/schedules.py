"""Learning-rate schedules: a factor in [0, 1] as a function of how much of the run is done."""

import math


def factor(schedule: str, progress: float, warmup: float) -> float:
    """What the learning rate is multiplied by.

    Args:
        schedule: "cosine" (Loshchilov & Hutter 2017, one cycle), "linear" or "constant"; "plateau" is constant here,
            and lowered by what validations say (``plateau.share``).
        progress: share of the run that is done, 0 to 1.
        warmup: share of the run over which the factor rises linearly from 0 (Goyal et al. 2017).
    """
    if progress < warmup:
        return progress / warmup
    rest = min(1.0, (progress - warmup) / (1 - warmup))
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * rest))
    if schedule == "linear":
        return 1 - rest
    return 1.0
