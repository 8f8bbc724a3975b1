"""Small models, tokens, states and upstream gradients that the engine's tests share."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import reference
from reference import Array, Network, Parameters, State

from charlm.config import ModelConfig
from charlm.nn.language_model import LanguageModel, Workspace
from charlm.nn.registry import every_kind
from charlm.nn.regularization import OFF, Regularization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import DTypeLike

    from charlm.nn.arrays import States


class Kind(NamedTuple):
    """A block with a choice of its options, as the registry and the reference name them."""

    cell: str
    options: Mapping[str, str]


KINDS = {"-".join([cell, *options.values()]): Kind(cell, options) for cell, options in every_kind()}
"""Every block that there is, such as ``gru-before``."""
NORMALIZED = tuple(name for name in KINDS if name.startswith("norm-"))
DEPTHS = (1, 2, 3)
INPUT_PATHS = {"one-hot": True, "gathered": False}


@dataclass(frozen=True)
class Case:
    """A model's parameters, and one window for it with everything that a window may hold."""

    network: Network
    parameters: Parameters
    inputs: Array  # [T, B], with -1; with labels [2, T, B]
    targets: Array  # [T, B], with -1
    starts: Array  # [T, B], one at the first step, and two behind one another
    state: State
    weights_out: Array  # [T, B, H]
    weights_state: State

    @property
    def upstream(self) -> tuple[Array, States]:
        """The weights as an upstream gradient in the engine's layout."""
        return self.weights_out.transpose(2, 0, 1), tuple(self.weights_state)

    def reference_gradients(
        self, *, upstream: bool = True, noise: reference.Noise = reference.SILENCE
    ) -> reference.Gradients:
        """What the reference finds for this window alone."""
        nothing = [tuple(np.zeros_like(part) for part in parts) for parts in self.weights_state]
        return reference.loss_gradient_with_upstream(
            self.parameters,
            self.network,
            self.inputs,
            self.targets,
            self.starts,
            self.state,
            self.weights_out if upstream else np.zeros_like(self.weights_out),
            self.weights_state if upstream else nothing,
            noise,
        )

    def reference_run(self) -> reference.Result:
        """The reference's forward pass."""
        return reference.run(self.parameters, self.network, self.inputs, self.targets, self.starts, self.state)


def random_parameters(kind_name: str, rng: np.random.Generator, shapes: Mapping[str, tuple[int, ...]]) -> Parameters:
    """Those of a network of one kind of block."""
    parameters = reference.random_parameters(rng, dict(shapes), scale=0.6)
    if kind_name == "rnn-relu":
        for name, value in parameters.items():
            if name.endswith("b_a"):
                value[...] += 0.7  # so that no unit of so small a network is dead
    return parameters


@cache
def make_case(
    kind_name: str,
    layers: int,
    *,
    residual: bool = False,
    initial: str = "zero",
    seed: int = 3,
    time: int = 5,
    batch: int = 3,
    vocabulary: int = 5,
    embedding: int = 2,
    hidden: int = 3,
    labels: int = 0,
) -> Case:
    """Random numbers everywhere; lane 0 begins at the first step, lane 1 twice in the middle, the others go on."""
    rng, kind = np.random.default_rng(seed), KINDS[kind_name]
    network = Network(kind.cell, layers, kind.options, residual, initial)
    sizes = {"vocabulary": vocabulary, "embedding": embedding, "hidden": hidden, "labels": labels}
    parameters = random_parameters(kind_name, rng, reference.parameter_shapes(network, **sizes))
    inputs = rng.integers(vocabulary, size=(time, batch))
    targets = rng.integers(vocabulary, size=(time, batch))
    starts = np.zeros((time, batch), bool)
    # A start behind a start: what backward needs of the step between them, the second start must not have replaced.
    starts[0, 0] = starts[time // 2, 1] = starts[time // 2 + 1, 1] = True
    inputs[starts] = -1
    inputs[1, -1] = -1  # no token, yet no start
    targets[0, 1] = targets[-1, 0] = -1
    states = [reference.random_state(rng, network, hidden=hidden, batch=batch, scale=scale) for scale in (0.8, 1.0)]
    weights_out = rng.standard_normal((time, batch, hidden))
    if labels:
        of_texts = vocabulary + np.cumsum(starts, axis=0) % labels
        of_texts[-1, 0] = -1
        inputs = np.stack((inputs, of_texts))
    return Case(network, parameters, inputs, targets, starts, states[0], weights_out, states[1])


@cache
def expected_gradients(
    kind_name: str, layers: int, *, residual: bool = False, initial: str = "zero"
) -> reference.Gradients:
    """The reference's gradients of ``make_case``'s default case: slow, so found once."""
    return make_case(kind_name, layers, residual=residual, initial=initial).reference_gradients()


def make_model(case: Case, dtype: DTypeLike = np.float64) -> LanguageModel:
    """The engine with the parameters of a case."""
    rows, embedding = case.parameters["embedding"].shape
    network, vocabulary = case.network, len(case.parameters["head.b_y"])
    config = ModelConfig(
        vocabulary=vocabulary,
        cell=network.cell,
        options=dict(network.options),
        layers=network.layers,
        hidden=case.parameters["head.W_y"].shape[1],
        embedding=embedding,
        residual=network.residual,
        initial=network.initial,
        labels=rows - vocabulary,
    )
    model = LanguageModel(config, dtype)
    assert model.parameters.views.keys() == case.parameters.keys()
    for name, value in case.parameters.items():
        assert model.parameters.views[name].shape == value.shape
        model.parameters.views[name][...] = value
    return model


def fresh_model(
    kind_name: str, *, layers: int = 2, dtype: DTypeLike = np.float64, seed: int = 1, **config: Any
) -> LanguageModel:
    """An initialised model, its biases moved off their first values."""
    kind = KINDS[kind_name]
    model = LanguageModel(ModelConfig(cell=kind.cell, options=dict(kind.options), layers=layers, **config), dtype)
    model.initialize(seed)
    rng = np.random.default_rng(seed)
    for name, view in model.parameters.views.items():
        if ".b_" in name or ".initial_" in name:
            view[...] += 0.3 * rng.standard_normal(view.shape)
    return model


class Found(NamedTuple):
    """What the engine found for one window; nothing in it is the engine's own memory."""

    loss: float
    outputs: Array  # [T, B, H]
    state: States
    gradients: dict[str, Array]
    initial: States


def run_engine(
    model: LanguageModel,
    case: Case,
    work: Workspace | None = None,
    *,
    when: slice = slice(None),
    state: States | None = None,
    upstream: bool = True,
    how: Regularization = OFF,
) -> Found:
    """One window (or the steps ``when`` of it) forward and backward, in a workspace of its own if none is given."""
    inputs = case.inputs[..., when, :]
    if work is None:
        work = model.new_workspace(*inputs.shape[-2:])
    d_output, d_state = case.upstream
    start = tuple(case.state) if state is None else state
    # Backward takes the memory of the outputs, so they are made by themselves first, with the same dropout.
    fed = model.parameters, work.operands, work.tape, inputs, case.starts[when], start
    model.stack.forward(*fed, deepcopy(how))
    outputs = work.tape.activations[: inputs.shape[-2]].swapaxes(1, 2).copy()
    loss, after, initial = model.loss_and_gradients(
        work,
        inputs,
        case.targets[when],
        case.starts[when],
        start,
        how,
        (d_output[:, when], d_state) if upstream else None,
    )
    gradients = {name: gradient.copy() for name, gradient in model.parameters.gradients.items()}
    return Found(loss, outputs, after, gradients, initial)


def dropout(rate: float, generator: np.random.Generator) -> Regularization:
    """The same rate on every layer's output."""
    return Regularization(generator, layers=rate, outputs=rate)


def objective(model: LanguageModel, work: Workspace, case: Case) -> float:
    """Mean loss + sum(weights * outputs) + sum(weights * final states), by the engine's forward pass alone."""
    model.pack(work)
    d_output, d_state = case.upstream
    logprobs, after = model.log_probabilities(work, case.inputs, case.targets, case.starts, tuple(case.state))
    total = -float(logprobs.sum()) / np.count_nonzero(case.targets >= 0)
    total += float((d_output.swapaxes(0, 1) * work.tape.activations).sum())
    for weights, parts in zip(d_state, after, strict=True):
        total += sum(float((w * part).sum()) for w, part in zip(weights, parts, strict=True))
    return total


class Stencil(NamedTuple):
    """A difference quotient: by so many steps there and back, each with its weight."""

    step: float
    weights: Mapping[int, float]


TWO_POINTS = Stencil(1e-5, {1: 1 / 2})
FIVE_POINTS = Stencil(2e-4, {1: 2 / 3, 2: -1 / 12})
"""For what bends as strongly as a norm of a short vector: the error is of the fourth order."""


def stencil_of(kind_name: str) -> Stencil:
    """The one that suits a kind of block; ReLU has kinks, of which the shorter steps meet fewer."""
    return FIVE_POINTS if kind_name in NORMALIZED else TWO_POINTS


def central_differences(f: Callable[[], float], array: Array, stencil: Stencil = TWO_POINTS) -> Array:
    """Df / d array, one entry at a time; ``array`` is changed and put back."""
    slopes = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        value = array[index]
        for steps, weight in stencil.weights.items():
            for sign in (1, -1):
                array[index] = value + sign * steps * stencil.step
                slopes[index] += sign * weight * f() / stencil.step
        array[index] = value
    return slopes


def assert_states_close(
    actual: Sequence[Sequence[Array]],
    expected: Sequence[Sequence[Array]],
    *,
    rtol: float = 0.0,
    atol: float = 1e-12,
) -> None:
    """Every part of every layer's state is close."""
    assert [len(parts) for parts in actual] == [len(parts) for parts in expected]
    for parts, expected_parts in zip(actual, expected, strict=True):
        for part, expected_part in zip(parts, expected_parts, strict=True):
            np.testing.assert_allclose(part, expected_part, rtol=rtol, atol=atol)


def assert_gradients_close(
    actual: Mapping[str, Array], expected: Mapping[str, Array], *, rtol: float = 0.0, atol: float = 1e-12
) -> None:
    """Every parameter's gradient is close, and none is a mere zero."""
    assert actual.keys() == expected.keys()
    for name, gradient in expected.items():
        assert np.any(gradient), f"{name}: nothing to compare with"
        assert np.any(actual[name]), f"{name}: the gradient is zero"
        np.testing.assert_allclose(actual[name], gradient, rtol=rtol, atol=atol, err_msg=name)


def assert_state_gradients_live(initial: Sequence[Sequence[Array]], starts: Array) -> None:
    """The gradient by an initial state is zero for the lanes that begin at once, and for no other lane."""
    begun = starts[0]
    for parts in initial:
        for part in parts:
            assert not np.any(part[:, begun])
            assert np.all(np.any(part[:, ~begun], axis=0))


def copied(states: Sequence[Sequence[Array]]) -> States:
    """States with memory of their own."""
    return tuple(tuple(part.copy() for part in parts) for parts in states)


def tape_arrays(work: Workspace) -> list[tuple[str, Array]]:
    """Every array of a workspace's tape by name, those of the layers and of the parts of their tapes included."""
    return list(_arrays_of(work.tape))


def _arrays_of(tape: Any) -> Iterator[tuple[str, Array]]:
    for name, value in vars(tape).items():
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, np.ndarray):
                yield name, each
            elif is_dataclass(each):
                yield from _arrays_of(each)
