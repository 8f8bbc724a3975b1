"""From what was measured to figures: medians, ratios and their spread."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median

from bench.cases import TABLES, Case
from bench.measuring import Turns

MEGABYTES = "MB"
SCALES = {"ms": 1e3, "s": 1.0}
"""Units of time, in seconds; all other units are work done in a second."""


@dataclass(frozen=True)
class Result:
    """The figures of a case.

    Attributes:
        case: its name.
        charlm: charlm's figure, in ``unit``.
        peer: the other's.
        ratio: how much better charlm is, or its limit divided by what was measured; more is better.
        floor: the ratio to reach.
        low: the lowest ratio of a turn.
        high: the highest.
        unit: as of the case's table.
        charlm_mb: peak memory of charlm's process; None where the table has none.
        peer_mb: that of the other's.
        bound: the ratio if the parts of charlm's step took what they take one by one, in the cache.
    """

    case: str
    charlm: float
    peer: float
    ratio: float
    floor: float
    low: float
    high: float
    unit: str
    charlm_mb: float | None
    peer_mb: float | None
    bound: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the ratio is at its floor or above."""
        return self.ratio >= self.floor


def result_of(case: Case, turns: Turns) -> Result:
    """The figures of a case from its turns."""
    table = TABLES[case.table]
    if table.unit == MEGABYTES:
        ours, theirs = [turns.charlm_mb], [turns.peer_mb]
        charlm, peer = turns.charlm_mb, turns.peer_mb
    else:
        ours = [median(turn) for turn in turns.charlm]
        charlm = median(_joined(turns.charlm))
        best = min(_joined(turns.peer))
        theirs = [best if table.best else median(turn) for turn in turns.peer]
        peer = best if table.best else median(_joined(turns.peer))
    ratios = [(case.factor * b + case.offset) / a for a, b in zip(ours, theirs, strict=True)]
    return Result(
        case=case.name,
        charlm=_shown(charlm, table.unit),
        peer=_shown(peer, table.unit),
        ratio=(case.factor * peer + case.offset) / charlm,
        floor=case.floor,
        low=min(ratios),
        high=max(ratios),
        unit=table.unit,
        charlm_mb=turns.charlm_mb if table.memory else None,
        peer_mb=turns.peer_mb if table.memory else None,
        bound=median(_joined(turns.peer)) / turns.least if table.bound and turns.least else None,
    )


def as_json(results: Iterable[Result]) -> bytes:
    """A list of objects, one a result."""
    return (json.dumps([asdict(result) for result in results], indent=1) + "\n").encode()


def _joined(turns: list[list[float]]) -> list[float]:
    return [seconds for turn in turns for seconds in turn]


def _shown(value: float, unit: str) -> float:
    """Seconds for a unit of work in the unit that is shown; megabytes stay."""
    if unit == MEGABYTES:
        return value
    return value * SCALES[unit] if unit in SCALES else 1 / value
