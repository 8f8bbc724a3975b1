"""Scores of tokens and texts, against a recomputation from the parameters, step by step."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from nn_cases import KINDS, NORMALIZED, fresh_model

import charlm.scoring
from charlm.lanes import Lanes, Window
from charlm.scoring import (
    LANES,
    MINIMUM_PART,
    WARM,
    WINDOW,
    Evaluation,
    evaluate,
    evaluation_tokens,
    log_softmax,
    score_texts,
    score_tokens,
)

if TYPE_CHECKING:
    from charlm.nn.language_model import LanguageModel

VOCABULARY = 9


def model_of(kind: str, dtype: type = np.float32) -> LanguageModel:
    """Two layers, with a head that is far from uniform."""
    model = fresh_model(kind, dtype=dtype, vocabulary=VOCABULARY, hidden=6, embedding=5)
    model.parameters.views["head.W_y"][...] *= 3
    for name, view in model.parameters.views.items():
        if name.endswith("W_aa"):
            view[...] *= 0.5  # or ReLU would grow without bound over long texts
    return model


def texts_of(count: int, longest: int = 3 * WINDOW) -> list[np.ndarray]:
    """Of all lengths, empty ones too."""
    rng = np.random.default_rng(4)
    lengths = rng.integers(0, longest, count)
    return [rng.integers(0, VOCABULARY, n).astype(np.uint8) for n in lengths]


def distributions(model: LanguageModel, text: np.ndarray) -> np.ndarray:
    """Log P(every token) at each step of one text from a start, [steps, V]: plain vectors, float64."""
    p = {name: view.astype(np.float64) for name, view in model.parameters.views.items()}
    layers, H = model.config.layers, model.config.hidden
    h, c = [np.zeros(H) for _ in range(layers)], [np.zeros(H) for _ in range(layers)]
    x, rows = np.zeros(model.config.embedding), []

    def s(z: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-z)))

    for token in text:
        for k in range(layers):

            def z(g: str, a: np.ndarray, x: np.ndarray = x, k: int = k) -> np.ndarray:
                W = f"layers.{k}.W_{g}"
                return np.asarray(p[f"{W}a"] @ a + p[f"{W}x"] @ x + p[f"layers.{k}.b_{g}"])

            if model.config.cell == "lstm":
                c[k] = s(z("u", h[k])) * np.tanh(z("c", h[k])) + s(z("f", h[k])) * c[k]
                h[k] = s(z("o", h[k])) * np.tanh(c[k])
            elif model.config.cell == "gru":
                u, r = s(z("u", h[k])), s(z("r", h[k]))
                h[k] = u * np.tanh(z("c", r * h[k])) + (1 - u) * h[k]
            else:
                h[k] = np.tanh(z("a", h[k]))
            x = h[k]
        y = p["head.W_y"] @ x + p["head.b_y"]
        rows.append(y - np.log(np.exp(y).sum()))
        x = p["embedding"][token]
    return np.array(rows).reshape(len(text), VOCABULARY)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize("kind", ["lstm", "gru-before", "rnn-tanh"])
def test_scores_equal_a_recomputation(kind: str, dtype: type, tolerance: float) -> None:
    """Log P(text) by the chain rule, each text alone, one step at a time."""
    model, texts = model_of(kind, dtype), texts_of(12)
    for text, found in zip(texts, score_texts(model, texts), strict=True):
        expected = distributions(model, text)[np.arange(len(text)), text]
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
        assert found.sum() == pytest.approx(expected.sum(), rel=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_texts_together_score_as_texts_alone(kind: str) -> None:
    """More texts than lanes, packed between one another's starts, to 1e-5 relative."""
    # A norm of six numbers magnifies last bits, and a lane's depend on how many lanes a product has.
    dtype = np.float64 if kind in NORMALIZED else np.float32
    model, texts = model_of(kind, dtype), texts_of(LANES + 30)
    together = score_texts(model, texts)
    assert [len(scores) for scores in together] == [len(text) for text in texts]
    for text, scores in zip(texts, together, strict=True):
        (alone,) = score_texts(model, [text])
        np.testing.assert_allclose(scores, alone, rtol=1e-5, atol=1e-6)
        assert np.all(scores <= 0)
        assert np.any(scores < 0) or not len(text)


def test_an_empty_text_costs_nothing_and_has_no_tokens() -> None:
    model, empty = model_of("lstm"), np.zeros(0, np.int64)
    assert [len(scores) for scores in score_texts(model, [empty, empty])] == [0, 0]
    (scores,) = score_tokens(model, [empty])
    assert len(scores.logprobs) == len(scores.ranks) == len(scores.entropies) == 0


@pytest.mark.parametrize("kind", ["lstm", "gru-before"])
def test_token_scores_are_those_of_the_whole_distribution(kind: str) -> None:
    """Log-probability, rank and entropy by brute force, for more than one window and lane."""
    model, texts = model_of(kind, np.float64), texts_of(9)
    for text, found in zip(texts, score_tokens(model, texts), strict=True):
        rows = distributions(model, text)
        for t, token in enumerate(text):
            assert found.logprobs[t] == pytest.approx(rows[t, token], abs=1e-11)
            assert found.ranks[t] == 1 + sum(other > rows[t, token] + 1e-12 for other in rows[t])
            assert found.entropies[t] == pytest.approx(-sum(np.exp(q) * q for q in rows[t]), abs=1e-11)
    logprobs = score_texts(model, texts)
    for scores, plain in zip(score_tokens(model, texts), logprobs, strict=True):
        np.testing.assert_allclose(scores.logprobs, plain, rtol=0, atol=1e-12)
    ranks = np.concatenate([scores.ranks for scores in score_tokens(model, texts)])
    assert set(ranks.tolist()) == set(range(1, VOCABULARY + 1))


def test_equally_likely_tokens_share_the_best_rank() -> None:
    """With a head of zeros everything has rank 1 and the entropy is that of a die."""
    model = model_of("gru-before")
    model.parameters.views["head.W_y"][...] = 0
    model.parameters.views["head.b_y"][...] = 0
    for scores in score_tokens(model, texts_of(3)):
        assert np.all(scores.ranks == 1)
        np.testing.assert_allclose(scores.entropies, np.log(VOCABULARY), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_of_the_next_token_sum_to_one(kind: str) -> None:
    """At the start of a text and within it."""
    model = model_of(kind)
    prefixes = [[], [3], [1, 4, 1, 5, 8, 2, 6]]
    for prefix in prefixes:
        texts = [np.array([*prefix, token]) for token in range(VOCABULARY)]
        found = score_texts(model, texts)
        assert sum(np.exp(scores[-1]) for scores in found) == pytest.approx(1, abs=1e-6)


def test_log_softmax_keeps_impossible_tokens_impossible() -> None:
    found = log_softmax(np.array([[0.0, 1e4], [-np.inf, 1e4], [0.0, -np.inf]]))
    np.testing.assert_allclose(np.exp(found), [[0.5, 0.5], [0, 0.5], [0.5, 0]], atol=1e-15)


def evaluation_ids(size: int) -> np.ndarray:
    return np.random.default_rng(8).integers(0, VOCABULARY, size).astype(np.uint8)


@pytest.mark.parametrize("kind", ["lstm", "gru-before"])
def test_exact_evaluation_scores_the_stream_as_one_text(kind: str) -> None:
    model, ids = model_of(kind), evaluation_ids(2 * MINIMUM_PART + 100)
    found = evaluate(model, ids, line_end=None, unknown=None, exact=True)
    (scores,) = score_texts(model, [ids])
    assert found.nats == pytest.approx(-scores.sum(), rel=1e-6)
    assert found.tokens == len(ids)
    assert found.nats_per_token == pytest.approx(-scores.mean(), rel=1e-6)
    assert (found.unknown, found.unknown_nats) == (0, 0)


@pytest.mark.parametrize("size", [1, WINDOW, MINIMUM_PART, 2 * MINIMUM_PART, 3 * MINIMUM_PART + 17])
def test_lanes_of_a_stream_are_warmed_by_what_comes_before(size: int) -> None:
    """Every part is scored after its 256 preceding tokens, which are not counted; the first from a start."""
    model, ids = model_of("lstm"), evaluation_ids(size)
    parts = max(1, size // MINIMUM_PART)
    cuts = [size * part // parts for part in range(parts + 1)]
    expected = 0.0
    for begin, end in pairwise(cuts):
        warm = max(0, begin - WARM)
        (scores,) = score_texts(model, [ids[warm:end]])
        expected -= scores[begin - warm :].sum()
    found = evaluate(model, ids, line_end=None, unknown=None)
    assert found.tokens == size
    assert found.nats == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ends", [False, True])
def test_independent_lines_are_scored_one_by_one(ends: bool) -> None:
    """Each from a start, its line end counted; with or without a last line end."""
    model, ids = model_of("lstm"), evaluation_ids(900)
    ids[-1] = 0 if ends else 5
    bounds = np.flatnonzero(ids == 0) + 1
    lines = [line for line in np.split(ids, bounds) if line.size]
    assert len(lines) > LANES
    found = evaluate(model, ids, line_end=0, unknown=None)
    assert found.tokens == ids.size
    assert found.nats == pytest.approx(-sum(scores.sum() for scores in score_texts(model, lines)), rel=1e-6)


def test_unknown_tokens_are_counted_apart() -> None:
    """Their share of the cost and the mean without them; None where there are no others."""
    model, ids = model_of("lstm"), evaluation_ids(500)
    (scores,) = score_texts(model, [ids])
    found = evaluate(model, ids, line_end=None, unknown=3)
    unknown = ids == 3
    assert found.unknown == unknown.sum() > 0
    assert found.unknown_nats == pytest.approx(-scores[unknown].sum(), rel=1e-6)
    assert found.known_nats_per_token == pytest.approx(-scores[~unknown].mean(), rel=1e-6)
    assert Evaluation(3.0, 2, 3.0, 2).known_nats_per_token is None
    assert evaluate(model, ids, line_end=None, unknown=None).known_nats_per_token == pytest.approx(
        -scores.mean(), rel=1e-6
    )


@pytest.mark.parametrize("size", [1, 1500, 5 * MINIMUM_PART])
@pytest.mark.parametrize("lines", [False, True])
def test_evaluation_tokens_is_what_is_computed(size: int, lines: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost that training plans with is the number of tokens that run through the model."""
    computed = 0

    class Counting(Lanes):
        def next_window(self, time: int) -> Window | None:
            nonlocal computed
            window = super().next_window(time)
            computed += 0 if window is None else int(np.count_nonzero(window.positions >= 0))
            return window

    monkeypatch.setattr(charlm.scoring, "Lanes", Counting)
    evaluate(model_of("rnn-tanh"), evaluation_ids(size), line_end=0 if lines else None, unknown=None)
    assert computed == evaluation_tokens(size, lines=lines)
