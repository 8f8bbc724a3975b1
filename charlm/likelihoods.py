r"""The probability of one text under models that read it differently.

Whatever its tokens are, a model gives the text of a sequence of characters a probability, so those of models of
characters, words and bytes compare, provided that they are of the same thing: the text, and that it ends there.

-   A line break at the text's end is taken away, and each model closes the text by its own <EOS>.
-   Where a model's lines are independent, the text's probability is the product of those of its lines.
-   <UNK> stands for many tokens, a model in lower case for every spelling with capitals, one of tokens for any white
    space between them. What such a model gives is the probability of all of these together: the most that the text
    itself can have. Such figures are *loose*.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel
from charlm.errors import NOT_FINITE, ModelError
from charlm.nn.arrays import Ids
from charlm.scoring import score_texts
from charlm.text.reading import normalise

UNKNOWN, LOWERCASE, SPACE = "unknown tokens", "lower case", "white space"
"""Why a figure may be loose."""


@dataclass(frozen=True)
class Likelihood:
    """What a model says of a text.

    Attributes:
        logprob: log P(text, and it ends) in nats.
        tokens: how many it is to the model, each <EOS> included.
        oov: how many of them the model does not know.
        loose: why ``logprob`` is only the most that it can be; empty where it is exact.
    """

    logprob: float
    tokens: int
    oov: int
    loose: tuple[str, ...]


def comparable_text(text: str) -> str:
    """A text as all models read it: normalised, and without a line break at its end."""
    return normalise(text).removesuffix("\n")


def characters(text: str) -> int:
    """How many characters a text's probability is of, its end being one."""
    return len(comparable_text(text)) + 1


def parts_of(model: TrainedModel, text: str) -> list[str]:
    """What a model reads from a start: the lines of a text, or the text, which is a ``comparable_text``."""
    return text.split("\n") if model.text.independent_lines else [text]


def token_logprobs(model: TrainedModel, parts: Sequence[Ids]) -> list[NDArray[np.float64]]:
    """Log-probabilities of the tokens of texts that were encoded with their <EOS>.

    Raises:
        ModelError: one is not finite.
    """
    found = score_texts(model.network, parts)
    if not all(np.isfinite(each).all() for each in found):
        raise ModelError(NOT_FINITE)
    return found


def likelihoods(model: TrainedModel, texts: Sequence[str]) -> list[Likelihood]:
    """What a model says of texts; as scores, but for what models could read differently.

    Raises:
        ModelError: a log-probability is not finite.
    """
    read = [comparable_text(text) for text in texts]
    parts = [parts_of(model, text) for text in read]
    ids = [model.tokenizer.encode_sentence(part) for each in parts for part in each]
    logprobs = token_logprobs(model, ids)
    bounds = list(accumulate((len(each) for each in parts), initial=0))
    found = []
    for text, (begin, end) in zip(read, pairwise(bounds), strict=True):
        oov = sum(int(np.count_nonzero(each == model.tokenizer.unknown_id)) for each in ids[begin:end])
        found.append(
            Likelihood(
                logprob=float(sum(each.sum() for each in logprobs[begin:end])),
                tokens=sum(map(len, ids[begin:end])),
                oov=oov,
                loose=_loose(model, text, oov),
            )
        )
    return found


def _loose(model: TrainedModel, text: str, oov: int) -> tuple[str, ...]:
    tokenizer = model.tokenizer
    reasons = {
        UNKNOWN: oov > 0,
        LOWERCASE: tokenizer.lowercase and text.lower() != text,
        SPACE: tokenizer.level == "token" and any(" ".join(line.split()) != line for line in text.split("\n")),
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def read_alike(models: Sequence[TrainedModel]) -> bool:
    """Whether models cut a text into the same tokens, so that even <UNK> is the same to all of them."""
    first = models[0].tokenizer
    return all(
        (each.level, each.unit, each.lowercase) == (first.level, first.unit, first.lowercase)
        and np.array_equal(each.vocabulary.offsets, first.vocabulary.offsets)
        and np.array_equal(each.vocabulary.data, first.vocabulary.data)
        for each in (model.tokenizer for model in models)
    )
