"""The naive reference's bidirectional encoder: each layer reads every lane forward and backward.

    layer 0 reads x_t, each layer above reads [forward output at t; backward output at t] of the layer below

Forward goes from the lane's first token to its last, backward from its last to its first: padding is not read,
and the outputs there are zero. With `residual`, a layer above the first puts out [forward; backward] + x. The
parameters are named `layers.<k>.forward.<name>` and `layers.<k>.backward.<name>`; a state is a pair a layer,
forward's parts and backward's, of arrays `[hidden, batch]`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from reference_cells import Array, Network, Parameters, Parts, Shapes, cell_shapes, run_lane
from reference_derivatives import derivatives, to_complex
from reference_model import check_parameters, of_prefix

EncoderState = list[tuple[Parts, Parts]]

DIRECTIONS = ("forward", "backward")


def encoder_shapes(network: Network, *, input_size: int, hidden: int) -> Shapes:
    """Every parameter's name and shape; the encoder's initial states are given, none is learned."""
    if network.initial != "zero":
        raise ValueError(f"an encoder's initial states are given, not {network.initial}")
    shapes: Shapes = {}
    for layer in range(network.layers):
        own = cell_shapes(network, inputs=2 * hidden if layer else input_size, hidden=hidden)
        for direction in DIRECTIONS:
            shapes |= {f"layers.{layer}.{direction}.{name}": shape for name, shape in own.items()}
    return shapes


def random_encoder_state(
    rng: np.random.Generator, network: Network, *, hidden: int, batch: int, scale: float = 0.5
) -> EncoderState:
    """Normal numbers in every part of the state of both directions of every layer."""

    def parts() -> Parts:
        return tuple(scale * rng.standard_normal((hidden, batch)) for _ in network.parts)

    return [(parts(), parts()) for _ in range(network.layers)]


def zero_encoder_state(network: Network, *, hidden: int, batch: int) -> EncoderState:
    """The state of an encoder that is given none."""

    def parts() -> Parts:
        return tuple(np.zeros((hidden, batch)) for _ in network.parts)

    return [(parts(), parts()) for _ in range(network.layers)]


def encode(
    parameters: Parameters, network: Network, x: Array, lengths: Array, state: EncoderState
) -> tuple[Array, EncoderState]:
    """Encode `x` `[time, batch, features]`, of which lane b's own are the first `lengths[b]` steps.

    The outputs are `[time, batch, 2 * hidden]`; the final state is forward's after the lane's last token and
    backward's after its first. `state` is not modified.
    """
    _check(parameters, network, x, lengths, state)
    arrays = [part for directions in state for parts in directions for part in parts]
    dtype = np.result_type(np.float64, x, *parameters.values(), *arrays)
    hidden = arrays[0].shape[0]
    outputs = np.zeros((*x.shape[:2], 2 * hidden), dtype)
    final: EncoderState = [
        (tuple(part.astype(dtype) for part in forward), tuple(part.astype(dtype) for part in backward))
        for forward, backward in state  # astype copies
    ]
    for b, length in enumerate(lengths):
        below = x[:length, b]
        for k, (forward, backward) in enumerate(final):
            p_forward = of_prefix(parameters, f"layers.{k}.forward.")
            p_backward = of_prefix(parameters, f"layers.{k}.backward.")
            a_forward, after_last = run_lane(network, p_forward, below, tuple(part[:, b] for part in forward))
            a_backward, after_first = run_lane(network, p_backward, below[::-1], tuple(part[:, b] for part in backward))
            for part, value in zip(forward + backward, after_last + after_first, strict=True):
                part[:, b] = value
            a = np.concatenate([a_forward, a_backward[::-1]], axis=1)
            below = a + below if network.residual and k else a
        outputs[:length, b] = below
    return outputs, final


def encoder_objective(
    parameters: Parameters,
    network: Network,
    x: Array,
    lengths: Array,
    state: EncoderState,
    weights_out: Array,
    weights_state: EncoderState,
) -> Any:
    """sum(weights_out * outputs) + the sum over layers and directions of sum(weights_state * final state)."""
    outputs, final = encode(parameters, network, x, lengths, state)
    total = (weights_out * outputs).sum()
    for weights, directions in zip(weights_state, final, strict=True):
        for weight, part in zip(weights[0] + weights[1], directions[0] + directions[1], strict=True):
            total += (weight * part).sum()
    return total


def encode_gradients(
    parameters: Parameters,
    network: Network,
    x: Array,
    lengths: Array,
    state: EncoderState,
    weights_out: Array,
    weights_state: EncoderState,
) -> tuple[Parameters, Array, EncoderState]:
    """The derivatives of `encoder_objective` by every parameter, by `x` and by the initial states."""
    stepped = {name: to_complex(value) for name, value in parameters.items()}
    stepped_x = to_complex(x)
    stepped_state: EncoderState = [
        (tuple(to_complex(part) for part in forward), tuple(to_complex(part) for part in backward))
        for forward, backward in state
    ]

    def total() -> Any:
        return encoder_objective(stepped, network, stepped_x, lengths, stepped_state, weights_out, weights_state)

    def by_parts(parts: Parts) -> Parts:
        return tuple(derivatives(total, part) for part in parts)

    return (
        {name: derivatives(total, value) for name, value in stepped.items()},
        derivatives(total, stepped_x),
        [(by_parts(forward), by_parts(backward)) for forward, backward in stepped_state],
    )


def _check(parameters: Parameters, network: Network, x: Array, lengths: Array, state: EncoderState) -> None:
    time, batch, input_size = x.shape
    hidden = state[0][0][0].shape[0]
    check_parameters(parameters, encoder_shapes(network, input_size=input_size, hidden=hidden), network)
    if lengths.shape != (batch,) or not np.all((lengths >= 1) & (lengths <= time)):
        raise ValueError(f"lengths {lengths} are not those of {batch} lanes of 1 to {time} steps")
    parts = ((hidden, batch),) * len(network.parts)
    state_shapes = [tuple(tuple(part.shape for part in parts) for parts in directions) for directions in state]
    if state_shapes != [(parts, parts)] * network.layers:
        raise ValueError(f"states of {network.layers} layers of two {network.parts} expected, got {state_shapes}")
