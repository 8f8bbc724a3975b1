"""The graph of ONNX computes what the engine computes, for every block there is."""

import json
from typing import Any

import numpy as np
import onnx
import pytest
from exchange_cases import EMBEDDING, HIDDEN, KINDS, SHAPES, engine_steps, model_of, tokens_of
from onnx.reference import ReferenceEvaluator

from charlm.checkpoint import TrainedModel
from charlm.errors import ModelError
from charlm.exchange.graph import graph_of
from charlm.exchange.onnx_model import onnx_bytes


def evaluator(model: TrainedModel) -> Any:
    """What computes a model's file with nothing but NumPy."""
    return ReferenceEvaluator(onnx.load_from_string(onnx_bytes(model)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_steps_equal_the_engines(kind: str, shape: str) -> None:
    """Log-probabilities and states after each of several steps, beginnings of texts among them.

    What is given as states where a text begins has no influence, so it is nonsense here.
    """
    model = model_of(kind, **SHAPES[shape])
    step = evaluator(model)
    tokens = tokens_of(model.network)
    expected, expected_states = engine_steps(model.network, tokens)
    names = [f"{part}_{k}" for k, block in enumerate(model.network.stack.blocks) for part in block.state_names]
    states = {name: np.full((tokens.shape[1], HIDDEN), 1e3, np.float32) for name in names}
    assert step.input_names == ["tokens", *names]
    assert step.output_names == ["log_probabilities", *(f"{name}_next" for name in names)]
    for t, read in enumerate(tokens):
        found, *after = step.run(None, {"tokens": read, **states})
        np.testing.assert_allclose(found, expected[t], rtol=0, atol=1e-5)
        flat = [part for state in expected_states[t] for part in state]
        for mine, theirs in zip(after, flat, strict=True):
            assert mine.dtype == np.float32
            np.testing.assert_allclose(mine, theirs.T, rtol=0, atol=1e-5)
        states = dict(zip(names, after, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_an_input_as_wide_as_the_layer(kind: str) -> None:
    """Where the embedding has the size of the layer, some blocks compute otherwise."""
    assert HIDDEN != EMBEDDING
    assert_two_steps_equal(model_of(kind, embedding=HIDDEN))


def test_an_adaptive_softmax() -> None:
    """Its clusters are put together to the whole vocabulary."""
    assert_two_steps_equal(model_of("lstm", hidden=16, softmax="adaptive"))


def assert_two_steps_equal(model: TrainedModel) -> None:
    """Log-probabilities of two steps from a beginning are the engine's."""
    step = evaluator(model)
    tokens = tokens_of(model.network, time=2)
    nothing = np.zeros((tokens.shape[1], model.network.config.hidden), np.float32)
    names = step.input_names[1:]
    states = dict.fromkeys(names, nothing)
    for read, expected in zip(tokens, engine_steps(model.network, tokens)[0], strict=True):
        found, *after = step.run(None, {"tokens": read, **states})
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
        states = dict(zip(names, after, strict=True))


def test_what_the_file_says_of_itself() -> None:
    """Inputs and outputs with their shapes, the configuration and the token of every id."""
    model = model_of("lstm", layers=2)
    made = onnx.load_from_string(onnx_bytes(model))
    onnx.checker.check_model(made, full_check=True)
    assert [(each.domain, each.version) for each in made.opset_import] == [("", 18)]
    assert made.ir_version == 8

    def shapes(values: "list[onnx.ValueInfoProto]") -> dict[str, list[str | int]]:
        return {
            each.name: [side.dim_param or side.dim_value for side in each.type.tensor_type.shape.dim] for each in values
        }

    states = ["hidden_0", "cell_0", "hidden_1", "cell_1"]
    assert shapes(list(made.graph.input)) == {"tokens": ["batch"], **{name: ["batch", HIDDEN] for name in states}}
    assert shapes(list(made.graph.output)) == {
        "log_probabilities": ["batch", len(model.tokenizer)],
        **{f"{name}_next": ["batch", HIDDEN] for name in states},
    }
    metadata = {each.key: each.value for each in made.metadata_props}
    vocabulary = model.tokenizer.vocabulary
    assert json.loads(metadata["vocabulary"]) == [vocabulary.token(i) for i in range(len(vocabulary))]
    configuration = json.loads(metadata["configuration"])
    assert configuration["model"] == model.network.config.to_json()
    assert configuration["text"] == model.text.to_json()
    assert configuration["record"] == model.record


def test_the_same_model_gives_the_same_bytes() -> None:
    assert onnx_bytes(model_of("norm-lstm", layers=2)) == onnx_bytes(model_of("norm-lstm", layers=2))


def test_a_token_beyond_the_vocabulary_is_an_error() -> None:
    """It is not read as anything else."""
    model = model_of("mingru")
    step = evaluator(model)
    tokens = np.array([len(model.tokenizer)])
    with pytest.raises(IndexError):
        step.run(None, {"tokens": tokens, "hidden_0": np.zeros((1, HIDDEN), np.float32)})


@pytest.mark.parametrize("equation", ["a = erf(a_prev)", "a = a_prev / x", "a = a_prev if x else x", "a = tanh(x, x)"])
def test_an_equation_without_a_form_in_onnx(equation: str) -> None:
    """The message shows the part that there is no operator for."""
    network = model_of("rnn with activation tanh").network
    network.stack.blocks[0].equations = equation
    with pytest.raises(ModelError, match="no form in ONNX") as caught:
        graph_of(network)
    assert equation.partition("= ")[2] in str(caught.value)
