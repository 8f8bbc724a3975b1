"""What was chosen of a run's options, whatever kind of model it trains."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from charlm.config import ModelConfig, with_unit
from charlm.errors import UsageError
from charlm.nn.registry import known_options

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def those_of(options: Mapping[str, object], kind: type) -> dict[str, Any]:
    """Those of the options that are fields of a configuration."""
    names = {f.name for f in fields(kind)}
    return {name: value for name, value in options.items() if name in names}


def cell_of(options: Mapping[str, object]) -> str:
    """The recurrent block."""
    return str(options.get("cell", ModelConfig.cell))


def options_of_block(options: Mapping[str, object]) -> dict[str, str]:
    """Those of the options that belong to a block."""
    known = known_options()
    return {name: str(value) for name, value in options.items() if name in known}


def seconds_of(options: Mapping[str, object]) -> float | None:
    """``--time`` in seconds: a number, or a length of time such as 90, 90s, 1.5m or 1h.

    Raises:
        UsageError: it is no length of time.
    """
    given = options.get("time")
    if not isinstance(given, str):
        return float(given) if isinstance(given, int | float) else None
    seconds = with_unit(given, _UNITS)
    if not seconds:
        raise UsageError(f"--time is {given!r}: give a length such as 90s, 5m or 1h")
    return seconds
