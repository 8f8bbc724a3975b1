"""Pooling: what each kind is, and that only a text's own tokens have a part in it."""

from __future__ import annotations

import numpy as np
import pytest
from encoder_cases import LENGTHS, lanes_of
from nn_cases import central_differences

from charlm.config import POOLINGS
from charlm.errors import UsageError
from charlm.nn.pooling import Pooling

HIDDEN = 2


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind", POOLINGS)
def test_pooled_is_what_is_said(kind: str, directions: int) -> None:
    lanes, rng = lanes_of(LENGTHS), np.random.default_rng(1)
    outputs = rng.standard_normal((lanes.ids.shape[0], directions * HIDDEN, lanes.ids.shape[1]))
    outputs.swapaxes(1, 2)[lanes.ids < 0] = np.nan  # has no part in it
    columns = Pooling(kind, HIDDEN).forward(outputs, lanes).columns
    for number in range(len(LENGTHS)):
        own = outputs.swapaxes(1, 2)[lanes.text == number]
        if kind == "last":
            expected = np.concatenate([own[-1, :HIDDEN], own[0, HIDDEN:]])
        else:
            expected = own.mean(axis=0) if kind == "mean" else own.max(axis=0)
        np.testing.assert_allclose(columns[:, number], expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind", POOLINGS)
def test_gradients_are_slopes(kind: str, directions: int) -> None:
    """And zero where no text is, whatever stood in their place."""
    lanes, rng, pooling = lanes_of(LENGTHS), np.random.default_rng(2), Pooling(kind, HIDDEN)
    outputs = rng.standard_normal((lanes.ids.shape[0], directions * HIDDEN, lanes.ids.shape[1]))
    weights = rng.standard_normal((directions * HIDDEN, len(LENGTHS)))
    found = np.full_like(outputs, np.nan)
    pooling.backward(weights, pooling.forward(outputs, lanes), lanes, found)
    expected = central_differences(lambda: float((weights * pooling.forward(outputs, lanes).columns).sum()), outputs)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    assert not np.any(found.swapaxes(1, 2)[lanes.ids < 0])


def test_of_equal_numbers_the_first_is_the_largest() -> None:
    lanes = lanes_of([3])
    outputs = np.array([1.0, 2.0, 2.0])[:, None, None]
    pooling, found = Pooling("max", 1), np.empty((3, 1, 1))
    pooling.backward(np.array([[5.0]]), pooling.forward(outputs, lanes), lanes, found)
    assert found[:, 0, 0].tolist() == [0, 5, 0]


def test_numbers_that_are_none_are_pooled_too() -> None:
    """So that training can say that its loss is not finite."""
    pooling, lanes, found = Pooling("max", 1), lanes_of([2]), np.empty((2, 1, 1))
    pooled = pooling.forward(np.full((2, 1, 1), np.nan), lanes)
    assert np.isnan(pooled.columns[0, 0])
    pooling.backward(pooled.columns, pooled, lanes, found)


def test_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown --pooling 'sum': choose one of last, mean, max"):
        Pooling("sum", 2)
