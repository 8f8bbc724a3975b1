"""The softmax head: blocks of columns, shift invariance, and logits of any size."""

from __future__ import annotations

import numpy as np
import pytest
from head_cases import HeadCase
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_cases import central_differences

from charlm.nn.heads.softmax import SoftmaxHead

HIDDEN, VOCABULARY, TIME, BATCH = 4, 6, 25, 8


class Head(HeadCase):
    """A plain softmax head."""

    def __init__(
        self, seed: int = 0, time: int = TIME, batch: int = BATCH, dtype: type = np.float64, *, scale: float = 1.0
    ) -> None:
        super().__init__(SoftmaxHead(HIDDEN, VOCABULARY), HIDDEN, VOCABULARY, seed, time, batch, dtype)
        self.views["W_y"] *= dtype(scale)


def test_log_probabilities_are_the_softmax() -> None:
    """Against the formula written out, and the loss is minus their mean."""
    head = Head(time=4, batch=2)
    found = head.logprobs()
    for t, b in np.ndindex(found.shape):
        y = np.exp(head.views["W_y"] @ head.activations[:, t, b] + head.views["b_y"])
        target = head.targets[t, b]
        assert found[t, b] == pytest.approx(np.log(y / y.sum())[target] if target >= 0 else 0, abs=1e-13)
    assert head.loss() == pytest.approx(-found.sum() / np.count_nonzero(head.targets >= 0), abs=1e-13)


def test_gradients_are_slopes() -> None:
    head = Head(seed=1, time=3, batch=2)
    head.loss()
    found = {**{name: g.copy() for name, g in head.gradients.items()}, "a": head.d_activations.copy()}
    for name, array in {**head.views, "a": head.activations}.items():
        expected = central_differences(head.loss, array)
        assert np.any(expected)
        np.testing.assert_allclose(found[name], expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_blocks_of_columns_and_classes_equal_one(scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loss, log-probabilities and gradients do not depend on how the window is cut; the last blocks are short.

    With logits of 1e4 no exponential could be summed without subtracting the largest.
    """
    whole, cut = Head(scale=scale), Head(scale=scale)
    loss, logprobs = whole.loss(), whole.logprobs()
    monkeypatch.setattr("charlm.nn.heads.cross_entropy.BLOCK", 1)
    monkeypatch.setattr("charlm.nn.heads.cross_entropy.CACHED", 100)
    assert TIME * BATCH % 64 != 0
    assert TIME * BATCH > 3 * 64
    assert cut.loss() == pytest.approx(loss, rel=1e-13)
    np.testing.assert_allclose(cut.logprobs(), logprobs, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(cut.d_activations, whole.d_activations, rtol=1e-13, atol=1e-15)
    for name, gradient in whole.gradients.items():
        assert np.any(gradient)
        np.testing.assert_allclose(cut.gradients[name], gradient, rtol=0, atol=1e-14)


def test_a_window_without_columns_has_no_loss() -> None:
    """Every gradient is then zero, and none is left as it was."""
    head = Head(time=0)
    assert head.head.loss_and_gradients(
        head.views, head.gradients, head.activations, head.targets, head.d_activations, head.scratch
    ) == (0, 0)
    assert not any(np.any(gradient) for gradient in head.gradients.values())


@pytest.mark.parametrize("height", [-90, -60, -40, 0, 40, 60, 90])
def test_float32_is_as_exact_at_any_height(height: float) -> None:
    """Also where exponentials of logits that are not shifted grow large or small."""
    head, exact = Head(dtype=np.float32), Head()
    for each in (head, exact):
        each.views["W_y"][...] = each.views["W_y"].astype(np.float32)
        each.activations[...] = each.activations.astype(np.float32)
        each.views["b_y"][...] = height
    assert head.loss() == pytest.approx(exact.loss(), rel=1e-5)
    np.testing.assert_allclose(head.logprobs(), exact.logprobs(), rtol=0, atol=3e-5)
    np.testing.assert_allclose(head.gradients["W_y"], exact.gradients["W_y"], rtol=0, atol=3e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(-1e4, 1e4), st.floats(-10, 10))
def test_a_shift_of_all_logits_changes_nothing(seed: int, bias: float, slope: float) -> None:
    """Adding one number to every logit of a step leaves probabilities, loss and gradients as they are."""
    head, shifted = Head(seed, 3, 2), Head(seed, 3, 2)
    head.targets[0, 0] = shifted.targets[0, 0] = 0
    shifted.views["b_y"] += bias
    shifted.views["W_y"] += slope
    assert shifted.loss() == pytest.approx(head.loss(), rel=1e-8, abs=1e-10)
    np.testing.assert_allclose(shifted.logprobs(), head.logprobs(), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(shifted.gradients["W_y"], head.gradients["W_y"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(head.gradients["b_y"].sum(), 0, atol=1e-14)
    np.testing.assert_allclose(head.gradients["W_y"].sum(axis=0), 0, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_stay_finite(dtype: type) -> None:
    """Logits that no exponential could hold give a finite loss and finite gradients, and no warning."""
    head = Head(dtype=dtype)
    head.views["b_y"] += np.array([3e4, -3e4, 0, 9e3, -1e6, 1e6], dtype)
    assert np.isfinite(head.loss())
    assert np.all(np.isfinite(head.logprobs()))
    assert head.logprobs().dtype == np.float64
    for gradient in (*head.gradients.values(), head.d_activations):
        assert np.all(np.isfinite(gradient))
    head.targets[...] = 5
    assert head.loss() == 0
