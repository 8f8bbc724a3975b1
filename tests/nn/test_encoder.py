"""The bidirectional encoder equals the naive reference and PyTorch, and does not see padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import reference
from encoder_cases import (
    HIDDEN,
    INPUT,
    LENGTHS,
    TIME,
    assert_same,
    encoder_of,
    expected_of,
    make_case,
    of_golden,
    parts_of,
    run,
)
from nn_cases import KINDS, NORMALIZED, central_differences
from reference import DIRECTIONS, GOLDEN, Network, load_golden_encoder

from charlm.errors import UsageError
from charlm.nn.encoder import Encoder, EncoderConfig
from charlm.nn.stack import Dropout

if TYPE_CHECKING:
    from reference import Array, Parts

DEEP = ("rnn-tanh", "gru-after", "sru")
"""Kinds that are run three layers deep; with the others the reference would take too long."""
STORED = sorted(path.name for path in GOLDEN.glob("encoder-*.safetensors"))


@pytest.mark.parametrize(
    ("kind", "layers", "residual"),
    [(kind, layers, layers == 2) for kind in KINDS for layers in (1, 2) if layers == 1 or kind not in NORMALIZED]
    + [(kind, 3, False) for kind in DEEP],
)
def test_an_encoder_equals_the_reference(kind: str, layers: int, residual: bool) -> None:
    """Outputs, final states, and the gradients by every parameter, the inputs and the initial states."""
    case = make_case(kind, layers, residual=residual)
    assert_same(run(case), expected_of(kind, layers, residual=residual), atol=1e-12)


@pytest.mark.parametrize("kind", NORMALIZED)
def test_two_normalised_layers_encode_as_the_reference(kind: str) -> None:
    """Without the gradients, which take the reference long."""
    case = make_case(kind, 2, residual=True)
    outputs, final = reference.encode(case.parameters, case.network, case.x, case.lengths, case.state)
    found = run(case)
    np.testing.assert_allclose(found.outputs, outputs, rtol=0, atol=1e-12)
    for part, expected in zip(parts_of(found.final), parts_of(final), strict=True):
        np.testing.assert_allclose(part, expected, rtol=0, atol=1e-12)


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
def test_padding_does_not_matter(kind: str) -> None:
    """What stands behind a text, and the weights of what is put out there, change nothing, bit for bit."""
    case = make_case(kind, 2, residual=True)
    outside = np.arange(TIME)[:, None] >= LENGTHS
    found = run(case)
    assert not np.any(found.outputs[outside])
    assert not np.any(found.x[outside])
    assert np.all(np.any(found.outputs[~outside], axis=-1))
    garbage = {"x": case.x.copy(), "weights_out": case.weights_out.copy()}
    for array in garbage.values():
        array[outside] = np.nan
    other = run(case, x=garbage["x"], weights_out=garbage["weights_out"])
    assert_same(other, found, atol=0)
    # Nor does it matter for how long a window there would be room.
    assert_same(run(case, room=3), found, atol=1e-14)


def one_lane(parts: Parts, lane: int) -> Parts:
    return tuple(part[:, lane : lane + 1] for part in parts)


@pytest.mark.parametrize("kind", ["lstm", "sru"])
def test_texts_do_not_see_one_another(kind: str) -> None:
    """A text alone, without padding, is encoded as in a batch."""
    case = make_case(kind, 2)
    found, encoder = run(case), encoder_of(case.network, case.parameters)
    for lane, length in enumerate(LENGTHS):
        state = tuple((one_lane(forward, lane), one_lane(backward, lane)) for forward, backward in case.state)
        x = case.x[:length, lane : lane + 1].transpose(2, 0, 1)
        outputs, final = encoder.encode(encoder.new_workspace(int(length), 1), x, np.array([length]), state)
        np.testing.assert_allclose(outputs[:, :, 0].T, found.outputs[:length, lane], rtol=0, atol=1e-14)
        for part, expected in zip(parts_of(list(final)), parts_of(found.final), strict=True):
            np.testing.assert_allclose(part[:, 0], expected[:, lane], rtol=0, atol=1e-14)


def test_gradients_are_slopes() -> None:
    """Central differences by every parameter, the inputs and the initial states."""
    case = make_case("gru-before", 2, residual=True)
    encoder = encoder_of(case.network, case.parameters)
    work = encoder.new_workspace(TIME, len(LENGTHS))
    x = case.x.transpose(2, 0, 1).copy()

    def total() -> float:
        encoder.pack(work)
        outputs, final = encoder.encode(work, x, LENGTHS, tuple(case.state))
        value = float((case.weights_out.transpose(2, 0, 1) * outputs).sum())
        pairs = zip(parts_of(case.weights_state), parts_of(list(final)), strict=True)
        return value + sum(float((weight * part).sum()) for weight, part in pairs)

    found = run(case)
    for name, view in encoder.parameters.views.items():
        expected = central_differences(total, view)
        np.testing.assert_allclose(found.parameters[name], expected, rtol=1e-6, atol=2e-8, err_msg=name)
    np.testing.assert_allclose(found.x.transpose(2, 0, 1), central_differences(total, x), rtol=1e-6, atol=2e-8)
    for part, array in zip(parts_of(found.initial), parts_of(case.state), strict=True):
        np.testing.assert_allclose(part, central_differences(total, array), rtol=1e-6, atol=2e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_is_close_to_float64(kind: str) -> None:
    case = make_case(kind, 2, residual=True)
    narrow, wide = run(case, np.float32), run(case)
    assert narrow.outputs.dtype == narrow.x.dtype == np.float32
    bound = 1e-3 if kind in NORMALIZED else 1e-4  # a norm of two numbers magnifies their last bits
    largest = max(np.abs(gradient).max() for gradient in wide.parameters.values())
    assert_same(narrow, wide, atol=bound * largest)


def test_dropout_masks_every_layers_output_and_its_gradient() -> None:
    """What is kept is scaled; and with the generator in the same state, the gradient is that of the masked network."""
    case = make_case("lstm", 2, residual=True)
    encoder = encoder_of(case.network, case.parameters)
    work = encoder.new_workspace(TIME, len(LENGTHS))
    x, weights = case.x.transpose(2, 0, 1).copy(), case.weights_out.transpose(2, 0, 1)

    def encoded() -> Array:
        encoder.pack(work)
        dropout = Dropout(0.5, np.random.default_rng(5))
        return encoder.encode(work, x, LENGTHS, tuple(case.state), dropout)[0]

    one = encoder_of(Network("lstm", 1), {n: v for n, v in case.parameters.items() if n.startswith("layers.0.")})
    plain = one.encode(one.new_workspace(TIME, 3), x, LENGTHS, tuple(case.state[:1]))[0].copy()
    dropped = one.encode(
        one.new_workspace(TIME, 3), x, LENGTHS, tuple(case.state[:1]), Dropout(0.5, np.random.default_rng(5))
    )[0]
    kept = dropped != 0
    assert 0.2 < np.mean(kept[plain != 0]) < 0.8
    np.testing.assert_allclose(dropped[kept], 2 * plain[kept], rtol=1e-12)

    encoded()
    d_x, _ = encoder.gradients(work, weights, encoder.zero_states(3))
    gradient = encoder.parameters.gradients["layers.0.backward.W_cx"].copy()
    expected = central_differences(lambda: float((weights * encoded()).sum()), x)
    np.testing.assert_allclose(d_x, expected, rtol=1e-6, atol=2e-8)
    view = encoder.parameters.views["layers.0.backward.W_cx"]
    expected = central_differences(lambda: float((weights * encoded()).sum()), view)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=2e-8)


def test_what_was_given_is_not_modified() -> None:
    """Inputs, states, and upstream gradients."""
    case = make_case("lstm", 2, residual=True)
    given = [case.x, case.weights_out, *parts_of(case.state), *parts_of(case.weights_state)]
    kept = [array.copy() for array in given]
    first, second = run(case), run(case)
    assert_same(first, second, atol=0)
    for array, copy in zip(given, kept, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_first_weights_and_states() -> None:
    """Every block of its own; the same seed gives the same; states are zero."""
    config = EncoderConfig(INPUT, "lstm", layers=2, hidden=3)
    encoder, again, other = Encoder(config), Encoder(config), Encoder(config, np.float64)
    for each, seed in ((encoder, 1), (again, 1), (other, 2)):
        each.initialize(seed)
    np.testing.assert_array_equal(encoder.parameters.values, again.parameters.values)
    assert np.any(encoder.parameters.values != other.parameters.values)
    matrices = [encoder.parameters.views[f"layers.1.{direction}.W_fa"] for direction in DIRECTIONS]
    assert np.any(matrices[0] != matrices[1])
    assert encoder.parameters.views["layers.1.forward.W_fx"].shape == (3, 6)
    np.testing.assert_array_equal(encoder.parameters.views["layers.0.backward.b_f"], 1)
    for part in parts_of(list(encoder.zero_states(5))):
        assert part.shape == (3, 5)
        assert not np.any(part)


@pytest.mark.parametrize("lengths", [[0, 5, 1], [3, 6, 1], [-1, 5, 5]])
def test_lengths_out_of_range_are_refused(lengths: list[int]) -> None:
    encoder = Encoder(EncoderConfig(INPUT, "gru", hidden=3))
    work, x = encoder.new_workspace(5, 3), np.zeros((INPUT, 5, 3), np.float32)
    with pytest.raises(UsageError, match="each must be between 1 and 5"):
        encoder.encode(work, x, np.array(lengths), encoder.zero_states(3))


def test_an_encoder_that_cannot_be_is_refused() -> None:
    for input_size, layers, hidden in ((0, 1, 1), (1, 0, 1), (1, 1, 0)):
        with pytest.raises(UsageError, match="it must be a number at least 1"):
            EncoderConfig(input_size, layers=layers, hidden=hidden)
    with pytest.raises(UsageError, match="unknown cell"):
        Encoder(EncoderConfig(3, "cnn"))
    with pytest.raises(UsageError, match="before, after"):
        Encoder(EncoderConfig(3, "gru", {"reset": "never"}))
