r"""The probability of one text under models that read it differently.

Whatever its tokens are, a model gives the text of a sequence of characters a probability, so those of models of
characters, words and bytes compare, provided that they are of the same thing: the text, and that it ends there.

-   A line break at the text's end is taken away, and each model closes the text by its own <EOS>.
-   Where a model's lines are independent, the text's probability is the product of those of its lines.
-   <UNK> stands for many tokens: which it is, a distribution over spellings says; see ``charlm.spelling``.
-   A model in lower case gives the probability of all spellings with capitals together, one of tokens that of any white
    space between them: the most that the text itself can have. Such figures are *loose*.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel
from charlm.errors import NOT_FINITE, ModelError
from charlm.nn.arrays import Ids
from charlm.scoring import score_texts
from charlm.spelling import Speller
from charlm.text.reading import normalise
from charlm.text.tokenizer import Tokenizer

LOWERCASE, SPACE = "lower case", "white space"
"""Why a figure may be loose."""


@dataclass(frozen=True)
class Likelihood:
    """What a model says of a text.

    Attributes:
        logprob: log P(text, and it ends) in nats.
        spelling: how much of it is the spelling of unknown tokens.
        tokens: how many there are to the model, each <EOS> included.
        oov: how many of them the model does not know.
        loose: why ``logprob`` is only the most that it can be; empty where it is exact.
    """

    logprob: float
    spelling: float
    tokens: int
    oov: int
    loose: tuple[str, ...]


def comparable_text(text: str) -> str:
    """A text as all models read it: normalised, and without a line break at its end."""
    return normalise(text).removesuffix("\n")


def characters(text: str) -> int:
    """How many characters a text's probability is of, its end being one."""
    return len(comparable_text(text)) + 1


@dataclass(frozen=True)
class Tokens:
    """A part of a text as one model reads it.

    Attributes:
        text: of the part.
        ids: int64 [tokens], closed by an <EOS>.
        logprobs: float64 [tokens], in nats, the spelling of unknown tokens included.
        spelling: float64 [tokens], how much of it that is; 0 for known ones.
        unknown: bool [tokens], which the model does not know.
    """

    text: str
    ids: Ids
    logprobs: NDArray[np.float64]
    spelling: NDArray[np.float64]
    unknown: NDArray[np.bool_]


class Reader:
    """Reads texts as a model does.

    Args:
        model: any.

    Attributes:
        model: as given.
    """

    def __init__(self, model: TrainedModel) -> None:
        self.model = model

    @cached_property
    def _speller(self) -> Speller:
        return Speller(self.model.tokenizer)

    def read(self, texts: Sequence[str]) -> list[list[Tokens]]:
        """What the tokens of each text cost, in its parts: its lines where these are independent, or all of it.

        Args:
            texts: each a ``comparable_text``.

        Raises:
            ModelError: a log-probability is not finite.
        """
        tokenizer, lines = self.model.tokenizer, self.model.text.independent_lines
        parts = [text.split("\n") if lines else [text] for text in texts]
        ids = [tokenizer.encode_sentence(part) for each in parts for part in each]
        logprobs = score_texts(self.model.network, ids)
        if not all(np.isfinite(each).all() for each in logprobs):
            raise ModelError(NOT_FINITE)
        found = map(self._tokens, chain.from_iterable(parts), ids, logprobs)
        return [list(islice(found, len(each))) for each in parts]

    def _tokens(self, part: str, ids: Ids, logprobs: NDArray[np.float64]) -> Tokens:
        unknown, spelling = np.equal(ids, self._unknown), np.zeros(len(ids))
        if unknown.any():
            pieces = self.model.tokenizer.cut(part)
            for place in np.flatnonzero(unknown).tolist():
                spelling[place] = self._speller.log_probability(pieces[place])
        return Tokens(part, ids, logprobs + spelling, spelling, unknown)

    @property
    def _unknown(self) -> int:
        unknown = self.model.tokenizer.unknown_id
        return -1 if unknown is None else unknown

    def likelihoods(self, texts: Sequence[str]) -> list[Likelihood]:
        """What the model says of texts; as their scores, but for what models could read differently.

        Raises:
            ModelError: a log-probability is not finite.
        """
        read = [comparable_text(text) for text in texts]
        return [
            Likelihood(
                logprob=float(sum(part.logprobs.sum() for part in parts)),
                spelling=float(sum(part.spelling.sum() for part in parts)),
                tokens=sum(len(part.ids) for part in parts),
                oov=sum(int(np.count_nonzero(part.unknown)) for part in parts),
                loose=_loose(self.model.tokenizer, text),
            )
            for text, parts in zip(read, self.read(read), strict=True)
        ]


def _loose(tokenizer: Tokenizer, text: str) -> tuple[str, ...]:
    reasons = {
        LOWERCASE: tokenizer.lowercase and text.lower() != text,
        SPACE: tokenizer.level == "token" and any(" ".join(line.split()) != line for line in text.split("\n")),
    }
    return tuple(reason for reason, holds in reasons.items() if holds)
