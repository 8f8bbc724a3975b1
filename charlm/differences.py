"""Where in a text two models disagree: what each token costs the one and the other.

Models that cut the text alike are compared token by token. Others are compared between the places where both have the
end of a token: the tokens of either between two such places are taken together, and their log-probabilities added.
Under a model of characters, what a word costs does not hold yet that the word ends there; that is part of what comes
next. Over the whole text both give the probability of the same; see ``charlm.likelihoods``, also of unknown tokens.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel
from charlm.likelihoods import Reader, comparable_text
from charlm.text.spans import token_ends


@dataclass(frozen=True)
class Gap:
    """A token, or as few as two models have in common, and what it costs both.

    Attributes:
        place: characters before it.
        text: of it, with white space before it that is no token.
        ends: whether the end of the text is in it.
        logprob_a: its log-probability under the first model, given all before it, in nats.
        logprob_b: likewise under the second.
        tokens_a: how many it is to the first.
        tokens_b: to the second.
        unknown_a: how many of them the first does not know.
        unknown_b: likewise the second.
    """

    place: int
    text: str
    ends: bool
    logprob_a: float
    logprob_b: float
    tokens_a: int
    tokens_b: int
    unknown_a: int
    unknown_b: int

    @property
    def difference(self) -> float:
        """By how many nats the first model finds it likelier."""
        return self.logprob_a - self.logprob_b


@dataclass(frozen=True)
class Difference:
    """What two models say of a text.

    Attributes:
        text: as both read it.
        gaps: in the order of the text, which they make up.
        by_token: whether each is a token of both.
    """

    text: str
    gaps: tuple[Gap, ...]
    by_token: bool

    @property
    def logprob_a(self) -> float:
        """Of the whole text and its end, under the first model, in nats."""
        return float(np.sum([gap.logprob_a for gap in self.gaps]))

    @property
    def logprob_b(self) -> float:
        """Likewise under the second."""
        return float(np.sum([gap.logprob_b for gap in self.gaps]))

    def by_size(self) -> list[Gap]:
        """The gaps, the largest difference first."""
        return sorted(self.gaps, key=lambda gap: -abs(gap.difference))

    def to_json(self, gaps: Sequence[Gap] | None = None) -> dict[str, Any]:
        """The object that ``charlm diff --json`` writes, with these of its gaps; all where none are given."""
        return {
            "text": self.text,
            "logprob_a": self.logprob_a,
            "logprob_b": self.logprob_b,
            "difference": self.logprob_a - self.logprob_b,
            "by_token": self.by_token,
            "gaps": [asdict(gap) | {"difference": gap.difference} for gap in (self.gaps if gaps is None else gaps)],
        }


@dataclass(frozen=True)
class _Reading:
    """A text's tokens under one model: float64 or int64 [tokens]."""

    ends: NDArray[np.int64]
    logprobs: NDArray[np.float64]
    unknown: NDArray[np.bool_]

    def sums(self, ends: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Log-probability, tokens and unknown ones between these ends, which are among the tokens'."""
        first = np.searchsorted(self.ends, np.concatenate(([0], ends[:-1])), side="right")
        counts = np.diff(np.append(first, len(self.ends)))
        unknown = np.add.reduceat(self.unknown.astype(np.int64), first)
        return np.add.reduceat(self.logprobs, first), counts, unknown


def differences(a: TrainedModel, b: TrainedModel, text: str) -> Difference:
    """Where two models disagree on a text.

    Raises:
        ModelError: a log-probability is not finite.
    """
    text = comparable_text(text)
    one, other = _read(a, text), _read(b, text)
    ends = np.intersect1d(one.ends, other.ends)
    sums_a, counts_a, unknown_a = one.sums(ends)
    sums_b, counts_b, unknown_b = other.sums(ends)
    begins = np.concatenate(([0], ends[:-1])).tolist()
    gaps = tuple(
        Gap(begin, text[begin:end], end > len(text), *figures)
        for begin, end, *figures in zip(
            begins,
            ends.tolist(),
            sums_a.tolist(),
            sums_b.tolist(),
            counts_a.tolist(),
            counts_b.tolist(),
            unknown_a.tolist(),
            unknown_b.tolist(),
            strict=True,
        )
    )
    return Difference(text, gaps, by_token=len(one.ends) == len(other.ends) == len(ends))


def _read(model: TrainedModel, text: str) -> _Reading:
    """The tokens of a text, those of all its parts one after another."""
    (parts,) = Reader(model).read([text])
    before = np.cumsum([0, *(len(part.text) + 1 for part in parts[:-1])]).tolist()
    ends = [token_ends(model.tokenizer, part.text, part.ids) + place for place, part in zip(before, parts, strict=True)]
    logprobs, unknown = [part.logprobs for part in parts], [part.unknown for part in parts]
    return _Reading(np.concatenate(ends), np.concatenate(logprobs), np.concatenate(unknown))
