"""The naive reference's encoder does what it states: each direction over a text's own steps."""

from __future__ import annotations

import numpy as np
import pytest
from reference import (
    DIRECTIONS,
    Array,
    Network,
    Parameters,
    encode,
    encode_gradients,
    encoder_objective,
    encoder_shapes,
    parameter_shapes,
    random_parameters,
    run,
    zero_state,
)

INPUT, HIDDEN, LENGTHS = 2, 3, (3, 5, 1)
NETWORKS = {
    "rnn": Network("rnn", 2, {"activation": "relu"}),
    "gru": Network("gru", 2, {"reset": "before"}),
    "lstm-residual": Network("lstm", 3, residual=True),
    "peephole-lstm": Network("peephole-lstm", 2),
    "coupled-lstm": Network("coupled-lstm", 2),
    "norm-lstm": Network("norm-lstm", 2),
    "norm-gru": Network("norm-gru", 2),
    "sru": Network("sru", 2, residual=True),
    "mingru": Network("mingru", 2),
}


class Case:
    """A small encoder and a few texts."""

    def __init__(self, network: Network, directions: tuple[str, ...] = DIRECTIONS) -> None:
        rng = np.random.default_rng(3)
        self.network = network
        self.directions = directions
        shapes = encoder_shapes(network, input_size=INPUT, hidden=HIDDEN, directions=directions)
        self.parameters = random_parameters(rng, shapes)
        self.texts: list[Array] = [rng.standard_normal((length, INPUT)) for length in LENGTHS]
        self.weights: list[Array] = [rng.standard_normal((length, len(directions) * HIDDEN)) for length in LENGTHS]

    def encode(self, x: Array) -> Array:
        """What one text becomes."""
        return encode(self.parameters, self.network, x, HIDDEN, self.directions)


def by_the_language_model(network: Network, p: Parameters, x: Array) -> Array:
    """One layer over one text forward: its vectors are the embedding of tokens that are read in turn."""
    alone = Network(network.cell, options=network.options)
    tokens = np.arange(len(x))[:, None]
    shapes = parameter_shapes(alone, vocabulary=len(x), embedding=x.shape[1], hidden=HIDDEN)
    parameters = {name: np.zeros(shape) for name, shape in shapes.items()} | {"embedding": x}
    parameters |= {f"layers.0.{name}": value for name, value in p.items()}
    state = zero_state(alone, hidden=HIDDEN, batch=1)
    return run(parameters, alone, tokens, tokens, np.zeros(tokens.shape, bool), state).outputs[:, 0]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("directions", [DIRECTIONS, DIRECTIONS[:1]], ids=["two", "one"])
def test_each_direction_is_a_run_of_its_own(name: str, directions: tuple[str, ...]) -> None:
    """Backward is forward over the text in reverse, its outputs turned round again."""
    case = Case(NETWORKS[name], directions)
    for x in case.texts:
        below = x
        for k in range(case.network.layers):
            sides = []
            for side, direction in enumerate(directions):
                prefix = f"layers.{k}.{direction}."
                p = {name.removeprefix(prefix): value for name, value in case.parameters.items() if prefix in name}
                out = by_the_language_model(case.network, p, below[::-1] if side else below)
                sides.append(out[::-1] if side else out)
            above = np.concatenate(sides, axis=1)
            below = above + below if case.network.residual and k else above
        np.testing.assert_allclose(case.encode(x), below, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_agree_with_central_differences(name: str) -> None:
    """Along a random direction through all parameters and inputs."""
    rng, case = np.random.default_rng(6), Case(NETWORKS[name])
    along = {name: rng.standard_normal(value.shape) for name, value in case.parameters.items()}
    along_x = [rng.standard_normal(x.shape) for x in case.texts]

    def at(step: float) -> float:
        parameters = {name: value + step * along[name] for name, value in case.parameters.items()}
        texts = [x + step * d for x, d in zip(case.texts, along_x, strict=True)]
        return float(encoder_objective(parameters, case.network, texts, case.weights))

    parameters, texts = encode_gradients(case.parameters, case.network, case.texts, case.weights)
    slope = sum((parameters[name] * along[name]).sum() for name in along)
    slope += sum((d * part).sum() for d, part in zip(texts, along_x, strict=True))
    slope_there = (8 * (at(1e-5) - at(-1e-5)) - (at(2e-5) - at(-2e-5))) / 12e-5
    assert slope_there == pytest.approx(slope, rel=1e-7)


def test_a_learned_state_is_refused() -> None:
    with pytest.raises(ValueError, match="zero"):
        encoder_shapes(Network("gru", initial="learned"), input_size=INPUT, hidden=HIDDEN)


def test_misuse_is_refused() -> None:
    """A parameter of another name."""
    case = Case(NETWORKS["gru"])
    case.parameters["layers.0.b_z"] = np.zeros(HIDDEN)
    with pytest.raises(ValueError, match=r"layers\.0\.b_z"):
        case.encode(case.texts[0])
