"""How surprising each token of a text is to a model, as a heat map shows it: -log2 P(token | tokens before it)."""

import math
from collections.abc import Iterator, Sequence
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
        self._waiting: list[tuple[list[str], Ids]] = []
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
        self._wait(pieces_of_text(self._model.tokenizer, begun), ids)
        self.cut = self.cut or length > _LONGEST

    def add_pieces(self, pieces: list[str], ids: Ids) -> None:
        """Show a text too of which the tokens are known, if there is room; otherwise as ``add``.

        Args:
            pieces: what stands in the text for each token; see ``charlm.text.pieces``.
            ids: int [N].
        """
        self.given += 1
        if self._room > 0 and len(ids):
            self._wait(pieces, ids)

    def _wait(self, pieces: list[str], ids: Ids) -> None:
        self.shown += 1
        self.cut = len(ids) > self._room
        self._waiting.append((pieces[: self._room], ids[: self._room]))
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
        for tokens in tokens_of_pieces(self._model, self._waiting, self._share):
            self._texts.append(tokens)
            self._bits.append(sum(token.value for token in tokens) / len(tokens))
        self._waiting.clear()


def tokens_of_score(model: TrainedModel, score: Score) -> list[Token]:
    """The tokens of a text that was scored with ``per_token``, without further figures."""
    text = score.text if model.tokenizer.level == "byte" else normalise(score.text)
    pairs = zip(pieces_of_text(model.tokenizer, text), score.per_token or (), strict=True)
    return [Token(piece, -each.logprob / NATS_PER_BIT, each.token) for piece, each in pairs]


def tokens_of_pieces(
    model: TrainedModel, texts: Sequence[tuple[list[str], Ids]], unk_vocabulary: int = 1
) -> Iterator[list[Token]]:
    """The tokens of texts, each from a start, with all figures.

    Args:
        model: whose probabilities.
        texts: of each, what stands there for every token, and its ids.
        unk_vocabulary: how many tokens share the probability of <UNK> evenly.

    Raises:
        ModelError: a figure is not finite.
    """
    unknown_id = model.tokenizer.unknown_id
    scored = score_tokens(model.network, [ids for _, ids in texts], LIKELIEST)
    for (pieces, ids), scores in zip(texts, scored, strict=True):
        if not np.isfinite(scores.logprobs).all():
            raise ModelError(NOT_FINITE)
        unknown = ids == (-1 if unknown_id is None else unknown_id)
        shared = replace(scores, logprobs=scores.logprobs - math.log(unk_vocabulary) * unknown)
        yield list(_tokens(model, pieces, ids, shared))


def _tokens(model: TrainedModel, pieces: list[str], ids: Ids, scores: TokenScores) -> Iterator[Token]:
    tokenizer = model.tokenizer
    vocabulary, eos = tokenizer.vocabulary, tokenizer.eos_id
    names = {i: vocabulary.token(i) for i in np.unique(np.append(ids, scores.likeliest)).tolist()}
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
