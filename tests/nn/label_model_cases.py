"""Label models with random parameters, a batch for each, and what the reference finds for it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import reference
from encoder_cases import fill
from nn_cases import KINDS, assert_gradients_close, random_parameters
from reference import DIRECTIONS, LabelBatch, LabelNetwork, Network

from charlm.config import OUTPUTS, POOLINGS
from charlm.nn.label_config import LabelModelConfig
from charlm.nn.label_model import LabelModel
from charlm.nn.text_lanes import Forms, TextLanes, pack_texts

if TYPE_CHECKING:
    from numpy.typing import DTypeLike
    from reference import Array, GoldenLabels, Parameters

SIDES = {"two": DIRECTIONS, "one": DIRECTIONS[:1]}
HEADS = {f"{where}-{output}": (where, output) for where in ("token", *POOLINGS) for output in OUTPUTS}
"""Every label head: of each token, or of a text, pooled in one of three ways; softmax or sigmoid."""
LANES = 3


class Case(NamedTuple):
    """A label model's parameters, and texts for it; the first form of a word occurs twice."""

    model: LabelNetwork
    parameters: Parameters
    batch: LabelBatch


@cache
def make_case(
    kind: str, head: str, sides: str = "two", *, layers: int = 1, characters: int = 0, weighted: bool = True
) -> Case:
    """Random numbers everywhere; the second token, or the second text, has no target."""
    rng, (cell, options) = np.random.default_rng(6), KINDS[kind]
    network = Network(cell, layers, options, residual=layers > 1)
    where, output = HEADS[head]
    unit, pooling = ("token", "last") if where == "token" else ("text", where)
    model = LabelNetwork(network, SIDES[sides], unit, output, pooling, characters=characters)
    parameters = random_parameters(kind, rng, reference.label_shapes(model))
    lengths = (3, 4, 1, 2)
    texts = [rng.integers(0, model.vocabulary, length) for length in lengths]
    texts[1][0] = texts[0][0]
    spelled = [rng.integers(0, characters or 1, 1 + number % 3) for number in range(model.vocabulary)]
    if model.unit == "token":
        targets = [rng.integers(0, model.labels, length) for length in lengths]
        targets[0][1] = -1
    else:
        targets = [np.array([2]), np.array([-1]), np.array([0]), np.array([1])]
    weights = np.array([0.5, 2.0, 1.25]) if weighted else None
    spellings = [[spelled[token] for token in text] for text in texts]
    return Case(model, parameters, LabelBatch(texts, targets, spellings, weights))


@cache
def expected_gradients(kind: str, head: str, sides: str = "two", *, layers: int = 1, characters: int = 0) -> Parameters:
    """What the reference finds: slow, so found once."""
    case = make_case(kind, head, sides, layers=layers, characters=characters)
    return reference.label_gradients(case.parameters, case.model, case.batch)


def make_model(case: Case, dtype: DTypeLike = np.float64) -> LabelModel:
    """The engine with the parameters of a case."""
    model = case.model
    config = LabelModelConfig(
        model.vocabulary,
        model.labels,
        model.unit,
        model.output,
        model.pooling,
        model.network.cell,
        dict(model.network.options),
        model.network.layers,
        model.hidden,
        model.embedding,
        model.network.residual,
        len(model.directions) == len(DIRECTIONS),
        model.characters,
        model.char_embedding,
        model.char_hidden,
    )
    made = LabelModel(config, dtype)
    fill(made.parameters.views, case.parameters)
    return made


def pack_spelled(texts: list[Array], spellings: list[list[Array]], lanes: int) -> TextLanes:
    """Texts in lanes with the distinct spellings of their tokens, of which some occur more than once."""
    packed = pack_texts(texts, lanes)
    distinct = sorted({tuple(form) for text in spellings for form in text})
    place = packed.lay_out([np.array([distinct.index(tuple(form)) for form in text]) for text in spellings])
    return replace(packed, forms=Forms(pack_texts([np.array(form) for form in distinct], len(distinct)), place))


def in_lanes(case: Case, lanes: int = LANES) -> tuple[TextLanes, Array]:
    """The texts of a case in lanes, and their targets as the engine takes them."""
    batch = case.batch
    read = case.model.characters > 0
    packed = pack_spelled(batch.texts, batch.spellings, lanes) if read else pack_texts(batch.texts, lanes)
    if case.model.unit == "text":
        return packed, np.concatenate(batch.targets)
    return packed, packed.lay_out(batch.targets)


def assert_label_model_equals(golden: GoldenLabels, *, atol: float = 1e-10) -> None:
    """A label model of PyTorch's: loss and all gradients."""
    case = Case(golden.model, golden.parameters, golden.batch)
    model, (lanes, targets) = make_model(case), in_lanes(case)
    loss = model.loss_and_gradients(model.new_workspace(), lanes, targets, weights=golden.batch.weights)
    assert abs(loss - golden.loss) < atol
    assert_gradients_close(model.parameters.gradients, golden.gradients, atol=atol)
