"""Alternatives for one place by their probability.

Of alternatives i, with log-probabilities l_i in nats:

    odds of the first against i    exp(l_1 - l_i)
    posterior of i                 exp(l_i) / sum over j of exp(l_j), each being as likely beforehand as the others

Both are of whole texts, <EOS> included. A longer text has more factors, so texts of unlike lengths may also be put in
order by the mean log-probability of a token or character, which has no odds.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from charlm.config import choose
from charlm.likelihoods import characters
from charlm.portions import portions
from charlm.scorer import Scorer
from charlm.scores import Score, perplexity, score_all
from charlm.scoring import log_softmax

LENGTHS: dict[str, Callable[[Score], int]] = {
    "token": lambda score: score.tokens,
    "char": lambda score: characters(score.text),
}
"""What log-probabilities can be divided by."""


@dataclass(frozen=True)
class Alternative:
    """One of the texts that were ranked.

    Attributes:
        text: as given.
        logprob: log P(text) in nats, <EOS> included.
        per_token: the same divided by the number of tokens.
        per_character: the same divided by the number of characters, the end of the text being one.
        log_odds: by how many nats the first of the list is likelier; negative where it is not, being first by a mean.
        posterior: probability of this text if one of them is the right one, and each may be.
        oov: tokens that the model does not know.
    """

    text: str
    logprob: float
    per_token: float
    per_character: float
    log_odds: float
    posterior: float
    oov: int

    @property
    def odds(self) -> float:
        """How many times likelier the first of the list is; the largest float where it would overflow."""
        return perplexity(self.log_odds)

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm rank --json`` has in its list."""
        return asdict(self) | {"odds": self.odds}


def rank(model: Scorer, texts: Iterable[str], by: str | None = None) -> list[Alternative]:
    """Alternatives, the likeliest first; those that are alike stay in their order.

    Args:
        model: whose probabilities.
        texts: what to choose among; one that is given twice counts once.
        by: "token" or "char" for the order of the mean log-probability of one; None for that of the whole text.

    Raises:
        UsageError: there is no such order; or a text has several lines, and the model's lines are independent.
        ModelError: a text has no finite log-probability.
    """
    if by is not None:
        choose("--normalise", by, tuple(LENGTHS))
    scores = list(score_in_order(model, dict.fromkeys(texts)))
    if not scores:
        return []
    scores.sort(key=lambda score: -score.logprob / (LENGTHS[by](score) if by else 1))
    posteriors = np.exp(log_softmax(np.array([score.logprob for score in scores])))
    return [
        Alternative(
            text=score.text,
            logprob=score.logprob,
            per_token=score.logprob / LENGTHS["token"](score),
            per_character=score.logprob / LENGTHS["char"](score),
            log_odds=scores[0].logprob - score.logprob,
            posterior=posterior,
            oov=score.oov,
        )
        for score, posterior in zip(scores, posteriors.tolist(), strict=True)
    ]


def score_in_order(model: Scorer, texts: Iterable[str]) -> Iterator[Score]:
    """Scores of texts in their order, in memory that does not grow with their number.

    Raises:
        UsageError: as ``charlm.scores.score_all``.
        ModelError: likewise.
    """
    for some in portions(texts, len):
        yield from score_all(model, some)
