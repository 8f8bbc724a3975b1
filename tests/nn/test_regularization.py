"""Dropout of every kind, DropConnect, penalties and smoothed targets: each against the reference, and by slopes."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import reference
from nn_cases import (
    INPUT_PATHS,
    KINDS,
    NORMALIZED,
    Case,
    assert_gradients_close,
    assert_states_close,
    central_differences,
    make_case,
    make_model,
    run_engine,
    stencil_of,
)
from reference import Noise

from charlm.nn.parameters import below
from charlm.nn.regularization import OFF, Regularization
from charlm.train_config import TrainConfig

if TYPE_CHECKING:
    from charlm.nn.language_model import LanguageModel, Workspace

SETTINGS: dict[str, dict[str, Any]] = {
    "embedding": {"embedding": 0.4},
    "inputs": {"inputs": 0.4},
    "variational-inputs": {"inputs": 0.4, "variational": True},
    "layers": {"layers": 0.4},
    "outputs": {"outputs": 0.4},
    "variational": {"layers": 0.4, "outputs": 0.3, "variational": True},
    "recurrent": {"recurrent": 0.4},
    "activation": {"activation": 2.0},
    "activation-of-what-is-left": {"activation": 2.0, "outputs": 0.4},
    "slowness": {"slowness": 3.0},
    "slowness-under-dropout": {"slowness": 3.0, "outputs": 0.4},
    "smoothing": {"smoothing": 0.2},
    "all": {
        "embedding": 0.3, "inputs": 0.2, "layers": 0.3, "outputs": 0.4, "recurrent": 0.3, "variational": True,
        "activation": 2.0, "slowness": 3.0, "smoothing": 0.1,
    },
}  # fmt: skip
"""Every kind by itself, those that meet, and all at once."""
FEW = ("lstm", "gru-before", "rnn-tanh", "sru")
RECURRENT = [kind for kind in KINDS if kind not in ("sru", "mingru")]


def regularization(kind: str, setting: str, seed: int = 5) -> Regularization:
    """A setting with a generator of its own; a block without recurrent weights drops none."""
    chosen = dict(SETTINGS[setting])
    if kind not in RECURRENT:
        chosen["recurrent"] = 0
    return Regularization(np.random.default_rng(seed), **chosen)


def prepared(case: Case, how: Regularization) -> tuple[LanguageModel, Workspace]:
    """A model that can be trained so, and room for the case's window."""
    model = make_model(case)
    model = model.gathering() if how.inputs else model
    return model, model.new_workspace(*case.inputs.shape[-2:])


def trained(model: LanguageModel, case: Case, work: Workspace, how: Regularization) -> Any:
    """One window packed, forward and backward, each mask drawn once."""
    model.pack(work, how)
    return run_engine(model, case, work, how=how)


def noise_of(work: Workspace, how: Regularization) -> Noise:
    """What the engine drew, for the reference."""
    tape = work.tape
    return Noise(
        tokens=tape.scales,
        inputs=tape.inputs.mask,
        layers={k: each.mask for k, each in enumerate(tape.dropout) if each.mask is not None},
        recurrent={
            f"layers.{k}.{name}": mask for k, each in enumerate(tape.connections) for name, mask in each.masks.items()
        },
        smoothing=how.smoothing,
        activation=how.activation,
        slowness=how.slowness,
    )


@pytest.mark.parametrize("path", INPUT_PATHS)
@pytest.mark.parametrize(
    ("kind", "setting"),
    [(kind, setting) for kind in FEW for setting in SETTINGS] + [(kind, "all") for kind in KINDS if kind not in FEW],
)
def test_gradients_equal_the_reference(kind: str, setting: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the masks that the engine drew: outputs, the plain loss, states, and every gradient of what is descended."""
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[path])
    residual, layers = kind not in NORMALIZED, 1 if kind in NORMALIZED else 2
    case, how = make_case(kind, layers, residual=residual, seed=8, time=4, hidden=4), regularization(kind, setting)
    model, work = prepared(case, how)
    found = trained(model, case, work, how)
    noise = noise_of(work, how)
    given = case.parameters, case.network, case.inputs, case.targets, case.starts, case.state
    expected = reference.run(*given, noise)
    assert found.loss == pytest.approx(expected.loss, abs=1e-12)
    np.testing.assert_allclose(found.outputs, expected.outputs, rtol=0, atol=1e-12)
    assert_states_close(found.state, expected.state)
    gradients = case.reference_gradients(noise=noise)
    assert_gradients_close(found.gradients, gradients.parameters)
    assert_states_close(found.initial, gradients.state)


def descended(model: LanguageModel, case: Case, work: Workspace, how: Regularization) -> float:
    """What training descends, by the engine's forward pass and the papers' formulas."""
    model.pack(work, how)
    model.stack.forward(model.parameters, work.operands, work.tape, case.inputs, case.starts, tuple(case.state), how)
    (T, B), tape, H = case.targets.shape, work.tape, model.config.hidden
    outputs = tape.activations.copy()
    head = below(model.parameters.views, "head.")
    logits = model.head.logits(head, outputs.transpose(1, 0, 2).reshape(H, T * B))
    logprobs = (logits - np.log(np.exp(logits).sum(axis=0))).reshape(-1, T, B)
    counted = np.argwhere(case.targets >= 0)
    losses = [
        -(1 - how.smoothing) * logprobs[case.targets[t, b], t, b] - how.smoothing * logprobs[:, t, b].mean()
        for t, b in counted
    ]
    total = sum(losses) / len(counted)
    if how.activation:
        mask = tape.dropout[-1].mask
        total += how.activation * np.mean((tape.penalty.activations * (1 if mask is None else mask)) ** 2)
    if how.slowness:
        change = np.diff(tape.penalty.activations, axis=0).swapaxes(1, 2)[~case.starts[1:]]
        total += how.slowness * np.mean(change**2)
    return float(total)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", FEW)
def test_gradients_are_slopes(kind: str, setting: str) -> None:
    """Central differences of what is descended, the generator put back before each pass."""
    case = make_case(kind, 2, seed=8, time=4, batch=2, vocabulary=4, embedding=2, hidden=3)
    how = regularization(kind, setting, seed=9)
    model, work = prepared(case, how)
    begun = deepcopy(how)
    model.pack(work, how)
    model.loss_and_gradients(work, case.inputs, case.targets, case.starts, tuple(case.state), how)
    gradients = {name: gradient.copy() for name, gradient in model.parameters.gradients.items()}
    for name, view in model.parameters.views.items():
        slopes = central_differences(lambda: descended(model, case, work, deepcopy(begun)), view, stencil_of(kind))
        np.testing.assert_allclose(gradients[name], slopes, rtol=1e-6, atol=3e-8, err_msg=name)


def test_tokens_are_dropped_everywhere_and_labels_never() -> None:
    """A dropped token is the zero vector wherever it stands; what is left is scaled; the label's row stays."""
    case = make_case("lstm", 1, labels=2, time=30, batch=4, vocabulary=9, embedding=5)
    how = Regularization(np.random.default_rng(4), embedding=0.5)
    model = make_model(case).gathering()
    work = model.new_workspace(30, 4)
    run_engine(model, case, work, how=how)
    scales, table = work.tape.scales, model.parameters.views["embedding"]
    assert scales is not None
    assert set(scales[:9]) == {0, 2}
    np.testing.assert_array_equal(scales[9:], 1)
    tokens, labels = case.inputs
    x = np.where(tokens[..., None] < 0, 0, scales[tokens, None] * table[tokens])
    x = x + np.where(labels[..., None] < 0, 0, table[labels])
    np.testing.assert_allclose(work.tape.layers[0].x.swapaxes(1, 2), x, rtol=1e-15)


def test_a_dropped_token_has_no_gradient() -> None:
    case = make_case("gru-before", 1, time=30, batch=4, vocabulary=9)
    how = Regularization(np.random.default_rng(4), embedding=0.5)
    for model in (make_model(case), make_model(case).gathering()):
        work = model.new_workspace(30, 4)
        found = run_engine(model, case, work, how=how)
        assert work.tape.scales is not None
        np.testing.assert_array_equal(np.any(found.gradients["embedding"], axis=1), work.tape.scales > 0)


@pytest.mark.parametrize("variational", [False, True])
def test_variational_masks_are_the_same_at_every_step(variational: bool) -> None:
    """And differ between lanes, units, layers and windows; plain ones differ between steps too."""
    case = make_case("gru-after", 2, time=30, batch=4, hidden=16, embedding=16)
    how = Regularization(np.random.default_rng(4), inputs=0.5, layers=0.5, outputs=0.5, variational=variational)
    model, work = prepared(case, how)
    masks = []
    for _ in range(2):
        run_engine(model, case, work, how=how)
        for each in (work.tape.inputs, *work.tape.dropout):
            assert each.mask is not None
            mask = np.broadcast_to(each.mask, (30, 16, 4)).copy()
            assert mask.mean() == pytest.approx(1, abs=0.5 if variational else 0.1)
            assert np.all(mask == mask[:1]) == variational
            assert len(np.unique(mask[0], axis=0)) > 4
            assert len(np.unique(mask[0], axis=1).T) == 4
            masks.append(mask)
    assert all(np.any(one != other) for i, one in enumerate(masks) for other in masks[:i])


@pytest.mark.parametrize("kind", RECURRENT)
def test_dropped_connections_have_no_gradient(kind: str) -> None:
    """In every recurrent matrix of every layer the asked share, the others scaled; nothing else is touched."""
    case = make_case(kind, 2, time=8, hidden=24)
    how = Regularization(np.random.default_rng(4), recurrent=0.25)
    model, work = prepared(case, how)
    found = trained(model, case, work, how)
    seen = set()
    for k, each in enumerate(work.tape.connections):
        for name, mask in each.masks.items():
            assert set(np.unique(mask)) == {0, 4 / 3}
            assert np.mean(mask == 0) == pytest.approx(0.25, abs=0.1)
            gradient = found.gradients[f"layers.{k}.{name}"]
            assert not np.any(gradient[mask == 0])
            assert np.mean(gradient[mask > 0] != 0) > 0.9  # units of ReLU may be dead
            seen.add(f"layers.{k}.{name}")
    assert seen == {name for name in found.gradients if ".W_" in name and name.endswith("a")}


@pytest.mark.parametrize("kind", FEW)
def test_scoring_knows_nothing_of_it(kind: str) -> None:
    """On a tape that has seen all of it, packed again, log-probabilities and gradients are those of a fresh one."""
    case, how = make_case(kind, 2, residual=True), regularization(kind, "all")
    model, work = prepared(case, how)
    fresh = model.new_workspace(*case.inputs.shape)
    expected = run_engine(model, case, fresh)
    trained(model, case, work, how)
    model.pack(work)
    found = run_engine(model, case, work)
    assert found.loss == expected.loss
    for name, gradient in expected.gradients.items():
        np.testing.assert_array_equal(found.gradients[name], gradient)
    given = case.inputs, case.targets, case.starts, tuple(case.state)
    np.testing.assert_array_equal(model.log_probabilities(work, *given)[0], model.log_probabilities(fresh, *given)[0])


def test_the_gathering_model_is_the_same_model() -> None:
    """It has the same parameters, not copies, and the same outputs."""
    case = make_case("lstm", 2)
    model = make_model(case)
    other = model.gathering()
    assert model.stack.folded
    assert not other.stack.folded
    assert other.parameters is model.parameters
    np.testing.assert_allclose(run_engine(other, case).outputs, run_engine(model, case).outputs, rtol=0, atol=1e-13)


def test_a_configuration_names_every_kind() -> None:
    """Each option reaches its field; the last layer's rate is that of all, if it is not named."""
    generator = np.random.default_rng(0)
    assert Regularization.of(TrainConfig(steps=1, dropout=0), generator) == Regularization(generator)
    of_all = Regularization.of(TrainConfig(steps=1, dropout=0.3), generator)
    assert of_all == Regularization(generator, layers=0.3, outputs=0.3)
    config = TrainConfig(
        steps=1,
        dropout=0.1,
        dropout_embedding=0.2,
        dropout_input=0.3,
        dropout_output=0.0,
        dropout_recurrent=0.4,
        dropout_kind="variational",
        activation_penalty=2,
        slowness_penalty=3,
        label_smoothing=0.5,
    )
    assert Regularization.of(config, generator) == Regularization(
        generator, 0.2, 0.3, 0.1, 0.0, 0.4, variational=True, activation=2, slowness=3, smoothing=0.5
    )
    assert TrainConfig.from_json(config.to_json()) == config
    new = ("dropout_", "activation_", "slowness_", "label_")
    older = {key: value for key, value in TrainConfig(steps=1).to_json().items() if not key.startswith(new)}
    assert len(older) == len(TrainConfig(steps=1).to_json()) - 8
    assert TrainConfig.from_json(older) == TrainConfig(steps=1)
    assert Regularization(OFF.generator) == OFF


def test_every_place_has_its_own_rate() -> None:
    """Inputs, the outputs of layers, and those of the last layer."""
    case = make_case("rnn-tanh", 3, time=60, batch=4, hidden=16, embedding=16)
    how = Regularization(np.random.default_rng(4), inputs=0.2, layers=0.4, outputs=0.6)
    model, work = prepared(case, how)
    run_engine(model, case, work, how=how)
    masks = [each.mask for each in (work.tape.inputs, *work.tape.dropout)]
    assert [np.mean(mask == 0) for mask in masks] == pytest.approx([0.2, 0.4, 0.4, 0.6], abs=0.04)
