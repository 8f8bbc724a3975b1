"""Label heads by themselves: exact where logits are huge, weights, and what the loss of a sigmoid must not be."""

from __future__ import annotations

import numpy as np
import pytest
from nn_cases import central_differences

from charlm.config import OUTPUTS
from charlm.errors import UsageError
from charlm.nn.heads.labels import LabelHead, make_label_head

HIDDEN, LABELS, COLUMNS = 4, 3, 7


class Case:
    """A head with random parameters, and targets, some of them -1."""

    def __init__(self, output: str, dtype: type = np.float64) -> None:
        rng = np.random.default_rng(2)
        self.head: LabelHead = make_label_head(output, HIDDEN, LABELS)
        shapes = {spec.name: spec.shape for spec in self.head.parameter_specs()}
        self.views: dict[str, np.ndarray] = {n: rng.standard_normal(s).astype(dtype) for n, s in shapes.items()}
        self.gradients: dict[str, np.ndarray] = {name: np.full(shape, np.nan, dtype) for name, shape in shapes.items()}
        self.columns: np.ndarray = rng.standard_normal((HIDDEN, COLUMNS)).astype(dtype)
        self.d_columns = np.full_like(self.columns, np.nan)
        self.targets = np.array([0, 1, 2, -1, 2, 0, 1])

    def loss(self, weights: np.ndarray | None = None) -> float:
        """The mean loss; gradients are left in place."""
        return self.head.loss_and_gradients(
            self.views, self.gradients, self.columns, self.targets, self.d_columns, weights
        )

    def losses(self) -> np.ndarray:
        """Of each target."""
        return self.head.losses(self.views, self.columns, self.targets)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("weights", [None, np.array([0.5, 3.0, 1.0])], ids=["plain", "weighted"])
def test_gradients_are_slopes(output: str, weights: np.ndarray | None) -> None:
    case = Case(output)
    case.loss(weights)
    found = {**{name: g.copy() for name, g in case.gradients.items()}, "a": case.d_columns.copy()}
    for name, array in {**case.views, "a": case.columns}.items():
        expected = central_differences(lambda: case.loss(weights), array)
        assert np.any(expected)
        np.testing.assert_allclose(found[name], expected, rtol=1e-7, atol=1e-9)
    assert not np.any(found["a"][:, 3])


def test_the_formulas_written_out() -> None:
    """Both losses, from the probabilities."""
    for output in OUTPUTS:
        case = Case(output)
        z = case.views["W_y"] @ case.columns + case.views["b_y"][:, None]
        y = np.exp(z) / np.exp(z).sum(axis=0) if output == "softmax" else 1 / (1 + np.exp(-z))
        np.testing.assert_allclose(np.exp(case.head.log_probabilities(case.views, case.columns)), y, rtol=1e-12)
        for n, target in enumerate(case.targets):
            expected = 0.0
            if target >= 0:
                expected = -np.log(y[target, n])
                expected -= np.log(1 - np.delete(y[:, n], target)).sum() if output == "sigmoid" else 0
            assert case.losses()[n] == pytest.approx(expected, abs=1e-12)
        assert case.loss() == pytest.approx(case.losses().sum() / 6, abs=1e-12)


def test_all_ones_is_not_what_a_sigmoid_learns() -> None:
    """As it would be by the loss without its second term: with every output 1 the others' losses are large."""
    case = Case("sigmoid")
    case.views["W_y"][...] = 0
    case.views["b_y"][...] = 20
    assert case.loss() == pytest.approx(40, abs=1e-6)
    # Without an input to go by, the outputs that cost least are the labels' shares.
    for _ in range(3000):
        case.loss()
        case.views["b_y"] -= 2 * case.gradients["b_y"]
    shares = 1 / (1 + np.exp(-case.views["b_y"]))
    np.testing.assert_allclose(shares, [2 / 6, 2 / 6, 2 / 6], atol=1e-6)


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_weight_counts_a_target_so_often(output: str) -> None:
    """Whole weights are as many copies of the targets of that label."""
    case, copies = Case(output), Case(output)
    times = np.array([1, 3, 2])
    often = np.where(case.targets >= 0, times[case.targets], 1)
    copies.columns = np.repeat(copies.columns, often, axis=1)
    copies.targets = np.repeat(copies.targets, often)
    copies.d_columns = np.empty_like(copies.columns)
    assert case.loss(times.astype(np.float64)) == pytest.approx(copies.loss(), abs=1e-13)
    np.testing.assert_allclose(case.gradients["W_y"], copies.gradients["W_y"], rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("output", OUTPUTS)
def test_huge_logits_stay_finite(output: str, dtype: type) -> None:
    """A finite loss and finite gradients, and no warning."""
    case = Case(output, dtype)
    case.views["b_y"][...] = np.array([3e4, -3e4, 9e3], dtype)
    assert 1e3 < case.loss() < 1e6
    for array in (*case.gradients.values(), case.d_columns):
        assert np.all(np.isfinite(array))
    found = case.head.log_probabilities(case.views, case.columns)
    assert found.dtype == np.float64
    assert np.all(found <= 0)
    assert np.all(np.isfinite(found))


def test_small_losses_are_exact() -> None:
    """Where a sigmoid is sure, and right, the loss is its small number and not a difference of large ones."""
    case = Case("sigmoid")
    case.views["W_y"][...] = 0
    case.views["b_y"][...] = [50, -50, -50]
    case.targets[...] = 0
    assert case.loss() == pytest.approx(3 * np.exp(-50), rel=1e-12)


def test_another_output_is_refused() -> None:
    with pytest.raises(UsageError, match="softmax, sigmoid"):
        make_label_head("tanh", HIDDEN, LABELS)
