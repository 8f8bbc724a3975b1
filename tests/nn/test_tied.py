"""Models whose embedding is the head's matrix too."""

from __future__ import annotations

import numpy as np
import pytest
from nn_cases import INPUT_PATHS, Found, assert_gradients_close, central_differences, make_case, objective, run_engine

from charlm.config import ModelConfig
from charlm.errors import UsageError
from charlm.nn.language_model import LanguageModel

SIZE = 3
CASE = make_case("lstm", 2, seed=4, time=4, batch=2, vocabulary=5, embedding=SIZE, hidden=SIZE)


def model_of(*, tied: bool, vocabulary: int = 5) -> LanguageModel:
    """Random numbers, the same ones whether tied or not: then the head's matrix is equal to the embedding."""
    config = ModelConfig(vocabulary, "lstm", layers=2, hidden=SIZE, embedding=SIZE, tied=tied)
    model = LanguageModel(config, np.float64)
    for name, view in model.parameters.views.items():
        drawn = CASE.parameters["embedding" if name == "head.W_y" else name]
        view[: len(drawn)] = drawn
    return model


def found_by(model: LanguageModel) -> Found:
    return run_engine(model, CASE, model.new_workspace(*CASE.inputs.shape))


@pytest.mark.parametrize("path", INPUT_PATHS)
def test_gradients_are_slopes(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[path])
    model = model_of(tied=True)
    work = model.new_workspace(*CASE.inputs.shape)
    found = run_engine(model, CASE, work)
    expected = {
        name: central_differences(lambda: objective(model, work, CASE), view)
        for name, view in model.parameters.views.items()
    }
    assert_gradients_close(found.gradients, expected, rtol=1e-6, atol=2e-8)


@pytest.mark.parametrize("path", INPUT_PATHS)
def test_equals_an_untied_model_with_equal_matrices(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gradient is the sum of those of both uses; what a window before left of it is gone."""
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[path])
    tied, untied = model_of(tied=True), model_of(tied=False)
    found_by(tied)
    found, expected = found_by(tied), found_by(untied)
    assert found.loss == pytest.approx(expected.loss, rel=1e-14)
    both = {**expected.gradients}
    both["embedding"] = both["embedding"] + both.pop("head.W_y")
    assert_gradients_close(found.gradients, both, atol=1e-13)
    assert len(tied.parameters) == len(untied.parameters) - 5 * SIZE


def test_logits_and_scores_agree() -> None:
    """With the untied model's, for sampling and for scoring."""
    tied, untied = model_of(tied=True), model_of(tied=False)
    arguments = (CASE.inputs, CASE.starts, tuple(CASE.state))
    (found, _), (expected, _) = (model.logits(model.new_workspace(4, 2), *arguments) for model in (tied, untied))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_rows_begin_of_unit_length() -> None:
    """As embeddings and as the head's rows at once: neither gates nor logits begin saturated."""
    model = LanguageModel(ModelConfig(400, hidden=64, embedding=64, tied=True))
    model.initialize(1)
    assert np.square(model.parameters.views["embedding"]).sum(axis=1).mean() == pytest.approx(1, rel=0.02)


def test_tokens_that_are_added_begin_as_another() -> None:
    """As embeddings they are rows of the head, so they begin as its new rows do."""
    base, longer = model_of(tied=True), model_of(tied=True, vocabulary=7)
    longer.take_over(base, like=1)
    for name in ("embedding", "head.b_y"):
        mine, theirs = longer.parameters.views[name], base.parameters.views[name]
        np.testing.assert_array_equal(mine[:5], theirs)
        np.testing.assert_array_equal(mine[5:], theirs[[1, 1]])


def test_sizes_must_be_equal() -> None:
    with pytest.raises(UsageError, match="--embedding is 4 and --hidden 3"):
        ModelConfig(5, hidden=3, embedding=4, tied=True)
