"""What texts can be scored by."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from charlm.config import TextConfig
from charlm.nn.arrays import Ids
from charlm.scoring import Evaluation, Parts, TokenScores
from charlm.text.parts import Part
from charlm.text.tokenizer import Tokenizer


class Scorer(Protocol):
    """What gives tokens probabilities: a network, or counts."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Text to ids and back."""

    @property
    def text(self) -> TextConfig:
        """How texts are read."""

    def score_texts(self, texts: Sequence[Ids]) -> list[NDArray[np.float64]]:
        """Log-probability (nats) of every token of each text, each from a start."""

    def score_tokens(self, texts: Sequence[Ids], best: int = 0) -> list[TokenScores]:
        """As ``score_texts``, with rank and entropy of each token, and so many of the likeliest in its place."""

    def evaluate(self, part: Part, *, exact: bool = False, by_part: Parts | None = None) -> Evaluation:
        """What encoded text costs; ``exact``: in one lane; ``by_part``: counted there too."""
