"""The naive reference's language model does what it states, for every cell and every option of a network."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reference import (
    Array,
    Gradients,
    Network,
    Parameters,
    Result,
    State,
    gradients,
    loss_gradient_with_upstream,
    objective,
    parameter_shapes,
    random_parameters,
    random_state,
    run,
    run_lane,
    zero_state,
)

VOCABULARY, EMBEDDING, HIDDEN, LAYERS, TIME, BATCH = 5, 3, 4, 2, 6, 3
NETWORKS = {
    "rnn-tanh": Network("rnn", LAYERS, {"activation": "tanh"}),
    "rnn-relu": Network("rnn", LAYERS, {"activation": "relu"}),
    "gru-before": Network("gru", LAYERS, {"reset": "before"}),
    "gru-after": Network("gru", LAYERS, {"reset": "after"}),
    "lstm": Network("lstm", LAYERS),
    "peephole-standard": Network("peephole-lstm", LAYERS, {"peephole": "standard"}),
    "peephole-previous": Network("peephole-lstm", LAYERS, {"peephole": "previous"}),
    "coupled-lstm": Network("coupled-lstm", LAYERS),
    "norm-lstm": Network("norm-lstm", LAYERS),
    "norm-gru": Network("norm-gru", LAYERS),
    "sru": Network("sru", LAYERS),
    "mingru": Network("mingru", LAYERS),
    "lstm-residual-learned": Network("lstm", LAYERS, residual=True, initial="learned"),
    "sru-residual-learned": Network("sru", LAYERS, residual=True, initial="learned"),
}


class Case:
    """A small model with random weights, tokens and states, and no start or -1 but what a test puts there."""

    def __init__(self, network: Network) -> None:
        rng = np.random.default_rng(7)  # a seed with which no lane of the ReLU is dead
        self.network = network
        shapes = parameter_shapes(network, vocabulary=VOCABULARY, embedding=EMBEDDING, hidden=HIDDEN)
        self.parameters = random_parameters(rng, shapes)
        self.inputs: Array = rng.integers(VOCABULARY, size=(TIME, BATCH))
        self.targets: Array = rng.integers(VOCABULARY, size=(TIME, BATCH))
        self.starts: Array = np.zeros((TIME, BATCH), bool)
        self.state = random_state(rng, network, hidden=HIDDEN, batch=BATCH)
        self.weights_out: Array = rng.standard_normal((TIME, BATCH, HIDDEN))
        self.weights_state = random_state(rng, network, hidden=HIDDEN, batch=BATCH)

    def run(self, when: slice = slice(None), who: slice = slice(None), state: State | None = None) -> Result:
        """Run some of the steps for some of the examples, from `state` or the examples' own."""
        tokens = self.inputs[when, who], self.targets[when, who], self.starts[when, who]
        return run(self.parameters, self.network, *tokens, of_examples(self.state, who) if state is None else state)

    def objective(self, parameters: Parameters, state: State) -> float:
        """The loss with the upstream weights, elsewhere than at the case's own parameters and state."""
        tokens = self.inputs, self.targets, self.starts
        return float(objective(parameters, self.network, *tokens, state, self.weights_out, self.weights_state))

    def gradients(self) -> Gradients:
        """The loss's alone."""
        return gradients(self.parameters, self.network, self.inputs, self.targets, self.starts, self.state)

    def gradients_with_upstream(self) -> Gradients:
        """Those of `objective`."""
        tokens = self.inputs, self.targets, self.starts
        weights = self.weights_out, self.weights_state
        return loss_gradient_with_upstream(self.parameters, self.network, *tokens, self.state, *weights)

    def first_state(self, batch: int) -> State:
        """What a start puts the state of so many examples to."""
        if self.network.initial == "zero":
            return zero_state(self.network, hidden=HIDDEN, batch=batch)
        return [
            tuple(np.tile(self.parameters[f"layers.{layer}.initial_{part}"][:, None], batch) for part in parts)
            for layer, parts in enumerate([self.network.parts] * self.network.layers)
        ]


@pytest.fixture(params=NETWORKS)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(NETWORKS[request.param])


def of_examples(state: State, who: slice) -> State:
    return [tuple(part[:, who] for part in parts) for parts in state]


def assert_states_close(actual: State, expected: State, tolerance: float = 1e-10) -> None:
    assert [len(parts) for parts in actual] == [len(parts) for parts in expected]
    for actual_parts, expected_parts in zip(actual, expected, strict=True):
        for actual_part, expected_part in zip(actual_parts, expected_parts, strict=True):
            np.testing.assert_allclose(actual_part, expected_part, rtol=0, atol=tolerance)


# ---- the sum of its parts


def test_an_unknown_network_is_refused() -> None:
    """It would otherwise pass for one with the default."""
    with pytest.raises(ValueError, match="no such network"):
        Network("elman")
    with pytest.raises(ValueError, match="no such network"):
        Network("lstm", initial="random")
    with pytest.raises(ValueError, match="options of gru"):
        Network("gru", options={"reset": "never"})
    with pytest.raises(ValueError, match="options of lstm"):
        Network("lstm", options={"reset": "after"})


def test_gains_are_about_one() -> None:
    shapes: dict[str, tuple[int, ...]] = {"layers.0.gain_fa": (1000,), "layers.0.b_f": (1000,)}
    drawn = random_parameters(np.random.default_rng(1), shapes, scale=0.1)
    assert [round(float(value.mean()), 1) for value in drawn.values()] == [1, 0]
    assert [round(float(value.std()), 2) for value in drawn.values()] == [0.1, 0.1]


@pytest.mark.parametrize("residual", [False, True])
def test_layers_are_run_one_after_another(residual: bool) -> None:
    """Three of them; with `residual` the second and third add what they read to what they put out."""
    case = Case(Network("gru", 3, residual=residual))
    result = case.run()
    for b in range(BATCH):
        x = case.parameters["embedding"][case.inputs[:, b]]
        for layer in range(3):
            prefix = f"layers.{layer}."
            p = {name.removeprefix(prefix): value for name, value in case.parameters.items() if prefix in name}
            a, state = run_lane(case.network, p, x, tuple(part[:, b] for part in case.state[layer]))
            np.testing.assert_allclose(result.state[layer][0][:, b], state[0], rtol=0, atol=1e-13)
            x = a + x if residual and layer else a
        np.testing.assert_allclose(result.outputs[:, b], x, rtol=0, atol=1e-13)


def test_loss_is_that_of_a_softmax() -> None:
    """A head that reads nothing: two tokens with a bias of ln 3 between them."""
    case = Case(NETWORKS["lstm"])
    case.parameters |= {
        "head.W_y": np.zeros((VOCABULARY, HIDDEN)),
        "head.b_y": np.array([math.log(3), 0, -99, -99, -99]),
    }
    case.targets[...] = 0
    case.targets[0, 0] = 1
    expected = math.log(4 / 3) + (math.log(4) - math.log(4 / 3)) / (TIME * BATCH)
    assert case.run().loss == pytest.approx(expected, abs=1e-14)


def test_objective_weighs_outputs_and_final_states(case: Case) -> None:
    result = case.run()
    expected = result.loss + np.vdot(case.weights_out, result.outputs)
    for layer in range(LAYERS):
        expected += np.vdot(np.array(case.weights_state[layer]), np.array(result.state[layer]))
    assert case.objective(case.parameters, case.state) == pytest.approx(expected, rel=0, abs=1e-12)


def test_gradients_agree_with_central_differences(case: Case) -> None:
    """Along a random direction through all parameters and initial states, with starts and -1s about.

    Of the fourth order: N bends sharply at the zero vector, which it divides by sqrt(1e-5) alone.
    """
    case.inputs[0, 1] = case.inputs[3, 0] = case.targets[2, 2] = -1
    case.starts[3, 0] = True
    rng = np.random.default_rng(6)
    along = {name: rng.standard_normal(value.shape) for name, value in case.parameters.items()}
    along_state = random_state(rng, case.network, hidden=HIDDEN, batch=BATCH)

    def at(step: float) -> float:
        parameters = {name: value + step * along[name] for name, value in case.parameters.items()}
        state = [
            tuple(part + step * d_part for part, d_part in zip(parts, d_parts, strict=True))
            for parts, d_parts in zip(case.state, along_state, strict=True)
        ]
        return case.objective(parameters, state)

    found = case.gradients_with_upstream()
    slope = sum((found.parameters[name] * along[name]).sum() for name in along)
    for d_parts, parts in zip(found.state, along_state, strict=True):
        slope += sum((d_part * part).sum() for d_part, part in zip(d_parts, parts, strict=True))
    slope_there = (8 * (at(1e-5) - at(-1e-5)) - (at(2e-5) - at(-2e-5))) / 12e-5
    assert slope_there == pytest.approx(slope, rel=1e-7)


def test_gradients_are_those_without_upstream() -> None:
    case = Case(NETWORKS["lstm"])
    found = case.gradients()
    case.weights_out[...] = 0
    case.weights_state = zero_state(case.network, hidden=HIDDEN, batch=BATCH)
    expected = case.gradients_with_upstream()
    for name, gradient in expected.parameters.items():
        np.testing.assert_array_equal(found.parameters[name], gradient, err_msg=name)
        assert gradient.shape == case.parameters[name].shape
    assert_states_close(found.state, expected.state, tolerance=0)


# ---- starts, carried state, -1


def test_a_start_is_a_text_of_its_own(case: Case) -> None:
    """Two texts in one lane give what each gives alone; the lanes beside them do not notice."""
    without = case.run()
    case.starts[3, 1] = True
    result = case.run()
    who = slice(1, 2)
    first = case.run(slice(3), who)
    fresh = case.first_state(1)
    case.starts[...] = False
    second = case.run(slice(3, None), who, fresh)

    np.testing.assert_array_equal(result.outputs[:3, who], first.outputs)
    np.testing.assert_array_equal(result.outputs[3:, who], second.outputs)
    np.testing.assert_array_equal(result.logprobs[:, 1], np.append(first.logprobs, second.logprobs))
    assert_states_close(of_examples(result.state, who), second.state, tolerance=0)
    np.testing.assert_array_equal(result.outputs[:, ::2], without.outputs[:, ::2])
    assert not np.allclose(result.outputs[3:, 1], without.outputs[3:, 1])


@pytest.mark.parametrize("name", ["lstm", "lstm-residual-learned", "sru"])
def test_nothing_flows_back_through_a_start(name: str) -> None:
    """A lane that starts at once has no use for its initial state; the others do."""
    case = Case(NETWORKS[name])
    case.starts[0, 1] = True
    found = case.gradients_with_upstream()
    for parts in found.state:
        for part in parts:
            assert not np.any(part[:, 1])
            assert np.any(part[:, 0])
            assert np.any(part[:, 2])


def test_a_learned_state_gets_the_gradient_of_every_start() -> None:
    """It is the sum over the lanes of the gradients by their first states; a lane that goes on adds nothing."""
    case = Case(NETWORKS["lstm-residual-learned"])
    case.state = case.first_state(BATCH)
    by_state = case.gradients_with_upstream()
    assert not any(np.any(by_state.parameters[name]) for name in by_state.parameters if "initial" in name)
    case.starts[0, 1:] = True
    by_parameter = case.gradients_with_upstream()
    for layer in range(LAYERS):
        for name, part in zip(case.network.parts, by_state.state[layer], strict=True):
            found = by_parameter.parameters[f"layers.{layer}.initial_{name}"]
            np.testing.assert_allclose(found, part[:, 1:].sum(axis=1), rtol=0, atol=1e-14)
            assert np.all(found)


def test_windows_with_carried_state_equal_one_run(case: Case) -> None:
    whole = case.run()
    first = case.run(slice(4))
    second = case.run(slice(4, None), state=first.state)
    np.testing.assert_array_equal(np.concatenate([first.outputs, second.outputs]), whole.outputs)
    np.testing.assert_array_equal(np.concatenate([first.logprobs, second.logprobs]), whole.logprobs)
    assert_states_close(second.state, whole.state, tolerance=0)


def test_state_is_not_modified(case: Case) -> None:
    before = [tuple(part.copy() for part in parts) for parts in case.state]
    case.starts[0] = True
    result = case.run()
    assert_states_close(case.state, before, tolerance=0)
    for parts, new_parts in zip(case.state, result.state, strict=True):
        for part, new_part in zip(parts, new_parts, strict=True):
            assert not np.shares_memory(part, new_part)


def test_input_minus_one_is_the_zero_vector(case: Case) -> None:
    """It equals a token whose embedding is zero, not the vocabulary's last."""
    last = VOCABULARY - 1
    case.inputs[case.inputs == last] = 0
    case.inputs[2, 1] = -1
    result = case.run()
    assert np.any(case.parameters["embedding"][last])
    case.parameters["embedding"][last] = 0
    case.inputs[2, 1] = last
    np.testing.assert_array_equal(result.outputs, case.run().outputs)


def test_input_minus_one_gives_no_embedding_gradient() -> None:
    case = Case(NETWORKS["lstm"])
    case.inputs[...] = 0
    case.inputs[2, 1] = -1
    found = case.gradients().parameters
    assert np.any(found["embedding"][0])
    assert not np.any(found["embedding"][1:])


def test_target_minus_one_is_not_counted(case: Case) -> None:
    everything = case.run()
    case.targets[2, 1] = case.targets[5, 0] = -1
    result = case.run()
    counted = case.targets >= 0
    np.testing.assert_array_equal(result.logprobs, np.where(counted, everything.logprobs, 0))
    assert result.loss == pytest.approx(-everything.logprobs[counted].mean(), abs=1e-15)
    np.testing.assert_array_equal(result.outputs, everything.outputs)


def test_nothing_to_predict_is_no_loss() -> None:
    case = Case(NETWORKS["lstm"])
    case.targets[...] = -1
    assert case.run().loss == 0
    found = case.gradients()
    assert not any(np.any(gradient) for gradient in found.parameters.values())


# ---- misuse


def test_a_misnamed_or_misshaped_parameter_is_refused(case: Case) -> None:
    """It would otherwise pass for a parameter with a gradient of zero."""
    case.parameters["layers.0.b_z"] = np.zeros(HIDDEN)
    with pytest.raises(ValueError, match=r"layers\.0\.b_z"):
        case.run()
    del case.parameters["layers.0.b_z"]
    case.parameters["head.b_y"] = np.zeros(VOCABULARY + 1)
    with pytest.raises(ValueError, match=r"head\.b_y"):
        case.run()


def test_a_misshaped_state_or_token_array_is_refused(case: Case) -> None:
    with pytest.raises(ValueError, match="states of 2 layers"):
        case.run(state=of_examples(case.state, slice(2)))
    case.targets = case.targets[1:]
    with pytest.raises(ValueError, match="differ"):
        case.run()
