"""A workspace that keeps nothing for a way back computes the same bits as one that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from nn_cases import INPUT_PATHS, KINDS, assert_states_close, fresh_model

if TYPE_CHECKING:
    from charlm.nn.language_model import LanguageModel, Workspace

SIZES: dict[str, Any] = {"vocabulary": 7, "hidden": 5, "embedding": 4, "residual": True, "initial": "learned"}
LENGTHS = (6, 1, 4, 6)
"""Of windows one after another, the longest of which the tape just holds."""


def assert_same_bits(model: LanguageModel, work: Workspace, other: Workspace, batch: int) -> None:
    """Window after window, each with the states that the one before has left; every way to run forward."""
    rng, states = np.random.default_rng(0), model.initial_states(batch)
    begun = 0
    for time in LENGTHS:
        inputs, targets = rng.integers(-1, 7, (2, time, batch))
        starts = rng.random((time, batch)) < 0.3
        begun += int(np.count_nonzero(starts[1:]))
        window = inputs, targets, starts, states
        expected, after = model.log_probabilities(work, *window)
        found, found_after = model.log_probabilities(other, *window)
        np.testing.assert_array_equal(found, expected)
        assert_states_close(found_after, after, atol=0)
        assert np.any(expected)
        logits, after_logits = model.logits(work, inputs, starts, states)
        found, found_after = model.logits(other, inputs, starts, states)
        np.testing.assert_array_equal(found, logits)
        assert_states_close(found_after, after_logits, atol=0)
        assert_states_close(model.advance(other, inputs, starts, states), after, atol=0)
        states = after
    assert begun > 0


@pytest.mark.parametrize("path", INPUT_PATHS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_workspace_without_a_way_back_gives_the_same_bits(
    kind: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Log-probabilities, logits and states, with starts inside the windows; several lanes and a single one."""
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[path])
    model = fresh_model(kind, layers=2, **SIZES)
    for batch in (3, 1):
        work, other = (model.new_workspace(max(LENGTHS), batch, keep=keep) for keep in (True, False))
        assert_same_bits(model, work, other, batch)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("sru", "mingru")])
def test_a_tape_without_a_way_back_holds_the_gates_of_one_step(kind: str) -> None:
    """Where no matrix acts on the state, the products of all steps are made at once, and are kept in either case."""
    model, shared = fresh_model(kind, **SIZES), {}
    for keep in (True, False):
        for tape in model.new_workspace(5, 2, keep=keep).tape.layers:
            name = "outputs" if kind.startswith("rnn") else "gates"
            gates = vars(tape)[name]
            shared[keep] = np.shares_memory(gates[0], gates[1])
    assert shared == {True: False, False: True}
