"""Encoders equal the naive reference and PyTorch, and texts in their lanes do not see one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import reference
from encoder_cases import (
    HIDDEN,
    INPUT,
    LENGTHS,
    Engine,
    assert_same,
    expected_of,
    in_lanes,
    lanes_of,
    make_case,
    of_golden,
    out_of_lanes,
    run,
)
from nn_cases import KINDS, NORMALIZED, central_differences, dropout
from reference import DIRECTIONS, GOLDEN, load_golden_encoder

from charlm.errors import UsageError
from charlm.nn.encoder import Encoder, EncoderConfig
from charlm.nn.parameters import Parameters
from charlm.nn.regularization import Regularization

if TYPE_CHECKING:
    from reference import Array

DEEP = ("rnn-tanh", "gru-after", "sru")
"""Kinds that are run three layers deep; with the others the reference would take too long."""
STORED = sorted(path.name for path in GOLDEN.glob("encoder-*.safetensors"))
ONE = DIRECTIONS[:1]


@pytest.mark.parametrize(
    ("kind", "layers", "residual"),
    [(kind, layers, layers == 2) for kind in KINDS for layers in (1, 2) if layers == 1 or kind not in NORMALIZED]
    + [(kind, 3, False) for kind in DEEP],
)
def test_an_encoder_equals_the_reference(kind: str, layers: int, residual: bool) -> None:
    """Outputs, and the gradients by every parameter and the inputs."""
    case = make_case(kind, layers, residual=residual)
    assert_same(run(case), expected_of(kind, layers, residual=residual), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_of_one_direction_equals_the_reference(kind: str) -> None:
    """Two layers, but where the reference would take long."""
    layers = 1 if kind in NORMALIZED else 2
    case = make_case(kind, layers, residual=True, directions=ONE)
    assert_same(run(case), expected_of(kind, layers, residual=True, directions=ONE), atol=1e-12)


@pytest.mark.parametrize("kind", NORMALIZED)
def test_two_normalised_layers_encode_as_the_reference(kind: str) -> None:
    """Without the gradients, which take the reference long."""
    case = make_case(kind, 2, residual=True)
    for found, x in zip(run(case).outputs, case.texts, strict=True):
        expected = reference.encode(case.parameters, case.network, x, HIDDEN)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_an_input_as_wide_as_the_layer() -> None:
    """Of which a block uses the input itself."""
    case = make_case("sru", 1, input_size=HIDDEN)
    assert not any(name.endswith("W_sx") for name in case.parameters)
    assert_same(run(case), expected_of("sru", 1, input_size=HIDDEN), atol=1e-12)


@pytest.mark.parametrize("name", STORED)
def test_an_encoder_equals_pytorch(name: str) -> None:
    """Bidirectional modules on packed sequences, one to three layers deep, to 1e-10."""
    case, expected = of_golden(load_golden_encoder(GOLDEN / name))
    assert_same(run(case), expected, atol=1e-10)


def test_there_are_nine_files_of_pytorch() -> None:
    """RNN, GRU and LSTM, one to three layers deep."""
    assert len(STORED) == 9


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_where_no_text_is_does_not_matter(kind: str) -> None:
    """Nothing changes, bit for bit; nor does it matter for how long a window there would be room."""
    case = make_case(kind, 2, residual=True)
    assert not np.all(lanes_of(LENGTHS).ids == 0)
    found = run(case, outside=0)
    assert_same(run(case, outside=100), found, atol=0)
    assert_same(run(case, outside=0, room=3), found, atol=1e-14)


def test_the_gradient_is_zero_where_no_text_is() -> None:
    case, lanes = make_case("gru-before", 2), lanes_of(LENGTHS)
    engine = Engine(case)
    engine.encode(lanes, in_lanes(lanes, case.texts, np.float64, 0.5))
    d_x = engine.back(lanes, in_lanes(lanes, case.weights, np.float64))
    outside = lanes.ids < 0
    assert np.any(outside)
    assert not np.any(d_x.swapaxes(1, 2)[outside])


@pytest.mark.parametrize("kind", KINDS)
def test_texts_do_not_see_one_another(kind: str) -> None:
    """A text alone is encoded as among others; also by what has just worked on them."""
    case = make_case(kind, 2)
    engine = Engine(case)
    together = run(case, engine=engine).outputs
    for x, expected in zip(case.texts, together, strict=True):
        lanes = lanes_of([len(x)])
        (found,) = out_of_lanes(lanes, engine.encode(lanes, x[:, :, None]))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_one_direction_does_not_see_what_comes() -> None:
    """And two do."""
    for directions, seen in ((ONE, False), (DIRECTIONS, True)):
        case = make_case("lstm", 2, directions=directions)
        engine, x = Engine(case), case.texts[1][:, :, None].copy()
        lanes = lanes_of([len(x)])
        before = engine.encode(lanes, x)
        x[-1] += 1
        assert np.any(engine.encode(lanes, x)[:-1] != before[:-1]) == seen


@pytest.mark.parametrize("directions", [DIRECTIONS, ONE], ids=["two", "one"])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_slopes(kind: str, directions: tuple[str, ...]) -> None:
    """Central differences by every parameter and the inputs, along a random line through all of each."""
    case = make_case(kind, 2, residual=True, directions=directions)
    lanes, rng = lanes_of(LENGTHS), np.random.default_rng(4)
    engine, weights = Engine(case), in_lanes(lanes, case.weights, np.float64)
    x = in_lanes(lanes, case.texts, np.float64).copy()

    def slope(array: Array, along: Array) -> float:
        start, found = array.copy(), []
        for step in (1e-4, -1e-4, 2e-4, -2e-4):
            array[...] = start + step * along
            found.append(float((weights * engine.encode(lanes, x)).sum()))
        array[...] = start
        return (8 * (found[0] - found[1]) - (found[2] - found[3])) / 12e-4

    engine.encode(lanes, x)
    gradients: dict[str, Array] = {"x": engine.back(lanes, weights)}
    gradients |= {name: gradient.copy() for name, gradient in engine.parameters.gradients.items()}
    for name, array in {**engine.parameters.views, "x": x}.items():
        along = rng.standard_normal(array.shape)
        assert slope(array, along) == pytest.approx(float((gradients[name] * along).sum()), rel=1e-5, abs=1e-7), name


@pytest.mark.parametrize("kind", KINDS)
def test_float32_is_close_to_float64(kind: str) -> None:
    case = make_case(kind, 2, residual=True)
    narrow, wide = run(case, np.float32), run(case)
    assert narrow.outputs[0].dtype == narrow.x[0].dtype == np.float32
    bound = 1e-3 if kind in NORMALIZED else 1e-4  # a norm of two numbers magnifies their last bits
    largest = max(np.abs(gradient).max() for gradient in wide.parameters.values())
    assert_same(narrow, wide, atol=bound * largest)


def test_dropout_masks_every_layers_output_and_its_gradient() -> None:
    """What is kept is scaled; and with the generator in the same state, the gradient is that of the masked network."""
    case, lanes = make_case("lstm", 2, residual=True), lanes_of(LENGTHS)
    engine, weights = Engine(case), in_lanes(lanes, case.weights, np.float64)
    x = in_lanes(lanes, case.texts, np.float64).copy()

    def encoded() -> Array:
        return engine.encode(lanes, x, dropout(0.5, np.random.default_rng(5)))

    one = Engine(make_case("lstm", 1))
    plain = one.encode(lanes, x)
    dropped = one.encode(lanes, x, dropout(0.5, np.random.default_rng(5)))
    kept = dropped != 0
    assert 0.2 < np.mean(kept[plain != 0]) < 0.8
    np.testing.assert_allclose(dropped[kept], 2 * plain[kept], rtol=1e-12)

    encoded()
    d_x = engine.back(lanes, weights)
    gradient = engine.parameters.gradients["layers.0.backward.W_cx"].copy()
    expected = central_differences(lambda: float((weights * encoded()).sum()), x)
    np.testing.assert_allclose(d_x, expected, rtol=1e-6, atol=2e-8)
    view = engine.parameters.views["layers.0.backward.W_cx"]
    expected = central_differences(lambda: float((weights * encoded()).sum()), view)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=2e-8)


def test_room_is_kept_while_it_fits() -> None:
    """It grows in steps, is made anew for another number of lanes, and is the same for shorter windows."""
    engine = Engine(make_case("gru-before", 2), time=4, batch=2)
    room = engine.work.room
    engine.encoder.make_room(engine.work, 3, 2)
    assert engine.work.room is room
    engine.encoder.make_room(engine.work, 9, 2)
    assert engine.work.room.fits(9, 2)
    engine.encoder.make_room(engine.work, 2, 3)
    assert engine.work.room.fits(2, 3)
    assert not engine.work.room.fits(2, 2)


def test_first_weights() -> None:
    """Every block of its own; the same seed gives the same."""
    encoder = Encoder(EncoderConfig(INPUT, "lstm", layers=2, hidden=3))
    drawn = []
    for seed in (1, 1, 2):
        parameters = Parameters(encoder.parameter_specs())
        encoder.initialize(parameters.views, np.random.default_rng(seed))
        drawn.append(parameters)
    np.testing.assert_array_equal(drawn[0].values, drawn[1].values)
    assert np.any(drawn[0].values != drawn[2].values)
    views = drawn[0].views
    assert np.any(views["layers.1.forward.W_fa"] != views["layers.1.backward.W_fa"])
    assert views["layers.1.forward.W_fx"].shape == (3, 6)
    np.testing.assert_array_equal(views["layers.0.backward.b_f"], 1)


def test_an_encoder_that_cannot_be_is_refused() -> None:
    for input_size, layers, hidden in ((0, 1, 1), (1, 0, 1), (1, 1, 0)):
        with pytest.raises(UsageError, match="it must be a number at least 1"):
            EncoderConfig(input_size, layers=layers, hidden=hidden)
    with pytest.raises(UsageError, match="unknown cell"):
        Encoder(EncoderConfig(3, "cnn"))
    with pytest.raises(UsageError, match="before, after"):
        Encoder(EncoderConfig(3, "gru", {"reset": "never"}))


def test_every_place_has_its_own_rate() -> None:
    """Inputs, the outputs of layers, and those of the last layer."""
    case, lanes = make_case("rnn-tanh", 3), lanes_of((200,), 2)
    engine = Engine(case)
    x = np.random.default_rng(1).standard_normal((*lanes.ids.shape[:1], case.texts[0].shape[1], lanes.ids.shape[1]))
    engine.encode(lanes, x, Regularization(np.random.default_rng(4), inputs=0.2, layers=0.4, outputs=0.6))
    masks = [each.mask for each in (engine.work.room.inputs, *engine.work.room.dropout)]
    assert [np.mean(mask == 0) for mask in masks] == pytest.approx([0.2, 0.4, 0.4, 0.6], abs=0.08)
