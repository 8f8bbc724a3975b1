"""A curve, as charts in the terminal and plots in files draw it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Curve:
    """Points that are joined by a line.

    Attributes:
        name: what the legend says.
        across: horizontal places of the points, in the order in which they are joined.
        up: their heights, as many.
        light: whether it is drawn lighter, as a companion of the curve before it.
        band: lower and upper edge of what is shaded around it, as many as ``up`` each; plots only.
    """

    name: str
    across: Sequence[float]
    up: Sequence[float]
    light: bool = False
    band: tuple[Sequence[float], Sequence[float]] | None = None

    @classmethod
    def counted(
        cls, name: str, up: Sequence[float], band: tuple[Sequence[float], Sequence[float]] | None = None
    ) -> "Curve":
        """A curve over 1, 2, 3, ..."""
        return cls(name, range(1, len(up) + 1), up, band=band)
