"""The naive reference's encoder does what it states: two directions, each over a lane's own steps alone."""

from __future__ import annotations

import numpy as np
import pytest
from reference import (
    DIRECTIONS,
    Array,
    EncoderState,
    Network,
    Parameters,
    Parts,
    encode,
    encode_gradients,
    encoder_objective,
    encoder_shapes,
    parameter_shapes,
    random_encoder_state,
    random_parameters,
    run,
    zero_encoder_state,
)

INPUT, HIDDEN, TIME, LENGTHS = 2, 3, 5, (3, 5, 1)
BATCH = len(LENGTHS)
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
    """A small encoder and a padded batch."""

    def __init__(self, network: Network) -> None:
        rng = np.random.default_rng(3)
        self.network = network
        self.parameters = random_parameters(rng, encoder_shapes(network, input_size=INPUT, hidden=HIDDEN))
        self.x: Array = rng.standard_normal((TIME, BATCH, INPUT))
        self.lengths: Array = np.array(LENGTHS)
        self.state = random_encoder_state(rng, network, hidden=HIDDEN, batch=BATCH)
        self.weights_out: Array = rng.standard_normal((TIME, BATCH, 2 * HIDDEN))
        self.weights_state = random_encoder_state(rng, network, hidden=HIDDEN, batch=BATCH)

    def encode(self) -> tuple[Array, EncoderState]:
        """The outputs and the final state."""
        return encode(self.parameters, self.network, self.x, self.lengths, self.state)

    def objective(self, parameters: Parameters, x: Array, state: EncoderState) -> float:
        """Elsewhere than at the case's own numbers."""
        weights = self.weights_out, self.weights_state
        return float(encoder_objective(parameters, self.network, x, self.lengths, state, *weights))

    def gradients(self) -> tuple[Parameters, Array, EncoderState]:
        """Those of `objective` by parameters, inputs and initial states."""
        weights = self.weights_out, self.weights_state
        return encode_gradients(self.parameters, self.network, self.x, self.lengths, self.state, *weights)


@pytest.fixture(params=NETWORKS)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(NETWORKS[request.param])


def flat(state: EncoderState) -> list[Array]:
    return [part for directions in state for parts in directions for part in parts]


def moved(state: EncoderState, step: float, along: EncoderState) -> EncoderState:
    def of_parts(parts: Parts, d_parts: Parts) -> Parts:
        return tuple(part + step * d_part for part, d_part in zip(parts, d_parts, strict=True))

    return [(of_parts(now[0], d[0]), of_parts(now[1], d[1])) for now, d in zip(state, along, strict=True)]


def by_the_language_model(network: Network, p: Parameters, x: Array, parts: Parts) -> tuple[Array, Parts]:
    """One layer over one example forward: its vectors are the embedding of tokens that are read in turn."""
    alone = Network(network.cell, options=network.options)
    tokens = np.arange(len(x))[:, None]
    shapes = parameter_shapes(alone, vocabulary=len(x), embedding=x.shape[1], hidden=HIDDEN)
    parameters = {name: np.zeros(shape) for name, shape in shapes.items()} | {"embedding": x}
    parameters |= {f"layers.0.{name}": value for name, value in p.items()}
    result = run(parameters, alone, tokens, tokens, np.zeros(tokens.shape, bool), [tuple(q[:, None] for q in parts)])
    return result.outputs[:, 0], tuple(part[:, 0] for part in result.state[0])


def test_each_direction_is_a_run_of_its_own(case: Case) -> None:
    """Backward is forward over the lane's own steps in reverse, its outputs turned round again."""
    outputs, final = case.encode()
    for b, length in enumerate(LENGTHS):
        below = case.x[:length, b]
        for k in range(case.network.layers):
            sides = []
            for side, direction in enumerate(DIRECTIONS):
                prefix = f"layers.{k}.{direction}."
                p = {name.removeprefix(prefix): value for name, value in case.parameters.items() if prefix in name}
                parts = tuple(part[:, b] for part in case.state[k][side])
                out, last = by_the_language_model(case.network, p, below[::-1] if side else below, parts)
                sides.append(out[::-1] if side else out)
                for part, expected in zip(final[k][side], last, strict=True):
                    np.testing.assert_allclose(part[:, b], expected, rtol=0, atol=1e-13)
            above = np.concatenate(sides, axis=1)
            below = above + below if case.network.residual and k else above
        np.testing.assert_allclose(outputs[:length, b], below, rtol=0, atol=1e-13)


def test_a_lane_does_not_see_its_padding_or_the_others(case: Case) -> None:
    outputs, final = case.encode()
    for b, length in enumerate(LENGTHS):
        assert not np.any(outputs[length:, b])
        assert np.all(np.any(outputs[:length, b], axis=1))
        case.x[length:, b] = np.nan
    again, final_again = case.encode()
    np.testing.assert_array_equal(again, outputs)
    np.testing.assert_array_equal(np.array(flat(final_again)), np.array(flat(final)))

    case.x, case.lengths = case.x[:3, :1], case.lengths[:1]
    case.state = [
        (tuple(part[:, :1] for part in forward), tuple(part[:, :1] for part in backward))
        for forward, backward in case.state
    ]
    alone, final_alone = case.encode()
    np.testing.assert_allclose(alone, outputs[:3, :1], rtol=0, atol=1e-13)
    np.testing.assert_allclose(np.array(flat(final_alone)), np.array(flat(final))[:, :, :1], rtol=0, atol=1e-13)


def test_gradients_agree_with_central_differences(case: Case) -> None:
    """Along a random direction through all parameters, inputs and initial states."""
    rng = np.random.default_rng(6)
    along = {name: rng.standard_normal(value.shape) for name, value in case.parameters.items()}
    along_x = rng.standard_normal(case.x.shape)
    along_state = random_encoder_state(rng, case.network, hidden=HIDDEN, batch=BATCH)

    def at(step: float) -> float:
        parameters = {name: value + step * along[name] for name, value in case.parameters.items()}
        return case.objective(parameters, case.x + step * along_x, moved(case.state, step, along_state))

    parameters, x, state = case.gradients()
    slope = sum((parameters[name] * along[name]).sum() for name in along) + (x * along_x).sum()
    slope += sum((d * part).sum() for d, part in zip(flat(state), flat(along_state), strict=True))
    slope_there = (8 * (at(1e-5) - at(-1e-5)) - (at(2e-5) - at(-2e-5))) / 12e-5
    assert slope_there == pytest.approx(slope, rel=1e-7)
    for b, length in enumerate(LENGTHS):
        assert not np.any(x[length:, b])
        assert np.all(np.any(x[:length, b], axis=1))


def test_state_is_not_modified(case: Case) -> None:
    before = [part.copy() for part in flat(case.state)]
    _, final = case.encode()
    for part, copy, last in zip(flat(case.state), before, flat(final), strict=True):
        np.testing.assert_array_equal(part, copy)
        assert not np.shares_memory(part, last)


def test_a_learned_state_is_refused() -> None:
    with pytest.raises(ValueError, match="given"):
        encoder_shapes(Network("gru", initial="learned"), input_size=INPUT, hidden=HIDDEN)


def test_misuse_is_refused() -> None:
    """A length of nothing, a state of too few layers, a parameter of another name."""
    case = Case(NETWORKS["gru"])
    for lengths in ((0, 5, 1), (3, 6, 1), (3, 5)):
        with pytest.raises(ValueError, match="lengths"):
            encode(case.parameters, case.network, case.x, np.array(lengths), case.state)
    state = zero_encoder_state(Network("gru"), hidden=HIDDEN, batch=BATCH)
    with pytest.raises(ValueError, match="states of 2 layers"):
        encode(case.parameters, case.network, case.x, case.lengths, state)
    case.parameters["layers.0.b_z"] = np.zeros(HIDDEN)
    with pytest.raises(ValueError, match=r"layers\.0\.b_z"):
        case.encode()
