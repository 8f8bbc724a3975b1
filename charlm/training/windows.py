"""Windows of random length, so that texts are not cut at the same places in each epoch (Merity et al. 2017, section 5).

A window is drawn from a normal distribution around the base length, or with a small probability around half of it; the
learning rate of its step is multiplied by its share of the base length, for a longer window has seen more. As in the
paper's code the spread is 5, no window is shorter than 5 steps, and none longer than the base length and ten.

Each length follows from the seed and the number of the window alone, so that the place in the sequence is a number.
"""

from typing import Any

import numpy as np

FULL = 0.95
"""Probability of the base length; otherwise half of it."""
SPREAD = 5.0
SHORTEST = 5
BEYOND = 10
"""Steps that a window may have beyond the base length: there is room for so many."""
_LENGTHS = 4
"""What sets these draws apart from other things that follow from the seed."""


class RandomWindows:
    """The endless sequence of lengths.

    Args:
        window: the base length T, in steps.
        seed: decides all lengths.

    Attributes:
        most: the longest length there is.
        drawn: how many lengths were drawn.
        steps: their sum.
    """

    def __init__(self, window: int, seed: int) -> None:
        self.window = window
        self.seed = seed
        self.most = window + BEYOND
        self.drawn = self.steps = 0

    def next_length(self) -> int:
        """The next length, from ``min(SHORTEST, window)`` to ``most``."""
        seed = np.random.SeedSequence([self.seed, _LENGTHS, self.drawn])
        generator = np.random.Generator(np.random.PCG64(seed))
        base = self.window if generator.random() < FULL else self.window / 2
        length = int(generator.normal(base, SPREAD))
        length = max(min(SHORTEST, self.window), min(length, self.most))
        self.drawn += 1
        self.steps += length
        return length

    def place(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """[2], where the sequence is."""
        return np.array([self.drawn, self.steps], np.int64)

    def move_to(self, place: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        """Continue from what ``place`` gave.

        Raises:
            ValueError: there is no such place.
        """
        drawn, steps = (int(n) for n in place)
        if not 0 <= drawn <= steps < 1 << 53:
            raise ValueError("the sequence of windows has no such place")
        self.drawn, self.steps = drawn, steps
