"""What a model says of texts, in the units people use. Every total is in nats unless its name says otherwise."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from charlm.config import TextConfig
from charlm.errors import NOT_FINITE, ModelError, UsageError
from charlm.nn.arrays import Ids
from charlm.scoring import Evaluation, Parts, TokenScores
from charlm.text.parts import Part
from charlm.text.reading import normalise
from charlm.text.tokenizer import Tokenizer

NATS_PER_BIT = math.log(2)


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

    def score_tokens(self, texts: Sequence[Ids]) -> list[TokenScores]:
        """As ``score_texts``, with rank and entropy of each token."""

    def evaluate(self, part: Part, *, exact: bool = False, by_part: Parts | None = None) -> Evaluation:
        """What encoded text costs; ``exact``: in one lane; ``by_part``: counted there too."""


@dataclass(frozen=True)
class TokenScore:
    """One token of a text: log-probability and entropy in nats, rank 1 for the likeliest.

    Where the model does not know it, ``token`` is as the text has it, and the figures are those of <UNK>.
    """

    token: str
    logprob: float
    rank: int
    entropy: float
    unknown: bool


@dataclass(frozen=True)
class Score:
    """A text's score.

    Attributes:
        text: as given.
        tokens: number of tokens, <EOS> included.
        logprob: log P(text), <EOS> included, in nats.
        logprob_without_eos: the same without the last factor.
        oov: tokens that are <UNK>.
        logprob_without_oov: ``logprob`` without theirs.
        per_token: each token, where asked for.
    """

    text: str
    tokens: int
    logprob: float
    logprob_without_eos: float
    oov: int
    logprob_without_oov: float
    per_token: tuple[TokenScore, ...] | None = None

    @property
    def bits_per_token(self) -> float:
        """Mean cost of a token, <EOS> included."""
        return -self.logprob / self.tokens / NATS_PER_BIT

    @property
    def perplexity(self) -> float:
        """The exponential of the mean cost of a token in nats, <EOS> included."""
        return perplexity(-self.logprob / self.tokens)

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm score --json`` writes."""
        data = asdict(self)
        per_token = data.pop("per_token")
        data |= {"bits_per_token": self.bits_per_token, "perplexity": self.perplexity}
        return data if per_token is None else {**data, "per_token": list(per_token)}


def perplexity(nats_per_token: float) -> float:
    """Exp of the cost of a token; the largest float where it would overflow."""
    return math.exp(min(nats_per_token, 709.0))


def score_all(model: Scorer, texts: Sequence[str | bytes], *, per_token: bool = False) -> list[Score]:
    """Score texts, each from a start and with its <EOS>.

    Args:
        model: whose probabilities; where it has labels, under one of them.
        texts: str is normalised as a file would be; bytes only at byte level.
        per_token: also give each token's.

    Raises:
        UsageError: a text has several lines, and the model's lines are independent.
        ModelError: a text has no finite log-probability.
    """
    encoded = [encode_text(model, text) for text in texts]
    if per_token:
        details = model.score_tokens(encoded)
        logprobs = [each.logprobs for each in details]
        return [_score(model, *each) for each in zip(texts, encoded, logprobs, details, strict=True)]
    logprobs = model.score_texts(encoded)
    return [_score(model, *each) for each in zip(texts, encoded, logprobs, strict=True)]


def encode_text(model: Scorer, text: str | bytes) -> Ids:
    """Ids of a text to score, its <EOS> included.

    Raises:
        UsageError: as ``score_all``.
    """
    if isinstance(text, bytes):
        return model.tokenizer.encode_sentence(text)
    text = normalise(text)
    if model.text.independent_lines and "\n" in text.removesuffix("\n"):
        raise UsageError("a text has several lines, but this model's lines are independent: score them one by one")
    return model.tokenizer.encode_sentence(text)


def _score(
    model: Scorer,
    text: str | bytes,
    ids: Ids,
    logprobs: NDArray[np.float64],
    details: TokenScores | None = None,
) -> Score:
    if not np.isfinite(logprobs).all():
        raise ModelError(NOT_FINITE)
    unknown = ids == (-1 if model.tokenizer.unknown_id is None else model.tokenizer.unknown_id)
    per_token = None
    if details is not None:
        names = [model.tokenizer.vocabulary.token(int(i)) for i in ids]
        if unknown.any():
            pieces = model.tokenizer.cut(text if isinstance(text, bytes) else normalise(text))
            # The <EOS> that closes the text is known, whether the text has it or not.
            names = [
                pieces[i] if strange else name for i, (name, strange) in enumerate(zip(names, unknown, strict=True))
            ]
        columns = (logprobs.tolist(), details.ranks.tolist(), details.entropies.tolist(), unknown.tolist())
        per_token = tuple(TokenScore(*each) for each in zip(names, *columns, strict=True))
    return Score(
        text=text if isinstance(text, str) else text.decode("utf-8", "surrogateescape"),
        tokens=len(ids),
        logprob=float(logprobs.sum()),
        logprob_without_eos=float(logprobs[:-1].sum()),
        oov=int(np.count_nonzero(unknown)),
        logprob_without_oov=float(logprobs[~unknown].sum()),
        per_token=per_token,
    )


@dataclass(frozen=True)
class EvaluationResult:
    """What ``charlm eval`` says of a text; ``oov`` counts its unknown tokens.

    ``bits_per_char`` is None for bytes that are no text and hold no character.
    """

    tokens: int
    nats_per_token: float
    bits_per_token: float
    bits_per_char: float | None
    bits_per_byte: float
    perplexity: float
    oov: int
    nats_per_token_without_oov: float | None

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm eval --json`` writes."""
        return asdict(self)


def evaluate_part(model: Scorer, part: Part, *, exact: bool = False, by_part: Parts | None = None) -> EvaluationResult:
    """What encoded text costs under a model, each line under its label; see ``charlm.scoring.evaluate``.

    Raises:
        ModelError: the cost is not finite.
    """
    found = model.evaluate(part, exact=exact, by_part=by_part)
    if not math.isfinite(found.nats):
        raise ModelError(NOT_FINITE)
    bits = found.nats / NATS_PER_BIT
    return EvaluationResult(
        tokens=found.tokens,
        nats_per_token=found.nats_per_token,
        bits_per_token=bits / found.tokens,
        bits_per_char=bits / part.characters if part.characters else None,
        bits_per_byte=bits / part.bytes,
        perplexity=perplexity(found.nats_per_token),
        oov=found.unknown,
        nats_per_token_without_oov=found.known_nats_per_token,
    )
