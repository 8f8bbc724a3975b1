"""Encoders with random parameters, what they are given, and what the reference or PyTorch finds for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import reference
from nn_cases import KINDS, random_parameters
from reference import DIRECTIONS, Network

from charlm.nn.encoder import Encoder, EncoderConfig
from charlm.nn.parameters import Parameters as Buffer
from charlm.nn.regularization import OFF, Regularization
from charlm.nn.text_lanes import TextLanes, pack_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import DTypeLike
    from reference import Array, GoldenEncoder, Parameters


INPUT, HIDDEN = 3, 2
LENGTHS = (3, 4, 1, 2)
"""In three lanes: one is full, one has what is left behind its text, one has two texts behind one another."""
LANES = 3


@dataclass(frozen=True)
class Case:
    """A few texts of unequal lengths, and weights of everything that an encoder puts out."""

    network: Network
    directions: tuple[str, ...]
    parameters: Parameters
    texts: list[Array]  # [length, X]
    weights: list[Array]  # [length, D * H]


class Found(NamedTuple):
    """What an encoder finds for a case; gradients of the weighted sum."""

    outputs: list[Array]
    parameters: Parameters
    x: list[Array]


@cache
def make_case(
    kind: str,
    layers: int,
    *,
    residual: bool = False,
    input_size: int = INPUT,
    directions: tuple[str, ...] = DIRECTIONS,
) -> Case:
    """Random numbers everywhere."""
    rng, (cell, options) = np.random.default_rng(2), KINDS[kind]
    network = Network(cell, layers, options, residual)
    shapes = reference.encoder_shapes(network, input_size=input_size, hidden=HIDDEN, directions=directions)
    parameters = random_parameters(kind, rng, shapes)
    texts = [rng.standard_normal((length, input_size)) for length in LENGTHS]
    weights = [rng.standard_normal((length, len(directions) * HIDDEN)) for length in LENGTHS]
    return Case(network, directions, parameters, texts, weights)


@cache
def expected_of(
    kind: str,
    layers: int,
    *,
    residual: bool = False,
    input_size: int = INPUT,
    directions: tuple[str, ...] = DIRECTIONS,
) -> Found:
    """What the reference finds: slow, so found once."""
    case = make_case(kind, layers, residual=residual, input_size=input_size, directions=directions)
    outputs = [reference.encode(case.parameters, case.network, x, HIDDEN, directions) for x in case.texts]
    gradients = reference.encode_gradients(case.parameters, case.network, case.texts, case.weights, directions)
    return Found(outputs, *gradients)


def lanes_of(lengths: Sequence[int], batch: int = LANES) -> TextLanes:
    """Texts of these lengths in lanes; their ids do not matter."""
    return pack_texts([np.zeros(length, np.int64) for length in lengths], batch)


def in_lanes(lanes: TextLanes, texts: list[Array], dtype: DTypeLike, outside: float = 0) -> Array:
    """Rows of numbers a token [length, rows] as steps [T, rows, B], with this number where no text is."""
    time, batch = lanes.ids.shape
    out = np.full((time * batch, texts[0].shape[1]), outside, dtype)
    out[lanes.order] = np.concatenate(texts)
    return out.reshape(time, batch, -1).swapaxes(1, 2)


def out_of_lanes(lanes: TextLanes, steps: Array) -> list[Array]:
    """The way back."""
    return [rows.T for rows in lanes.take_out(steps.swapaxes(0, 1))]


class Engine:
    """The engine's encoder with the parameters of a case, and room to work in."""

    def __init__(self, case: Case, dtype: DTypeLike = np.float64, *, time: int = 1, batch: int = 1) -> None:
        hidden, input_size = next(value.shape for name, value in case.parameters.items() if name.endswith("x"))
        network = case.network
        self.encoder = Encoder(
            EncoderConfig(
                input_size,
                network.cell,
                dict(network.options),
                network.layers,
                hidden,
                network.residual,
                bidirectional=len(case.directions) == len(DIRECTIONS),
            )
        )
        self.parameters = Buffer(self.encoder.parameter_specs(), dtype)
        fill(self.parameters.views, case.parameters)
        self.work = self.encoder.new_work(time, batch, dtype)

    def encode(self, lanes: TextLanes, x: Array, how: Regularization = OFF) -> Array:
        """The outputs of x [T, X, B], as a copy."""
        self.encoder.pack(self.parameters.views, self.work)
        self.encoder.make_room(self.work, *lanes.ids.shape)[...] = x
        return self.encoder.forward(self.work, lanes, how).copy()

    def back(self, lanes: TextLanes, d_outputs: Array) -> Array:
        """The gradient of the input, [T, X, B], as a copy; those of the parameters are in their twin."""
        time, batch = lanes.ids.shape
        self.parameters.gradient_values[...] = np.nan
        self.work.room.d_outputs[:time] = d_outputs
        d_input = self.encoder.backward(self.parameters.views, self.parameters.gradients, self.work, lanes)
        return d_input.reshape(-1, time, batch).swapaxes(0, 1).copy()


def fill(views: Mapping[str, Array], parameters: Parameters) -> None:
    """Write the parameters, of which there must be no more and no fewer."""
    assert views.keys() == parameters.keys()
    for name, value in parameters.items():
        assert views[name].shape == value.shape
        views[name][...] = value


def run(
    case: Case,
    dtype: DTypeLike = np.float64,
    *,
    outside: float = 0.5,
    room: int = 0,
    engine: Engine | None = None,
) -> Found:
    """What the engine finds, with this number where no text is, and room for so many steps more than there are."""
    lanes = lanes_of([len(x) for x in case.texts])
    engine = engine or Engine(case, dtype, time=len(lanes.ids) + room, batch=lanes.ids.shape[1])
    outputs = engine.encode(lanes, in_lanes(lanes, case.texts, dtype, outside))
    d_x = engine.back(lanes, in_lanes(lanes, case.weights, dtype))
    gradients = {name: gradient.copy() for name, gradient in engine.parameters.gradients.items()}
    return Found(out_of_lanes(lanes, outputs), gradients, out_of_lanes(lanes, d_x))


def assert_same(found: Found, expected: Found, *, atol: float) -> None:
    """Everything is close, and no gradient is a mere zero."""
    for mine, theirs in ((found.outputs, expected.outputs), (found.x, expected.x)):
        assert sum(np.any(text, axis=1).sum() for text in theirs) > 0.5 * sum(map(len, theirs))
        for text, expected_text in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(text, expected_text, rtol=0, atol=atol)
    assert found.parameters.keys() == expected.parameters.keys()
    for name, gradient in expected.parameters.items():
        assert np.any(gradient), f"{name}: nothing to compare with"
        np.testing.assert_allclose(found.parameters[name], gradient, rtol=0, atol=atol, err_msg=name)


def of_golden(golden: GoldenEncoder) -> tuple[Case, Found]:
    """What PyTorch was given, and what it found."""

    def texts(padded: Array) -> list[Array]:
        return [padded[:length, b] for b, length in enumerate(golden.lengths)]

    case = Case(golden.network, DIRECTIONS, golden.parameters, texts(golden.x), texts(golden.upstream))
    return case, Found(texts(golden.outputs), golden.gradients_parameters, texts(golden.gradients_x))
