"""One step of each of the reference's cells, worked by hand in plain numbers; and how the cells are related."""

from __future__ import annotations

import math
from statistics import fmean, pvariance

import numpy as np
import pytest
from reference import STATE_PARTS, Array, Network, Parts, cell_shapes, random_parameters, run_lane, step

TIGHT = 1e-14


def s(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def one_unit(network: Network, values: dict[str, float], x: float, *previous: float) -> list[float]:
    """One step of a layer of one unit that reads one number: what it puts out, and each part of its state."""
    shapes = cell_shapes(network, inputs=1, hidden=1)
    assert values.keys() == shapes.keys()
    p = {name: np.full(shapes[name], value) for name, value in values.items()}
    output, state = step(network, p, np.array([x]), tuple(np.array([value]) for value in previous))
    return [output.item(), *(part.item() for part in state)]


def test_rnn() -> None:
    values = {"W_aa": 0.5, "W_ax": -0.25, "b_a": 1.5}
    z = 0.5 * 0.75 - 0.25 * 1.2 + 1.5
    assert one_unit(Network("rnn"), values, 1.2, 0.75) == pytest.approx([math.tanh(z)] * 2, abs=TIGHT)
    relu = Network("rnn", options={"activation": "relu"})
    assert one_unit(relu, values, 1.2, 0.75) == pytest.approx([z, z], abs=TIGHT)
    assert one_unit(relu, values | {"b_a": -1.5}, 1.2, 0.75) == [0, 0]


@pytest.mark.parametrize("reset", ["before", "after"])
def test_gru(reset: str) -> None:
    values = {"W_ra": 0.2, "W_rx": 0.3, "b_r": -0.4, "W_ua": 0.5, "W_ux": -0.6, "b_u": 0.7}
    values |= {"W_ca": 0.8, "W_cx": 0.9, "b_c": -1.1}
    r = s(0.2 * 0.75 + 0.3 * 1.2 - 0.4)
    u = s(0.5 * 0.75 - 0.6 * 1.2 + 0.7)
    candidate = math.tanh(0.8 * (r * 0.75) + 0.9 * 1.2 - 1.1)
    if reset == "after":
        values["b_ca"] = 1.3
        candidate = math.tanh(0.9 * 1.2 - 1.1 + r * (0.8 * 0.75 + 1.3))
    a = u * candidate + (1 - u) * 0.75
    assert one_unit(Network("gru", options={"reset": reset}), values, 1.2, 0.75) == pytest.approx([a, a], abs=TIGHT)


LSTM = {"W_fa": 0.2, "W_fx": 0.3, "b_f": -0.4, "W_ua": 0.5, "W_ux": -0.6, "b_u": 0.7}
LSTM |= {"W_oa": -0.8, "W_ox": 0.9, "b_o": 0.1, "W_ca": 1.1, "W_cx": -1.3, "b_c": 1.4}


def test_lstm() -> None:
    f, u = s(0.2 * 0.75 + 0.3 * 1.2 - 0.4), s(0.5 * 0.75 - 0.6 * 1.2 + 0.7)
    o = s(-0.8 * 0.75 + 0.9 * 1.2 + 0.1)
    c = u * math.tanh(1.1 * 0.75 - 1.3 * 1.2 + 1.4) + f * -0.35
    a = o * math.tanh(c)
    assert one_unit(Network("lstm"), LSTM, 1.2, 0.75, -0.35) == pytest.approx([a, a, c], abs=TIGHT)


@pytest.mark.parametrize("peephole", ["standard", "previous"])
def test_peephole_lstm(peephole: str) -> None:
    """The output gate sees the new cell or the previous one; the others see the previous one in any case."""
    f = s(0.2 * 0.75 + 0.3 * 1.2 + 1.7 * -0.35 - 0.4)
    u = s(0.5 * 0.75 - 0.6 * 1.2 - 1.9 * -0.35 + 0.7)
    c = u * math.tanh(1.1 * 0.75 - 1.3 * 1.2 + 1.4) + f * -0.35
    o = s(-0.8 * 0.75 + 0.9 * 1.2 + 2.3 * (c if peephole == "standard" else -0.35) + 0.1)
    values = LSTM | {"p_f": 1.7, "p_u": -1.9, "p_o": 2.3}
    a = o * math.tanh(c)
    network = Network("peephole-lstm", options={"peephole": peephole})
    assert one_unit(network, values, 1.2, 0.75, -0.35) == pytest.approx([a, a, c], abs=TIGHT)


def test_coupled_lstm() -> None:
    """What is not updated is kept."""
    u = s(0.5 * 0.75 - 0.6 * 1.2 + 0.7)
    o = s(-0.8 * 0.75 + 0.9 * 1.2 + 0.1)
    c = u * math.tanh(1.1 * 0.75 - 1.3 * 1.2 + 1.4) + (1 - u) * -0.35
    values = {name: value for name, value in LSTM.items() if not name.startswith(("W_f", "b_f"))}
    a = o * math.tanh(c)
    assert one_unit(Network("coupled-lstm"), values, 1.2, 0.75, -0.35) == pytest.approx([a, a, c], abs=TIGHT)


def normalized(*vectors: list[float]) -> list[list[float]]:
    """The vectors by their common mean and variance."""
    numbers = [number for vector in vectors for number in vector]
    mean, deviation = fmean(numbers), math.sqrt(pvariance(numbers) + 1e-5)
    return [[(number - mean) / deviation for number in vector] for vector in vectors]


class TwoUnits:
    """A layer of two units that read two numbers, its parameters as nested lists of plain numbers."""

    def __init__(self, cell: str) -> None:
        self.network = Network(cell)
        self.p = random_parameters(np.random.default_rng(5), cell_shapes(self.network, inputs=2, hidden=2))
        self.lists = {name: value.tolist() for name, value in self.p.items()}
        self.x, self.a, self.c = [1.2, -0.9], [0.75, 0.3], [-0.35, 0.6]

    def step(self) -> tuple[list[float], list[list[float]]]:
        """What it puts out, and each part of its state."""
        previous = (np.array(self.a), np.array(self.c))[: len(STATE_PARTS[self.network.cell])]
        output, state = step(self.network, self.p, np.array(self.x), previous)
        return output.tolist(), [part.tolist() for part in state]

    def product(self, name: str) -> list[float]:
        """W_ga a_prev or W_gx x."""
        v = self.a if name.endswith("a") else self.x
        return [row[0] * v[0] + row[1] * v[1] for row in self.lists[name]]

    def scaled(self, gate: str, side: str, vector: list[float]) -> list[float]:
        """A gate's gain times a normalised vector."""
        return [gain * number for gain, number in zip(self.lists[f"gain_{gate}{side}"], vector, strict=True)]


def test_norm_lstm() -> None:
    """All the gates' products are normalised as one vector, those of the state apart from those of the input."""
    layer = TwoUnits("norm-lstm")
    h = dict(zip("fuoc", normalized(*[layer.product(f"W_{gate}a") for gate in "fuoc"]), strict=True))
    x = dict(zip("fuoc", normalized(*[layer.product(f"W_{gate}x") for gate in "fuoc"]), strict=True))
    z = {
        gate: [
            from_a + from_x + b
            for from_a, from_x, b in zip(
                layer.scaled(gate, "a", h[gate]),
                layer.scaled(gate, "x", x[gate]),
                layer.lists[f"b_{gate}"],
                strict=True,
            )
        ]
        for gate in "fuoc"
    }
    c = [s(z["u"][i]) * math.tanh(z["c"][i]) + s(z["f"][i]) * layer.c[i] for i in (0, 1)]
    (n,) = normalized(c)
    gain, bias = layer.lists["gain_cell"], layer.lists["b_cell"]
    a = [s(z["o"][i]) * math.tanh(gain[i] * n[i] + bias[i]) for i in (0, 1)]
    output, state = layer.step()
    assert output == pytest.approx(a, abs=TIGHT)
    assert state == [pytest.approx(a, abs=TIGHT), pytest.approx(c, abs=TIGHT)]


def test_norm_gru() -> None:
    """The two gates' products are normalised as one vector, the candidate's two apart; the reset comes after."""
    layer = TwoUnits("norm-gru")
    h = dict(zip("ru", normalized(layer.product("W_ra"), layer.product("W_ua")), strict=True))
    x = dict(zip("ru", normalized(layer.product("W_rx"), layer.product("W_ux")), strict=True))
    h |= {"c": normalized(layer.product("W_ca"))[0]}
    x |= {"c": normalized(layer.product("W_cx"))[0]}
    from_a = {gate: layer.scaled(gate, "a", h[gate]) for gate in "ruc"}
    from_x = {gate: layer.scaled(gate, "x", x[gate]) for gate in "ruc"}
    b, a = layer.lists, []
    for i in (0, 1):
        r = s(from_a["r"][i] + from_x["r"][i] + b["b_r"][i])
        u = s(from_a["u"][i] + from_x["u"][i] + b["b_u"][i])
        candidate = math.tanh(from_x["c"][i] + b["b_c"][i] + r * (from_a["c"][i] + b["b_ca"][i]))
        a.append(u * candidate + (1 - u) * layer.a[i])
    output, state = layer.step()
    assert output == pytest.approx(a, abs=TIGHT)
    assert state == [pytest.approx(a, abs=TIGHT)]


SRU = {"W_cx": 0.8, "W_fx": 0.3, "W_rx": -0.6, "b_f": -0.4, "b_r": 0.7, "v_f": 1.7, "v_r": -1.9}


def test_sru_of_its_input_s_size() -> None:
    """It skips the input itself, and its state is the cell."""
    f = s(0.3 * 1.2 + 1.7 * -0.35 - 0.4)
    r = s(-0.6 * 1.2 - 1.9 * -0.35 + 0.7)
    c = f * -0.35 + (1 - f) * (0.8 * 1.2)
    a = r * c + (1 - r) * math.sqrt(3) * 1.2
    assert one_unit(Network("sru"), SRU, 1.2, -0.35) == pytest.approx([a, c], abs=TIGHT)


def test_sru_of_another_size() -> None:
    """It skips a product of the input, without the square root."""
    shapes = cell_shapes(Network("sru"), inputs=2, hidden=1)
    p = {name: np.array([[value, 0]] if "W" in name else [value]) for name, value in SRU.items()}
    p["W_sx"] = np.array([[0.4, -0.5]])
    assert {name: value.shape for name, value in p.items()} == shapes
    f = s(0.3 * 1.2 + 1.7 * -0.35 - 0.4)
    r = s(-0.6 * 1.2 - 1.9 * -0.35 + 0.7)
    c = f * -0.35 + (1 - f) * (0.8 * 1.2)
    output, _ = step(Network("sru"), p, np.array([1.2, 0.9]), (np.array([-0.35]),))
    assert output.item() == pytest.approx(r * c + (1 - r) * (0.4 * 1.2 - 0.5 * 0.9), abs=TIGHT)


def test_mingru() -> None:
    values = {"W_ux": -0.6, "W_cx": 0.9, "b_u": 0.7, "b_c": -1.1}
    u = s(-0.6 * 1.2 + 0.7)
    a = u * (0.9 * 1.2 - 1.1) + (1 - u) * 0.75
    assert one_unit(Network("mingru"), values, 1.2, 0.75) == pytest.approx([a, a], abs=TIGHT)


# ---- how they are related


class Lane:
    """An LSTM's or a GRU's parameters, and one example of six steps."""

    def __init__(self, network: Network) -> None:
        rng = np.random.default_rng(9)
        self.network = network
        self.p = random_parameters(rng, cell_shapes(network, inputs=3, hidden=4))
        self.x: Array = rng.standard_normal((6, 3))
        self.previous: Parts = tuple(rng.standard_normal(4) for _ in network.parts)

    def run(self) -> Array:
        """What it puts out at each step."""
        return run_lane(self.network, self.p, self.x, self.previous)[0]


@pytest.mark.parametrize("peephole", ["standard", "previous"])
def test_without_peepholes_it_is_an_lstm(peephole: str) -> None:
    lane = Lane(Network("lstm"))
    expected = lane.run()
    lane.p |= {name: np.zeros(4) for name in ("p_f", "p_u", "p_o")}
    lane.network = Network("peephole-lstm", options={"peephole": peephole})
    np.testing.assert_array_equal(lane.run(), expected)


def test_a_coupled_lstm_is_an_lstm_whose_forget_gate_is_the_opposite() -> None:
    lane = Lane(Network("lstm"))
    lane.p |= {name: -lane.p[name.replace("f", "u")] for name in ("W_fa", "W_fx", "b_f")}
    expected = lane.run()
    lane.network = Network("coupled-lstm")
    np.testing.assert_allclose(lane.run(), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", ["norm-lstm", "norm-gru"])
def test_a_larger_matrix_is_normalised_away(cell: str) -> None:
    """All recurrent matrices times 1000, which leaves of the 1e-5 under the root nothing either."""
    lane = Lane(Network(cell))
    expected = lane.run()
    lane.p |= {name: 1000 * value for name, value in lane.p.items() if name.startswith("W_") and name.endswith("a")}
    found = lane.run()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    assert np.any(found != expected)


@pytest.mark.parametrize("diagonal", [True, False])
def test_resets_agree_only_for_a_diagonal_recurrence(diagonal: bool) -> None:
    """W (r * a) = r * (W a) if W is diagonal; "after" agrees with PyTorch, and so "before" with "after"."""
    lane = Lane(Network("gru", options={"reset": "before"}))
    if diagonal:
        lane.p["W_ca"] *= np.eye(4)
    before = lane.run()
    lane.p["b_ca"] = np.zeros(4)
    lane.network = Network("gru", options={"reset": "after"})
    assert np.allclose(before, lane.run(), rtol=0, atol=1e-14) == diagonal
