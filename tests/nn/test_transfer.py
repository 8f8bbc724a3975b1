"""A label model that begins with a language model's weights reads forward as that one does."""

from __future__ import annotations

import numpy as np
import pytest
from nn_cases import KINDS

from charlm.config import ModelConfig
from charlm.errors import UsageError
from charlm.nn.label_config import LabelModelConfig
from charlm.nn.label_model import LabelModel
from charlm.nn.language_model import LanguageModel
from charlm.nn.text_lanes import pack_texts
from charlm.nn.transfer import SMALL

V, E, H = 6, 3, 4
TEXT = np.array([3, 1, 4, 1, 5])


def pair(kind: str = "lstm", **config: object) -> tuple[LabelModel, LanguageModel]:
    """Both drawn, not yet the one taken over from the other."""
    cell, options = KINDS[kind]
    shape = {"cell": cell, "options": dict(options), "layers": 2, "hidden": H, "embedding": E}
    theirs = LanguageModel(ModelConfig(V, **shape), np.float64)  # type: ignore[arg-type]
    mine = LabelModel(LabelModelConfig(**{"vocabulary": V, "labels": 2, **shape, **config}), np.float64)  # type: ignore[arg-type]
    theirs.initialize(8)
    mine.initialize(7)
    return mine, theirs


@pytest.mark.parametrize("kind", KINDS)
def test_one_direction_is_the_language_models_stack(kind: str) -> None:
    """Activations of every token, to the last bit but rounding."""
    mine, theirs = pair(kind, bidirectional=False)
    mine.take_over(theirs)
    lanes = pack_texts([TEXT], 1)
    work = mine.new_workspace()
    mine.log_probabilities(work, lanes)
    other = theirs.new_workspace(len(TEXT), 1)
    theirs.advance(other, TEXT[:, None], np.zeros((5, 1), bool), theirs.zero_states(1))
    np.testing.assert_allclose(work.reader.room.outputs[:5], other.tape.activations[:5], rtol=0, atol=1e-13)


def test_the_forward_direction_of_two_is_the_language_models() -> None:
    """The backward one, and what reads it, are not; the latter is small."""
    mine, theirs = pair(characters=3, char_hidden=2, char_embedding=2, vocabulary=V + 2)
    drawn = {name: view.copy() for name, view in mine.parameters.views.items()}
    mine.take_over(theirs)
    views, learned = mine.parameters.views, theirs.parameters.views
    np.testing.assert_array_equal(views["embedding"][:V], learned["embedding"])
    np.testing.assert_array_equal(views["embedding"][V:], drawn["embedding"][V:])
    for k, width in ((0, E), (1, H)):
        for name in ("W_fa", "b_c"):
            np.testing.assert_array_equal(views[f"layers.{k}.forward.{name}"], learned[f"layers.{k}.{name}"])
        name = f"layers.{k}.forward.W_ox"
        np.testing.assert_array_equal(views[name][:, :width], learned[f"layers.{k}.W_ox"])
        assert np.any(views[name][:, width:])
        np.testing.assert_array_equal(views[name][:, width:], SMALL * drawn[name][:, width:])
    for name, view in views.items():
        if ".backward." in name or name.startswith(("head.", "characters.")):
            np.testing.assert_array_equal(view, drawn[name])


def test_a_language_models_labels_are_no_tokens() -> None:
    """Their embeddings stand behind those of its tokens, and stay there."""
    mine, _ = pair(vocabulary=V + 1)
    drawn = mine.parameters.views["embedding"].copy()
    theirs = LanguageModel(ModelConfig(V, layers=2, hidden=H, embedding=E, labels=3), np.float64)
    theirs.initialize(1)
    mine.take_over(theirs)
    embedding = mine.parameters.views["embedding"]
    np.testing.assert_array_equal(embedding[:V], theirs.parameters.views["embedding"][:V])
    np.testing.assert_array_equal(embedding[V:], drawn[V:])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"hidden": 5}, "--hidden 4, not 5"),
        ({"layers": 1, "embedding": 2}, "--layers 2, not 1; --embedding 3, not 2"),
        ({"cell": "gru"}, "--cell lstm, not gru"),
        ({"residual": True}, "no --residual"),
        ({"vocabulary": 5}, "6 tokens, not 5"),
    ],
)
def test_what_does_not_fit_is_named(other: dict[str, object], message: str) -> None:
    mine, theirs = pair(**other)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=message):
        mine.take_over(theirs)


def test_options_that_differ_are_named() -> None:
    mine, theirs = pair("gru-after", options={})
    with pytest.raises(UsageError, match="--reset after, not before"):
        mine.take_over(theirs)
