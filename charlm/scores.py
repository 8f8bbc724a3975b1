"""What a model says of texts, in the units people use. Every total is in nats unless its name says otherwise."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.errors import NOT_FINITE, ModelError, UsageError
from charlm.long_scores import SEVERAL_LINES, Sums, TokenFigures, sums_of
from charlm.nn.arrays import Ids
from charlm.scorer import Scorer
from charlm.scoring import TokenScores
from charlm.text.long import LongText, Text, blocks_of_text, is_long
from charlm.text.reading import normalise
from charlm.text.sizes import several_lines, sizes_of
from charlm.text.tokenizer import Tokenizer

NATS_PER_BIT = math.log(2)
_DERIVED = ("bits", "bits_per_token", "bits_per_char", "bits_per_byte", "perplexity", "word_perplexity")


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
    def bits(self) -> float:
        """What the text costs: its log-probability in bits, with the other sign."""
        return -self.logprob / NATS_PER_BIT

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


@dataclass(frozen=True)
class LongScore:
    """The score of a text that is too long for memory.

    Attributes:
        score: its figures; without the text, and without its tokens.
        text: the text itself.
        tokenizer: which cut it.
        details: what is known of its tokens, where that was asked for.
    """

    score: Score
    text: Text
    tokenizer: Tokenizer
    details: TokenFigures | None

    @property
    def per_token(self) -> Iterator[TokenScore] | None:
        """Its tokens, as those of a ``Score``; they can be gone through again."""
        return None if self.details is None else self._tokens(self.details)

    def _tokens(self, details: TokenFigures) -> Iterator[TokenScore]:
        unknown, share = self.tokenizer.unknown_id, math.log(self.score.unk_vocabulary)
        cut = chain.from_iterable(self.tokenizer.cut_blocks(blocks_of_text(self.text)) if self.score.oov else ())
        name = cache(self.tokenizer.vocabulary.token)
        for block in details.blocks():
            columns = (block[field].tolist() for field in ("id", "logprob", "rank", "entropy"))
            for token, logprob, rank, entropy in zip(*columns, strict=True):
                strange, shown = token == unknown, next(cut, "")
                yield TokenScore(
                    shown if strange else name(token), logprob - share * strange, rank, entropy, unknown=strange
                )

    def held(self, text: str | bytes) -> Score:
        """The score in memory, of a text that is there."""
        per_token = self.per_token
        return replace(self.score, text=_shown(text), per_token=None if per_token is None else tuple(per_token))


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
    found = score_each(model, texts, per_token=per_token, of_long=per_token, unk_vocabulary=unk_vocabulary)
    pairs = zip(found, texts, strict=True)
    return [each.held(text) if isinstance(each, LongScore) else each for each, text in pairs]


def score_each(
    model: Scorer,
    texts: Sequence[Text],
    *,
    per_token: bool = False,
    of_long: bool = False,
    unk_vocabulary: int = 1,
    passed: Callable[[int], None] | None = None,
) -> list[Score | LongScore]:
    """As ``score_all``, with little memory for texts that are long, or lie on the disk.

    Args:
        model: as there.
        texts: likewise.
        per_token: also give the tokens of texts that are not long.
        of_long: also those of texts that are.
        unk_vocabulary: as there.
        passed: see ``charlm.long_scores.sums_of``.

    Raises:
        UsageError: as ``score_all``.
        ModelError: likewise.
        OutputError: the disk is full.
    """
    long = [text for text in texts if is_long(text)]
    short = [text for text in texts if not isinstance(text, LongText) and not is_long(text)]
    quick = iter(_score_together(model, short, per_token=per_token, unk_vocabulary=unk_vocabulary))
    sums = sums_of(model, long, details=of_long, passed=passed) if long else []
    slow = iter([_long_score(model, unk_vocabulary, *each) for each in zip(long, sums, strict=True)])
    return [next(slow) if is_long(text) else next(quick) for text in texts]


def _score_together(
    model: Scorer, texts: Sequence[str | bytes], *, per_token: bool, unk_vocabulary: int
) -> list[Score]:
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
    if model.text.independent_lines and several_lines(text):
        raise UsageError(SEVERAL_LINES)
    return model.tokenizer.encode_sentence(normalise(text))


def _score(
    model: Scorer,
    unk_vocabulary: int,
    text: str | bytes,
    ids: Ids,
    logprobs: NDArray[np.float64],
    details: TokenScores | None = None,
) -> Score:
    unknown = ids == (-1 if model.tokenizer.unknown_id is None else model.tokenizer.unknown_id)
    oov = int(np.count_nonzero(unknown))
    if oov and unk_vocabulary > 1:
        logprobs = np.where(unknown, logprobs - math.log(unk_vocabulary), logprobs)
    logprob = float(logprobs.sum())
    if not math.isfinite(logprob):
        raise ModelError(NOT_FINITE)
    per_token = None
    if details is not None:
        names = [model.tokenizer.vocabulary.token(int(i)) for i in ids]
        if oov:
            pieces = model.tokenizer.cut(text if isinstance(text, bytes) else normalise(text))
            # The <EOS> that closes the text is known, whether the text has it or not.
            names = [
                pieces[i] if strange else name for i, (name, strange) in enumerate(zip(names, unknown, strict=True))
            ]
        columns = (logprobs.tolist(), details.ranks.tolist(), details.entropies.tolist(), unknown.tolist())
        per_token = tuple(TokenScore(*each) for each in zip(names, *columns, strict=True))
    characters, size, words = sizes_of(text, line_break=model.tokenizer.unit == "line")
    return Score(
        text=_shown(text),
        tokens=len(ids),
        logprob=logprob,
        logprob_without_eos=float(logprobs[:-1].sum()),
        oov=oov,
        logprob_without_oov=float(logprobs[~unknown].sum()) if oov else logprob,
        characters=characters,
        bytes=size,
        words=words,
        unk_vocabulary=unk_vocabulary,
        per_token=per_token,
    )


def _long_score(model: Scorer, unk_vocabulary: int, text: Text, sums: Sums) -> LongScore:
    characters, size, words = sizes_of(text, line_break=model.tokenizer.unit == "line")
    logprob = sums.logprob - sums.oov * math.log(unk_vocabulary)
    score = Score(
        text="",
        tokens=sums.tokens,
        logprob=logprob,
        logprob_without_eos=logprob - sums.last,
        oov=sums.oov,
        logprob_without_oov=sums.logprob - sums.unknown_logprob,
        characters=characters,
        bytes=size,
        words=words,
        unk_vocabulary=unk_vocabulary,
    )
    return LongScore(score, text, model.tokenizer, sums.details)


def _shown(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "surrogateescape")
