"""Sizes and length of a run that nobody chose: a table by how many tokens there are to train on.

``docs/experiments.md`` has the trials behind the first two rows and the fourth; the rest are round numbers.
"""

from dataclasses import dataclass

from charlm.errors import InputError

FEWEST_TOKENS = 32
"""Fewer training tokens than this are no corpus."""


@dataclass(frozen=True)
class Sizes:
    """What a run is made of where nobody said; ``epochs`` is how often the text is read."""

    hidden: int
    embedding: int
    window: int
    batch: int
    epochs: float
    lr: float
    dropout: float
    weight_decay: float


_TABLE: tuple[tuple[int, Sizes], ...] = (
    (40_000, Sizes(128, 32, 32, 32, 30, 6e-3, 0.4, 0.01)),
    (150_000, Sizes(256, 64, 64, 16, 30, 4e-3, 0.5, 0.01)),
    (500_000, Sizes(256, 64, 64, 32, 20, 4e-3, 0.3, 0.05)),
    (5_000_000, Sizes(256, 64, 64, 32, 8, 4e-3, 0.1, 0.01)),
)
_LARGEST = Sizes(512, 64, 64, 64, 1, 2e-3, 0.0, 0.01)


def default_sizes(tokens: int) -> Sizes:
    """The row of the table for so many training tokens."""
    return next((sizes for limit, sizes in _TABLE if tokens < limit), _LARGEST)


def fit(tokens: int, window: int, batch: int) -> tuple[int, int]:
    """Shrink window and batch until one step is no more than the whole text.

    Raises:
        InputError: the text is too short for any.
    """
    if tokens < FEWEST_TOKENS:
        raise InputError(
            f"the text leaves only {tokens} tokens to train on: name a longer one, of at least {FEWEST_TOKENS}"
        )
    while window * batch > tokens:
        if batch > 1 and batch * 4 >= window:
            batch = (batch + 1) // 2
        else:
            window = (window + 1) // 2
    return window, batch
