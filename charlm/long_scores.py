"""What texts cost that are too long for memory: sums, and each token's figures on the disk where they are asked for."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel
from charlm.errors import NOT_FINITE, ModelError, UsageError
from charlm.nn.arrays import Ids
from charlm.scorer import Scorer
from charlm.streams import Scored, score_streams
from charlm.text.level import Blocks
from charlm.text.long import LongText, Text, blocks_of_text
from charlm.text.sizes import several_lines
from charlm.text.spool import Spool

_TOKENS = np.dtype([("id", np.uint32), ("rank", np.uint32), ("logprob", np.float64), ("entropy", np.float64)])
_TOGETHER = 1 << 13
"""Tokens whose figures are read at a time."""
SEVERAL_LINES = "a text has several lines, but this model's lines are independent: score them one by one"


class Sums(NamedTuple):
    """What a text costs.

    Attributes:
        tokens: how many it has, its <EOS> included.
        logprob: of all of them, in nats.
        last: of the <EOS>.
        oov: how many are <UNK>.
        unknown_logprob: of these.
        details: what is known of each token; None where it was not asked for.
    """

    tokens: int
    logprob: float
    last: float
    oov: int
    unknown_logprob: float
    details: "TokenFigures | None"


class TokenFigures:
    """The figures of a text's tokens, one behind another on the disk."""

    def __init__(self) -> None:
        self._spool = Spool("the figures of a long text")

    def append(self, ids: Ids, ranks: Ids, logprobs: NDArray[np.float64], entropies: NDArray[np.float64]) -> None:
        """Add those of the next tokens, each [n].

        Raises:
            OutputError: the temporary file cannot be written.
        """
        rows = np.empty(ids.size, _TOKENS)
        rows["id"], rows["rank"], rows["logprob"], rows["entropy"] = ids, ranks, logprobs, entropies
        self._spool.append(rows.tobytes())

    def blocks(self) -> Iterator[NDArray[np.void]]:
        """All of them, with the fields ``id``, ``rank``, ``logprob`` and ``entropy``."""
        for data in self._spool.blocks(_TOGETHER * _TOKENS.itemsize):
            yield np.frombuffer(data, _TOKENS)


def sums_of(
    model: Scorer, texts: Sequence[Text], *, details: bool = False, passed: Callable[[int], None] | None = None
) -> list[Sums]:
    """What texts cost, each from a start and with its <EOS>; they are read in blocks, and no more is in memory.

    Args:
        model: whose probabilities.
        texts: characters are normalised as a file would be.
        details: also keep what is known of each token.
        passed: is told of each block that has been read how long it is, in characters or bytes.

    Raises:
        UsageError: a text has several lines, and the model's lines are independent.
        ModelError: a text has no finite log-probability.
        OutputError: the disk is full.
    """
    if model.text.independent_lines and any(several_lines(text) for text in texts if not _is_raw(text)):
        raise UsageError(SEVERAL_LINES)
    tokens, oov = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.int64)
    logprobs, last, strange = np.zeros(len(texts)), np.zeros(len(texts)), np.zeros(len(texts))
    figures = [TokenFigures() for _ in texts] if details else []
    streams = [model.tokenizer.encode_blocks(_told(blocks_of_text(text), passed)) for text in texts]
    unknown = -1 if model.tokenizer.unknown_id is None else model.tokenizer.unknown_id
    for some in _scored(model, streams, details=details):
        tokens += np.bincount(some.texts, minlength=len(texts))
        logprobs += np.bincount(some.texts, some.logprobs, len(texts))
        last[some.texts] = some.logprobs  # of several of one text the last one stays
        hit = some.ids == unknown
        oov += np.bincount(some.texts[hit], minlength=len(texts))
        strange += np.bincount(some.texts[hit], some.logprobs[hit], len(texts))
        for number in np.unique(some.texts).tolist() if details else ():
            _keep(figures[number], some, some.texts == number)
    if not np.isfinite(logprobs).all():
        raise ModelError(NOT_FINITE)
    return [
        Sums(
            tokens=int(tokens[number]),
            logprob=float(logprobs[number]),
            last=float(last[number]),
            oov=int(oov[number]),
            unknown_logprob=float(strange[number]),
            details=figures[number] if details else None,
        )
        for number in range(len(texts))
    ]


def _is_raw(text: Text) -> bool:
    return text.raw if isinstance(text, LongText) else isinstance(text, bytes)


def _scored(model: Scorer, streams: Sequence[Iterator[Ids]], *, details: bool) -> Iterator[Scored]:
    if isinstance(model, TrainedModel):
        return score_streams(model.network, streams, details=details)
    from charlm.ngram.streams import score_counted  # noqa: PLC0415 - a network needs no n-grams
    from charlm.prediction.scorer import AdaptedScorer  # noqa: PLC0415 - nor to adapt
    from charlm.prediction.streams import score_adapted  # noqa: PLC0415 - likewise

    if isinstance(model, AdaptedScorer):
        return score_adapted(model, streams, details=details)
    return score_counted(model, streams, details=details)


def _keep(figures: TokenFigures, some: Scored, those: NDArray[np.bool_]) -> None:
    assert some.ranks is not None  # noqa: S101 - they were asked for
    assert some.entropies is not None  # noqa: S101 - likewise
    figures.append(some.ids[those], some.ranks[those], some.logprobs[those], some.entropies[those])


def _told(blocks: Blocks, passed: Callable[[int], None] | None) -> Iterator[str | bytes]:
    for block in blocks:
        yield block
        if passed is not None:
            passed(len(block))
