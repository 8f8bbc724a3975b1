"""How surprising each token of a text is to a model, as a heat map shows it: -log2 P(token | tokens before it)."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from charlm.checkpoint import TrainedModel
from charlm.colours import SURPRISE
from charlm.errors import NOT_FINITE, ModelError
from charlm.heatmap import MOST_TOKENS, Page, Token
from charlm.nn.arrays import Ids
from charlm.scores import NATS_PER_BIT, Score
from charlm.scoring import TokenScores, score_tokens
from charlm.text.long import LongText, Text
from charlm.text.pieces import pieces_of_text
from charlm.text.reading import normalise

LIKELIEST = 5
"""Tokens that are shown besides the one in the text."""
FIGURES = ("surprise in bits", "log-probability in nats", "rank", "entropy in bits")
_TOGETHER = 256
"""Texts that are scored together."""
_LONGEST = 32 * MOST_TOKENS
"""Characters of a text that are looked at: more than a page has room for, however long its tokens are."""


class SurprisePage:
    """Gathers texts for a page, each from a start and with its <EOS>, as far as there is room.

    Args:
        model: whose probabilities.
        most: tokens that the page has room for.
        unk_vocabulary: how many tokens share the probability of <UNK> evenly.

    Attributes:
        given: how many texts there were.
        shown: how many of them are shown, the last maybe in part.
        cut: whether it is.
    """

    def __init__(self, model: TrainedModel, most: int = MOST_TOKENS, unk_vocabulary: int = 1) -> None:
        self.given = self.shown = 0
        self.cut = False
        self._model = model
        self._share = unk_vocabulary
        self._room = most
        self._waiting: list[tuple[str | bytes, Ids]] = []
        self._texts: list[list[Token]] = []
        self._bits: list[float] = []

    def add(self, text: Text) -> None:
        """Show a text too, if there is room; str is normalised as a file would be, bytes go only at byte level.

        Raises:
            ModelError: a figure is not finite.
        """
        self.given += 1
        if self._room <= 0:
            return
        if isinstance(text, LongText):
            length, first = text.length, text.beginning(_LONGEST)
        else:
            length, first = len(text), text[:_LONGEST]
        begun = first if isinstance(first, bytes) else normalise(first)
        ids = self._model.tokenizer.encode_sentence(begun)
        self.shown += 1
        self.cut = len(ids) > self._room or length > _LONGEST
        self._waiting.append((begun, ids[: self._room]))
        self._room -= len(ids)
        if len(self._waiting) == _TOGETHER:
            self._score()

    def page(self, source: str) -> Page:
        """The page, with each text's mean in the margin where there are several.

        Args:
            source: what the texts are, for the heading.
        """
        self._score()
        tokens = sum(map(len, self._texts))
        mean = sum(token.value for text in self._texts for token in text) / max(tokens, 1)
        return Page(
            title=f"How surprising: {source}",
            about=(
                f"{self._model.network.config.description}, {self._model.text.level} level",
                f"{tokens:,} tokens, {mean:.3f} bits a token. Point at a token, or go on with Tab and the arrow keys.",
                *([f"{self._share:,} tokens share the probability of <UNK>."] if self._share > 1 else ()),
            ),
            scale=SURPRISE,
            figures=FIGURES,
            texts=self._texts,
            means=self._bits if len(self._texts) > 1 else (),
            left_out=self._left_out(tokens),
        )

    def _left_out(self, tokens: int) -> str:
        if self.shown == self.given and not self.cut:
            return ""
        last = ", the last of them in part" if self.cut else ""
        what = f"{self.shown:,} of {self.given:,} texts{last}" if self.given > 1 else "the beginning of the text"
        return f"Only {what}: a page has room for so many tokens ({tokens:,})."

    def _score(self) -> None:
        unknown_id = self._model.tokenizer.unknown_id
        scored = score_tokens(self._model.network, [ids for _, ids in self._waiting], LIKELIEST)
        for (text, ids), scores in zip(self._waiting, scored, strict=True):
            if not np.isfinite(scores.logprobs).all():
                raise ModelError(NOT_FINITE)
            unknown = ids == (-1 if unknown_id is None else unknown_id)
            shared = replace(scores, logprobs=scores.logprobs - math.log(self._share) * unknown)
            tokens = list(_tokens(self._model, text, ids, shared))
            self._texts.append(tokens)
            self._bits.append(sum(token.value for token in tokens) / len(tokens))
        self._waiting.clear()


def tokens_of_score(model: TrainedModel, score: Score) -> list[Token]:
    """The tokens of a text that was scored with ``per_token``, without further figures."""
    text = score.text if model.tokenizer.level == "byte" else normalise(score.text)
    pairs = zip(pieces_of_text(model.tokenizer, text), score.per_token or (), strict=True)
    return [Token(piece, -each.logprob / NATS_PER_BIT, each.token) for piece, each in pairs]


def _tokens(model: TrainedModel, text: str | bytes, ids: Ids, scores: TokenScores) -> Iterator[Token]:
    tokenizer = model.tokenizer
    vocabulary, eos = tokenizer.vocabulary, tokenizer.eos_id
    names = {i: vocabulary.token(i) for i in np.unique(np.append(ids, scores.likeliest)).tolist()}
    pieces = pieces_of_text(tokenizer, text)[: len(ids)]
    bits = (-scores.logprobs / NATS_PER_BIT).tolist()
    columns = (scores.logprobs.tolist(), scores.ranks.tolist(), (scores.entropies / NATS_PER_BIT).tolist())
    likeliest, probabilities = scores.likeliest.tolist(), np.exp(scores.likeliest_logprobs).tolist()
    rows = zip(pieces, ids.tolist(), bits, zip(*columns, strict=True), likeliest, probabilities, strict=True)
    for piece, token, cost, figures, others, shares in rows:
        yield Token(
            text=piece,
            value=cost,
            name=f"{piece.strip() or piece} as <UNK>" if token == tokenizer.unknown_id else names[token],
            figures=(cost, *figures),
            others=tuple((names[other], share) for other, share in zip(others, shares, strict=True)),
            end=token == eos,
        )
