"""Encoders with random parameters, what they are given, and what the reference or PyTorch finds for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import reference
from nn_cases import KINDS, random_parameters
from reference import Network

from charlm.nn.encoder import Encoder, EncoderConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import DTypeLike
    from reference import Array, EncoderState, GoldenEncoder, Parameters

    from charlm.nn.encoder import EncoderStates

INPUT, HIDDEN, TIME = 3, 2, 4
LENGTHS = np.array([3, 4, 1])


@dataclass(frozen=True)
class Case:
    """A batch of texts of unequal lengths, and weights of everything that an encoder puts out."""

    network: Network
    parameters: Parameters
    x: Array  # [T, B, X]
    lengths: Array  # [B]
    state: EncoderState
    weights_out: Array  # [T, B, 2H]
    weights_state: EncoderState


@dataclass(frozen=True)
class Expected:
    """What the encoder should find for a case; gradients of the weighted sum."""

    outputs: Array
    final: EncoderState
    parameters: Parameters
    x: Array
    initial: EncoderState


@cache
def make_case(kind: str, layers: int, *, residual: bool = False, input_size: int = INPUT) -> Case:
    """Random numbers everywhere; the texts are of unequal lengths, the longest fills the window."""
    rng, (cell, options) = np.random.default_rng(2), KINDS[kind]
    network = Network(cell, layers, options, residual)
    shapes = reference.encoder_shapes(network, input_size=input_size, hidden=HIDDEN)
    parameters = random_parameters(kind, rng, shapes)
    states = [
        reference.random_encoder_state(rng, network, hidden=HIDDEN, batch=len(LENGTHS), scale=scale)
        for scale in (0.8, 1.0)
    ]
    return Case(
        network,
        parameters,
        rng.standard_normal((TIME, len(LENGTHS), input_size)),
        LENGTHS,
        states[0],
        rng.standard_normal((TIME, len(LENGTHS), 2 * HIDDEN)),
        states[1],
    )


@cache
def expected_of(kind: str, layers: int, *, residual: bool = False, input_size: int = INPUT) -> Expected:
    """What the reference finds: slow, so found once."""
    case = make_case(kind, layers, residual=residual, input_size=input_size)
    given = (case.parameters, case.network, case.x, case.lengths, case.state)
    outputs, final = reference.encode(*given)
    parameters, x, initial = reference.encode_gradients(*given, case.weights_out, case.weights_state)
    return Expected(outputs, final, parameters, x, initial)


def encoder_of(network: Network, parameters: Mapping[str, Array], dtype: DTypeLike = np.float64) -> Encoder:
    """The engine's encoder with the given parameters."""
    hidden, input_size = next(value.shape for name, value in parameters.items() if name.endswith("x"))
    config = EncoderConfig(
        input_size, network.cell, dict(network.options), network.layers, hidden, residual=network.residual
    )
    encoder = Encoder(config, dtype)
    assert encoder.parameters.views.keys() == parameters.keys()
    for name, value in parameters.items():
        assert encoder.parameters.views[name].shape == value.shape
        encoder.parameters.views[name][...] = value
    return encoder


def as_dtype(states: EncoderState, dtype: DTypeLike) -> EncoderStates:
    return tuple(
        (tuple(part.astype(dtype) for part in forward), tuple(part.astype(dtype) for part in backward))
        for forward, backward in states
    )


def run(
    case: Case,
    dtype: DTypeLike = np.float64,
    *,
    x: Array | None = None,
    weights_out: Array | None = None,
    room: int = 0,
) -> Expected:
    """What the engine finds, with room for so many steps more than there are; other inputs and weights if given."""
    encoder = encoder_of(case.network, case.parameters, dtype)
    work = encoder.new_workspace(len(case.x) + room, len(case.lengths))
    encoder.parameters.gradient_values[...] = np.nan
    rows = np.asarray(case.x if x is None else x, dtype).transpose(2, 0, 1)
    weights = np.asarray(case.weights_out if weights_out is None else weights_out, dtype).transpose(2, 0, 1)
    outputs, final = encoder.encode(work, rows, case.lengths, as_dtype(case.state, dtype))
    outputs = outputs.copy()
    d_x, d_initial = encoder.gradients(work, weights, as_dtype(case.weights_state, dtype))
    gradients = {name: gradient.copy() for name, gradient in encoder.parameters.gradients.items()}
    return Expected(outputs.transpose(1, 2, 0), list(final), gradients, d_x.transpose(1, 2, 0), list(d_initial))


def parts_of(states: EncoderState) -> list[Array]:
    return [part for directions in states for parts in directions for part in parts]


def assert_same(found: Expected, expected: Expected, *, atol: float) -> None:
    """Everything is close, and no gradient is a mere zero."""
    np.testing.assert_allclose(found.outputs, expected.outputs, rtol=0, atol=atol)
    np.testing.assert_allclose(found.x, expected.x, rtol=0, atol=atol)
    for mine, theirs in ((found.final, expected.final), (found.initial, expected.initial)):
        for part, expected_part in zip(parts_of(mine), parts_of(theirs), strict=True):
            np.testing.assert_allclose(part, expected_part, rtol=0, atol=atol)
    assert found.parameters.keys() == expected.parameters.keys()
    for name, gradient in expected.parameters.items():
        assert np.any(gradient), f"{name}: nothing to compare with"
        np.testing.assert_allclose(found.parameters[name], gradient, rtol=0, atol=atol, err_msg=name)


def of_golden(golden: GoldenEncoder) -> tuple[Case, Expected]:
    """What PyTorch was given, and what it found."""
    case = Case(
        golden.network,
        golden.parameters,
        golden.x,
        golden.lengths,
        golden.initial,
        golden.upstream,
        golden.upstream_state,
    )
    gradients = golden.gradients_parameters, golden.gradients_x, golden.gradients_initial
    return case, Expected(golden.outputs, golden.final, *gradients)
