"""How long an expression may take: for one sample, and for all looks at texts in one place of it.

A look at a text takes microseconds with most expressions. With those that can match a text in many ways it takes
centuries, or a little too long for each of thousands of tokens, over and over. What is counted is processor time, so
that neither a busy machine nor a pause ends a search.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time

from charlm.config import require

BUDGET = 20_000
"""Tokens that a search may try for one sample where nobody said."""
SECONDS = 5.0
"""For one sample, where nobody said."""
PLACE = 5
"""One place of a sample may take such a part of that."""
FREE = 20e-6
"""What is not counted of each look: a large vocabulary needs many, and that is not the expression's fault."""
_MOST = 86_400


class TooSlow(Exception):  # noqa: N818 - the user never sees it
    """There is no time left; the argument says for what."""


class Allowance:
    """The time that an expression may take.

    Args:
        seconds: for one sample.

    Raises:
        UsageError: they are not positive, or more than a day.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        require("--match-seconds", seconds, above=0, maximum=_MOST)
        self._seconds = seconds
        self._left = seconds
        self._free = 0.0
        self._end: float | None = None

    def renew(self) -> None:
        """Begin with another sample."""
        self._left = self._seconds

    @contextmanager
    def place(self) -> Iterator[None]:
        """Count what is done as done in one place."""
        begun, self._free = process_time(), 0.0
        self._end = begun + self._for_place()
        try:
            yield
        finally:
            self._left -= max(0.0, process_time() - begun - self._free)
            self._end = None

    def left(self) -> float:
        """Seconds that the next look may take: what is left in this place; outside of one, what a place has.

        Raises:
            TooSlow: none.
        """
        left = self._for_place()
        if self._end is not None:
            self._end += FREE
            self._free += FREE
            left = self._end - process_time()
        if left <= 0:
            raise TooSlow
        return left

    def what_ended(self) -> str:
        """Which of both it was that there is no time left of, in words."""
        share = self._seconds / PLACE
        if self._left < share:
            return f"more than {self._seconds:g} s for one sample"
        return f"more than {share:g} s to find what may come next"

    def _for_place(self) -> float:
        return min(self._left, self._seconds / PLACE)

    def __str__(self) -> str:
        """Both, in words."""
        return f"{self._seconds:g} s for a sample, {self._seconds / PLACE:g} s of them in one place"
