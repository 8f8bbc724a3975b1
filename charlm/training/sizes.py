"""Sizes and length of a run, and how its model is trained: what is chosen together where nobody said."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

_RATES: Mapping[str, float] = {"adamw": 1, "muon": 4, "rmsprop": 1, "sgd": 100}
"""Learning rates that suit optimisers, beside AdamW's."""


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
