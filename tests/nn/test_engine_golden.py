"""The engine equals PyTorch on shared weights, for every file that was stored."""

from __future__ import annotations

import nn_cases  # finds the reference
import numpy as np
import pytest
from nn_cases import Kind, assert_gradients_close, assert_states_close, make_model
from reference import GOLDEN, load_golden

FILES = sorted(path.name for path in GOLDEN.glob("*.safetensors"))


def test_there_are_twelve_files() -> None:
    """Two activations of the RNN, the GRU and the LSTM, one to three layers deep."""
    assert len(FILES) == 12


@pytest.mark.parametrize("path", nn_cases.INPUT_PATHS)
@pytest.mark.parametrize("name", FILES)
def test_engine_equals_pytorch(name: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs, logits, loss, final states and all gradients, to 1e-10."""
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: nn_cases.INPUT_PATHS[path])
    golden = load_golden(GOLDEN / name)
    options = {"rnn": {"activation": golden.activation}, "gru": {"reset": golden.reset}, "lstm": {}}
    model = make_model(Kind(golden.cell, options[golden.cell]), golden.layers, golden.parameters)
    work = model.new_workspace(*golden.inputs.shape)
    starts, initial = np.zeros(golden.inputs.shape, bool), tuple(golden.initial)

    logits, after = model.logits(work, golden.inputs, starts, initial)
    np.testing.assert_allclose(logits.transpose(1, 2, 0), golden.logits, rtol=0, atol=1e-10)
    assert_states_close(after, golden.final, atol=1e-10)

    no_state = model.zero_states(golden.inputs.shape[1])
    upstream = golden.upstream.transpose(2, 0, 1), no_state
    loss, after, d_initial = model.loss_and_gradients(
        work, golden.inputs, golden.targets, starts, initial, upstream=upstream
    )
    assert loss == pytest.approx(golden.loss, abs=1e-10)
    np.testing.assert_allclose(work.tape.activations.transpose(1, 2, 0), golden.outputs, rtol=0, atol=1e-10)
    assert_states_close(after, golden.final, atol=1e-10)
    assert_gradients_close(model.parameters.gradients, golden.gradients.parameters, atol=1e-10)
    assert_states_close(d_initial, golden.gradients.state, atol=1e-10)
    assert all(np.all(np.any(part, axis=0)) for parts in d_initial for part in parts)
