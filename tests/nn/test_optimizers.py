"""Optimisers against their textbook forms, block boundaries and weight decay included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from charlm.nn.parameters import Parameters, ParameterSpec
from charlm.train_config import OPTIMIZERS
from charlm.training.optimizers import make_optimizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from charlm.nn.arrays import Array

SPECS = [
    ParameterSpec("layers.0.W", (4, 5), True),
    ParameterSpec("b", (11,), False),
    ParameterSpec("V", (2, 3), True),
]
RATES = (0.1, 0.03, 0.2, 0.0, 0.07)


def textbook_adamw(p: Array, gradients: list[Array], decay: Array) -> Array:
    """Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2."""
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t, (g, lr) in enumerate(zip(gradients, RATES, strict=True), start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.99 * v + 0.01 * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.99**t)
        p = p - lr * decay * p - lr * m_hat / (np.sqrt(v_hat) + 1e-8)
    return p


def textbook_sgd(p: Array, gradients: list[Array], decay: Array) -> Array:
    """Polyak 1964's heavy ball."""
    b = np.zeros_like(p)
    for g, lr in zip(gradients, RATES, strict=True):
        b = 0.9 * b + g
        p = p - lr * decay * p - lr * b
    return p


def textbook_rmsprop(p: Array, gradients: list[Array], decay: Array) -> Array:
    """Tieleman & Hinton 2012, with the average corrected for its start at zero."""
    s = np.zeros_like(p)
    for t, (g, lr) in enumerate(zip(gradients, RATES, strict=True), start=1):
        s = 0.95 * s + 0.05 * g**2
        p = p - lr * decay * p - lr * g / (np.sqrt(s / (1 - 0.95**t)) + 1e-8)
    return p


def nearly_orthogonal(matrix: Array) -> Array:
    """Jordan et al. 2024: five steps of the quintic, on singular values that the norm has brought below 1."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    values = values / (np.linalg.norm(values) + 1e-7)
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    made: Array = (left * values) @ right
    return made


def textbook_muon(p: Array, gradients: list[Array], decay: Array) -> Array:
    """Jordan et al. 2024 on the matrix of a layer, with the scale of Liu et al. 2025; AdamW on all others."""
    expected = textbook_adamw(p, gradients, decay)
    (first,), matrix = SPECS[:1], slice(0, 20)
    weights, b = p[matrix].reshape(first.shape), np.zeros(first.shape)
    for gradient, lr in zip(gradients, RATES, strict=True):
        g = gradient[matrix].reshape(first.shape)
        b = 0.9 * b + g
        step = 0.2 * np.sqrt(5) * nearly_orthogonal(g + 0.9 * b)
        weights = weights - lr * decay[0] * weights - lr * step
    expected[matrix] = weights.ravel()
    return expected


TEXTBOOK: dict[str, Callable[[Array, list[Array], Array], Array]] = {
    "adamw": textbook_adamw,
    "muon": textbook_muon,
    "sgd": textbook_sgd,
    "rmsprop": textbook_rmsprop,
}


@pytest.mark.parametrize("block", [7, 20, 1 << 16])
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_equals_the_textbook(name: str, weight_decay: float, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several updates with changing rates, in float64; weights decay, biases do not, wherever blocks end."""
    monkeypatch.setattr("charlm.training.optimizers.BLOCK", block)
    rng = np.random.default_rng(0)
    parameters = Parameters(SPECS, np.float64)
    begin = rng.standard_normal(len(parameters))
    gradients = list(rng.standard_normal((len(RATES), len(parameters))))
    parameters.values[...] = begin
    decay = np.where(np.arange(len(parameters)) < 26, weight_decay, 0.0)
    optimizer = make_optimizer(name, parameters, weight_decay)
    for gradient, lr in zip(gradients, RATES, strict=True):
        parameters.gradient_values[...] = gradient
        optimizer.update(lr)
        np.testing.assert_array_equal(parameters.gradient_values, gradient)
    expected = TEXTBOOK[name](begin, gradients, decay)
    np.testing.assert_allclose(parameters.values, expected, rtol=0, atol=1e-13)
    assert optimizer.updates == len(RATES)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_goes_downhill_in_float32(name: str) -> None:
    """A bowl is descended, and the moments are of the parameters' type."""
    parameters = Parameters(SPECS)
    parameters.values[...] = 1
    optimizer = make_optimizer(name, parameters, 0.0)
    for _ in range(150):
        parameters.gradient_values[...] = parameters.values
        # A step of Muon's has a size of its own, whatever the gradient's.
        optimizer.update(0.15 if name == "muon" else 0.02)
    assert np.abs(parameters.values).max() < 0.1
    assert all(moment.dtype == np.float32 for moment in optimizer.moments.values())
    assert parameters.values.dtype == np.float32


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_gradient_of_zero_changes_nothing_but_by_decay(name: str) -> None:
    """No division by zero either."""
    parameters = Parameters(SPECS)
    parameters.values[...] = 2
    make_optimizer(name, parameters, 0.0).update(0.1)
    np.testing.assert_array_equal(parameters.values, 2)
    make_optimizer(name, parameters, 0.5).update(0.1)
    np.testing.assert_allclose(parameters.views["layers.0.W"], 1.9, rtol=1e-6)
    np.testing.assert_array_equal(parameters.views["b"], 2)
