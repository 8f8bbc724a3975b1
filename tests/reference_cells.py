"""The naive reference's cells: one matrix a gate, one example at a time, one step at a time.

Short enough to be checked by eye against the equations. `s` is the logistic sigmoid, `*` elementwise, `a` the
hidden state, `c` the cell, `x` the layer's input; a gate's preactivation is z_g = W_ga a_prev + W_gx x + b_g:

    rnn              a = g(z_a), g = tanh or ReLU
    gru              r = s(z_r);  u = s(z_u);  a = u * c~ + (1 - u) * a_prev
      reset before   c~ = tanh(W_ca (r * a_prev) + W_cx x + b_c)
      reset after    c~ = tanh(W_cx x + b_c + r * (W_ca a_prev + b_ca))
    lstm             f = s(z_f);  u = s(z_u);  o = s(z_o);  c~ = tanh(z_c)
                     c = u * c~ + f * c_prev;  a = o * tanh(c)
    peephole-lstm    f = s(z_f + p_f * c_prev);  u = s(z_u + p_u * c_prev);  c~ = tanh(z_c)
                     c = u * c~ + f * c_prev;  a = o * tanh(c)
      standard       o = s(z_o + p_o * c)
      previous       o = s(z_o + p_o * c_prev)
    coupled-lstm     u = s(z_u);  o = s(z_o);  c~ = tanh(z_c)
                     c = u * c~ + (1 - u) * c_prev;  a = o * tanh(c)
    norm-lstm        h_f, h_u, h_o, h_c = N(W_fa a_prev, W_ua a_prev, W_oa a_prev, W_ca a_prev)
                     x_f, x_u, x_o, x_c = N(W_fx x, W_ux x, W_ox x, W_cx x)
                     z_g = gain_ga * h_g + gain_gx * x_g + b_g
                     f = s(z_f);  u = s(z_u);  o = s(z_o);  c~ = tanh(z_c)
                     c = u * c~ + f * c_prev;  a = o * tanh(gain_cell * N(c) + b_cell)
    norm-gru         h_r, h_u = N(W_ra a_prev, W_ua a_prev);  x_r, x_u = N(W_rx x, W_ux x)
                     z_g = gain_ga * h_g + gain_gx * x_g + b_g;  r = s(z_r);  u = s(z_u)
                     c~ = tanh(gain_cx * N(W_cx x) + b_c + r * (gain_ca * N(W_ca a_prev) + b_ca))
                     a = u * c~ + (1 - u) * a_prev
    sru              f = s(W_fx x + v_f * c_prev + b_f);  r = s(W_rx x + v_r * c_prev + b_r)
                     c = f * c_prev + (1 - f) * (W_cx x)
                     a = r * c + (1 - r) * sqrt(3) * x      if x is as long as c
                     a = r * c + (1 - r) * (W_sx x)         if not
    mingru           u = s(W_ux x + b_u);  c~ = W_cx x + b_c;  a = u * c~ + (1 - u) * a_prev

N stacks its vectors, takes away their common mean, divides by sqrt(their common biased variance + 1e-5) and cuts
them apart again. A cell puts out `a`; its state is what `STATE_PARTS` lists, of which the SRU's does not hold `a`.

Everything runs in complex numbers as well: no absolute value and no conjugate is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Array = NDArray[Any]
Parameters = dict[str, Array]
Shapes = dict[str, tuple[int, ...]]
Parts = tuple[Array, ...]  # one layer's state

STATE_PARTS: Mapping[str, tuple[str, ...]] = {
    "rnn": ("hidden",),
    "gru": ("hidden",),
    "lstm": ("hidden", "cell"),
    "peephole-lstm": ("hidden", "cell"),
    "coupled-lstm": ("hidden", "cell"),
    "norm-lstm": ("hidden", "cell"),
    "norm-gru": ("hidden",),
    "sru": ("cell",),
    "mingru": ("hidden",),
}
# The gates that have W_ga, W_gx and b_g; `cell_shapes` says what the others have.
GATES: Mapping[str, str] = {
    "rnn": "a",
    "gru": "ruc",
    "lstm": "fuoc",
    "peephole-lstm": "fuoc",
    "coupled-lstm": "uoc",
    "norm-lstm": "fuoc",
    "norm-gru": "ruc",
}
# What each option can be, its default first.
OPTIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "rnn": {"activation": ("tanh", "relu")},
    "gru": {"reset": ("before", "after")},
    "peephole-lstm": {"peephole": ("standard", "previous")},
}


@dataclass(frozen=True)
class Network:
    """What a network is, apart from its sizes and its numbers."""

    cell: str
    layers: int = 1
    options: Mapping[str, str] = field(default_factory=dict, hash=False)  # those left out have their default
    residual: bool = False  # a layer above the first puts out a + x
    initial: str = "zero"  # or "learned": what a start puts a state to

    def __post_init__(self) -> None:
        """Refuse what is not known: it would otherwise pass for a default."""
        known = OPTIONS.get(self.cell, {})
        if self.cell not in STATE_PARTS or self.initial not in {"zero", "learned"}:
            raise ValueError(f"no such network: {self}")
        if any(value not in known.get(name, ()) for name, value in self.options.items()):
            raise ValueError(f"options of {self.cell} are {known}, not {self.options}")

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a layer's state."""
        return STATE_PARTS[self.cell]

    def option(self, name: str) -> str:
        """The option's value, given or default."""
        return self.options.get(name, OPTIONS[self.cell][name][0])


def cell_shapes(network: Network, *, inputs: int, hidden: int) -> Shapes:
    """One layer's parameters, without a prefix; `inputs` is the length of `x`."""
    square, oblong, vector = (hidden, hidden), (hidden, inputs), (hidden,)
    cell, shapes = network.cell, Shapes()
    for gate in GATES.get(cell, ""):
        shapes |= {f"W_{gate}a": square, f"W_{gate}x": oblong, f"b_{gate}": vector}
    match cell:
        case "gru" if network.option("reset") == "after":
            shapes |= {"b_ca": vector}
        case "peephole-lstm":
            shapes |= {"p_f": vector, "p_u": vector, "p_o": vector}
        case "norm-lstm" | "norm-gru":
            for gate in GATES[cell]:
                shapes |= {f"gain_{gate}a": vector, f"gain_{gate}x": vector}
            shapes |= {"gain_cell": vector, "b_cell": vector} if cell == "norm-lstm" else {"b_ca": vector}
        case "sru":
            shapes |= {"W_cx": oblong, "W_fx": oblong, "W_rx": oblong}
            shapes |= {"b_f": vector, "b_r": vector, "v_f": vector, "v_r": vector}
            shapes |= {"W_sx": oblong} if inputs != hidden else {}
        case "mingru":
            shapes |= {"W_ux": oblong, "W_cx": oblong, "b_u": vector, "b_c": vector}
    return shapes


def random_parameters(rng: np.random.Generator, shapes: Shapes, scale: float = 0.5) -> Parameters:
    """Normal numbers in every parameter, the biases too; those of a gain are about 1."""
    return {name: scale * rng.standard_normal(shape) + ("gain" in name) for name, shape in shapes.items()}


def step(network: Network, p: Parameters, x: Array, previous: Parts) -> tuple[Array, Parts]:
    """One step of one layer for one example, vectors in, vectors out: what is put out, and the new state."""
    options = {name: network.option(name) for name in OPTIONS.get(network.cell, ())}
    return _CELLS[network.cell](p, x, *previous, **options)


def run_lane(network: Network, p: Parameters, x: Array, previous: Parts) -> tuple[Array, Parts]:
    """One layer for one example, over `x` `[time, features]`: the outputs `[time, hidden]`, and the last state."""
    outputs = []
    for x_t in x:
        output, previous = step(network, p, x_t, previous)
        outputs.append(output)
    return np.array(outputs), previous


def _rnn(p: Parameters, x: Array, a_prev: Array, *, activation: str) -> tuple[Array, Parts]:
    z = _preactivation(p, "a", x, a_prev)
    a = np.tanh(z) if activation == "tanh" else _relu(z)
    return a, (a,)


def _gru(p: Parameters, x: Array, a_prev: Array, *, reset: str) -> tuple[Array, Parts]:
    r = _sigmoid(_preactivation(p, "r", x, a_prev))
    u = _sigmoid(_preactivation(p, "u", x, a_prev))
    if reset == "before":
        candidate = np.tanh(p["W_ca"] @ (r * a_prev) + p["W_cx"] @ x + p["b_c"])
    else:
        candidate = np.tanh(p["W_cx"] @ x + p["b_c"] + r * (p["W_ca"] @ a_prev + p["b_ca"]))
    a = u * candidate + (1 - u) * a_prev
    return a, (a,)


def _lstm(p: Parameters, x: Array, a_prev: Array, c_prev: Array) -> tuple[Array, Parts]:
    f = _sigmoid(_preactivation(p, "f", x, a_prev))
    u = _sigmoid(_preactivation(p, "u", x, a_prev))
    o = _sigmoid(_preactivation(p, "o", x, a_prev))
    candidate = np.tanh(_preactivation(p, "c", x, a_prev))
    c = u * candidate + f * c_prev
    a = o * np.tanh(c)
    return a, (a, c)


def _peephole_lstm(p: Parameters, x: Array, a_prev: Array, c_prev: Array, *, peephole: str) -> tuple[Array, Parts]:
    f = _sigmoid(_preactivation(p, "f", x, a_prev) + p["p_f"] * c_prev)
    u = _sigmoid(_preactivation(p, "u", x, a_prev) + p["p_u"] * c_prev)
    candidate = np.tanh(_preactivation(p, "c", x, a_prev))
    c = u * candidate + f * c_prev
    o = _sigmoid(_preactivation(p, "o", x, a_prev) + p["p_o"] * (c if peephole == "standard" else c_prev))
    a = o * np.tanh(c)
    return a, (a, c)


def _coupled_lstm(p: Parameters, x: Array, a_prev: Array, c_prev: Array) -> tuple[Array, Parts]:
    u = _sigmoid(_preactivation(p, "u", x, a_prev))
    o = _sigmoid(_preactivation(p, "o", x, a_prev))
    candidate = np.tanh(_preactivation(p, "c", x, a_prev))
    c = u * candidate + (1 - u) * c_prev
    a = o * np.tanh(c)
    return a, (a, c)


def _norm_lstm(p: Parameters, x: Array, a_prev: Array, c_prev: Array) -> tuple[Array, Parts]:
    h_f, h_u, h_o, h_c = _normalized(p["W_fa"] @ a_prev, p["W_ua"] @ a_prev, p["W_oa"] @ a_prev, p["W_ca"] @ a_prev)
    x_f, x_u, x_o, x_c = _normalized(p["W_fx"] @ x, p["W_ux"] @ x, p["W_ox"] @ x, p["W_cx"] @ x)
    f = _sigmoid(p["gain_fa"] * h_f + p["gain_fx"] * x_f + p["b_f"])
    u = _sigmoid(p["gain_ua"] * h_u + p["gain_ux"] * x_u + p["b_u"])
    o = _sigmoid(p["gain_oa"] * h_o + p["gain_ox"] * x_o + p["b_o"])
    candidate = np.tanh(p["gain_ca"] * h_c + p["gain_cx"] * x_c + p["b_c"])
    c = u * candidate + f * c_prev
    (c_norm,) = _normalized(c)
    a = o * np.tanh(p["gain_cell"] * c_norm + p["b_cell"])
    return a, (a, c)


def _norm_gru(p: Parameters, x: Array, a_prev: Array) -> tuple[Array, Parts]:
    h_r, h_u = _normalized(p["W_ra"] @ a_prev, p["W_ua"] @ a_prev)
    x_r, x_u = _normalized(p["W_rx"] @ x, p["W_ux"] @ x)
    (h_c,) = _normalized(p["W_ca"] @ a_prev)
    (x_c,) = _normalized(p["W_cx"] @ x)
    r = _sigmoid(p["gain_ra"] * h_r + p["gain_rx"] * x_r + p["b_r"])
    u = _sigmoid(p["gain_ua"] * h_u + p["gain_ux"] * x_u + p["b_u"])
    candidate = np.tanh(p["gain_cx"] * x_c + p["b_c"] + r * (p["gain_ca"] * h_c + p["b_ca"]))
    a = u * candidate + (1 - u) * a_prev
    return a, (a,)


def _sru(p: Parameters, x: Array, c_prev: Array) -> tuple[Array, Parts]:
    f = _sigmoid(p["W_fx"] @ x + p["v_f"] * c_prev + p["b_f"])
    r = _sigmoid(p["W_rx"] @ x + p["v_r"] * c_prev + p["b_r"])
    c = f * c_prev + (1 - f) * (p["W_cx"] @ x)
    skipped = np.sqrt(3) * x if len(x) == len(c) else p["W_sx"] @ x
    a = r * c + (1 - r) * skipped
    return a, (c,)


def _mingru(p: Parameters, x: Array, a_prev: Array) -> tuple[Array, Parts]:
    u = _sigmoid(p["W_ux"] @ x + p["b_u"])
    candidate = p["W_cx"] @ x + p["b_c"]
    a = u * candidate + (1 - u) * a_prev
    return a, (a,)


_CELLS: Mapping[str, Callable[..., tuple[Array, Parts]]] = {
    "rnn": _rnn,
    "gru": _gru,
    "lstm": _lstm,
    "peephole-lstm": _peephole_lstm,
    "coupled-lstm": _coupled_lstm,
    "norm-lstm": _norm_lstm,
    "norm-gru": _norm_gru,
    "sru": _sru,
    "mingru": _mingru,
}


def _preactivation(p: Parameters, gate: str, x: Array, a_prev: Array) -> Array:
    return np.asarray(p[f"W_{gate}a"] @ a_prev + p[f"W_{gate}x"] @ x + p[f"b_{gate}"])


def _sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


def _relu(z: Array) -> Array:
    return np.where(z.real > 0, z, 0)


def _normalized(*vectors: Array) -> list[Array]:
    """N of the equations. `np.var` would not do: it makes a complex number's square real."""
    stacked = np.concatenate(vectors)
    centred = stacked - stacked.mean()
    variance = (centred * centred).mean()
    return np.split(centred / np.sqrt(variance + 1e-5), len(vectors))
