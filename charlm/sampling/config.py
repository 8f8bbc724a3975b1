"""How tokens are drawn or searched for, in numbers."""

from dataclasses import dataclass

from charlm.config import require
from charlm.errors import UsageError
from charlm.sampling.constraints import Constraint

PENALTY_WINDOW = 64
"""Tokens back to which a repetition is penalised where nobody said."""

LENGTH_PENALTY = 0.6
"""Alpha of beam search where nobody said."""


@dataclass(frozen=True)
class Filters:
    """What becomes of a distribution before a token is drawn, in the order of ``charlm.sampling.filters.filtered``.

    Attributes:
        penalty: log-probabilities of the last tokens are multiplied by it; 1 leaves them.
        window: how many tokens back, the prompt's included, it reaches.
        top_k: the likeliest tokens that are kept; None for all.
        top_p: the probability of the smallest set of the likeliest that is kept; 1 for all.
        min_p: the least probability that is kept, as a share of the likeliest token's; 0 for all.
        typical: the probability of the smallest set of the most typical that is kept; 1 for all.

    Raises:
        UsageError: one of them is out of its range.
    """

    penalty: float = 1.0
    window: int = PENALTY_WINDOW
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    typical: float = 1.0

    def __post_init__(self) -> None:
        require("--repetition-penalty", self.penalty, above=0, maximum=100)
        require("--penalty-window", self.window, minimum=1)
        if self.top_k is not None:
            require("--top-k", self.top_k, minimum=1)
        require("--top-p", self.top_p, above=0, maximum=1)
        require("--min-p", self.min_p, minimum=0, maximum=1)
        require("--typical", self.typical, above=0, maximum=1)

    @property
    def idle(self) -> bool:
        """Whether they leave every distribution as it is."""
        return (self.penalty, self.top_k, self.top_p, self.min_p, self.typical) == (1, None, 1, 0, 1)


@dataclass(frozen=True)
class SamplingConfig:
    """How tokens are drawn.

    Attributes:
        length: most tokens to draw.
        temperature: the logits are divided by it; 0 takes the likeliest token.
        never: ids that are never drawn.
        stop: ids after which a sample ends.
        filters: what else becomes of a distribution.
        constraints: each sample keeps to all of them.
        details: whether log-probabilities are kept of what is drawn.
        alternatives: of how many of the likeliest tokens in each place they are kept, too; any needs ``details``.

    Raises:
        UsageError: a number is out of its range.
    """

    length: int
    temperature: float = 1.0
    never: tuple[int, ...] = ()
    stop: tuple[int, ...] = ()
    filters: Filters = Filters()
    constraints: tuple[Constraint, ...] = ()
    details: bool = False
    alternatives: int = 0

    def __post_init__(self) -> None:
        require("--length", self.length, minimum=0)
        require("--temperature", self.temperature, minimum=0)

    @property
    def simple(self) -> bool:
        """Whether tokens are drawn from the model's logits, and nothing is kept of them but their ids."""
        return self.filters.idle and not self.constraints and not self.details


@dataclass(frozen=True)
class BeamConfig:
    """How to search for the likeliest texts.

    Attributes:
        length: most tokens of a continuation.
        beams: beginnings that are kept, of all groups together.
        number: continuations to find; fewer where there are not so many.
        groups: into how many groups the beams are dealt.
        diversity: nats that a token loses for each earlier group's beginning that has just taken it.
        length_penalty: alpha, see ``charlm.sampling.beams``.
        never: ids that never come.
        stop: ids that end a continuation.
        constraints: every continuation keeps to all of them.

    Raises:
        UsageError: a number is out of its range, or does not go with another.
    """

    length: int
    beams: int
    number: int = 1
    groups: int = 1
    diversity: float = 0.0
    length_penalty: float = LENGTH_PENALTY
    never: tuple[int, ...] = ()
    stop: tuple[int, ...] = ()
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        require("--length", self.length, minimum=1)
        require("--beams", self.beams, minimum=1)
        require("--beam-groups", self.groups, minimum=1, maximum=self.beams)
        require("--diversity", self.diversity, minimum=0)
        require("--length-penalty", self.length_penalty, minimum=0, maximum=2)
        require("-n", self.number, minimum=1)
        if self.number > self.beams:
            raise UsageError(f"-n is {self.number}, but {self.beams} --beams find no more: ask for more of them")
        if self.beams % self.groups:
            raise UsageError(f"--beam-groups is {self.groups}: it must divide --beams, which is {self.beams}")
        if self.groups == 1 and self.diversity:
            raise UsageError("--diversity sets groups of beams apart: name --beam-groups, at least 2, too")
