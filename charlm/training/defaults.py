"""What nobody chose beside sizes and length of a run: the level of a text, how it is read, and what must fit."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from charlm.config import FEWEST_HIDDEN
from charlm.errors import InputError
from charlm.text.sources import Texts
from charlm.text.splitting import MOST_VALIDATED
from charlm.training.sizes import Sizes

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
ADAPTIVE_FROM = 50_000
"""Tokens of a vocabulary from which on its softmax is adaptive: most of a step would go into a full one."""


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
