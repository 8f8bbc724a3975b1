"""Pairs of sentences of which a model should find the first likelier: which it does, and how often.

A pair counts 1 where the right sentence is likelier, 0 where the wrong one is, and 1/2 where they are as likely.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from charlm.errors import UsageError
from charlm.portions import portions
from charlm.ranking import LENGTHS
from charlm.scorer import Scorer
from charlm.scores import Score, score_all

TIE = 1e-6
"""Log-probabilities that differ by less, of the larger one, are the same: float32 tells no more."""


@dataclass(frozen=True)
class Pair:
    """Two sentences of which the first is right.

    Attributes:
        good: the right one.
        bad: the wrong one.
        group: what it is counted with; None where it is only counted with all.
        where: its file and line, for messages.
    """

    good: str
    bad: str
    group: str | None = None
    where: str = "a pair"


def verdict(good: float, bad: float) -> float:
    """1 where the first log-probability is larger, 0 where it is smaller, 1/2 where they are the same."""
    return 0.5 if math.isclose(good, bad, rel_tol=TIE) else float(good > bad)


@dataclass(frozen=True)
class Judged:
    """A pair and what a model says of it.

    Attributes:
        pair: the two.
        good: score of the right sentence.
        bad: score of the wrong one.
    """

    pair: Pair
    good: Score
    bad: Score

    @property
    def right(self) -> float:
        """1 where the right sentence is likelier, 0 where it is not, 1/2 for a tie."""
        return verdict(self.good.logprob, self.bad.logprob)

    def right_by(self, length: str) -> float:
        """The same by the mean log-probability of a "token" or "char"."""
        of = LENGTHS[length]
        return verdict(self.good.logprob / of(self.good), self.bad.logprob / of(self.bad))

    @property
    def unknown(self) -> bool:
        """Whether a token of either is unknown to the model."""
        return bool(self.good.oov or self.bad.oov)

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm rank --pairs --json`` writes."""
        return {
            "good": self.pair.good,
            "bad": self.pair.bad,
            "group": self.pair.group,
            "logprob_good": self.good.logprob,
            "logprob_bad": self.bad.logprob,
            "log_odds": self.good.logprob - self.bad.logprob,
            "right": self.right,
            "right_per_token": self.right_by("token"),
            "right_per_character": self.right_by("char"),
            "oov_good": self.good.oov,
            "oov_bad": self.bad.oov,
        }


def judge(model: Scorer, pairs: Iterable[Pair]) -> Iterator[Judged]:
    """What a model says of pairs, in their order, in memory that does not grow with their number.

    Raises:
        UsageError: a sentence has several lines, and the model's lines are independent; the message says where.
        ModelError: a sentence has no finite log-probability.
    """
    for some in portions(pairs, lambda pair: len(pair.good) + len(pair.bad)):
        for pair in some if model.text.independent_lines else ():
            _check_lines(pair)
        scores = score_all(model, [text for pair in some for text in (pair.good, pair.bad)])
        yield from map(Judged, some, scores[::2], scores[1::2])


def _check_lines(pair: Pair) -> None:
    if any("\n" in text.removesuffix("\n") for text in (pair.good, pair.bad)):
        raise UsageError(
            f"{pair.where}: a sentence has several lines, but this model's lines are independent: give one line"
        )


@dataclass
class Accuracy:
    """How many pairs were judged rightly.

    Attributes:
        pairs: how many there are.
        right: how many were judged rightly, a tie being half.
        ties: how many were ties.
        right_per_token: as ``right``, by the mean log-probability of a token.
        right_per_character: likewise, of a character.
        unknown: pairs with a token that the model does not know.
    """

    pairs: int = 0
    right: float = 0.0
    ties: int = 0
    right_per_token: float = 0.0
    right_per_character: float = 0.0
    unknown: int = 0

    def add(self, judged: Judged) -> None:
        """Count another pair."""
        self.pairs += 1
        self.right += judged.right
        self.ties += judged.right == 0.5  # noqa: PLR2004 - half a point is what a tie is
        self.right_per_token += judged.right_by("token")
        self.right_per_character += judged.right_by("char")
        self.unknown += judged.unknown

    @property
    def accuracy(self) -> float:
        """Share of pairs that were judged rightly."""
        return self.right / self.pairs

    @property
    def standard_error(self) -> float:
        """Of the accuracy: the deviation of a pair's 0, 1/2 or 1 divided by the root of their number."""
        squares = (self.right - self.ties / 4) / self.pairs
        return math.sqrt(max(0.0, squares - self.accuracy**2) / self.pairs)

    def to_json(self) -> dict[str, Any]:
        """What ``charlm rank --pairs --json`` says of a group."""
        return {
            "pairs": self.pairs,
            "accuracy": self.accuracy,
            "standard_error": self.standard_error,
            "ties": self.ties,
            "accuracy_per_token": self.right_per_token / self.pairs,
            "accuracy_per_character": self.right_per_character / self.pairs,
            "unknown": self.unknown,
        }


def accuracies(judged: Iterable[Judged]) -> tuple[Accuracy, dict[str, Accuracy]]:
    """The accuracy of all pairs, and of each group in order of its first pair."""
    overall, groups = Accuracy(), dict[str, Accuracy]()
    for each in judged:
        overall.add(each)
        if each.pair.group is not None:
            groups.setdefault(each.pair.group, Accuracy()).add(each)
    return overall, groups
