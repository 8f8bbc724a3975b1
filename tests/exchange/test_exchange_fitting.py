"""Tensors that do not fit their model say which models they fit."""

from dataclasses import replace

import pytest
from exchange_cases import KINDS, SHAPES, model_of

from charlm.nn.fitting import Shapes, fitting, fitting_text
from charlm.nn.language_model import LanguageModel

SAME_TENSORS = [
    {"rnn with activation tanh", "rnn with activation relu"},
    {"peephole-lstm with peephole standard", "peephole-lstm with peephole previous"},
]
"""Kinds whose parameters have the same names and shapes."""


def shapes_of(network: LanguageModel) -> dict[str, tuple[int, ...]]:
    return {name: view.shape for name, view in network.parameters.views.items()}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_recognised_by_its_tensors(kind: str, shape: str) -> None:
    """Whatever the configuration says of cell, sizes and initial states; what cannot be told apart is all named."""
    network = model_of(kind, **SHAPES[shape]).network
    wrong = replace(
        network.config, cell="lstm", options={}, layers=9, hidden=7, embedding=3, initial="zero", tied=False
    )
    found = fitting(shapes_of(network), wrong)
    assert network.config in found
    same = next((kinds for kinds in SAME_TENSORS if kind in kinds), {kind})
    assert {(each.cell, str(each.options)) for each in found} == {
        (KINDS[each][0], str(KINDS[each][1])) for each in same
    }
    assert fitting_text(shapes_of(network), network.config) == ""


def test_what_is_said() -> None:
    gru, rnn = model_of("gru with reset after").network, model_of("rnn with activation relu").network
    lstm = model_of("lstm").network.config
    assert fitting_text(shapes_of(gru), lstm) == "its tensors fit cell gru with reset after"
    assert fitting_text(shapes_of(rnn), lstm) == (
        "its tensors fit cell rnn with activation tanh, or cell rnn with activation relu"
    )
    deep = model_of("lstm", layers=2, initial="learned", hidden=6).network
    assert fitting_text(shapes_of(deep), lstm) == "its tensors fit cell lstm, layers 2, hidden 6, initial state learned"
    assert fitting_text(shapes_of(deep), replace(deep.config, residual=True)) == ""
    tied = model_of("lstm", embedding=4, tied=True).network
    assert fitting_text(shapes_of(tied), lstm) == "its tensors fit cell lstm, embedding 4, tied"
    wide = model_of("lstm", hidden=16, softmax="adaptive").network
    assert fitting_text(shapes_of(wide), lstm) == "its tensors fit cell lstm, hidden 16, adaptive softmax"
    assert fitting_text(shapes_of(model_of("lstm").network), tied.config) == (
        "its tensors fit cell lstm, embedding 5, not tied"
    )
    assert fitting_text(shapes_of(rnn), replace(rnn.config, options={})) == ""


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {"embedding": (5, 3)},
        {"embedding": (5,), "head.W_y": (5, 4)},
        {"embedding": (5, 3), "head.W_y": (5, 4)},
        {"embedding": (5, 3), "head.W_y": (5, 4), "layers.first": (4,)},
        {"embedding": (5, 3), "head.W_y": (5, 4), "layers.0.W": (4,)},
        {"embedding": (5, 3), "head.W_y": (5, 4), "layers.99999.W": (4,)},
        {"embedding": (0, 3), "head.W_y": (5, 4), "layers.0.W": (4,)},
    ],
)
def test_tensors_of_something_else_fit_nothing(shapes: Shapes) -> None:
    assert fitting(shapes, model_of("lstm").network.config) == []
    assert fitting_text(shapes, model_of("lstm").network.config) == ""
