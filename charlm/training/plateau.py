"""The plateau schedule: the learning rate falls where validation does not.

As in the word language models of Mikolov et al. (2010) and Zaremba et al. (2014), and in PyTorch's
``ReduceLROnPlateau``: after so many validations without a better one the rate is multiplied by a factor, and the count
begins anew. (PyTorch's ``patience`` is one less, and by default it wants a gain of a ten-thousandth.)
"""

from charlm.train_config import TrainConfig
from charlm.training.progress import Progress


def is_stuck(config: TrainConfig, state: Progress) -> bool:
    """Whether the validation just counted is one after which the learning rate falls."""
    without = state.without_gain
    return config.schedule == "plateau" and without > 0 and without % config.plateau_after == 0


def share(config: TrainConfig, state: Progress) -> float:
    """What the learning rate is multiplied by, for all that validations have said so far; in (0, 1]."""
    return float(config.plateau_factor**state.reductions)
