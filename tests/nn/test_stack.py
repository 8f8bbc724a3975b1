"""Layers on top of one another: what a residual connection passes by, and the state in which a text begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from nn_cases import (
    KINDS,
    assert_states_close,
    dropout,
    fresh_model,
    make_case,
    make_model,
    run_engine,
)

from charlm.config import ModelConfig
from charlm.nn.language_model import LanguageModel

if TYPE_CHECKING:
    from charlm.nn.arrays import Array

SHUT = {"lstm": {"b_o": -1000.0}, "gru-before": {"b_u": -1000.0}, "rnn-tanh": {"W_aa": 0.0, "W_ax": 0.0, "b_a": 0.0}}
"""What makes a block that begins with zeros put out zeros."""
SIZES: dict[str, Any] = {"vocabulary": 7, "hidden": 5, "embedding": 4}


def outputs(model: LanguageModel, time: int = 6, batch: int = 3) -> Array:
    """The top layer's, of random tokens from a start."""
    inputs = np.random.default_rng(0).integers(0, model.config.vocabulary, (time, batch))
    work, starts = model.new_workspace(time, batch), np.zeros((time, batch), bool)
    model.advance(work, inputs, starts, model.zero_states(batch))
    return work.tape.activations.swapaxes(0, 1).copy()


@pytest.mark.parametrize("kind", SHUT)
def test_a_residual_layer_that_says_nothing_passes_on_what_is_below(kind: str) -> None:
    """Two layers with the second one's output shut give the first one's; without the connection, nothing."""
    one, two = fresh_model(kind, layers=1, **SIZES), fresh_model(kind, layers=2, residual=True, **SIZES)
    plain = fresh_model(kind, layers=2, **SIZES)
    for name, view in one.parameters.views.items():
        two.parameters.views[name][...] = view
    for name, value in SHUT[kind].items():
        two.parameters.views[f"layers.1.{name}"][...] = plain.parameters.views[f"layers.1.{name}"][...] = value
    expected = outputs(one)
    assert np.abs(expected).min() > 1e-6
    np.testing.assert_array_equal(outputs(two), expected)
    assert not np.any(outputs(plain))


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_layer_has_no_residual_connection(kind: str) -> None:
    """Its input is of another size, and is so even where the sizes are the same."""
    sizes = SIZES | {"embedding": SIZES["hidden"]}
    plain, residual = (fresh_model(kind, layers=1, residual=each, **sizes) for each in (False, True))
    np.testing.assert_array_equal(outputs(plain), outputs(residual))


@pytest.mark.parametrize("kind", ["lstm", "norm-gru", "sru", "mingru"])
def test_the_state_of_a_residual_layer_is_its_own(kind: str) -> None:
    """What is added to the output is not carried: with the upper layer's input matrices zero it makes no difference."""
    states = []
    for residual in (False, True):
        model = fresh_model(kind, layers=2, residual=residual, **SIZES)
        for name, view in model.parameters.views.items():
            if name.startswith("layers.1.W_") and name.endswith("x"):
                view[...] = 0
        inputs = np.random.default_rng(0).integers(0, 7, (6, 3))
        work = model.new_workspace(6, 3)
        states.append(model.advance(work, inputs, np.zeros((6, 3), bool), model.zero_states(3)))
    assert_states_close(*states, atol=0)


def test_dropout_leaves_the_residual_connection_alone() -> None:
    """Y = mask * a + x: where the mask is zero, the output is that of the layer below."""
    case = make_case("lstm", 2, residual=True)
    model = make_model(case)
    work = model.new_workspace(*case.inputs.shape)
    found = run_engine(model, case, work, how=dropout(0.4, np.random.default_rng(6)))
    below, mask = work.tape.layers[1].x.swapaxes(1, 2), work.tape.dropout[1].mask
    assert mask is not None
    mask = mask.swapaxes(1, 2)
    assert np.any(mask == 0)
    assert np.any(below[mask == 0])
    assert np.array_equal(found.outputs == below, mask == 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_begins_in_the_learned_state(kind: str) -> None:
    """A start puts every layer's state to the parameters; where they are zero, it is the start of any other model."""
    learned, zero = fresh_model(kind, initial="learned", **SIZES), fresh_model(kind, **SIZES)
    parts = learned.stack.blocks[0].state_names
    for k, state in enumerate(learned.initial_states(3)):
        assert len(state) == len(parts)
        for name, part in zip(parts, state, strict=True):
            parameter = learned.parameters.views[f"layers.{k}.initial_{name}"]
            assert np.all(parameter != 0)
            np.testing.assert_array_equal(part, np.repeat(parameter[:, None], 3, axis=1))
            part[...] = 7  # a copy
            assert not np.any(parameter == 7)
    assert not any(np.any(part) for state in zero.initial_states(3) for part in state)

    inputs, still = np.random.default_rng(0).integers(0, 7, (4, 3)), np.zeros((4, 3), bool)
    starts = still.copy()
    starts[0] = True
    elsewhere = tuple(tuple(part + 9 for part in state) for state in learned.zero_states(3))
    work = learned.new_workspace(4, 3)
    begun = learned.advance(work, inputs, starts, elsewhere)
    assert_states_close(begun, learned.advance(work, inputs, still, learned.initial_states(3)), atol=0)
    for name, view in learned.parameters.views.items():
        view[...] = 0 if ".initial_" in name else zero.parameters.views[name]
    learned.pack(work)
    plain = zero.new_workspace(4, 3)
    assert_states_close(
        learned.advance(work, inputs, starts, elsewhere), zero.advance(plain, inputs, starts, elsewhere), atol=0
    )


@pytest.mark.parametrize("kind", KINDS)
def test_deep_networks_begin_with_finite_gradients(kind: str) -> None:
    """In float32, six layers deep, from a start: a zero vector and zero states, where a norm is steepest."""
    cell, options = KINDS[kind]
    model = LanguageModel(ModelConfig(**SIZES, cell=cell, options=options, layers=6))
    model.initialize(1)
    tokens, starts = np.random.default_rng(0).integers(0, SIZES["vocabulary"], (8, 3)), np.zeros((8, 3), bool)
    starts[0] = starts[4, 1] = True
    inputs = np.where(starts, -1, tokens)
    loss, _, _ = model.loss_and_gradients(model.new_workspace(8, 3), inputs, tokens, starts, model.zero_states(3))
    assert np.isfinite(loss)
    assert np.linalg.norm(model.parameters.gradient_values) < 100


def test_without_a_start_an_initial_state_has_no_gradient() -> None:
    """Also right after a window that had some."""
    case = make_case("lstm", 2, initial="learned")
    model = make_model(case)
    work = model.new_workspace(*case.inputs.shape)
    begun = run_engine(model, case, work)
    later = run_engine(model, case, work, when=slice(1, 2))
    initial = [name for name in begun.gradients if ".initial_" in name]
    assert len(initial) == 4
    assert all(np.any(begun.gradients[name]) and not np.any(later.gradients[name]) for name in initial)


def test_the_initial_state_takes_no_weight_decay_and_begins_at_zero() -> None:
    """It is a bias of the whole past."""
    config = ModelConfig(vocabulary=5, cell="lstm", layers=2, hidden=4, embedding=3, initial="learned")
    model = LanguageModel(config)
    model.initialize(1)
    names = [name for name in model.parameters.views if ".initial_" in name]
    assert names == [f"layers.{k}.initial_{part}" for k in range(2) for part in ("hidden", "cell")]
    model.parameters.values[: model.parameters.decayed] = 1
    assert not any(np.any(model.parameters.views[name]) for name in names)
