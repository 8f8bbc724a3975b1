"""Token ids into input rows, and the gradient back to the embedding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.nn.embedding import add_gathered_gradient, write_gathered, write_one_hot

VOCABULARY, EMBEDDING = 7, 3
WINDOWS = st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(0, 10_000))


def random_ids(time: int, batch: int, seed: int) -> tuple[np.random.Generator, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng, rng.integers(-1, VOCABULARY, (time, batch))


@settings(deadline=None, max_examples=40)
@given(WINDOWS)
def test_one_hot_and_gathered_rows_hold_the_same_embeddings(shape: tuple[int, int, int]) -> None:
    """table.T @ one-hot = gathered, -1 being the zero vector in both; what stood there before is gone."""
    rng, ids = random_ids(*shape)
    table = rng.standard_normal((VOCABULARY, EMBEDDING))
    time, batch = ids.shape
    one_hot = np.full((time, VOCABULARY, batch), np.nan)
    gathered = np.full((time, EMBEDDING, batch), np.nan)
    write_one_hot(one_hot, ids)
    write_gathered(gathered, table, ids)
    assert set(np.unique(one_hot)) <= {0.0, 1.0}
    np.testing.assert_array_equal(one_hot.sum(axis=1), ids >= 0)
    np.testing.assert_array_equal(gathered, np.einsum("ve,tvb->teb", table, one_hot))
    for t, b in np.ndindex(ids.shape):
        expected = table[ids[t, b]] if ids[t, b] >= 0 else np.zeros(EMBEDDING)
        np.testing.assert_array_equal(gathered[t, :, b], expected)


@settings(deadline=None, max_examples=40)
@given(WINDOWS)
def test_gathering_and_its_gradient_are_adjoint(shape: tuple[int, int, int]) -> None:
    """<gather(table), D> = <table, scatter(D)>, repeated ids and -1 included; the gradient is added to."""
    rng, ids = random_ids(*shape)
    table = rng.standard_normal((VOCABULARY, EMBEDDING))
    time, batch = ids.shape
    upstream = rng.standard_normal((time, EMBEDDING, batch))
    rows = np.empty_like(upstream)
    write_gathered(rows, table, ids)
    before = rng.standard_normal(table.shape)
    after = before.copy()
    add_gathered_gradient(after, upstream.swapaxes(0, 1).reshape(EMBEDDING, -1), ids)
    found = float((table * (after - before)).sum())
    assert found == pytest.approx(float((rows * upstream).sum()), rel=1e-9, abs=1e-9)
    untouched = np.setdiff1d(np.arange(VOCABULARY), ids)
    np.testing.assert_array_equal(after[untouched], before[untouched])


def test_no_token_at_all_adds_nothing() -> None:
    d_table = np.ones((VOCABULARY, EMBEDDING))
    add_gathered_gradient(d_table, np.ones((EMBEDDING, 4)), np.full((2, 2), -1))
    np.testing.assert_array_equal(d_table, 1)


def test_a_repeated_token_gets_the_sum() -> None:
    d_table = np.zeros((VOCABULARY, 1))
    add_gathered_gradient(d_table, np.array([[1.0, 10.0, 100.0, 1000.0]]), np.array([[4, -1], [4, 0]]))
    np.testing.assert_array_equal(d_table[:, 0], [1000, 0, 0, 0, 101, 0, 0])
