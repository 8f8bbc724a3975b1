"""What may follow in a sample, and whether it may or must end: constraints read ids one by one.

A constraint is an automaton. Its states are immutable, so that one sample's can be gone on from twice, as beam search
does, and one constraint serves every sample. The loops that draw know constraints only through ``Rules``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.errors import UsageError
from charlm.nn.arrays import Ids

EOS, LENGTH, COMPLETE, DEAD_END = "eos", "length", "complete", "dead end"
"""Why a sample ended: a token that ends it; as long as it may be; its constraints leave no token, and it may end here;
they leave none, and it may not. A constraint that ends a sample gives a reason of its own."""


class Constraint(ABC):
    """What a sample has to keep to. Only ``begin`` and ``after`` must be written; the rest permits everything."""

    @abstractmethod
    def begin(self, prompt: Ids) -> Any:
        """The state behind a prompt [N], before any token is drawn."""

    @abstractmethod
    def after(self, state: Any, token: int) -> Any:
        """The state after one more token; ``state`` itself stays as it is."""

    def allowed(self, state: Any) -> NDArray[np.bool_] | None:  # noqa: ARG002 - for those who look at it
        """Which ids may follow, bool [V], not to be written into; None for all."""
        return None

    def may_end(self, state: Any) -> bool:  # noqa: ARG002 - as above
        """Whether the sample may end here; where it may not, no token that ends it can be drawn."""
        return True

    def must_end(self, state: Any) -> str | None:  # noqa: ARG002 - as above
        """Why the sample ends here, in a word; None where it goes on."""
        return None


class Place(NamedTuple):
    """How far a sample has come.

    Attributes:
        states: of each constraint.
        allowed: which ids may follow, bool [V]; None for all that are ever drawn.
        ended: why the sample ends here; None where it goes on.
    """

    states: tuple[Any, ...]
    allowed: NDArray[np.bool_] | None
    ended: str | None


class Rules:
    """Several constraints as one.

    Args:
        constraints: all of them hold.
        never: ids that are never drawn.
        stop: ids that end a sample.
        vocabulary: V.

    Raises:
        UsageError: ``never`` leaves nothing to draw.
    """

    def __init__(
        self, constraints: Sequence[Constraint], never: Sequence[int], stop: Sequence[int], vocabulary: int
    ) -> None:
        self._constraints = tuple(constraints)
        self._stop = frozenset(stop)
        self._ever = np.ones(vocabulary, np.bool_)
        self._ever[list(never)] = False
        if not self._ever.any():
            raise UsageError(nothing_left(vocabulary))

    def begin(self, prompt: Ids) -> Place:
        """Behind a prompt [N]."""
        return self._place(tuple(each.begin(prompt) for each in self._constraints))

    def after(self, place: Place, token: int) -> Place:
        """After one more token."""
        if token in self._stop:
            return Place(place.states, None, EOS)
        pairs = zip(self._constraints, place.states, strict=True)
        return self._place(tuple(each.after(state, token) for each, state in pairs))

    def mask(self, place: Place) -> NDArray[np.bool_]:
        """Which ids may follow, bool [V]."""
        return self._ever if place.allowed is None else place.allowed

    def _place(self, states: tuple[Any, ...]) -> Place:
        pairs = list(zip(self._constraints, states, strict=True))
        for each, state in pairs:
            if (why := each.must_end(state)) is not None:
                return Place(states, None, why)
        masks = [mask for each, state in pairs if (mask := each.allowed(state)) is not None]
        may_end = all(each.may_end(state) for each, state in pairs)
        if not masks and may_end:
            return Place(states, None, None)
        allowed = np.logical_and.reduce([self._ever, *masks])
        if not may_end:
            allowed[list(self._stop)] = False
        if not allowed.any():
            return Place(states, None, COMPLETE if may_end else DEAD_END)
        return Place(states, allowed, None)


def nothing_left(vocabulary: int) -> str:
    """What to say where everything is excluded."""
    return f"all {vocabulary} tokens are excluded: there is nothing left to draw"
