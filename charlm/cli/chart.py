"""A chart in the terminal: curves over a whole number, on a logarithmic axis."""

import math
from collections.abc import Iterator, Mapping, Sequence

MARKS = "*o+x#@%&"
HEIGHT = 16
WIDTH = 64


def log_chart(curves: Mapping[str, Sequence[float]], *, first: int = 1) -> Iterator[str]:
    """The lines of a chart of positive numbers; zeros and infinities are left out.

    Args:
        curves: name -> values at ``first``, ``first`` + 1, and so on, all equally many.
        first: what the first value stands at.
    """
    powers = [math.log10(value) for values in curves.values() for value in values if 0 < value < math.inf]
    if not powers:
        yield "(all zero: nothing to draw)"
        return
    low, high = math.floor(min(powers)), math.ceil(max(powers))
    high = max(high, low + 1)
    length = max(len(values) for values in curves.values())
    width = min(WIDTH, length)
    rows = [[" "] * width for _ in range(HEIGHT)]
    # The first curve is drawn last, over the others.
    for mark, values in reversed(list(zip(_marks(len(curves)), curves.values(), strict=True))):
        for column in range(width):
            value = values[_at(column, width, length)]
            if 0 < value < math.inf:
                height = (high - math.log10(value)) / (high - low)
                rows[min(HEIGHT - 1, round(height * (HEIGHT - 1)))][column] = mark
    labelled = {round((high - power) / (high - low) * (HEIGHT - 1)): power for power in _labels(low, high)}
    for index, row in enumerate(rows):
        label = f"1e{labelled[index]:+03d}" if index in labelled else ""
        yield f"{label:>7} |{''.join(row)}".rstrip()
    yield f"{'':>7} +{'-' * width}"
    last = str(first + length - 1) if length > 1 else ""
    yield f"{'':>9}{first!s:<{max(1, width - len(last))}}{last}".rstrip()
    for mark, name in zip(_marks(len(curves)), curves, strict=True):
        yield f"{'':>9}{mark} {name}"


def _marks(count: int) -> list[str]:
    return [MARKS[i % len(MARKS)] for i in range(count)]


def _at(column: int, width: int, length: int) -> int:
    """Which value stands in a column."""
    return round(column * (length - 1) / max(1, width - 1))


def _labels(low: int, high: int) -> range:
    """Powers of ten that are written beside the axis: not so many that they touch."""
    return range(low, high + 1, max(1, math.ceil((high - low) / (HEIGHT // 2))))
