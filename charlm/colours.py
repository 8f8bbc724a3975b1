"""Figures as colours, the same ones on a page and in a terminal.

A scale cuts its range into levels of equal width. Colours are interpolated between a few anchors, which grow steadily
darker on light paper and steadily lighter on a dark screen, so that the order shows in grey too.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Colour(NamedTuple):
    """Red, green and blue, 0 to 255, as sRGB has them."""

    red: int
    green: int
    blue: int

    @property
    def hex(self) -> str:
        """As CSS writes it: #rrggbb."""
        return "#{:02x}{:02x}{:02x}".format(*self)


@dataclass(frozen=True)
class Ramp:
    """Colours from the least to the most.

    Attributes:
        light: anchors at equal distances, for dark letters on them.
        dark: the same for light letters.
    """

    light: tuple[Colour, ...]
    dark: tuple[Colour, ...]


LIGHT_PAPER, DARK_PAPER = Colour(255, 255, 255), Colour(20, 22, 26)
_WARM = Ramp(
    (LIGHT_PAPER, Colour(255, 240, 189), Colour(255, 205, 112), Colour(252, 152, 84), Colour(236, 92, 74)),
    (DARK_PAPER, Colour(64, 48, 18), Colour(112, 68, 16), Colour(152, 64, 20), Colour(190, 62, 40)),
)
_COLD = Ramp(
    (LIGHT_PAPER, Colour(208, 229, 252), Colour(154, 200, 247), Colour(108, 168, 240), Colour(84, 138, 228)),
    (DARK_PAPER, Colour(22, 44, 72), Colour(26, 66, 116), Colour(34, 86, 158), Colour(48, 102, 190)),
)


@dataclass(frozen=True)
class Scale:
    """Which colour a figure has.

    Attributes:
        name: what the figures are.
        low: where the colours begin.
        high: where they end; what lies beyond either end has the colour of the end.
        steps: how many levels the range is cut into.
        signed: whether figures below the middle are cold and those above it warm; otherwise all are warm.
    """

    name: str
    low: float
    high: float
    steps: int
    signed: bool = False

    @property
    def levels(self) -> int:
        """How many colours there are."""
        return self.steps + 1

    @property
    def plain(self) -> int:
        """The level that is no colour at all but the paper."""
        return self.steps // 2 if self.signed else 0

    def level(self, value: float) -> int:
        """The level of a figure, from 0 to ``steps``: the one nearest to it where there is a sign, else the one below.

        Raises:
            ValueError: the figure is not a number.
        """
        share = (value - self.low) / (self.high - self.low)
        place = min(max(share, 0.0), 1.0) * self.steps
        if place != place:  # noqa: PLR0124 - only NaN differs from itself
            raise ValueError(f"{self.name}: nothing can be coloured by NaN")
        return round(place) if self.signed else int(place)

    def start(self, level: int) -> float:
        """The figure at which a level begins, or is in the middle of where there is a sign."""
        return self.low + (self.high - self.low) * level / self.steps

    def colours(self, *, dark: bool) -> list[Colour]:
        """The colour of each level."""
        return [self._colour(level, dark=dark) for level in range(self.levels)]

    def _colour(self, level: int, *, dark: bool) -> Colour:
        if not self.signed:
            return _between(_anchors(_WARM, dark=dark), level / self.steps)
        share = 2 * level / self.steps - 1
        return _between(_anchors(_WARM if share > 0 else _COLD, dark=dark), abs(share))


SURPRISE = Scale("bits a token", 0, 10, 20)
"""Of -log2 P(token): one fixed scale, so that pages compare. Ten bits are a token of one chance in a thousand."""


def _anchors(ramp: Ramp, *, dark: bool) -> tuple[Colour, ...]:
    return ramp.dark if dark else ramp.light


def _between(anchors: tuple[Colour, ...], share: float) -> Colour:
    """The colour at a share of the way, 0 to 1, along anchors at equal distances."""
    place = share * (len(anchors) - 1)
    first = min(int(place), len(anchors) - 2)
    rest = place - first
    pairs = zip(anchors[first], anchors[first + 1], strict=True)
    return Colour(*(round(a + (b - a) * rest) for a, b in pairs))
