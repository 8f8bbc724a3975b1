"""A state dict has PyTorch's names, shapes and conventions, and comes back bit for bit."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_cases import EMBEDDING, EXPRESSIBLE, HIDDEN, KINDS, engine_steps, model_of, saved, tokens_of
from safetensors.numpy import load, save_file

from charlm.checkpoint import TrainedModel, model_bytes
from charlm.config import ModelConfig
from charlm.errors import ModelError
from charlm.exchange.gates import KINDS as CONVERSIONS
from charlm.exchange.gates import conversion_of
from charlm.exchange.pytorch import exported_files, import_state
from charlm.exchange.state_dict import state_dict, state_shapes
from charlm.exchange.state_file import STATE_FILE
from charlm.nn.arrays import Array
from charlm.nn.registry import BLOCKS, Entry

Tensors = dict[str, Array]
GATES = {"lstm": 4, "coupled-lstm": 4, "gru with reset after": 3}
MODELS: dict[str, dict[str, Any]] = {
    "one layer": {"layers": 1},
    "one residual layer": {"layers": 1, "residual": True},
    "two layers": {"layers": 2},
    "learned states": {"layers": 3, "initial": "learned"},
}


def exported(model: TrainedModel, folder: Path) -> Path:
    """A model as ``charlm export`` writes it."""
    folder.mkdir(exist_ok=True)
    for name, data in exported_files(model).items():
        (folder / name).write_bytes(data)
    return folder


def logistic(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def lstm(ih: Array, hh: Array, state: Tensors) -> Tensors:
    """The equations of torch.nn.LSTM."""
    i, f, g, o = np.split(ih + hh, 4, axis=-1)
    cell = logistic(f) * state["cell"] + logistic(i) * np.tanh(g)
    return {"hidden": logistic(o) * np.tanh(cell), "cell": cell}


def gru(ih: Array, hh: Array, state: Tensors) -> Tensors:
    """The equations of torch.nn.GRU."""
    (r_i, z_i, n_i), (r_h, z_h, n_h) = np.split(ih, 3, axis=-1), np.split(hh, 3, axis=-1)
    z, n = logistic(z_i + z_h), np.tanh(n_i + logistic(r_i + r_h) * n_h)
    return {"hidden": (1 - z) * n + z * state["hidden"]}


STEPS: dict[str, Callable[[Array, Array, Tensors], Tensors]] = {
    "lstm": lstm,
    "coupled-lstm": lstm,
    "gru with reset after": gru,
    "rnn with activation tanh": lambda ih, hh, _: {"hidden": np.tanh(ih + hh)},
    "rnn with activation relu": lambda ih, hh, _: {"hidden": np.maximum(ih + hh, 0)},
}


@pytest.mark.parametrize("initial", ["zero", "learned"])
@pytest.mark.parametrize("kind", EXPRESSIBLE)
def test_the_tensors_mean_what_pytorch_documents(kind: str, initial: str) -> None:
    """The equations of PyTorch's documentation, on the state dict, give the engine's log-probabilities."""
    model = model_of(kind, layers=2, initial=initial)
    tensors = {name: tensor.astype(np.float64) for name, tensor in state_dict(model.network).items()}
    tokens = tokens_of(model.network)
    states: list[Tensors] = [{}, {}]
    parts = model.network.stack.blocks[0].state_names
    for read, expected in zip(tokens, engine_steps(model.network, tokens)[0], strict=True):
        begins = (read < 0)[:, None]
        x = np.where(begins, 0, tensors["embedding.weight"][read])
        for k, state in enumerate(states):
            for part in parts:
                first = tensors[f"initial.{part}"][k] if initial == "learned" else 0
                state[part] = np.where(begins, first, state.get(part, np.zeros((len(read), HIDDEN))))
            w_ih, w_hh, b_ih, b_hh = (
                tensors[f"recurrent.{name}_l{k}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            states[k] = STEPS[kind](x @ w_ih.T + b_ih, state["hidden"] @ w_hh.T + b_hh, state)
            x = states[k]["hidden"]
        logits = x @ tensors["head.weight"].T + tensors["head.bias"]
        found = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", EXPRESSIBLE)
def test_names_shapes_and_type_are_pytorchs(kind: str) -> None:
    model = model_of(kind, layers=2)
    rows, size = GATES.get(kind, 1) * HIDDEN, len(model.tokenizer)
    expected = {
        "embedding.weight": (size, EMBEDDING),
        "recurrent.weight_ih_l0": (rows, EMBEDDING),
        "recurrent.weight_hh_l0": (rows, HIDDEN),
        "recurrent.bias_ih_l0": (rows,),
        "recurrent.bias_hh_l0": (rows,),
        "recurrent.weight_ih_l1": (rows, HIDDEN),
        "recurrent.weight_hh_l1": (rows, HIDDEN),
        "recurrent.bias_ih_l1": (rows,),
        "recurrent.bias_hh_l1": (rows,),
        "head.weight": (size, HIDDEN),
        "head.bias": (size,),
    }
    tensors = load(exported_files(model)[STATE_FILE])
    assert {name: tensor.shape for name, tensor in tensors.items()} == expected
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float32)}
    assert state_shapes(model.network.config) == expected
    learned = model_of(kind, layers=2, initial="learned").network
    parts = {f"initial.{part}": (2, 1, HIDDEN) for part in learned.stack.blocks[0].state_names}
    assert state_shapes(learned.config) == {**expected, **parts}
    assert {name: tensor.shape for name, tensor in state_dict(learned).items()} == {**expected, **parts}


def test_the_second_bias_is_zero_but_for_the_grus_candidate() -> None:
    for kind in EXPRESSIBLE:
        network = model_of(kind).network
        bias, views = state_dict(network)["recurrent.bias_hh_l0"], network.parameters.views
        if kind == "gru with reset after":
            np.testing.assert_array_equal(bias[2 * HIDDEN :], views["layers.0.b_ca"])
            bias = bias[: 2 * HIDDEN]
        assert not bias.any()


@pytest.mark.parametrize("shape", MODELS)
@pytest.mark.parametrize("kind", EXPRESSIBLE)
def test_what_was_exported_comes_back_byte_for_byte(kind: str, shape: str, tmp_path: Path) -> None:
    """By the metadata of the file, and without them by a model like it: zeros of both signs included."""
    model = model_of(kind, **MODELS[shape])
    assert np.signbit(model.network.parameters.values[model.network.parameters.values == 0]).any()
    folder = exported(model, tmp_path / "out")
    for path in (folder, folder / STATE_FILE):
        found = import_state(path)
        assert not found.changed
        assert model_bytes(found.model) == model_bytes(model)
    bare = tmp_path / "bare.safetensors"
    save_file(load((folder / STATE_FILE).read_bytes()), bare)
    found = import_state(bare, saved(model, tmp_path / "model.safetensors"))
    assert not found.changed
    assert model_bytes(found.model) == model_bytes(model)


@pytest.mark.parametrize("unit", ["line", "paragraph", "file"])
def test_text_and_vocabulary_come_back(unit: str, tmp_path: Path) -> None:
    model = model_of("lstm", unit=unit, lowercase=True)
    folder = exported(model, tmp_path / "out")
    assert model_bytes(import_state(folder).model) == model_bytes(model)
    tokens = json.loads((folder / "vocabulary.json").read_bytes())
    assert tokens == [model.tokenizer.vocabulary.token(i) for i in range(len(model.tokenizer))]
    assert {"\0", "\ud800", "\U0001f600"} < set(tokens)


@pytest.mark.parametrize("kind", EXPRESSIBLE)
def test_two_biases_become_their_sum(kind: str, tmp_path: Path) -> None:
    """PyTorch trains both; only the GRU's candidate keeps them apart."""
    model = model_of(kind)
    tensors = state_dict(model.network)
    rng = np.random.default_rng(3)
    b_hh = rng.standard_normal(tensors["recurrent.bias_hh_l0"].shape).astype(np.float32)
    if kind == "coupled-lstm":
        b_hh[HIDDEN : 2 * HIDDEN] = -b_hh[:HIDDEN]
    tensors["recurrent.bias_hh_l0"] = b_hh
    path = tmp_path / "state.safetensors"
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, path)
    found = import_state(path, saved(model, tmp_path / "model.safetensors"))
    views = found.model.network.parameters.views
    names = {
        "lstm": ["b_u", "b_f", "b_c", "b_o"],
        "coupled-lstm": ["b_u", "", "b_c", "b_o"],
        "gru with reset after": ["b_r", "b_u", ""],
    }.get(kind, ["b_a"])
    for name, b_i, b_h in zip(
        names, *(np.split(tensors[f"recurrent.bias_{each}_l0"], len(names)) for each in ("ih", "hh")), strict=True
    ):
        if name:
            sign = -1 if (kind, name) == ("gru with reset after", "b_u") else 1
            np.testing.assert_array_equal(views[f"layers.0.{name}"], sign * (b_i + b_h))
    if kind == "gru with reset after":
        np.testing.assert_array_equal(views["layers.0.b_ca"], b_hh[2 * HIDDEN :])
    assert found.changed
    assert found.model.record == {
        **model.record,
        "valid_nats_per_token": None,
        "made_with": {**model.record["made_with"], "imported": str(path)},
    }
    saved(found.model, tmp_path / "again.safetensors")


def test_the_validation_cost_goes_with_the_weights(tmp_path: Path) -> None:
    """It stays where the weights are those exported, and is unknown where a single one is another."""
    model = model_of("gru with reset after")
    folder = exported(model, tmp_path / "out")
    assert import_state(folder).model.record["valid_nats_per_token"] == 1.25
    data = (folder / STATE_FILE).read_bytes()
    (folder / STATE_FILE).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    found = import_state(folder)
    assert found.changed
    assert found.model.record["valid_nats_per_token"] is None


@pytest.mark.parametrize("name", ["weight_ih_l1", "weight_hh_l1", "bias_ih_l1", "bias_hh_l1"])
def test_a_forget_gate_that_is_no_longer_coupled_is_refused(name: str, tmp_path: Path) -> None:
    """It says in which layer, and what the model has become; a plain LSTM takes the tensors."""
    model = model_of("coupled-lstm", layers=2)
    tensors = state_dict(model.network)
    tensors[f"recurrent.{name}"][HIDDEN + 1] += 1
    path = tmp_path / "state.safetensors"
    save_file({each: np.ascontiguousarray(tensor) for each, tensor in tensors.items()}, path)
    with pytest.raises(ModelError, match=r"in layer 1 .*no longer 1 - i.*--like MODEL.*--cell lstm"):
        import_state(path, saved(model, tmp_path / "model.safetensors"))
    plain = import_state(path, saved(model_of("lstm", layers=2), tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(
        state_dict(plain.model.network)["recurrent.weight_hh_l1"], tensors["recurrent.weight_hh_l1"]
    )


REFUSED = {
    "gru with reset before": "resets after the product.*--reset after",
    "peephole-lstm with peephole standard": "peepholes",
    "peephole-lstm with peephole previous": "peepholes",
    "norm-lstm": "normalises",
    "norm-gru": "normalises",
    "sru": "input goes past the cell",
    "mingru": "candidate is linear",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_pytorch_cannot_compute_is_refused(kind: str) -> None:
    with pytest.raises(ModelError, match=f"{kind}: .*{REFUSED[kind]}.*--to onnx"):
        exported_files(model_of(kind))


def test_residual_connections_are_refused() -> None:
    with pytest.raises(ModelError, match="residual connections"):
        exported_files(model_of("lstm", layers=2, residual=True))


def test_a_block_that_nobody_thought_of_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BLOCKS, "newest", Entry("charlm.nn.blocks.rnn:RNN", "new"))
    with pytest.raises(ModelError, match="newest: charlm has no conversion"):
        conversion_of(ModelConfig(vocabulary=5, cell="newest"))


def test_the_table_of_conversions_names_kinds_that_exist() -> None:
    assert set(CONVERSIONS) <= set(KINDS)
    assert set(EXPRESSIBLE) | set(REFUSED) == set(CONVERSIONS)


def test_an_option_that_nobody_named_has_its_default() -> None:
    model = model_of("rnn with activation tanh")
    assert conversion_of(replace(model.network.config, options={})).module == "RNN"
