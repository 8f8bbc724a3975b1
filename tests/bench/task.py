"""What an engine hands to a worker."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

NO_FIGURES: Mapping[str, float] = MappingProxyType({})


class Task(NamedTuple):
    """A step that can be run again and again, and how much work it is.

    Attributes:
        step: does the work.
        amount: what one step counts for: 1 step, so many characters, so many GFLOP.
        least: seconds that its parts take one by one; 0 where nobody asks.
        figures: what else there is to say of it, by name.
    """

    step: Callable[[], None]
    amount: float = 1
    least: float = 0.0
    figures: Mapping[str, float] = NO_FIGURES
