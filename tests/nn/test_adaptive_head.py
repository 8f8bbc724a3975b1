"""The adaptive softmax against its definition, written out token by token."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from head_cases import HeadCase
from hypothesis import given
from hypothesis import strategies as st
from nn_cases import central_differences

from charlm.config import ModelConfig
from charlm.errors import UsageError
from charlm.nn.heads.adaptive import AdaptiveHead, cutoffs
from charlm.nn.language_model import LanguageModel
from charlm.training.optimizers import make_optimizer

HIDDEN, VOCABULARY, TIME, BATCH = 16, 40, 5, 4


class Head(HeadCase):
    """An adaptive head, with targets in every cluster."""

    head: AdaptiveHead

    def __init__(self, seed: int = 0, vocabulary: int = VOCABULARY, time: int = TIME, dtype: type = np.float64) -> None:
        super().__init__(AdaptiveHead(HIDDEN, vocabulary), HIDDEN, vocabulary, seed, time, BATCH, dtype)

    def everything(self) -> np.ndarray:
        """Log-probabilities of every token [V, T, B]."""
        columns = self.activations.reshape(HIDDEN, -1)
        found: np.ndarray = self.head.logits(self.views, columns).reshape(-1, *self.targets.shape)
        return found


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max())
    found: np.ndarray = e / e.sum()
    return found


def naive(head: Head, token: int, a: np.ndarray) -> float:
    """P(token) as the definition has it."""
    views, begins = head.views, cutoffs(head.head.vocabulary)
    first = softmax(views["W_y"] @ a + views["b_y"])
    if token < begins[0]:
        return float(first[token])
    k = int(np.searchsorted(begins, token, side="right")) - 1
    inside = softmax(views[f"tails.{k}.W_y"] @ (views[f"tails.{k}.W_p"] @ a))
    return float(first[begins[0] + k] * inside[token - begins[k]])


def test_equals_the_definition() -> None:
    """For targets in the head and in both clusters."""
    head = Head()
    head.targets[0, :2] = 0, -1
    found = head.logprobs()
    clusters = set()
    for t, b in np.ndindex(found.shape):
        target = int(head.targets[t, b])
        expected = np.log(naive(head, target, head.activations[:, t, b])) if target >= 0 else 0
        assert found[t, b] == pytest.approx(expected, abs=1e-13)
        clusters.add(int(np.searchsorted([0, *cutoffs(VOCABULARY)], target, side="right")))
    assert clusters == {0, 1, 2, 3}
    assert head.loss() == pytest.approx(-found.sum() / np.count_nonzero(head.targets >= 0), abs=1e-13)


@pytest.mark.parametrize("vocabulary", [2, 3, 8, VOCABULARY])
def test_probabilities_sum_to_one_over_the_whole_vocabulary(vocabulary: int) -> None:
    """They are normalised, and those of the targets among them are what scoring finds."""
    head = Head(vocabulary=vocabulary)
    found = head.everything()
    assert found.shape[0] == vocabulary
    np.testing.assert_allclose(np.exp(found).sum(axis=0), 1, rtol=0, atol=1e-13)
    known = head.targets >= 0
    chosen = np.take_along_axis(found, np.maximum(head.targets, 0)[None], axis=0)[0]
    np.testing.assert_allclose(chosen[known], head.logprobs()[known], rtol=0, atol=1e-13)


def test_gradients_are_slopes() -> None:
    """By every parameter and by the activations."""
    head = Head(seed=1, time=3)
    head.loss()
    found = {**{name: g.copy() for name, g in head.gradients.items()}, "a": head.d_activations.copy()}
    for name, array in {**head.views, "a": head.activations}.items():
        expected = central_differences(head.loss, array)
        assert np.any(expected), name
        np.testing.assert_allclose(found[name], expected, rtol=1e-6, atol=1e-9)


def test_blocks_of_columns_equal_one(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, cut = Head(time=40), Head(time=40)
    loss, logprobs = whole.loss(), whole.logprobs()
    monkeypatch.setattr("charlm.nn.heads.cross_entropy.BLOCK", 1)
    monkeypatch.setattr("charlm.nn.heads.cross_entropy.CACHED", 100)
    assert cut.loss() == pytest.approx(loss, rel=1e-13)
    np.testing.assert_allclose(cut.logprobs(), logprobs, rtol=0, atol=1e-13)
    np.testing.assert_allclose(cut.d_activations, whole.d_activations, rtol=0, atol=1e-15)
    for name, gradient in whole.gradients.items():
        np.testing.assert_allclose(cut.gradients[name], gradient, rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_cluster_without_targets_has_no_gradient(dtype: type) -> None:
    """What stood there before is gone."""
    head = Head(dtype=dtype)
    head.targets[...] = 0
    assert np.isfinite(head.loss())
    for name, gradient in head.gradients.items():
        assert np.any(gradient) != name.startswith("tails."), name
        assert np.all(np.isfinite(gradient)), name
        assert gradient.dtype == dtype


@given(st.integers(2, 10**7))
def test_clusters_begin_inside_the_vocabulary_and_do_not_overlap(vocabulary: int) -> None:
    begins = [0, *cutoffs(vocabulary), vocabulary]
    assert all(begin < end for begin, end in pairwise(begins))


def test_cutoffs_are_a_20th_and_a_quarter() -> None:
    assert cutoffs(100_000) == [5_000, 25_000]
    assert [tail.rank for tail in AdaptiveHead(200, 100_000).tails] == [50, 12]


def test_a_model_learns_rare_tokens() -> None:
    """All of it together: a sequence of tokens from every cluster is learnt by heart."""
    model = LanguageModel(ModelConfig(VOCABULARY, hidden=64, embedding=8, softmax="adaptive"))
    model.initialize(1)
    ids = np.random.default_rng(1).integers(0, VOCABULARY, (9, 2))
    inputs, starts = np.concatenate([np.full((1, 2), -1), ids[:-1]]), np.zeros((9, 2), bool)
    starts[0] = True
    work, losses, optimizer = model.new_workspace(9, 2), [], make_optimizer("adamw", model.parameters, 0.0)
    for _ in range(150):
        model.pack(work)
        losses.append(model.loss_and_gradients(work, inputs, ids, starts, model.initial_states(2))[0])
        optimizer.update(0.02)
    assert losses[-1] < 0.2 * losses[0]


def test_what_it_does_not_go_with() -> None:
    with pytest.raises(UsageError, match="--hidden of at least 16, not 15"):
        ModelConfig(VOCABULARY, hidden=15, softmax="adaptive")
    with pytest.raises(UsageError, match="--tied needs --softmax full"):
        ModelConfig(VOCABULARY, hidden=16, embedding=16, tied=True, softmax="adaptive")
    with pytest.raises(UsageError, match="unknown --softmax 'sampled'"):
        ModelConfig(VOCABULARY, softmax="sampled")
