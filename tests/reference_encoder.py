"""The naive reference's encoder: each layer reads a text forward, and from its end too if it has two directions.

    layer 0 reads x_t, each layer above reads [forward output at t; backward output at t] of the layer below

Forward goes from the text's first token to its last, backward from its last to its first; both start from zeros. With
`residual`, a layer above the first puts out its outputs + x. The parameters are named `layers.<k>.forward.<name>` and
`layers.<k>.backward.<name>`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from reference_cells import Array, Network, Parameters, Shapes, cell_shapes, run_lane
from reference_derivatives import derivatives, to_complex
from reference_model import check_parameters, of_prefix

DIRECTIONS = ("forward", "backward")
Directions = tuple[str, ...]


def encoder_shapes(network: Network, *, input_size: int, hidden: int, directions: Directions = DIRECTIONS) -> Shapes:
    """Every parameter's name and shape; the encoder's initial states are zero, none is learned."""
    if network.initial != "zero":
        raise ValueError(f"an encoder's initial states are zero, not {network.initial}")
    shapes: Shapes = {}
    for layer in range(network.layers):
        own = cell_shapes(network, inputs=len(directions) * hidden if layer else input_size, hidden=hidden)
        for direction in directions:
            shapes |= {f"layers.{layer}.{direction}.{name}": shape for name, shape in own.items()}
    return shapes


def encode(
    parameters: Parameters, network: Network, x: Array, hidden: int, directions: Directions = DIRECTIONS
) -> Array:
    """Encode one text `x` `[length, features]`: the outputs `[length, directions * hidden]`."""
    expected = encoder_shapes(network, input_size=x.shape[1], hidden=hidden, directions=directions)
    check_parameters(parameters, expected, network)
    zeros = tuple(np.zeros(hidden) for _ in network.parts)
    below = x
    for k in range(network.layers):
        sides = []
        for direction in directions:
            p = of_prefix(parameters, f"layers.{k}.{direction}.")
            if direction == "forward":
                sides.append(run_lane(network, p, below, zeros)[0])
            else:
                sides.append(run_lane(network, p, below[::-1], zeros)[0][::-1])
        a = np.concatenate(sides, axis=1)
        below = a + below if network.residual and k else a
    return below


def encoder_objective(
    parameters: Parameters,
    network: Network,
    texts: list[Array],
    weights: list[Array],
    directions: Directions = DIRECTIONS,
) -> Any:
    """The sum over texts of sum(weights * outputs)."""
    hidden = weights[0].shape[1] // len(directions)
    return sum(
        (weight * encode(parameters, network, x, hidden, directions)).sum()
        for x, weight in zip(texts, weights, strict=True)
    )


def encode_gradients(
    parameters: Parameters,
    network: Network,
    texts: list[Array],
    weights: list[Array],
    directions: Directions = DIRECTIONS,
) -> tuple[Parameters, list[Array]]:
    """The derivatives of `encoder_objective` by every parameter and by the inputs of each text."""
    stepped = {name: to_complex(value) for name, value in parameters.items()}
    stepped_texts = [to_complex(x) for x in texts]

    def total() -> Any:
        return encoder_objective(stepped, network, stepped_texts, weights, directions)

    return (
        {name: derivatives(total, value) for name, value in stepped.items()},
        [derivatives(total, x) for x in stepped_texts],
    )
