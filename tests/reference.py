"""A naive reference of the recurrent language model, to hold the fused engine against.

One matrix a gate, one example at a time, plain loops over time, batch and layers: slow, and short enough to
be checked by eye against the equations. `s` is the logistic sigmoid, `*` elementwise, `a` the hidden state:

    rnn              a = g(W_aa a_prev + W_ax x + b_a), g = tanh or ReLU
    gru              r = s(W_ra a_prev + W_rx x + b_r);  u = s(W_ua a_prev + W_ux x + b_u)
      reset before   c~ = tanh(W_ca (r * a_prev) + W_cx x + b_c)
      reset after    c~ = tanh(W_cx x + b_c + r * (W_ca a_prev + b_ca))
                     a = u * c~ + (1 - u) * a_prev
    lstm             f, u, o = s(W_ga a_prev + W_gx x + b_g) for g = f, u, o
                     c~ = tanh(W_ca a_prev + W_cx x + b_c)
                     c = u * c~ + f * c_prev;  a = o * tanh(c)
    language model   log p_t = log_softmax(W_y a_t + b_y)[target_t];  loss = mean of -log p_t

Parameters are a dictionary; `parameter_shapes` lists its names. Inputs and targets are `[time, batch]`,
states are one tuple a layer, `(hidden,)` or `(hidden, cell)`, of arrays `[features, batch]`.

There is no backward pass to get wrong. Everything runs in complex numbers as well, so a derivative is the
imaginary part left by an imaginary step too small to round anything: Im f(p + ih) / h, exact to round-off
(Squire and Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998).

Nothing here imports the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

Array = NDArray[Any]
Parameters = dict[str, Array]
State = list[tuple[Array, ...]]

GATES = {"rnn": "a", "gru": "ruc", "lstm": "fuoc"}
STATE_PARTS = {"rnn": ("hidden",), "gru": ("hidden",), "lstm": ("hidden", "cell")}
GOLDEN = Path(__file__).parent / "golden"

_IMAGINARY_STEP = 1e-30


@dataclass(frozen=True)
class Result:
    """What a run leaves behind."""

    loss: Any  # mean of -log p over the counted targets, 0 if there are none; complex if a parameter is
    logprobs: Array  # [time, batch], 0 where nothing is counted
    outputs: Array  # [time, batch, hidden], the top layer's hidden state at each step
    state: State  # after the last step


class Gradients(NamedTuple):
    """Derivatives, each of the shape of what it is a derivative by."""

    parameters: Parameters
    state: State  # by the initial states


def parameter_shapes(
    cell: str, layers: int, *, vocabulary: int, embedding: int, hidden: int, reset: str = "before"
) -> dict[str, tuple[int, ...]]:
    """Every parameter's name and shape."""
    shapes: dict[str, tuple[int, ...]] = {"embedding": (vocabulary, embedding)}
    for layer in range(layers):
        for gate in GATES[cell]:
            shapes[f"layers.{layer}.W_{gate}a"] = (hidden, hidden)
            shapes[f"layers.{layer}.W_{gate}x"] = (hidden, hidden if layer else embedding)
            shapes[f"layers.{layer}.b_{gate}"] = (hidden,)
        if cell == "gru" and reset == "after":
            shapes[f"layers.{layer}.b_ca"] = (hidden,)
    return shapes | {"head.W_y": (vocabulary, hidden), "head.b_y": (vocabulary,)}


def random_parameters(rng: np.random.Generator, shapes: dict[str, tuple[int, ...]], scale: float = 0.5) -> Parameters:
    """Normal numbers in every parameter, the biases too."""
    return {name: scale * rng.standard_normal(shape) for name, shape in shapes.items()}


def random_state(
    rng: np.random.Generator, cell: str, layers: int, *, hidden: int, batch: int, scale: float = 0.5
) -> State:
    """Normal numbers in every part of the state of every layer."""
    return [tuple(scale * rng.standard_normal((hidden, batch)) for _ in STATE_PARTS[cell]) for _ in range(layers)]


def zero_state(cell: str, layers: int, *, hidden: int, batch: int) -> State:
    """The state a text starts from."""
    return [tuple(np.zeros((hidden, batch)) for _ in STATE_PARTS[cell]) for _ in range(layers)]


def run(
    parameters: Parameters,
    cell: str,
    layers: int,
    inputs: Array,
    targets: Array,
    starts: Array,
    state: State,
    *,
    activation: str = "tanh",
    reset: str = "before",
) -> Result:
    """Run the model over `[time, batch]` tokens.

    An input of -1 is the zero vector. A target of -1 is nothing to predict: it is not counted. Where `starts`
    is true, the example's state of every layer is put to zero before that step. `state` is not modified.
    """
    _check(parameters, cell, layers, inputs, targets, starts, state, reset)
    dtype = np.result_type(np.float64, *parameters.values(), *(part for parts in state for part in parts))
    embedding, W_y, b_y = parameters["embedding"], parameters["head.W_y"], parameters["head.b_y"]
    time, batch = inputs.shape
    logprobs = np.zeros((time, batch), dtype)
    outputs = np.zeros((time, batch, W_y.shape[1]), dtype)
    blocks = [_of_layer(parameters, layer) for layer in range(layers)]
    now = [tuple(part.astype(dtype) for part in parts) for parts in state]  # astype copies

    for t in range(time):
        for b in range(batch):
            if starts[t, b]:
                for parts in now:
                    for part in parts:
                        part[:, b] = 0
            x = embedding[inputs[t, b]] if inputs[t, b] >= 0 else np.zeros(embedding.shape[1], dtype)
            for block, parts in zip(blocks, now, strict=True):
                new = _step(block, cell, x, [part[:, b] for part in parts], activation, reset)
                for part, value in zip(parts, new, strict=True):
                    part[:, b] = value
                x = new[0]
            outputs[t, b] = x
            if targets[t, b] >= 0:
                logprobs[t, b] = _log_softmax(W_y @ x + b_y)[targets[t, b]]

    counted = np.count_nonzero(targets >= 0)
    return Result(-logprobs.sum() / max(counted, 1), logprobs, outputs, now)


def objective(
    parameters: Parameters,
    cell: str,
    layers: int,
    inputs: Array,
    targets: Array,
    starts: Array,
    state: State,
    weights_out: Array,
    weights_state: State,
    *,
    activation: str = "tanh",
    reset: str = "before",
) -> Any:
    """The loss + sum(weights_out * outputs) + the sum over layers of sum(weights_state * final state)."""
    result = run(parameters, cell, layers, inputs, targets, starts, state, activation=activation, reset=reset)
    total = result.loss + (weights_out * result.outputs).sum()
    for weights, parts in zip(weights_state, result.state, strict=True):
        for weight, part in zip(weights, parts, strict=True):
            total += (weight * part).sum()
    return total


def gradients(
    parameters: Parameters,
    cell: str,
    layers: int,
    inputs: Array,
    targets: Array,
    starts: Array,
    state: State,
    *,
    activation: str = "tanh",
    reset: str = "before",
) -> Gradients:
    """The loss's derivatives by every parameter and by the initial states."""
    return loss_gradient_with_upstream(
        parameters,
        cell,
        layers,
        inputs,
        targets,
        starts,
        state,
        np.zeros(()),
        [tuple(np.zeros(()) for _ in parts) for parts in state],
        activation=activation,
        reset=reset,
    )


def loss_gradient_with_upstream(
    parameters: Parameters,
    cell: str,
    layers: int,
    inputs: Array,
    targets: Array,
    starts: Array,
    state: State,
    weights_out: Array,
    weights_state: State,
    *,
    activation: str = "tanh",
    reset: str = "before",
) -> Gradients:
    """The same of `objective`: its weights are an upstream gradient into outputs and final states."""
    stepped = {name: value.astype(np.complex128) for name, value in parameters.items()}
    stepped_state = [tuple(part.astype(np.complex128) for part in parts) for parts in state]

    def derivatives(array: Array) -> Array:
        found = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            value = array[index]
            array[index] = value + 1j * _IMAGINARY_STEP
            total = objective(
                stepped,
                cell,
                layers,
                inputs,
                targets,
                starts,
                stepped_state,
                weights_out,
                weights_state,
                activation=activation,
                reset=reset,
            )
            found[index] = total.imag / _IMAGINARY_STEP
            array[index] = value
        return found

    return Gradients(
        {name: derivatives(value) for name, value in stepped.items()},
        [tuple(derivatives(part) for part in parts) for parts in stepped_state],
    )


def _of_layer(parameters: Parameters, layer: int) -> Parameters:
    """One layer's parameters without its prefix."""
    prefix = f"layers.{layer}."
    return {name.removeprefix(prefix): value for name, value in parameters.items() if name.startswith(prefix)}


def _step(p: Parameters, cell: str, x: Array, previous: list[Array], activation: str, reset: str) -> tuple[Array, ...]:
    """One step of one layer for one example: vectors in, the new state as vectors out."""
    a_prev = previous[0]

    def preactivation(gate: str, a: Array) -> Array:
        return np.asarray(p[f"W_{gate}a"] @ a + p[f"W_{gate}x"] @ x + p[f"b_{gate}"])

    if cell == "rnn":
        z = preactivation("a", a_prev)
        return (np.tanh(z) if activation == "tanh" else _relu(z),)

    u = _sigmoid(preactivation("u", a_prev))
    if cell == "gru":
        r = _sigmoid(preactivation("r", a_prev))
        if reset == "before":
            candidate = np.tanh(preactivation("c", r * a_prev))
        else:
            candidate = np.tanh(p["W_cx"] @ x + p["b_c"] + r * (p["W_ca"] @ a_prev + p["b_ca"]))
        return (u * candidate + (1 - u) * a_prev,)

    f = _sigmoid(preactivation("f", a_prev))
    o = _sigmoid(preactivation("o", a_prev))
    candidate = np.tanh(preactivation("c", a_prev))
    c = u * candidate + f * previous[1]
    return (o * np.tanh(c), c)


def _sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


def _relu(z: Array) -> Array:
    return np.where(z.real > 0, z, 0)


def _log_softmax(z: Array) -> Array:
    shifted = z - z.real.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def _check(
    parameters: Parameters,
    cell: str,
    layers: int,
    inputs: Array,
    targets: Array,
    starts: Array,
    state: State,
    reset: str,
) -> None:
    """Refuse a name or shape that is not the reference's: an unused array would pass for a zero gradient."""
    vocabulary, embedding = parameters["embedding"].shape
    hidden = parameters["head.W_y"].shape[1]
    expected = parameter_shapes(cell, layers, vocabulary=vocabulary, embedding=embedding, hidden=hidden, reset=reset)
    actual = {name: value.shape for name, value in parameters.items()}
    if actual != expected:
        differing = dict(actual.items() ^ expected.items())
        raise ValueError(f"parameters are not those of a {cell} of {layers} layers: see {sorted(differing)}")
    if not inputs.shape == targets.shape == starts.shape:
        raise ValueError(f"inputs {inputs.shape}, targets {targets.shape}, starts {starts.shape} differ")
    state_shapes = [tuple(part.shape for part in parts) for parts in state]
    if state_shapes != [((hidden, inputs.shape[1]),) * len(STATE_PARTS[cell])] * layers:
        raise ValueError(f"states of {layers} layers of {STATE_PARTS[cell]} expected, got {state_shapes}")


@dataclass(frozen=True)
class Golden:
    """One of PyTorch's runs as `make_golden.py` stored it: what went in, and what PyTorch found.

    `gradients` are those of loss + sum(upstream * outputs).
    """

    cell: str
    layers: int
    activation: str
    reset: str
    parameters: Parameters
    inputs: Array  # [time, batch]
    targets: Array  # [time, batch]
    upstream: Array  # [time, batch, hidden]
    initial: State
    final: State
    outputs: Array  # [time, batch, hidden]
    logits: Array  # [time, batch, vocabulary]
    loss: float
    gradients: Gradients


def load_golden(path: Path) -> Golden:
    """Read one of the files in `GOLDEN`."""
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
        tensors: Parameters = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    cell, layers = metadata["cell"], int(metadata["layers"])

    def state(prefix: str) -> State:
        return [tuple(tensors[f"{prefix}.{layer}.{part}"] for part in STATE_PARTS[cell]) for layer in range(layers)]

    names = [name.removeprefix("parameters.") for name in tensors if name.startswith("parameters.")]
    return Golden(
        cell=cell,
        layers=layers,
        activation=metadata["activation"],
        reset=metadata["reset"],
        parameters={name: tensors[f"parameters.{name}"] for name in names},
        inputs=tensors["inputs"],
        targets=tensors["targets"],
        upstream=tensors["upstream"],
        initial=state("initial"),
        final=state("final"),
        outputs=tensors["outputs"],
        logits=tensors["logits"],
        loss=float(tensors["loss"]),
        gradients=Gradients({name: tensors[f"gradients.{name}"] for name in names}, state("gradients.initial")),
    )
