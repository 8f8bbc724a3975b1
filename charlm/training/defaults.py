"""What nobody chose: the level of a text, and sizes and length of a run by how much there is to train on.

``docs/performance.md`` has the table with times and losses, ``docs/experiments.md`` the trials behind it.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from charlm.config import FEWEST_HIDDEN
from charlm.errors import InputError
from charlm.text.sources import Texts
from charlm.text.splitting import MOST_VALIDATED

FEWEST_TOKENS = 32
"""Fewer training tokens than this are no corpus."""
PEEKED_BYTES = 1 << 16
"""How much of a text is looked at to guess its level."""
UNKNOWN_MARKS = 3
"""So many <unk> among these, and the text comes tokenised."""
VALIDATED_PER_SECOND = 5_000
"""A run bound by time validates with no more characters a second that it has: validating is not to fill it."""
FINE_TUNING_RATE = 0.5
"""Learning rate of a run that starts from a trained model, as a share of what it would be."""
_RATES: Mapping[str, float] = {"adamw": 1, "muon": 4, "rmsprop": 1, "sgd": 100}
"""Learning rates that suit optimisers, beside AdamW's."""

ADAPTIVE_FROM = 50_000
"""Tokens of a vocabulary from which on its softmax is adaptive: most of a step would go into a full one."""


@dataclass(frozen=True)
class Sizes:
    """What a run is made of where nobody said.

    Attributes:
        epochs: how often the text is read.
        most: the most tokens to train on all the same, which bounds the time; None for no limit.
        tied: whether the embedding is the softmax's matrix, where nothing that was chosen stands against it.
    """

    hidden: int
    embedding: int
    window: int
    batch: int
    epochs: float
    lr: float
    dropout: float
    weight_decay: float
    most: int | None = None
    optimizer: str = "adamw"
    schedule: str = "cosine"
    average: str = "none"
    tied: bool = False

    def with_optimizer(self, name: str) -> "Sizes":
        """The same with another optimiser, and the learning rate that suits it."""
        return replace(self, optimizer=name, lr=self.lr * _RATES[name] / _RATES[self.optimizer])

    def length(self, tokens: int) -> float:
        """Length of a run over so many training tokens, in tokens."""
        length = self.epochs * tokens
        return length if self.most is None else min(length, self.most)


Table = tuple[tuple[float, Sizes], ...]
_CHARACTERS: Table = (
    (40_000, Sizes(128, 32, 32, 32, 30, 6e-3, 0.4, 0.01)),
    (150_000, Sizes(256, 64, 64, 16, 30, 4e-3, 0.5, 0.01)),
    (500_000, Sizes(256, 64, 64, 32, 20, 4e-3, 0.3, 0.05)),
    (5_000_000, Sizes(256, 64, 64, 32, 8, 4e-3, 0.1, 0.01, most=16_000_000)),
    (float("inf"), Sizes(384, 64, 64, 64, 4, 3e-3, 0.0, 0.01, most=7_500_000)),
)
_WORDS: Table = (
    (40_000, Sizes(128, 64, 32, 16, 20, 4e-3, 0.5, 0.05)),
    (500_000, Sizes(128, 64, 32, 32, 6, 4e-3, 0.3, 0.01, most=2_000_000)),
    (float("inf"), Sizes(200, 128, 32, 32, 4, 3e-3, 0.2, 0.01, most=2_000_000)),
)
_TABLES: Mapping[str, Table] = {"char": _CHARACTERS, "byte": _CHARACTERS, "word": _WORDS, "token": _WORDS}
_TEXT: Mapping[str, Mapping[str, Any]] = {
    # A word that occurs once teaches little, and an <UNK> that never occurs has no probability worth the name.
    "word": {"min_count": 2, "max_vocab": 10_000},
    # A text that comes tokenised comes with its unknown words decided on.
    "token": {"max_vocab": 20_000},
}


def guess_level(texts: Texts) -> str:
    """The level of a text where nobody said: characters, or tokens if it comes tokenised, with <unk> for rare words.

    Raises:
        InputError: it cannot be read.
    """
    if not texts.rereadable:
        return "char"
    with closing(texts.sources[0].open()) as file:
        beginning = file.read(PEEKED_BYTES).split()
    return "token" if beginning.count(b"<unk>") >= UNKNOWN_MARKS else "char"


def text_defaults(level: str) -> Mapping[str, Any]:
    """How a text of this level is read, where that is not as at the char level."""
    return _TEXT.get(level, {})


def most_validated(seconds: float | None) -> int:
    """The most characters to validate with where nobody said, by the length of the run if that is bound by time."""
    return MOST_VALIDATED if seconds is None else min(MOST_VALIDATED, max(1, round(VALIDATED_PER_SECOND * seconds)))


def default_sizes(tokens: int, level: str = "char") -> Sizes:
    """The row of the level's table for so many training tokens."""
    return next(sizes for limit, sizes in _TABLES[level] if tokens < limit)


def fine_tuning(sizes: Sizes) -> Sizes:
    """What suits a run that starts from a trained model: steps of AdamW's, smaller than where all is to be learnt."""
    gentle = sizes.with_optimizer("adamw")
    return replace(gentle, lr=gentle.lr * FINE_TUNING_RATE)


def default_softmax(vocabulary: int, hidden: int, *, tied: bool) -> str:
    """Which softmax a model of so many tokens and units has; only a full one can be tied."""
    return "adaptive" if vocabulary >= ADAPTIVE_FROM and hidden >= FEWEST_HIDDEN and not tied else "full"


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
