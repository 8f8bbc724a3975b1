"""The numbers of a run's state as they stand in its file, which may come from anybody."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from charlm.training.progress import MOST


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _seconds(value: Any) -> bool:
    return _finite(value) and value >= 0


def is_plan(value: Any) -> bool:
    """Whether it is a ``pace.Plan``: a step, progress, slope and ceiling."""
    if not isinstance(value, list) or len(value) != 4:  # noqa: PLR2004 - the fields of a plan
        return False
    return _count(value[0]) and all(_seconds(number) and number <= 1 for number in value[1:])


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "plan": is_plan,
    "updates": _count,
    "seconds": _seconds,
    "validation_seconds": _seconds,
}
"""What ``Trainer.state`` gives, but for the progress, which checks itself, and the generator's state, which NumPy
checks when it takes it."""


def check_numbers(state: Mapping[str, Any]) -> None:
    """Check the numbers that ``Trainer.state`` gave, as they were read again.

    Raises:
        KeyError: one is missing.
        ValueError: one is of another type, not finite or out of its range.
    """
    for name, fits in _CHECKS.items():
        if not fits(state[name]):
            raise ValueError(f"{name} is {state[name]!r:.100}")
