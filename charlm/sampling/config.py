"""How tokens are drawn, in numbers."""

from dataclasses import dataclass

from charlm.config import require
from charlm.sampling.constraints import Constraint

PENALTY_WINDOW = 64
"""Tokens back to which a repetition is penalised where nobody said."""


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
