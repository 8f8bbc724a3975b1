"""What an engine hands to a worker."""

from collections.abc import Callable
from typing import NamedTuple


class Task(NamedTuple):
    """A step that can be run again and again, and how much work it is.

    Attributes:
        step: does the work.
        amount: what one step counts for: 1 step, so many characters, so many GFLOP.
        least: seconds that its parts take one by one; 0 where nobody asks.
    """

    step: Callable[[], None]
    amount: float = 1
    least: float = 0.0
