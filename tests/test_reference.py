"""The naive reference is right: it agrees with PyTorch, and with what it states where PyTorch has no say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reference import (
    GOLDEN,
    Array,
    Golden,
    Gradients,
    Parameters,
    Result,
    State,
    gradients,
    load_golden,
    loss_gradient_with_upstream,
    objective,
    parameter_shapes,
    random_parameters,
    random_state,
    run,
    zero_state,
)

VOCABULARY, EMBEDDING, HIDDEN, LAYERS, TIME, BATCH = 5, 3, 4, 2, 6, 3
# cell, activation, reset
BLOCKS = {
    "rnn-tanh": ("rnn", "tanh", "before"),
    "rnn-relu": ("rnn", "relu", "before"),
    "gru-before": ("gru", "tanh", "before"),
    "gru-after": ("gru", "tanh", "after"),
    "lstm": ("lstm", "tanh", "before"),
}
GOLDEN_RUNS = [f"{block}-{depth}" for block in ("rnn-tanh", "rnn-relu", "gru", "lstm") for depth in (1, 2, 3)]


class Case:
    """A small model with random weights, tokens and states, and no start or -1 but what a test puts there."""

    def __init__(self, block: str) -> None:
        rng = np.random.default_rng(7)  # a seed with which no lane of the ReLU is dead
        self.cell, self.activation, self.reset = BLOCKS[block]
        sizes = {"vocabulary": VOCABULARY, "embedding": EMBEDDING, "hidden": HIDDEN}
        shapes = parameter_shapes(self.cell, LAYERS, **sizes, reset=self.reset)
        self.parameters = random_parameters(rng, shapes)
        self.inputs: Array = rng.integers(VOCABULARY, size=(TIME, BATCH))
        self.targets: Array = rng.integers(VOCABULARY, size=(TIME, BATCH))
        self.starts: Array = np.zeros((TIME, BATCH), bool)
        self.state = random_state(rng, self.cell, LAYERS, hidden=HIDDEN, batch=BATCH)
        self.weights_out: Array = rng.standard_normal((TIME, BATCH, HIDDEN))
        self.weights_state = random_state(rng, self.cell, LAYERS, hidden=HIDDEN, batch=BATCH)

    def run(self, when: slice = slice(None), who: slice = slice(None), state: State | None = None) -> Result:
        """Run some of the steps for some of the examples, from `state` or the examples' own."""
        return run(
            self.parameters,
            self.cell,
            LAYERS,
            self.inputs[when, who],
            self.targets[when, who],
            self.starts[when, who],
            of_examples(self.state, who) if state is None else state,
            activation=self.activation,
            reset=self.reset,
        )

    def objective(self, parameters: Parameters, state: State) -> float:
        """The loss with the upstream weights, elsewhere than at the case's own parameters and state."""
        total = objective(
            parameters,
            self.cell,
            LAYERS,
            self.inputs,
            self.targets,
            self.starts,
            state,
            self.weights_out,
            self.weights_state,
            activation=self.activation,
            reset=self.reset,
        )
        return float(total)

    def gradients(self) -> Gradients:
        """The loss's alone."""
        return gradients(
            self.parameters,
            self.cell,
            LAYERS,
            self.inputs,
            self.targets,
            self.starts,
            self.state,
            activation=self.activation,
            reset=self.reset,
        )

    def gradients_with_upstream(self) -> Gradients:
        """Those of `objective`."""
        return loss_gradient_with_upstream(
            self.parameters,
            self.cell,
            LAYERS,
            self.inputs,
            self.targets,
            self.starts,
            self.state,
            self.weights_out,
            self.weights_state,
            activation=self.activation,
            reset=self.reset,
        )


@pytest.fixture(params=BLOCKS)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def of_examples(state: State, who: slice) -> State:
    return [tuple(part[:, who] for part in parts) for parts in state]


def assert_states_close(actual: State, expected: State, tolerance: float = 1e-10) -> None:
    assert [len(parts) for parts in actual] == [len(parts) for parts in expected]
    for actual_parts, expected_parts in zip(actual, expected, strict=True):
        for actual_part, expected_part in zip(actual_parts, expected_parts, strict=True):
            np.testing.assert_allclose(actual_part, expected_part, rtol=0, atol=tolerance)


# ---- PyTorch


def test_golden_files_are_all_there() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.safetensors")) == sorted(GOLDEN_RUNS)


@pytest.fixture(params=GOLDEN_RUNS)
def golden(request: pytest.FixtureRequest) -> Golden:
    return load_golden(GOLDEN / f"{request.param}.safetensors")


def test_forward_agrees_with_pytorch(golden: Golden) -> None:
    """Loss, log-probability of each target, outputs and final states."""
    result = run(
        golden.parameters,
        golden.cell,
        golden.layers,
        golden.inputs,
        golden.targets,
        np.zeros(golden.inputs.shape, bool),
        golden.initial,
        activation=golden.activation,
        reset=golden.reset,
    )
    assert result.loss == pytest.approx(golden.loss, rel=0, abs=1e-10)
    np.testing.assert_allclose(result.outputs, golden.outputs, rtol=0, atol=1e-10)
    assert_states_close(result.state, golden.final)
    logprobs = golden.logits - np.log(np.exp(golden.logits).sum(axis=2, keepdims=True))
    expected = np.take_along_axis(logprobs, golden.targets[..., None], axis=2)[..., 0]
    np.testing.assert_allclose(result.logprobs, expected, rtol=0, atol=1e-10)


def test_gradients_agree_with_pytorch(golden: Golden) -> None:
    """Every entry of every parameter and initial state, with a random gradient into every output."""
    found = loss_gradient_with_upstream(
        golden.parameters,
        golden.cell,
        golden.layers,
        golden.inputs,
        golden.targets,
        np.zeros(golden.inputs.shape, bool),
        golden.initial,
        golden.upstream,
        zero_state(golden.cell, golden.layers, hidden=6, batch=3),
        activation=golden.activation,
        reset=golden.reset,
    )
    assert found.parameters.keys() == golden.gradients.parameters.keys()
    for name, gradient in golden.gradients.parameters.items():
        np.testing.assert_allclose(found.parameters[name], gradient, rtol=0, atol=1e-10, err_msg=name)
        assert np.any(gradient), name
    assert_states_close(found.state, golden.gradients.state)


# ---- what PyTorch does not have


def test_gru_resets_before_the_product() -> None:
    """One step of one unit, worked by hand: r scales a_prev, u weighs the candidate."""
    shapes = parameter_shapes("gru", 1, vocabulary=2, embedding=1, hidden=1)
    parameters = {name: np.zeros(shape) for name, shape in shapes.items()}
    values = {"W_ra": 0.2, "W_rx": 0.3, "b_r": -0.4, "W_ua": 0.5, "W_ux": -0.6, "b_u": 0.7}
    values |= {"W_ca": 0.8, "W_cx": 0.9, "b_c": -1.1}
    for name, value in values.items():
        parameters[f"layers.0.{name}"][...] = value
    parameters["embedding"][1] = 1.2
    tokens = (np.array([[1]]), np.array([[0]]), np.array([[False]]))
    result = run(parameters, "gru", 1, *tokens, [(np.array([[0.75]]),)])

    r = 1 / (1 + math.exp(-(0.2 * 0.75 + 0.3 * 1.2 - 0.4)))
    u = 1 / (1 + math.exp(-(0.5 * 0.75 - 0.6 * 1.2 + 0.7)))
    candidate = math.tanh(0.8 * (r * 0.75) + 0.9 * 1.2 - 1.1)
    assert result.outputs.item() == pytest.approx(u * candidate + (1 - u) * 0.75, abs=1e-15)
    assert result.loss == pytest.approx(math.log(2), abs=1e-15)


@pytest.mark.parametrize("diagonal", [True, False])
def test_resets_agree_only_for_a_diagonal_recurrence(diagonal: bool) -> None:
    """W (r * a) = r * (W a) if W is diagonal; "after" agrees with PyTorch, and so "before" with "after"."""
    before, after = Case("gru-before"), Case("gru-after")
    after.parameters |= before.parameters
    for layer in range(LAYERS):
        after.parameters[f"layers.{layer}.b_ca"] = np.zeros(HIDDEN)
        if diagonal:
            before.parameters[f"layers.{layer}.W_ca"] *= np.eye(HIDDEN)  # shared by both
    after.inputs, after.targets, after.state = before.inputs, before.targets, before.state
    assert np.allclose(before.run().outputs, after.run().outputs, rtol=0, atol=1e-14) == diagonal


def test_objective_weighs_outputs_and_final_states(case: Case) -> None:
    result = case.run()
    expected = result.loss + np.vdot(case.weights_out, result.outputs)
    for layer in range(LAYERS):
        expected += np.vdot(np.array(case.weights_state[layer]), np.array(result.state[layer]))
    assert case.objective(case.parameters, case.state) == pytest.approx(expected, rel=0, abs=1e-12)


def test_gradients_agree_with_central_differences(case: Case) -> None:
    """Along a random direction through all parameters and initial states, with starts and -1s about."""
    case.inputs[0, 1] = case.inputs[3, 0] = case.targets[2, 2] = -1
    case.starts[3, 0] = True
    rng = np.random.default_rng(6)
    along = {name: rng.standard_normal(value.shape) for name, value in case.parameters.items()}
    along_state = random_state(rng, case.cell, LAYERS, hidden=HIDDEN, batch=BATCH)

    def moved(step: float) -> float:
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
    assert (moved(1e-5) - moved(-1e-5)) / 2e-5 == pytest.approx(slope, rel=1e-7)


def test_gradients_are_those_without_upstream(case: Case) -> None:
    found = case.gradients()
    case.weights_out[...] = 0
    case.weights_state = zero_state(case.cell, LAYERS, hidden=HIDDEN, batch=BATCH)
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
    fresh = zero_state(case.cell, LAYERS, hidden=HIDDEN, batch=1)
    case.starts[...] = False
    second = case.run(slice(3, None), who, fresh)

    np.testing.assert_array_equal(result.outputs[:3, who], first.outputs)
    np.testing.assert_array_equal(result.outputs[3:, who], second.outputs)
    np.testing.assert_array_equal(result.logprobs[:, 1], np.append(first.logprobs, second.logprobs))
    assert_states_close(of_examples(result.state, who), second.state, tolerance=0)
    np.testing.assert_array_equal(result.outputs[:, ::2], without.outputs[:, ::2])
    assert not np.allclose(result.outputs[3:, 1], without.outputs[3:, 1])


def test_nothing_flows_back_through_a_start(case: Case) -> None:
    """A lane that starts at once has no use for its initial state; the others do."""
    case.starts[0, 1] = True
    found = case.gradients_with_upstream()
    for parts in found.state:
        for part in parts:
            assert not np.any(part[:, 1])
            assert np.any(part[:, 0])
            assert np.any(part[:, 2])


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


def test_input_minus_one_gives_no_embedding_gradient(case: Case) -> None:
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


def test_nothing_to_predict_is_no_loss(case: Case) -> None:
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
