"""Smoothed targets: the gradient is that of the formula, and the loss that is told stays the plain one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from nn_cases import central_differences

from charlm.nn.heads.adaptive import AdaptiveHead
from charlm.nn.heads.labels import make_label_head
from charlm.nn.heads.softmax import SoftmaxHead

if TYPE_CHECKING:
    from reference import Array, Parameters

HIDDEN, CLASSES, COLUMNS = 4, 6, 200
WEIGHTS = np.array([0.5, 3, 1, 2, 0.2, 1])


class Case:
    """One softmax, as the head of a language model and as that of labels, and targets, some of them -1."""

    def __init__(self, columns: int = COLUMNS, seed: int = 2) -> None:
        rng = np.random.default_rng(seed)
        self.views: Parameters = {"W_y": rng.standard_normal((CLASSES, HIDDEN)), "b_y": rng.standard_normal(CLASSES)}
        self.columns = rng.standard_normal((HIDDEN, columns))
        self.targets = rng.integers(-1, CLASSES, columns)
        self.targets[:2] = -1, 0

    def found(
        self, smoothing: float, weights: Array | None = None, *, labels: bool = False
    ) -> tuple[float, Parameters]:
        """The mean loss that is told, and the gradients."""
        gradients = {name: np.full_like(view, np.nan) for name, view in self.views.items()}
        d_columns = np.full_like(self.columns, np.nan)
        if labels:
            of_labels = make_label_head("softmax", HIDDEN, CLASSES)
            given = self.columns, self.targets, d_columns, weights, smoothing
            loss = of_labels.loss_and_gradients(self.views, gradients, *given)
        else:
            head, steps = SoftmaxHead(HIDDEN, CLASSES), (HIDDEN, -1, 1)
            total, count = head.loss_and_gradients(
                self.views,
                gradients,
                self.columns.reshape(steps),
                self.targets[:, None],
                d_columns.reshape(steps),
                head.new_scratch(self.targets.size, np.float64),
                smoothing,
            )
            loss = total / count
        return loss, {**gradients, "a": d_columns}

    def written_out(self, smoothing: float, weights: Array | None = None) -> float:
        """The mean cross-entropy with the smoothed targets."""
        z = self.views["W_y"] @ self.columns + self.views["b_y"][:, None]
        logprobs = z - np.log(np.exp(z).sum(axis=0))
        known = np.flatnonzero(self.targets >= 0)
        shares = np.full((CLASSES, known.size), smoothing / CLASSES)
        shares[self.targets[known], np.arange(known.size)] += 1 - smoothing
        losses = -(shares * logprobs[:, known]).sum(axis=0)
        return float(np.average(losses, weights=None if weights is None else weights[self.targets[known]]))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("smoothing", [0.1, 0.9])
def test_gradients_are_slopes_of_the_formula(smoothing: float, weights: Array | None) -> None:
    case = Case(columns=9)
    for labels in (False, True) if weights is None else (True,):
        _, found = case.found(smoothing, weights, labels=labels)
        for name, array in {**case.views, "a": case.columns}.items():
            expected = central_differences(lambda: case.written_out(smoothing, weights), array)
            np.testing.assert_allclose(found[name], expected, rtol=1e-7, atol=1e-9, err_msg=name)
        assert not np.any(found["a"][:, case.targets < 0])


@pytest.mark.parametrize("labels", [False, True])
def test_the_loss_that_is_told_is_plain(labels: bool) -> None:
    case = Case()
    told, plain = (case.found(smoothing, labels=labels) for smoothing in (0.3, 0.0))
    assert told[0] == plain[0]
    assert plain[0] == pytest.approx(case.written_out(0), abs=1e-13)
    assert np.any(told[1]["W_y"] != plain[1]["W_y"])


def test_blocks_of_columns_and_classes_equal_one(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Case().found(0.2)
    monkeypatch.setattr("charlm.nn.heads.cross_entropy.BLOCK", 1)
    monkeypatch.setattr("charlm.nn.heads.cross_entropy.CACHED", 100)
    cut = Case().found(0.2)
    for name, gradient in whole[1].items():
        np.testing.assert_allclose(cut[1][name], gradient, rtol=0, atol=1e-14)


def test_heads_without_such_targets_take_none() -> None:
    """What chooses options refuses it before."""
    case, adaptive = Case(), AdaptiveHead(16, 40)
    views = {spec.name: np.zeros(spec.shape) for spec in adaptive.parameter_specs()}
    a, targets = np.zeros((16, 2, 1)), np.zeros((2, 1), int)
    with pytest.raises(AssertionError, match="every cluster"):
        adaptive.loss_and_gradients(views, views, a, targets, a, adaptive.new_scratch(2, np.float64), 0.1)
    sigmoid = make_label_head("sigmoid", HIDDEN, CLASSES)
    with pytest.raises(AssertionError, match="no distribution"):
        sigmoid.loss_and_gradients(case.views, case.views, case.columns, case.targets, case.columns, None, 0.1)
