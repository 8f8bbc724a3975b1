"""A workspace for one lane's single steps, as a stream of samples has it, computes what any other does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nn_cases import INPUT_PATHS, KINDS, assert_states_close, fresh_model

from charlm.nn.token_operand import TokenOperand

SIZES: dict[str, Any] = {"vocabulary": 7, "layers": 2, "hidden": 5, "embedding": 4, "initial": "learned"}
TOKENS = (-1, 3, 0, 6, 6, -1, 2)


@pytest.mark.parametrize("path", INPUT_PATHS)
@pytest.mark.parametrize("kind", KINDS)
def test_single_steps_are_those_of_a_window(kind: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logits and states to round-off, on a tape for more too; with a text that begins in between, and other weights."""
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[path])
    model = fresh_model(kind, residual=True, **SIZES)
    inputs = np.array(TOKENS)[:, None]
    starts = inputs < 0
    window, single = model.new_workspace(len(TOKENS), 1), model.new_workspace(1, 1, keep=False)
    assert isinstance(single.operands[0], TokenOperand) is model.stack.folded
    for change in (0.0, 0.1):
        model.parameters.values[...] += change * np.random.default_rng(0).standard_normal(model.parameters.values.size)
        for work in (window, single):
            model.pack(work)
        expected, after = model.logits(window, inputs, starts, model.zero_states(1))
        for work in (window, single):
            states = model.zero_states(1)
            for t in range(len(TOKENS)):
                found, states = model.logits(work, inputs[t : t + 1], starts[t : t + 1], states)
                np.testing.assert_allclose(found[:, 0], expected[:, t], rtol=0, atol=1e-12)
            assert_states_close(states, after, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_matrices_of_single_steps_stand_in_columns(kind: str) -> None:
    """And only those: training and many lanes read rows."""
    model = fresh_model(kind, **SIZES)
    for time, batch, keep in ((1, 1, False), (1, 1, True), (2, 1, False), (1, 2, False)):
        single = (time, batch, keep) == (1, 1, False)
        for operand in model.new_workspace(time, batch, keep=keep).operands:
            for product in (each for each in operand.products if each.shape[1] > 1):
                assert product.flags.f_contiguous is single
