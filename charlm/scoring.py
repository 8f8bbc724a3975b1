"""Log-probabilities of tokens by the chain rule: log P(text) = sum over t of log P(token t given the ones before).

Texts are packed into lanes of one width with starts between them, so nothing is computed twice and nothing is
padded. Sums are float64.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from charlm.lanes import Lanes, Piece, TextLabels, Window, line_bounds
from charlm.nn.arrays import Array, Ids
from charlm.nn.language_model import LanguageModel

WINDOW = 32
"""Steps at a time. Without a backward pass, longer windows only cost memory."""
LANES = 64
"""Most lanes; wide enough for the product to run near its peak."""
WARM = 256
"""Uncounted tokens that warm a lane up before its part of a stream."""
BOUNDS = 1 << 14
"""Pieces that are looked up at a time."""
MINIMUM_PART = 1024
"""Shortest part of a stream that is given a lane of its own."""


@dataclass(frozen=True)
class TokenScores:
    """For each token of a text: log-probability (nats), rank (1 is the likeliest), entropy (nats) of its step.

    And the likeliest tokens there, likeliest first, [N, best], with their log-probabilities; none unless asked for.
    """

    logprobs: NDArray[np.float64]
    ranks: NDArray[np.int64]
    entropies: NDArray[np.float64]
    likeliest: NDArray[np.int64]
    likeliest_logprobs: NDArray[np.float64]


def packed(
    model: LanguageModel, ids: Ids, pieces: Iterator[Piece], lanes: int, labels: TextLabels | None = None
) -> Iterator[tuple[Window, Array]]:
    """Windows of the pieces and the log-probabilities [T, B] of their counted tokens (0 elsewhere)."""
    work = model.new_workspace(WINDOW, lanes, keep=False)
    dealt, states = Lanes(pieces, lanes), model.initial_states(lanes)
    while (window := dealt.next_window(WINDOW)) is not None:
        inputs = model_inputs(window, ids, labels, model)
        logprobs, states = model.log_probabilities(work, inputs, window.targets(ids), window.starts, states)
        yield window, logprobs


def model_inputs(window: Window, ids: Ids, labels: TextLabels | None, model: LanguageModel) -> Ids:
    """The inputs of a window's steps: the tokens before those to predict, with their text's label where it has one."""
    inputs = window.inputs(ids)
    return inputs if labels is None else model.labelled(inputs, labels.at(window.positions))


def score_texts(model: LanguageModel, texts: Sequence[Ids]) -> list[NDArray[np.float64]]:
    """Log-probability (nats) of every token of each text, each from a start."""
    ids, bounds = _joined(texts)
    out = np.zeros(ids.size)
    for window, logprobs in packed(model, ids, _longest_first(bounds), min(LANES, max(1, len(texts)))):
        out[window.positions[window.counted]] = logprobs[window.counted]
    return np.split(out, bounds[1:-1]) if texts else []


def score_tokens(model: LanguageModel, texts: Sequence[Ids], best: int = 0) -> list[TokenScores]:
    """As ``score_texts``, with rank and entropy of each token, which need the whole distribution at its step.

    Args:
        model: whose probabilities.
        texts: the ids of each.
        best: how many of the likeliest tokens to give at each step, as far as there are so many.
    """
    ids, bounds = _joined(texts)
    logprobs, entropies, ranks = np.zeros(ids.size), np.zeros(ids.size), np.zeros(ids.size, np.int64)
    likeliest = np.zeros((ids.size, min(best, model.config.vocabulary)), np.int64)
    likeliest_logprobs = np.zeros(likeliest.shape)
    lanes = min(LANES, max(1, len(texts)))
    dealt, states = Lanes(_longest_first(bounds), lanes), model.initial_states(lanes)
    work = model.new_workspace(WINDOW, lanes, keep=False)
    while (window := dealt.next_window(WINDOW)) is not None:
        logits, states = model.logits(work, window.inputs(ids), window.starts, states)
        where = window.positions[window.counted]
        distribution = log_softmax(logits[:, window.counted].astype(np.float64))
        logprobs[where], ranks[where], entropies[where] = judged_tokens(distribution, ids[where])
        if best:
            first = largest(distribution, likeliest.shape[1])
            likeliest[where] = first.T
            likeliest_logprobs[where] = np.take_along_axis(distribution, first, axis=0).T
    if not texts:
        return []
    columns = (logprobs, ranks, entropies, likeliest, likeliest_logprobs)
    parts = (np.split(each, bounds[1:-1]) for each in columns)
    return [TokenScores(*scores) for scores in zip(*parts, strict=True)]


def judged_tokens(
    distribution: NDArray[np.float64], ids: Ids
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Log-probability, rank (1 is the likeliest) and entropy in nats of tokens [n].

    Args:
        distribution: log-probabilities [V, n] of all tokens in the place of each.
        ids: [n], which tokens there are.
    """
    chosen = distribution[ids.astype(np.int64), np.arange(ids.size)]
    ranks = 1 + np.count_nonzero(distribution > chosen, axis=0)
    return chosen, ranks, -np.sum(np.exp(distribution) * distribution, axis=0)


def largest(values: NDArray[np.float64], number: int) -> NDArray[np.int64]:
    """Indices [number, N] of the largest values [V, N] of each column, largest first."""
    some = np.argpartition(-values, number - 1, axis=0)[:number]
    order = np.argsort(-np.take_along_axis(values, some, axis=0), axis=0, kind="stable")
    return np.take_along_axis(some, order, axis=0)


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities from logits along the first axis; -inf logits stay -inf."""
    shifted = logits - logits.max(axis=0)
    normal: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=0))
    return normal


@dataclass(frozen=True)
class Cost:
    """What predictions cost: total in nats, and how many were counted."""

    nats: float
    tokens: int

    @property
    def nats_per_token(self) -> float:
        """Mean cost of one."""
        return self.nats / self.tokens


@dataclass(frozen=True)
class Evaluation(Cost):
    """What a part of text costs, and the unknown tokens in it by themselves."""

    unknown_nats: float
    unknown: int

    @property
    def known_nats_per_token(self) -> float | None:
        """Without the unknown tokens; None where there are no others."""
        known = self.tokens - self.unknown
        return (self.nats - self.unknown_nats) / known if known else None


class Parts:
    """What the parts of a text that stand one after another cost, of what the whole costs.

    Args:
        sizes: how many tokens each has.
        passed: is told how many tokens have been counted, as they are.

    Attributes:
        nats: of each part.
        tokens: that were counted in each.
    """

    def __init__(self, sizes: Sequence[int], passed: Callable[[int], None] | None = None) -> None:
        self._passed = passed
        self._ends = np.cumsum(np.asarray(sizes, np.int64))
        self.nats = np.zeros(len(sizes))
        self.tokens = np.zeros(len(sizes), np.int64)

    def add(self, positions: Ids, logprobs: Array) -> None:
        """Count the log-probabilities of tokens [n] that stand at these positions of the whole, [n]."""
        part = np.searchsorted(self._ends, positions, side="right")
        self.nats -= np.bincount(part, logprobs, len(self.nats))
        self.tokens += np.bincount(part, minlength=len(self.tokens))
        if self._passed is not None:
            self._passed(len(positions))


def evaluate(
    model: LanguageModel,
    ids: Ids,
    *,
    line_end: int | None,
    unknown: int | None,
    exact: bool = False,
    by_part: "Parts | None" = None,
    labels: TextLabels | None = None,
) -> Evaluation:
    """The one evaluation that training's validation and ``charlm eval`` share.

    Args:
        model: whose probabilities.
        ids: [N], N >= 1.
        line_end: where lines are independent, the id that ends one: every line starts from zero. None for a stream,
            which is cut into lanes by its length alone, each warmed up by the tokens before it.
        unknown: id of the unknown token, if there is one.
        exact: run a stream in one lane, as if it had never been cut.
        by_part: where to count what each part of the text costs, its files for instance.
        labels: of the lines, for a model of texts with labels.
    """
    if line_end is not None:
        bounds = line_bounds(ids, line_end) if labels is None else labels.bounds
        pieces, lanes = _pieces(bounds), min(LANES, bounds.size - 1)
    else:
        lanes = 1 if exact else max(1, min(LANES, ids.size // MINIMUM_PART))
        pieces = _warmed(ids.size, lanes)
    nats = unknown_nats = 0.0
    tokens = unknowns = 0
    for window, logprobs in packed(model, ids, pieces, lanes, labels):
        nats -= float(logprobs.sum())
        tokens += int(np.count_nonzero(window.counted))
        if by_part is not None:
            by_part.add(window.positions[window.counted], logprobs[window.counted])
        if unknown is not None:
            hit = window.targets(ids) == unknown
            unknown_nats -= float(logprobs[hit].sum())
            unknowns += int(np.count_nonzero(hit))
    return Evaluation(nats, tokens, unknown_nats, unknowns)


def evaluation_tokens(size: int, *, lines: bool) -> int:
    """How many tokens ``evaluate`` computes for ``size`` of them, warming up included."""
    return size if lines else size + WARM * (max(1, min(LANES, size // MINIMUM_PART)) - 1)


def _warmed(size: int, lanes: int) -> Iterator[Piece]:
    cuts = [size * lane // lanes for lane in range(lanes + 1)]
    for begin, end in pairwise(cuts):
        yield Piece(max(0, begin - WARM), end, begin)


def _pieces(bounds: Ids) -> Iterator[Piece]:
    # In blocks, since a Python number for each line of a long list would take more memory than the list.
    for first in range(0, len(bounds) - 1, BOUNDS):
        for begin, end in pairwise(bounds[first : first + BOUNDS + 1].tolist()):
            yield Piece(begin, end, begin)


def _longest_first(bounds: NDArray[np.int64]) -> Iterator[Piece]:
    """So that the lanes run dry together: what is dealt last is short."""
    for index in np.argsort(bounds[:-1] - bounds[1:], kind="stable").tolist():
        yield Piece(int(bounds[index]), int(bounds[index + 1]), int(bounds[index]))


def _joined(texts: Sequence[Ids]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    bounds = np.concatenate(([0], np.cumsum([len(text) for text in texts], dtype=np.int64)))
    ids = np.concatenate([np.asarray(text, np.int64) for text in texts]) if texts else np.zeros(0, np.int64)
    return ids, bounds
