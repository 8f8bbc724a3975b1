"""The naive reference agrees with PyTorch and with ONNX Runtime: it reproduces every golden file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from reference import (
    GOLDEN,
    Network,
    encode,
    encode_gradients,
    label_loss,
    load_golden,
    load_golden_encoder,
    load_golden_labels,
    load_golden_onnx,
    loss_gradient_with_upstream,
    run,
    run_lane,
    zero_state,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reference import Array, Parts

MODELS = [f"{block}-{depth}" for block in ("rnn-tanh", "rnn-relu", "gru", "lstm") for depth in (1, 2, 3)]
ENCODERS = [f"encoder-{cell}-{depth}" for cell in ("rnn", "gru", "lstm") for depth in (1, 2, 3)]
LABELS = [f"labels-{where}-{output}" for where in ("token", "last", "mean", "max") for output in ("softmax", "sigmoid")]
OPERATORS = {
    "onnx-rnn-tanh": Network("rnn", options={"activation": "tanh"}),
    "onnx-rnn-relu": Network("rnn", options={"activation": "relu"}),
    "onnx-gru-before": Network("gru", options={"reset": "before"}),
    "onnx-gru-after": Network("gru", options={"reset": "after"}),
    "onnx-lstm": Network("lstm"),
    "onnx-peephole-lstm": Network("peephole-lstm", options={"peephole": "standard"}),
}


def assert_close(actual: Array, expected: Array, name: str = "") -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12, err_msg=name)


def assert_states_close(actual: Sequence[Parts], expected: Sequence[Parts]) -> None:
    assert [len(parts) for parts in actual] == [len(parts) for parts in expected]
    for actual_parts, expected_parts in zip(actual, expected, strict=True):
        for actual_part, expected_part in zip(actual_parts, expected_parts, strict=True):
            assert_close(actual_part, expected_part)


def assert_gradients_close(actual: dict[str, Array], expected: dict[str, Array]) -> None:
    assert actual.keys() == expected.keys()
    for name, gradient in expected.items():
        assert_close(actual[name], gradient, name)
        assert np.any(gradient), name


def test_golden_files_are_all_there() -> None:
    assert {path.stem for path in GOLDEN.glob("*.safetensors")} == {*MODELS, *ENCODERS, *LABELS, *OPERATORS}


@pytest.mark.parametrize("name", MODELS)
def test_forward_agrees_with_pytorch(name: str) -> None:
    """Loss, log-probability of each target, outputs and final states."""
    golden = load_golden(GOLDEN / f"{name}.safetensors")
    starts = np.zeros(golden.inputs.shape, bool)
    result = run(golden.parameters, golden.network, golden.inputs, golden.targets, starts, golden.initial)
    assert result.loss == pytest.approx(golden.loss, rel=0, abs=1e-12)
    assert_close(result.outputs, golden.outputs)
    assert_states_close(result.state, golden.final)
    logprobs = golden.logits - np.log(np.exp(golden.logits).sum(axis=2, keepdims=True))
    expected = np.take_along_axis(logprobs, golden.targets[..., None], axis=2)[..., 0]
    assert_close(result.logprobs, expected)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_agree_with_pytorch(name: str) -> None:
    """Every entry of every parameter and initial state, with a random gradient into every output."""
    golden = load_golden(GOLDEN / f"{name}.safetensors")
    found = loss_gradient_with_upstream(
        golden.parameters,
        golden.network,
        golden.inputs,
        golden.targets,
        np.zeros(golden.inputs.shape, bool),
        golden.initial,
        golden.upstream,
        zero_state(golden.network, hidden=6, batch=3),
    )
    assert_gradients_close(found.parameters, golden.gradients.parameters)
    assert_states_close(found.state, golden.gradients.state)


@pytest.mark.parametrize("name", ENCODERS)
def test_encoder_agrees_with_pytorch(name: str) -> None:
    """Outputs of a packed batch, and all gradients, the one by the input included."""
    golden = load_golden_encoder(GOLDEN / f"{name}.safetensors")
    own = [(slice(0, int(length)), b) for b, length in enumerate(golden.lengths)]
    texts, hidden = [golden.x[each] for each in own], golden.outputs.shape[2] // 2
    for each, x in zip(own, texts, strict=True):
        assert_close(encode(golden.parameters, golden.network, x, hidden), golden.outputs[each])
    upstream = [golden.upstream[each] for each in own]
    parameters, found = encode_gradients(golden.parameters, golden.network, texts, upstream)
    assert_gradients_close(parameters, golden.gradients_parameters)
    for each, d_x in zip(own, found, strict=True):
        assert_close(d_x, golden.gradients_x[each])
        assert np.all(np.any(d_x, axis=1))


@pytest.mark.parametrize("name", LABELS)
def test_label_model_agrees_with_pytorch(name: str) -> None:
    """The loss, and its slope along a random line through all parameters."""
    golden, rng = load_golden_labels(GOLDEN / f"{name}.safetensors"), np.random.default_rng(1)
    along = {name: rng.standard_normal(value.shape) for name, value in golden.parameters.items()}
    stepped = {name: value + 1e-30j * along[name] for name, value in golden.parameters.items()}
    found = label_loss(stepped, golden.model, golden.batch)
    assert found.real == pytest.approx(golden.loss, rel=0, abs=1e-12)
    slope = sum((golden.gradients[name] * along[name]).sum() for name in along)
    assert found.imag / 1e-30 == pytest.approx(slope, rel=0, abs=1e-11)


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_agrees_with_onnx_runtime(name: str) -> None:
    """Outputs and final states, to single precision."""
    golden = load_golden_onnx(GOLDEN / f"{name}.safetensors")
    assert golden.network == OPERATORS[name]
    parameters = {name: value.astype(np.float64) for name, value in golden.parameters.items()}
    for b in range(golden.x.shape[1]):
        before = tuple(part[:, b] for part in golden.initial)
        outputs, final = run_lane(golden.network, parameters, golden.x[:, b], before)
        np.testing.assert_allclose(outputs, golden.outputs[:, b], rtol=1e-5, atol=1e-6)
        assert np.all(np.any(outputs, axis=1))
        for part, expected in zip(final, golden.final, strict=True):
            np.testing.assert_allclose(part, expected[:, b], rtol=1e-5, atol=1e-6)
