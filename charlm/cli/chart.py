"""A chart in the terminal: curves over a linear axis, on a linear or logarithmic one."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from charlm.curves import Curve

MARKS = "*o+x#@%&"
LIGHT_MARKS = ".,:;'`-~"
"""What the companion of a curve is drawn with, at the place of that curve's own mark."""
HEIGHT = 16
WIDTH = 64
MARGIN = 9
"""Columns that the labels take at the left."""
TICKS = 4
"""About so many steps has a linear axis."""

Point = tuple[float, float]


class _Axis(NamedTuple):
    """Bottom and top of the vertical axis, and what stands beside it at which heights."""

    low: float
    high: float
    labels: dict[float, str]

    def row(self, height: float) -> int:
        """The line of the chart, from the top, that a height falls on."""
        return min(HEIGHT - 1, round((self.high - height) / (self.high - self.low) * (HEIGHT - 1)))


def chart(curves: Sequence[Curve], *, log: bool = False, width: int = WIDTH, across: str = "") -> Iterator[str]:
    """The lines of a chart and of its legend.

    Args:
        curves: what to draw, the first over the others, light ones under all. A value that is not finite, or on a
            logarithmic axis not positive, is left out, and parts its curve.
        log: whether the vertical axis is logarithmic.
        width: columns between the axis and the right end.
        across: what the horizontal axis is.
    """
    drawn = [_points(curve, log=log) for curve in curves]
    found = [point for points in drawn for point in points if point is not None]
    if not found:
        yield "(nothing to draw)"
        return
    places, heights = zip(*found, strict=True)
    first, last = min(places), max(places)
    axis = (_powers if log else _linear)(min(heights), max(heights))
    rows = [[" "] * width for _ in range(HEIGHT)]
    marks = _marks(curves)
    order = sorted(range(len(curves)), key=lambda i: (not curves[i].light, -i))
    for i in order:
        on_columns = [None if p is None else (_column(p[0], first, last, width), p[1]) for p in drawn[i]]
        for column, height in _joined(on_columns):
            rows[axis.row(height)][column] = marks[i]
    labels = {axis.row(height): label for height, label in axis.labels.items()}
    for index, row in enumerate(rows):
        yield f"{labels.get(index, ''):>{MARGIN - 2}} |{''.join(row)}".rstrip()
    yield f"{'':>{MARGIN - 2}} +{'-' * width}"
    left, right = _number(first), _number(last) if last > first else ""
    yield f"{'':>{MARGIN}}{left}{across.center(width - len(left) - len(right))}{right}".rstrip()
    yield from _legend(curves, marks)


def _points(curve: Curve, *, log: bool) -> list[Point | None]:
    """A curve's points, heights as the axis has them; None for those that cannot be drawn."""
    return [
        (x, math.log10(y) if log else y) if math.isfinite(x) and math.isfinite(y) and not (log and y <= 0) else None
        for x, y in zip(curve.across, curve.up, strict=True)
    ]


def _column(place: float, first: float, last: float, width: int) -> int:
    return round((place - first) / (last - first) * (width - 1)) if last > first else 0


def _joined(points: Sequence[tuple[int, float] | None]) -> Iterator[tuple[int, float]]:
    """Column and height of every mark of a curve: its points, and the lines between those that are next."""
    for before, point in pairwise([None, *points]):
        if point is None:
            continue
        (begin, start), (end, stop) = before or point, point
        span = max(1, abs(end - begin))
        for k in range(span + 1):
            yield begin + (end - begin) * k // span, start + (stop - start) * k / span


def _powers(low: float, high: float) -> _Axis:
    """An axis of whole powers of ten, labelled where the labels do not touch."""
    bottom = math.floor(low)
    top = max(math.ceil(high), bottom + 1)
    every = max(1, math.ceil((top - bottom) / (HEIGHT // 2)))
    return _Axis(bottom, top, {power: f"1e{power:+03d}" for power in range(bottom, top + 1, every)})


def _linear(low: float, high: float) -> _Axis:
    """An axis from one round number to another."""
    span = max(high - low, 1e-6 * max(abs(low), abs(high)), 1e-12)
    power = 10.0 ** math.floor(math.log10(span / TICKS))
    step = next((step for step in (power, 2 * power, 5 * power) if step >= span / TICKS), 10 * power)
    bottom, top = math.floor(low / step), math.ceil(high / step)
    top = max(top, bottom + 1)
    return _Axis(bottom * step, top * step, {k * step: f"{k * step:.6g}" for k in range(bottom, top + 1)})


def _number(place: float) -> str:
    """A place on the horizontal axis: whole ones, and large ones, without decimals."""
    whole = place == round(place) or abs(place) >= 100  # noqa: PLR2004 - three digits are enough
    return f"{place:,.0f}" if whole else f"{place:.3g}"


def _marks(curves: Sequence[Curve]) -> list[str]:
    """A mark for each curve; a light one has that which goes with the curve before it."""
    marks, index = [], -1
    for curve in curves:
        index += not curve.light
        marks.append((LIGHT_MARKS if curve.light else MARKS)[max(index, 0) % len(MARKS)])
    return marks


def _legend(curves: Sequence[Curve], marks: Sequence[str]) -> Iterator[str]:
    """A line for each curve with its companions."""
    lines: list[str] = []
    for curve, mark in zip(curves, marks, strict=True):
        if curve.light and lines:
            lines[-1] += f"   {mark} {curve.name}"
        else:
            lines.append(f"{'':>{MARGIN}}{mark} {curve.name}")
    yield from lines
