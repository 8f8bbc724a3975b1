"""Label models equal the naive reference, and their gradients are slopes: every block, direction and head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import reference
from label_model_cases import (
    HEADS,
    SIDES,
    assert_label_model_equals,
    expected_gradients,
    in_lanes,
    make_case,
    make_model,
    pack_spelled,
)
from nn_cases import KINDS, NORMALIZED, dropout
from reference import GOLDEN, load_golden_labels

from charlm.errors import UsageError
from charlm.nn.label_config import LabelModelConfig
from charlm.nn.label_model import LabelModel
from charlm.nn.regularization import Regularization
from charlm.nn.text_lanes import pack_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from label_model_cases import Case
    from reference import Array


def assert_as_the_reference(case: Case, expected: dict[str, Array]) -> None:
    """Loss, probabilities, and the gradient by every parameter."""
    model, (lanes, targets) = make_model(case), in_lanes(case)
    work = model.new_workspace()
    model.parameters.gradient_values[...] = np.nan
    loss = model.loss_and_gradients(work, lanes, targets, weights=case.batch.weights)
    assert loss == pytest.approx(float(reference.label_loss(case.parameters, case.model, case.batch)), abs=1e-12)
    assert model.parameters.gradients.keys() == expected.keys()
    for name, gradient in expected.items():
        assert np.any(gradient), name
        np.testing.assert_allclose(model.parameters.gradients[name], gradient, rtol=0, atol=1e-12, err_msg=name)
    found = model.log_probabilities(work, lanes)
    assert found.dtype == np.float64
    each = np.split(found, len(case.batch.texts), axis=1) if case.model.unit == "text" else lanes.take_out(found)
    for mine, theirs in zip(each, reference.label_probabilities(case.parameters, case.model, case.batch), strict=True):
        np.testing.assert_allclose(np.exp(mine.T), theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("head", HEADS)
def test_a_head_equals_the_reference(head: str, sides: str) -> None:
    """On an encoder of two layers."""
    assert_as_the_reference(
        make_case("gru-before", head, sides, layers=2), expected_gradients("gru-before", head, sides, layers=2)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_block_with_a_character_network_equals_the_reference(kind: str) -> None:
    """Without one where the reference would take long."""
    characters = 0 if kind in NORMALIZED else 4
    case = make_case(kind, "last-softmax", characters=characters)
    assert_as_the_reference(case, expected_gradients(kind, "last-softmax", characters=characters))


@pytest.mark.parametrize("head", HEADS)
def test_a_head_equals_pytorch(head: str) -> None:
    """On packed sequences, with a character network and weights of the labels: loss and gradients, to 1e-10."""
    assert_label_model_equals(load_golden_labels(GOLDEN / f"labels-{head}.safetensors"))


def slope(f: Callable[[], float], array: Array, along: Array) -> float:
    """Of f along a line through the array, which is changed and put back; the error is of the fourth order."""
    start, found = array.copy(), []
    for step in (2e-5, -2e-5, 4e-5, -4e-5):
        array[...] = start + step * along
        found.append(f())
    array[...] = start
    return (8 * (found[0] - found[1]) - (found[2] - found[3])) / 24e-5


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_slopes(kind: str, head: str, sides: str) -> None:
    """Along random lines through all parameters; two layers of most kinds, and a character network."""
    layers, rng = 1 if kind in NORMALIZED else 2, np.random.default_rng(3)
    case = make_case(kind, head, sides, layers=layers, characters=4)
    model, (lanes, targets) = make_model(case), in_lanes(case)
    work, weights = model.new_workspace(), case.batch.weights
    assert weights is not None

    def loss() -> float:
        model.pack(work)
        counted = np.where(targets >= 0, weights[targets], 0)
        return float((model.losses(work, lanes, targets) * counted).sum() / counted.sum())

    model.loss_and_gradients(work, lanes, targets, weights=weights)
    values, gradient = model.parameters.values, model.parameters.gradient_values.copy()
    for _ in range(2):
        along = rng.standard_normal(values.size)
        assert float(gradient @ along) == pytest.approx(slope(loss, values, along), rel=1e-6, abs=1e-8)


def test_dropout_is_drawn_for_words_and_for_spellings() -> None:
    """With the generator in the same state, the gradients are those of the masked networks."""
    case = make_case("lstm", "mean-softmax", layers=2, characters=4)
    model, (lanes, targets), rng = make_model(case), in_lanes(case), np.random.default_rng(3)
    work = model.new_workspace()

    def loss() -> float:
        model.pack(work)
        return model.loss_and_gradients(work, lanes, targets, dropout(0.4, np.random.default_rng(5)))

    dropped = loss()
    assert work.characters is not None
    assert all(each.mask is not None for each in work.reader.room.dropout)
    assert all(each.mask is not None for each in work.characters.reader.room.dropout)
    gradients = {name: gradient.copy() for name, gradient in model.parameters.gradients.items()}
    assert dropped != pytest.approx(model.loss_and_gradients(work, lanes, targets), abs=1e-3)
    for name, view in model.parameters.views.items():
        along = rng.standard_normal(view.shape)
        found = float((gradients[name] * along).sum())
        assert found == pytest.approx(slope(loss, view, along), rel=1e-5, abs=1e-8), name


@pytest.mark.parametrize("head", ["token-softmax", "last-sigmoid", "max-softmax"])
def test_what_a_token_did_is_gradient_times_input(head: str) -> None:
    """How much minus the loss grows if a token's input grows by its own size, summed over the targets."""
    case = make_case("lstm", head, layers=2, characters=4, weighted=False)
    model, (lanes, targets) = make_model(case), in_lanes(case)
    work = model.new_workspace()
    found = model.input_gradients(work, lanes, targets)
    assert found.shape == lanes.ids.shape
    assert not np.any(found[lanes.ids < 0])
    assert np.any(found)
    # A text that only this test reads: each token is another, so that rows of the embedding are inputs.
    only = pack_texts([np.array([3, 1, 4])], 1)
    plain = make_case("lstm", head, layers=2, weighted=False)
    model = make_model(plain)
    work = model.new_workspace()
    targets = np.array([[2], [0], [-1]]) if plain.model.unit == "token" else np.array([1])
    found = model.input_gradients(work, only, targets)
    table = model.parameters.views["embedding"]
    for t, token in enumerate((3, 1, 4)):
        along = np.zeros_like(table)
        along[token] = table[token]
        expected = -slope(lambda: float(model.losses(work, only, targets).sum()), table, along)
        assert found[t, 0] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_batch_is_the_sum_of_its_texts() -> None:
    """However texts are laid into lanes: the same loss and gradients."""
    case = make_case("gru-after", "token-softmax", layers=2, characters=4)
    found = []
    for lanes_at_most in (1, 2, 3, 9):
        model, (lanes, targets) = make_model(case), in_lanes(case, lanes_at_most)
        loss = model.loss_and_gradients(model.new_workspace(), lanes, targets)
        found.append(np.append(model.parameters.gradient_values, loss))
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=0, atol=1e-13)


@pytest.mark.parametrize("head", ["token-softmax", "mean-sigmoid"])
def test_a_workspace_serves_batches_of_any_size(head: str) -> None:
    """Small and large in turn, and one that keeps nothing: the same bits."""
    case = make_case("lstm", head, characters=4)
    model = make_model(case)
    one, forward_only = model.new_workspace(), model.new_workspace(keep=False)
    alone = pack_spelled(case.batch.texts[:1], case.batch.spellings[:1], 1)
    lanes, _ = in_lanes(case)
    for each in (alone, lanes, alone):
        fresh = model.log_probabilities(model.new_workspace(*each.ids.shape), each)
        np.testing.assert_array_equal(model.log_probabilities(one, each), fresh)
        np.testing.assert_array_equal(model.log_probabilities(forward_only, each), fresh)


def test_float32_is_close_to_float64() -> None:
    case = make_case("lstm", "max-softmax", layers=2, characters=4)
    found = []
    for dtype in (np.float32, np.float64):
        model, (lanes, targets) = make_model(case, dtype), in_lanes(case)
        loss = model.loss_and_gradients(model.new_workspace(), lanes, targets, weights=case.batch.weights)
        assert model.parameters.gradient_values.dtype == dtype
        found.append(np.append(model.parameters.gradient_values, loss))
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-5)


def test_batches_without_targets_have_no_loss() -> None:
    for head in HEADS:
        case = make_case("gru-before", head)
        model, (lanes, targets) = make_model(case), in_lanes(case)
        assert model.loss_and_gradients(model.new_workspace(), lanes, np.full_like(targets, -1)) == 0
        assert not np.any(model.parameters.gradient_values)


def test_first_weights() -> None:
    """The same seed gives the same numbers in every dtype, another seed others."""
    config = LabelModelConfig(9, 3, characters=5, hidden=4)
    models = [LabelModel(config), LabelModel(config, np.float64), LabelModel(config)]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        model.initialize(seed)
    np.testing.assert_array_equal(models[0].parameters.values, models[1].parameters.values.astype(np.float32))
    assert np.any(models[0].parameters.values != models[2].parameters.values)
    assert np.any(models[0].parameters.views["characters.embedding"])


def test_a_model_that_cannot_be_is_refused() -> None:
    for wrong, message in (
        ({"labels": 0}, "labels is 0"),
        ({"unit": "line"}, "unknown unit 'line': choose one of token, text"),
        ({"output": "linear"}, "unknown output 'linear': choose one of softmax, sigmoid"),
        ({"pooling": "sum"}, "choose one of last, mean, max"),
        ({"hidden": 0}, "--hidden is 0"),
        ({"layers": 65}, "--layers is 65"),
    ):
        with pytest.raises(UsageError, match=message):
            LabelModelConfig(**{"vocabulary": 5, "labels": 2, **wrong})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="unknown cell"):
        LabelModel(LabelModelConfig(5, 2, cell="cnn"))


def test_a_configuration_is_read_back() -> None:
    config = LabelModelConfig(9, 3, "text", "sigmoid", "max", "gru", {"reset": "after"}, bidirectional=False)
    assert LabelModelConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("variational", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "gru-before", "norm-lstm"])
def test_gradients_with_fixed_masks_are_slopes(kind: str, variational: bool) -> None:
    """Of tokens, inputs, outputs and connections in words and spellings, with all generators in the same state."""
    case = make_case(kind, "token-softmax", layers=2, characters=4)
    model, (lanes, targets), rng = make_model(case), in_lanes(case), np.random.default_rng(3)
    work = model.new_workspace()

    def loss() -> float:
        rates = {"embedding": 0.6, "inputs": 0.3, "layers": 0.3, "outputs": 0.4, "recurrent": 0.3}
        how = Regularization(np.random.default_rng(5), **rates, variational=variational)
        model.pack(work, how)
        return model.loss_and_gradients(work, lanes, targets, how)

    dropped = loss()
    gradients = {name: gradient.copy() for name, gradient in model.parameters.gradients.items()}
    assert work.characters is not None
    assert work.reader.scales is not None
    assert np.any(work.reader.scales == 0)
    assert work.characters.reader.scales is None
    assert work.reader.room.inputs.mask is not None
    assert work.characters.reader.room.inputs.mask is None
    assert all(each.masks for layer in work.reader.connections for each in layer)
    assert all(each.masks for layer in work.characters.reader.connections for each in layer)
    for name, view in model.parameters.views.items():
        along = rng.standard_normal(view.shape)
        found = float((gradients[name] * along).sum())
        assert found == pytest.approx(slope(loss, view, along), rel=1e-5, abs=1e-8), name
    model.pack(work)
    plain = model.loss_and_gradients(work, lanes, targets)
    assert dropped != pytest.approx(plain, abs=1e-4)
    assert plain == model.loss_and_gradients(model.new_workspace(), lanes, targets)
