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
from charlm.text.words_in import words_of_ids, words_of_text

NATS_PER_BIT = math.log(2)
_DERIVED = ("bits_per_token", "bits_per_char", "bits_per_byte", "perplexity", "word_perplexity")


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
        characters: code points of the text, with the line break at its end where <EOS> is one; 0 for bytes that are no
            text.
        bytes: of the text in UTF-8, likewise.
        words: runs of other than white space, and one for the end of each line, as a model of words would count them.
        unk_vocabulary: how many tokens share the probability of <UNK> evenly; each one has that share of it.
        per_token: each token, where asked for.
    """

    text: str
    tokens: int
    logprob: float
    logprob_without_eos: float
    oov: int
    logprob_without_oov: float
    characters: int
    bytes: int
    words: int
    unk_vocabulary: int = 1
    per_token: tuple[TokenScore, ...] | None = None

    @property
    def bits_per_token(self) -> float:
        """Mean cost of a token, <EOS> included."""
        return -self.logprob / self.tokens / NATS_PER_BIT

    @property
    def perplexity(self) -> float:
        """The exponential of the mean cost of a token in nats, <EOS> included."""
        return perplexity(-self.logprob / self.tokens)

    @property
    def bits_per_char(self) -> float | None:
        """Mean cost of a code point, that of <EOS> shared out; None where there is none."""
        return -self.logprob / self.characters / NATS_PER_BIT if self.characters else None

    @property
    def bits_per_byte(self) -> float | None:
        """Mean cost of a byte, likewise."""
        return -self.logprob / self.bytes / NATS_PER_BIT if self.bytes else None

    @property
    def word_perplexity(self) -> float:
        """The perplexity that a model of words would have for the same probability."""
        return perplexity(-self.logprob / self.words)

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm score --json`` writes."""
        data = asdict(self)
        per_token = data.pop("per_token")
        data |= {name: getattr(self, name) for name in _DERIVED}
        return data if per_token is None else {**data, "per_token": list(per_token)}


def perplexity(nats_per_token: float) -> float:
    """Exp of the cost of a token; the largest float where it would overflow."""
    return math.exp(min(nats_per_token, 709.0))


def score_all(
    model: Scorer, texts: Sequence[str | bytes], *, per_token: bool = False, unk_vocabulary: int = 1
) -> list[Score]:
    """Score texts, each from a start and with its <EOS>.

    Args:
        model: whose probabilities; where it has labels, under one of them.
        texts: str is normalised as a file would be; bytes only at byte level.
        per_token: also give each token's.
        unk_vocabulary: how many tokens share the probability of <UNK> evenly.

    Raises:
        UsageError: a text has several lines, and the model's lines are independent.
        ModelError: a text has no finite log-probability.
    """
    encoded = [encode_text(model, text) for text in texts]
    if not per_token:
        logprobs = model.score_texts(encoded)
        return [_score(model, unk_vocabulary, *each) for each in zip(texts, encoded, logprobs, strict=True)]
    details = model.score_tokens(encoded)
    logprobs = [each.logprobs for each in details]
    return [_score(model, unk_vocabulary, *each) for each in zip(texts, encoded, logprobs, details, strict=True)]


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
    unk_vocabulary: int,
    text: str | bytes,
    ids: Ids,
    logprobs: NDArray[np.float64],
    details: TokenScores | None = None,
) -> Score:
    if not np.isfinite(logprobs).all():
        raise ModelError(NOT_FINITE)
    unknown = ids == (-1 if model.tokenizer.unknown_id is None else model.tokenizer.unknown_id)
    if unk_vocabulary > 1:
        logprobs = np.where(unknown, logprobs - math.log(unk_vocabulary), logprobs)
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
    shown = text if isinstance(text, str) else text.decode("utf-8", "surrogateescape")
    characters, size = sizes_of(text, line_break=model.tokenizer.unit == "line")
    return Score(
        text=shown,
        tokens=len(ids),
        logprob=float(logprobs.sum()),
        logprob_without_eos=float(logprobs[:-1].sum()),
        oov=int(np.count_nonzero(unknown)),
        logprob_without_oov=float(logprobs[~unknown].sum()),
        characters=characters,
        bytes=size,
        words=words_of_text(normalise(shown)),
        unk_vocabulary=unk_vocabulary,
        per_token=per_token,
    )


def _utf8(text: str) -> bytes:
    """The bytes that a text from the command line stood for, which may have been none of UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def sizes_of(text: str | bytes, *, line_break: bool) -> tuple[int, int]:
    """Code points and bytes of a text, with the line break at its end where <EOS> is one, as ``charlm eval`` counts.

    Bytes that are no text have no code points.
    """
    data = text if isinstance(text, bytes) else _utf8(normalise(text))
    supplied = int(line_break and not data.endswith(b"\n"))
    try:
        characters = len(data.decode("utf-8", "surrogatepass")) + supplied
    except UnicodeDecodeError:
        characters = 0
    return characters, len(data) + supplied


@dataclass(frozen=True)
class EvaluationResult:
    """What ``charlm eval`` says of a text; ``oov`` counts its unknown tokens.

    ``bits_per_char`` is None for bytes that are no text and hold no character. ``word_perplexity`` is what a model of
    words would have for the same probability. ``unk_vocabulary`` tokens share that of <UNK> evenly.
    """

    tokens: int
    nats_per_token: float
    bits_per_token: float
    bits_per_char: float | None
    bits_per_byte: float
    perplexity: float
    oov: int
    nats_per_token_without_oov: float | None
    word_perplexity: float
    unk_vocabulary: int = 1

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm eval --json`` writes."""
        return asdict(self)


def evaluate_part(
    model: Scorer, part: Part, *, exact: bool = False, by_part: Parts | None = None, unk_vocabulary: int = 1
) -> EvaluationResult:
    """What encoded text costs under a model, each line under its label; see ``charlm.scoring.evaluate``.

    Raises:
        ModelError: the cost is not finite.
    """
    found = model.evaluate(part, exact=exact, by_part=by_part)
    if not math.isfinite(found.nats):
        raise ModelError(NOT_FINITE)
    nats = found.nats + found.unknown * math.log(unk_vocabulary)
    bits = nats / NATS_PER_BIT
    return EvaluationResult(
        tokens=found.tokens,
        nats_per_token=nats / found.tokens,
        bits_per_token=bits / found.tokens,
        bits_per_char=bits / part.characters if part.characters else None,
        bits_per_byte=bits / part.bytes,
        perplexity=perplexity(nats / found.tokens),
        oov=found.unknown,
        nats_per_token_without_oov=found.known_nats_per_token,
        word_perplexity=perplexity(nats / max(1, words_of_ids(part.ids, model.tokenizer))),
        unk_vocabulary=unk_vocabulary,
    )
