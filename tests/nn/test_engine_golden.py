"""The engine equals PyTorch and ONNX Runtime on shared weights, for every file that was stored."""

from __future__ import annotations

import pytest
from golden_cases import assert_block_equals, assert_engine_equals
from nn_cases import INPUT_PATHS, KINDS, Kind
from reference import GOLDEN, load_golden, load_golden_onnx

MODELS = sorted(path.name for cell in ("gru", "lstm", "rnn") for path in GOLDEN.glob(f"{cell}-*.safetensors"))
OPERATORS = sorted(path.name for path in GOLDEN.glob("onnx-*.safetensors"))


def test_every_kind_that_a_peer_knows_is_stored() -> None:
    """PyTorch's RNN with both activations, GRU and LSTM, one to three layers deep; and ONNX's operators."""
    stored = [load_golden(GOLDEN / name).network for name in MODELS]
    assert len(stored) == 12
    for name in ("rnn-tanh", "rnn-relu", "gru-after", "lstm"):
        depths = [network.layers for network in stored if Kind(network.cell, network.options) == KINDS[name]]
        assert depths == [1, 2, 3]
    kinds = [
        Kind(network.cell, network.options)
        for network in (load_golden_onnx(GOLDEN / name).network for name in OPERATORS)
    ]
    expected = ("gru-after", "gru-before", "lstm", "peephole-lstm-standard", "rnn-relu", "rnn-tanh")
    assert kinds == [KINDS[name] for name in expected]


@pytest.mark.parametrize("path", INPUT_PATHS)
@pytest.mark.parametrize("name", MODELS)
def test_engine_equals_pytorch(name: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs, logits, loss, final states and all gradients, to 1e-10."""
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[path])
    assert_engine_equals(load_golden(GOLDEN / name))


@pytest.mark.parametrize("name", OPERATORS)
def test_engine_equals_onnx_runtime(name: str) -> None:
    """Outputs and final states of one layer in single precision, as the operator's, to 1e-5."""
    assert_block_equals(load_golden_onnx(GOLDEN / name))
