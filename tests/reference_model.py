"""The naive reference's language model: plain loops over time, batch and layers around one cell's step.

    x_t = embedding[input_t];  each layer's output is the next one's x, that of the last is y_t
    log p_t = log_softmax(W_y y_t + b_y)[target_t];  loss = mean of -log p_t

With `residual`, a layer above the first puts out a + x. With `initial` "learned", a start puts a state to the
parameters `layers.<k>.initial_<part>` and not to zero. Parameters are a dictionary; `parameter_shapes` lists its
names. Inputs and targets are `[time, batch]`, states are one tuple a layer of arrays `[hidden, batch]`. With labels,
inputs are `[2, time, batch]`, of tokens and of labels, whose rows of the embedding stand behind those of the tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from reference_cells import Array, Network, Parameters, Parts, Shapes, cell_shapes, step
from reference_derivatives import Gradients, derivatives, to_complex
from reference_noise import Noise

SILENCE = Noise()
State = list[Parts]


@dataclass(frozen=True)
class Result:
    """What a run leaves behind."""

    trained: Any  # what training descends: the loss with smoothed targets, and penalties; the loss if there are none
    loss: Any  # mean of -log p over the counted targets, 0 if there are none; complex if a parameter is
    logprobs: Array  # [time, batch], 0 where nothing is counted
    outputs: Array  # [time, batch, hidden], what the top layer puts out at each step
    state: State  # after the last step


def parameter_shapes(network: Network, *, vocabulary: int, embedding: int, hidden: int, labels: int = 0) -> Shapes:
    """Every parameter's name and shape."""
    shapes: Shapes = {"embedding": (vocabulary + labels, embedding)}
    for layer in range(network.layers):
        own = cell_shapes(network, inputs=hidden if layer else embedding, hidden=hidden)
        if network.initial == "learned":
            own |= {f"initial_{part}": (hidden,) for part in network.parts}
        shapes |= {f"layers.{layer}.{name}": shape for name, shape in own.items()}
    return shapes | {"head.W_y": (vocabulary, hidden), "head.b_y": (vocabulary,)}


def random_state(rng: np.random.Generator, network: Network, *, hidden: int, batch: int, scale: float = 0.5) -> State:
    """Normal numbers in every part of the state of every layer."""
    return [tuple(scale * rng.standard_normal((hidden, batch)) for _ in network.parts) for _ in range(network.layers)]


def zero_state(network: Network, *, hidden: int, batch: int) -> State:
    """The state a text starts from if none is learned."""
    return [tuple(np.zeros((hidden, batch)) for _ in network.parts) for _ in range(network.layers)]


def run(
    parameters: Parameters,
    network: Network,
    inputs: Array,
    targets: Array,
    starts: Array,
    state: State,
    noise: Noise = SILENCE,
) -> Result:
    """Run the model over `[time, batch]` tokens.

    An input of -1 is the zero vector. A target of -1 is nothing to predict: it is not counted. Where `starts`
    is true, the example's state of every layer is put to the initial one before that step. `state` is taken as
    it is given, and not modified.
    """
    _check(parameters, network, inputs, targets, starts, state)
    parameters = noise.parameters(parameters)
    dtype = np.result_type(np.float64, *parameters.values(), *(part for parts in state for part in parts))
    embedding, W_y, b_y = parameters["embedding"], parameters["head.W_y"], parameters["head.b_y"]
    time, batch = targets.shape
    logprobs = np.zeros((time, batch), dtype)
    outputs, raw = (np.zeros((time, batch, W_y.shape[1]), dtype) for _ in range(2))
    smoothed: Any = 0
    layers = [of_prefix(parameters, f"layers.{layer}.") for layer in range(network.layers)]
    now = [tuple(part.astype(dtype) for part in parts) for parts in state]  # astype copies

    for t in range(time):
        for b in range(batch):
            if starts[t, b]:
                _begin(network, layers, now, b)
            x = np.zeros(embedding.shape[1], dtype)
            for row in inputs.reshape(-1, time, batch)[:, t, b]:
                x = x + noise.token(row) * embedding[row] if row >= 0 else x
            x = noise.at(noise.inputs, t, b) * x
            for k, (p, parts) in enumerate(zip(layers, now, strict=True)):
                a, new = step(network, p, x, tuple(part[:, b] for part in parts))
                for part, value in zip(parts, new, strict=True):
                    part[:, b] = value
                left = noise.at(noise.layers.get(k), t, b) * a
                x = left + x if network.residual and k else left
            raw[t, b] = a
            outputs[t, b] = x
            if targets[t, b] >= 0:
                every = _log_softmax(W_y @ x + b_y)
                logprobs[t, b] = every[targets[t, b]]
                smoothed = smoothed + noise.smoothed(every, targets[t, b])

    counted = max(np.count_nonzero(targets >= 0), 1)
    trained = smoothed / counted + noise.penalty(raw, starts, network.layers - 1)
    return Result(trained, -logprobs.sum() / counted, logprobs, outputs, now)


def objective(
    parameters: Parameters,
    network: Network,
    inputs: Array,
    targets: Array,
    starts: Array,
    state: State,
    weights_out: Array,
    weights_state: State,
    noise: Noise = SILENCE,
) -> Any:
    """What training descends + sum(weights_out * outputs) + the sum over layers of sum(weights_state * final state)."""
    result = run(parameters, network, inputs, targets, starts, state, noise)
    total = result.trained + (weights_out * result.outputs).sum()
    for weights, parts in zip(weights_state, result.state, strict=True):
        for weight, part in zip(weights, parts, strict=True):
            total += (weight * part).sum()
    return total


def gradients(
    parameters: Parameters, network: Network, inputs: Array, targets: Array, starts: Array, state: State
) -> Gradients:
    """The loss's derivatives by every parameter and by the initial states."""
    no_weights = [tuple(np.zeros(()) for _ in parts) for parts in state]
    return loss_gradient_with_upstream(parameters, network, inputs, targets, starts, state, np.zeros(()), no_weights)


def loss_gradient_with_upstream(
    parameters: Parameters,
    network: Network,
    inputs: Array,
    targets: Array,
    starts: Array,
    state: State,
    weights_out: Array,
    weights_state: State,
    noise: Noise = SILENCE,
) -> Gradients:
    """The same of `objective`: its weights are an upstream gradient into outputs and final states."""
    stepped = {name: to_complex(value) for name, value in parameters.items()}
    stepped_state = [tuple(to_complex(part) for part in parts) for parts in state]

    def total() -> Any:
        return objective(stepped, network, inputs, targets, starts, stepped_state, weights_out, weights_state, noise)

    return Gradients(
        {name: derivatives(total, value) for name, value in stepped.items()},
        [tuple(derivatives(total, part) for part in parts) for parts in stepped_state],
    )


def of_prefix(parameters: Parameters, prefix: str) -> Parameters:
    """The parameters whose names begin so, without it."""
    return {name.removeprefix(prefix): value for name, value in parameters.items() if name.startswith(prefix)}


def check_parameters(parameters: Parameters, expected: Shapes, network: Network) -> None:
    """Refuse a name or shape that is not the reference's: an unused array would pass for a zero gradient."""
    actual = {name: value.shape for name, value in parameters.items()}
    if actual != expected:
        differing = dict(actual.items() ^ expected.items())
        raise ValueError(f"parameters are not those of {network}: see {sorted(differing)}")


def _begin(network: Network, layers: list[Parameters], now: State, example: int) -> None:
    """Put the example's state of every layer to what a text starts from."""
    for p, parts in zip(layers, now, strict=True):
        for name, part in zip(network.parts, parts, strict=True):
            part[:, example] = p[f"initial_{name}"] if network.initial == "learned" else 0


def _log_softmax(z: Array) -> Array:
    shifted = z - z.real.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def _check(
    parameters: Parameters, network: Network, inputs: Array, targets: Array, starts: Array, state: State
) -> None:
    rows, embedding = parameters["embedding"].shape
    vocabulary, hidden = parameters["head.W_y"].shape
    sizes = {"vocabulary": vocabulary, "embedding": embedding, "hidden": hidden, "labels": rows - vocabulary}
    check_parameters(parameters, parameter_shapes(network, **sizes), network)
    if not inputs.shape[-2:] == targets.shape == starts.shape:
        raise ValueError(f"inputs {inputs.shape}, targets {targets.shape}, starts {starts.shape} differ")
    state_shapes = [tuple(part.shape for part in parts) for parts in state]
    if state_shapes != [((hidden, inputs.shape[-1]),) * len(network.parts)] * network.layers:
        raise ValueError(f"states of {network.layers} layers of {network.parts} expected, got {state_shapes}")
