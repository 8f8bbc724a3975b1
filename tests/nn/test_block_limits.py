"""What each block does where its equations say so without any computing: gates shut and open, weights of zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from block_cases import HIDDEN, INPUT, OPEN, SHUT, block_of, inputs_and_state, run, run_with
from nn_cases import KINDS, NORMALIZED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charlm.nn.arrays import Array

GRUS = ("gru-before", "gru-after", "norm-gru")
PEEPHOLES = ("peephole-lstm-standard", "peephole-lstm-previous")
FULL_LSTMS = ("lstm", *PEEPHOLES, "norm-lstm")
"""Those with a forget gate and an update gate."""
NO_PEEPHOLE = {"p_f": 0.0, "p_u": 0.0, "p_o": 0.0}
EXACT = 1e-14
"""Of the same numbers, added in another order."""


def normalized(z: Array) -> Array:
    """Over the rows of every column."""
    centred = z - z.mean(axis=0)
    return np.asarray(centred / np.sqrt((centred**2).mean(axis=0) + 1e-5))


def product(views: Mapping[str, Array], name: str, x: Array) -> Array:
    return np.asarray(np.einsum("hx,xtb->htb", views[name], x))


def vector(views: Mapping[str, Array], name: str) -> Array:
    return views[name][:, None, None]


def driven_candidate(kind: str, views: Mapping[str, Array], x: Array) -> Array:
    """What tanh is taken of in the candidate without any recurrence, [H, T, B]."""
    driven = product(views, "W_cx", x)
    if kind in NORMALIZED:
        driven = normalized(driven) * vector(views, "gain_cx")
    return driven + vector(views, "b_c")


@pytest.mark.parametrize("kind", [*GRUS, "mingru"])
def test_a_gru_whose_update_gate_is_shut_keeps_its_state_exactly(kind: str) -> None:
    """U = 0: a = a_prev, bit for bit, over many steps."""
    x, state = inputs_and_state(kind, time=1000)
    output, after, _ = run_with(kind, {"b_u": SHUT}, x, state)
    np.testing.assert_array_equal(after[0], state[0])
    np.testing.assert_array_equal(output, np.broadcast_to(state[0][:, None], output.shape))


@pytest.mark.parametrize("kind", GRUS)
def test_a_gru_whose_reset_gate_is_shut_does_not_see_its_state(kind: str) -> None:
    """R = 0, u = 1: the candidate, and so the new state, is that of the input and its bias alone."""
    x, state = inputs_and_state(kind)
    output, _, views = run_with(kind, {"b_r": SHUT, "b_u": OPEN}, x, state)
    np.testing.assert_allclose(output, np.tanh(driven_candidate(kind, views, x)), rtol=0, atol=EXACT)


def test_a_minimal_gru_whose_update_gate_is_open_is_its_candidate() -> None:
    """U = 1: a = W_cx x + b_c, without a squashing function."""
    x, state = inputs_and_state("mingru")
    output, _, views = run_with("mingru", {"b_u": OPEN}, x, state)
    np.testing.assert_allclose(output, driven_candidate("mingru", views, x), rtol=0, atol=EXACT)


def test_the_two_resets_differ_and_agree_where_they_must() -> None:
    """With r = 1 and no recurrent bias the two variants are one; with a gate in between they are not."""
    x, state = inputs_and_state("gru-before", time=6)
    before, _, views = run_with("gru-before", {"b_r": OPEN}, x, state)
    after, _, _ = run_with("gru-after", {**views, "b_ca": 0.0}, x, state)
    np.testing.assert_allclose(before, after, rtol=0, atol=1e-13)
    before, _, views = run_with("gru-before", {"b_r": 0.0}, x, state)
    after, _, _ = run_with("gru-after", {**views, "b_ca": 0.0}, x, state)
    assert np.abs(before - after).max() > 0.01


@pytest.mark.parametrize("kind", [*FULL_LSTMS, "coupled-lstm", "sru"])
def test_a_cell_that_nothing_is_taken_from_or_added_to_is_carried_exactly(kind: str) -> None:
    """F = 1 and u = 0 (the coupled one: u = 0; the SRU: f = 1): c = c_prev, bit for bit, over a thousand steps."""
    x, state = inputs_and_state(kind, time=1000)
    gates = {"coupled-lstm": {"b_u": SHUT}, "sru": {"b_f": OPEN}}.get(kind, {"b_f": OPEN, "b_u": SHUT})
    output, after, _ = run_with(kind, gates, x, state)
    np.testing.assert_array_equal(after[-1], state[-1])
    assert np.all(np.isfinite(output))


@pytest.mark.parametrize("kind", ["lstm", *PEEPHOLES, "coupled-lstm"])
def test_an_lstm_puts_out_its_cell_squashed(kind: str) -> None:
    """A cell that is carried behind an open output gate: a = tanh(c)."""
    x, state = inputs_and_state(kind)
    gates = {"b_f": OPEN, "b_u": SHUT, "b_o": OPEN} if kind in FULL_LSTMS else {"b_u": SHUT, "b_o": OPEN}
    output, (hidden, cell), _ = run_with(kind, gates, x, state)
    np.testing.assert_array_equal(hidden, output[:, -1])
    np.testing.assert_allclose(output, np.broadcast_to(np.tanh(cell)[:, None], output.shape), rtol=0, atol=1e-15)


def test_a_normalised_lstm_puts_out_its_cell_normalised_and_squashed() -> None:
    """A = tanh(gain_cell * N(c) + b_cell) where the output gate is open."""
    x, state = inputs_and_state("norm-lstm")
    output, _, views = run_with("norm-lstm", {"b_f": OPEN, "b_u": SHUT, "b_o": OPEN}, x, state)
    inside = views["gain_cell"][:, None] * normalized(state[1]) + views["b_cell"][:, None]
    np.testing.assert_allclose(output, np.broadcast_to(np.tanh(inside)[:, None], output.shape), rtol=0, atol=EXACT)


@pytest.mark.parametrize("kind", ["lstm", *PEEPHOLES, "coupled-lstm"])
def test_an_lstm_that_forgets_all_and_takes_all_is_its_candidate(kind: str) -> None:
    """F = 0, u = 1, o = 1 and no recurrence: a = tanh(c~)."""
    x, state = inputs_and_state(kind)
    gates = {"b_f": SHUT, "b_u": OPEN, "b_o": OPEN} if kind in FULL_LSTMS else {"b_u": OPEN, "b_o": OPEN}
    output, _, views = run_with(kind, {**gates, "W_ca": 0.0}, x, state)
    expected = np.tanh(np.tanh(driven_candidate(kind, views, x)))
    np.testing.assert_allclose(output, expected, rtol=0, atol=EXACT)


@pytest.mark.parametrize("kind", [*FULL_LSTMS, "coupled-lstm"])
def test_an_lstm_whose_output_gate_is_shut_says_nothing(kind: str) -> None:
    """O = 0: a = 0, whatever the cell."""
    x, state = inputs_and_state(kind)
    output, (_, cell), _ = run_with(kind, {"b_o": SHUT}, x, state)
    assert not np.any(output)
    assert np.all(cell != 0)


@pytest.mark.parametrize("kind", PEEPHOLES)
def test_without_peepholes_it_is_the_lstm(kind: str) -> None:
    """P = 0."""
    x, state = inputs_and_state(kind)
    output, after, views = run_with(kind, NO_PEEPHOLE, x, state)
    shared = {name: view for name, view in views.items() if name not in NO_PEEPHOLE}
    expected, expected_after, _ = run_with("lstm", shared, x, state)
    np.testing.assert_allclose(output, expected, rtol=0, atol=EXACT)
    np.testing.assert_allclose(after, expected_after, rtol=0, atol=EXACT)


def test_the_two_peepholes_differ_in_what_the_output_gate_sees_alone() -> None:
    """With p_o = 0 they are one; without it the first cell is still the same, and the first output is not."""
    x, state = inputs_and_state(PEEPHOLES[0], time=1)
    for p_o, same in ((0.0, True), (1.0, False)):
        standard, previous = (run_with(kind, {"p_o": p_o}, x, state) for kind in PEEPHOLES)
        np.testing.assert_allclose(standard[1][1], previous[1][1], rtol=0, atol=EXACT)
        assert np.allclose(standard[0], previous[0], rtol=0, atol=EXACT) == same


@pytest.mark.parametrize("kind", PEEPHOLES)
def test_a_peephole_shows_a_gate_the_cell(kind: str) -> None:
    """Without any matrix, bias or cell to add, f = s(p_f c_prev) and o = s(p_o c), of the cell that it sees."""
    x, state = inputs_and_state(kind, time=1)
    silent = {name: 0.0 for name in block_of(kind)[1].views if name.startswith(("W_", "b_"))}
    p = np.array([2.0, -1.0, 0.5])
    output, (_, cell), _ = run_with(kind, {**silent, "p_f": p, "p_u": p, "p_o": -p}, x, state)
    c_prev = state[1]
    c = c_prev / (1 + np.exp(-p[:, None] * c_prev))
    seen = c if kind.endswith("standard") else c_prev
    np.testing.assert_allclose(cell, c, rtol=0, atol=EXACT)
    np.testing.assert_allclose(output[:, 0], np.tanh(c) / (1 + np.exp(p[:, None] * seen)), rtol=0, atol=EXACT)


def test_a_coupled_lstm_is_an_lstm_that_forgets_what_it_updates() -> None:
    """F = 1 - u = s(-z_u): W_f = -W_u, b_f = -b_u."""
    x, state = inputs_and_state("coupled-lstm")
    output, after, views = run_with("coupled-lstm", {}, x, state)
    forget = {name.replace("_u", "_f"): -view for name, view in views.items() if "_u" in name}
    assert set(forget) == {"W_fa", "W_fx", "b_f"}
    expected, expected_after, _ = run_with("lstm", {**views, **forget}, x, state)
    np.testing.assert_allclose(output, expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(after, expected_after, rtol=0, atol=1e-13)


@pytest.mark.parametrize("side", ["a", "x"])
@pytest.mark.parametrize("kind", NORMALIZED)
def test_the_scale_of_a_group_of_matrices_does_not_matter(kind: str, side: str) -> None:
    """Nor does a number added to all their entries; but the scale of one of several does."""
    x, state = inputs_and_state(kind, time=5)
    group = "fuoc" if kind == "norm-lstm" else "ru"
    _, parameters = block_of(kind)
    large = {f"W_{gate}{side}": 100 * parameters.views[f"W_{gate}{side}"] for gate in group}  # epsilon is nothing
    begin, _, _ = run_with(kind, large, x, state)
    together, _, _ = run_with(kind, {name: 3 * view for name, view in large.items()}, x, state)
    np.testing.assert_allclose(together, begin, rtol=0, atol=1e-6)
    one = f"W_u{side}"
    apart, _, _ = run_with(kind, {**large, one: 3 * large[one]}, x, state)
    assert np.abs(apart - begin).max() > 0.01
    # The same number more in every product: the mean takes it away.
    moved, _, _ = run_with(kind, {name: view + 50 for name, view in large.items()}, x, state)
    np.testing.assert_allclose(moved, begin, rtol=0, atol=1e-6)


def test_the_candidate_of_the_normalised_gru_is_normalised_by_itself() -> None:
    """Its matrices may be scaled without those of the gates."""
    x, state = inputs_and_state("norm-gru", time=5)
    _, parameters = block_of("norm-gru")
    large = {name: 100 * parameters.views[name] for name in ("W_ca", "W_cx")}
    begin, _, _ = run_with("norm-gru", large, x, state)
    other, _, _ = run_with("norm-gru", {"W_ca": 3 * large["W_ca"], "W_cx": 7 * large["W_cx"]}, x, state)
    np.testing.assert_allclose(other, begin, rtol=0, atol=1e-6)


@pytest.mark.parametrize("input_size", [HIDDEN, INPUT])
def test_an_sru_that_forgets_all_mixes_what_it_reads_with_its_highway(input_size: int) -> None:
    """F = 0 and v = 0: a = r * (W_cx x) + (1 - r) * highway, with r = s(W_rx x + b_r), whatever the state."""
    x, state = inputs_and_state("sru", input_size=input_size)
    output, (cell,), views = run_with("sru", {"b_f": SHUT, "v_f": 0.0, "v_r": 0.0}, x, state)
    r = 1 / (1 + np.exp(-product(views, "W_rx", x) - vector(views, "b_r")))
    highway = np.sqrt(3) * x if input_size == HIDDEN else product(views, "W_sx", x)
    read = product(views, "W_cx", x)
    np.testing.assert_allclose(cell, read[:, -1], rtol=0, atol=EXACT)
    np.testing.assert_allclose(output, r * read + (1 - r) * highway, rtol=0, atol=1e-13)


@pytest.mark.parametrize("input_size", [HIDDEN, INPUT])
def test_an_sru_whose_reset_gate_is_shut_or_open_puts_out_its_highway_or_its_cell(input_size: int) -> None:
    """R = 0: a = highway. R = 1: a = c."""
    x, state = inputs_and_state("sru", input_size=input_size)
    output, _, views = run_with("sru", {"b_r": SHUT}, x, state)
    highway = np.sqrt(3) * x if input_size == HIDDEN else product(views, "W_sx", x)
    np.testing.assert_allclose(output, highway, rtol=0, atol=EXACT)
    output, (cell,), _ = run_with("sru", {"b_r": OPEN}, x, state)
    np.testing.assert_allclose(output[:, -1], cell, rtol=0, atol=EXACT)


def test_a_relu_network_without_input_keeps_a_positive_state() -> None:
    """W_aa = 1: a = max(0, a_prev), bit for bit; with tanh it would fade."""
    x, state = inputs_and_state("rnn-relu", time=1000)
    silent: dict[str, float | Array] = {"W_aa": np.eye(HIDDEN), "W_ax": 0.0, "b_a": 0.0}
    output, (after,), _ = run_with("rnn-relu", silent, x, state)
    np.testing.assert_array_equal(after, np.maximum(state[0], 0))
    np.testing.assert_array_equal(output, np.broadcast_to(after[:, None], output.shape))
    assert np.any(after > 0)
    _, (faded,), _ = run_with("rnn-tanh", silent, x, state)
    assert np.abs(faded).max() < 0.1


def test_a_network_without_recurrence_is_a_function_of_its_input() -> None:
    """W_aa = 0: a = tanh(W_ax x + b_a)."""
    x, state = inputs_and_state("rnn-tanh")
    output, _, views = run_with("rnn-tanh", {"W_aa": 0.0}, x, state)
    expected = np.tanh(product(views, "W_ax", x) + vector(views, "b_a"))
    np.testing.assert_allclose(output, expected, rtol=0, atol=EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_lanes_know_nothing_of_one_another(kind: str) -> None:
    """A lane's output is the same with another beside it."""
    x, state = inputs_and_state(kind, time=6)
    both, _ = run(*block_of(kind), x, state)
    for lane in range(x.shape[2]):
        only = slice(lane, lane + 1)
        alone, _ = run(*block_of(kind), x[..., only], tuple(part[:, only] for part in state))
        np.testing.assert_allclose(both[..., only], alone, rtol=0, atol=EXACT)
