"""The label of a text joins every input: its embedding is added to the token's, and stands alone at a text's start."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from nn_cases import (
    INPUT_PATHS,
    KINDS,
    Case,
    assert_gradients_close,
    assert_states_close,
    central_differences,
    make_case,
    make_model,
    objective,
    run_engine,
    stencil_of,
)

from charlm.config import ModelConfig
from charlm.errors import UsageError
from charlm.nn.embedding import add_gathered_gradient, write_gathered, write_one_hot
from charlm.nn.language_model import LanguageModel
from charlm.sampling.config import SamplingConfig
from charlm.sampling.side_by_side import Job, sample_side_by_side
from charlm.sampling.stream import sample
from charlm.scoring import score_texts, score_tokens

if TYPE_CHECKING:
    from reference import Gradients

VOCABULARY, LABELS = 5, 3


def case_of(kind: str) -> Case:
    return make_case(kind, 1, labels=LABELS, vocabulary=VOCABULARY)


@cache
def expected(kind: str) -> Gradients:
    return case_of(kind).reference_gradients()


@pytest.fixture(params=INPUT_PATHS)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("charlm.nn.stack.folds", lambda *_: INPUT_PATHS[request.param])
    return str(request.param)


@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_reference(kind: str, path: str) -> None:
    case = case_of(kind)
    model = make_model(case)
    found, result = run_engine(model, case), case.reference_run()
    assert path in INPUT_PATHS
    assert found.loss == pytest.approx(float(result.loss), rel=1e-12)
    np.testing.assert_allclose(found.outputs, result.outputs, rtol=0, atol=1e-12)
    assert_states_close(found.state, result.state)
    assert_gradients_close(found.gradients, expected(kind).parameters, atol=1e-11)
    assert np.all(np.any(found.gradients["embedding"][VOCABULARY:], axis=1)), "a label has no gradient"


@pytest.mark.parametrize("kind", ["lstm", "gru-before", "sru", "norm-lstm"])
@pytest.mark.usefixtures("path")
def test_gradients_are_slopes(kind: str) -> None:
    case = case_of(kind)
    model = make_model(case)
    work = model.new_workspace(*case.targets.shape)
    found = run_engine(model, case, work)
    slopes = {
        name: central_differences(lambda: objective(model, work, case), view, stencil_of(kind))
        for name, view in model.parameters.views.items()
    }
    assert_gradients_close(found.gradients, slopes, rtol=1e-6, atol=2e-8)


@pytest.mark.usefixtures("path")
def test_tied_embeddings_leave_labels_out_of_the_softmax() -> None:
    """Slopes again, after a window that left other gradients behind."""
    case = make_case("lstm", 1, labels=LABELS, vocabulary=VOCABULARY, embedding=3, hidden=3)
    config = ModelConfig(VOCABULARY, hidden=3, embedding=3, tied=True, labels=LABELS)
    model = LanguageModel(config, np.float64)
    for name, view in model.parameters.views.items():
        view[...] = case.parameters[name]
    work = model.new_workspace(*case.targets.shape)
    run_engine(model, case, work)
    found = run_engine(model, case, work)
    slopes = {
        name: central_differences(lambda: objective(model, work, case), view)
        for name, view in model.parameters.views.items()
    }
    assert_gradients_close(found.gradients, slopes, rtol=1e-6, atol=2e-8)


@pytest.mark.parametrize("seed", range(5))
def test_several_ids_are_one_sum(seed: int) -> None:
    """One-hot rows count each of them, gathered rows are sums, and their gradient goes to each; -1 is nothing."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(-1, 8, (2, 4, 3))
    ids[:, 0, 0] = 7  # one of them twice
    table, upstream = rng.standard_normal((8, 5)), rng.standard_normal((4, 5, 3))
    one_hot, gathered = np.full((4, 8, 3), np.nan), np.full((4, 5, 3), np.nan)
    write_one_hot(one_hot, ids)
    write_gathered(gathered, table, ids)
    np.testing.assert_array_equal(one_hot.sum(axis=1), (ids >= 0).sum(axis=0))
    np.testing.assert_allclose(gathered, np.einsum("ve,tvb->teb", table, one_hot), rtol=0, atol=1e-14)
    d_table = np.zeros_like(table)
    add_gathered_gradient(d_table, upstream.swapaxes(0, 1).reshape(5, -1), ids)
    np.testing.assert_allclose(d_table, np.einsum("tvb,teb->ve", one_hot, upstream), rtol=0, atol=1e-14)


def labelled_model(*, tied: bool = False) -> LanguageModel:
    model = LanguageModel(ModelConfig(VOCABULARY, hidden=6, embedding=6, tied=tied, labels=LABELS))
    model.initialize(2)
    return model


@pytest.mark.usefixtures("path")
def test_a_model_under_a_label_reads_every_text_under_it() -> None:
    """As inputs that bring the label along; scores and samples too, by one lane and by many."""
    model = labelled_model()
    texts = [np.array(ids) for ids in ([2, 3, 4, 0], [4, 4, 0], [0])]
    scores = [[each.sum() for each in score_texts(model.under(label), texts)] for label in range(LABELS)]
    assert len({round(float(each), 4) for of_label in scores for each in of_label}) == LABELS * len(texts)
    for label in range(LABELS):
        under = model.under(label)
        np.testing.assert_allclose([each.logprobs.sum() for each in score_tokens(under, texts)], scores[label], 1e-5)
        for text, score in zip(texts, scores[label], strict=True):
            tokens = np.concatenate(([-1], text[:-1]))[:, None]
            inputs = model.labelled(tokens, np.full_like(tokens, label))
            np.testing.assert_array_equal(inputs[1], VOCABULARY + label)
            work, starts = model.new_workspace(len(text), 1), np.zeros((len(text), 1), np.bool_)
            found, _ = model.log_probabilities(work, inputs, text[:, None], starts, model.initial_states(1))
            assert float(found.sum()) == pytest.approx(float(score), rel=1e-5)
        config = SamplingConfig(12, stop=(0,))
        drawn = list(sample(under, np.array([3]), config, (1, 0)))
        [(_, beside)] = sample_side_by_side(under, [Job(np.array([3]), (1, 0))], config, 1)
        assert drawn == beside.ids.tolist()
    assert model.label is None
    assert model.under(1).parameters is model.parameters


@pytest.mark.usefixtures("path")
def test_one_stream_of_single_steps_reads_the_label() -> None:
    """As windows of the same steps do, the start with its label alone included."""
    model = labelled_model()
    tokens = np.array([-1, 3, 2, 4])[:, None]
    for label in range(LABELS):
        under = model.under(label)
        expected, _ = under.logits(under.new_workspace(4, 1), tokens, None, under.initial_states(1))
        single, states = under.new_workspace(1, 1, keep=False), under.initial_states(1)
        for t, token in enumerate(tokens):
            logits, states = under.logits(single, token[None], None, states)
            np.testing.assert_allclose(logits[:, 0], expected[:, t], rtol=0, atol=1e-5)


def test_drawn_texts_follow_the_label() -> None:
    """The first token's frequencies are those that the model gives it under each label."""
    model = labelled_model()
    model.parameters.views["embedding"][VOCABULARY:] *= 4
    for label in range(LABELS):
        under, nothing = model.under(label), np.zeros(0, np.int64)
        jobs = (Job(nothing, (label, index)) for index in range(4000))
        first = [int(drawn.ids[0]) for _, drawn in sample_side_by_side(under, jobs, SamplingConfig(1), 32)]
        work = under.new_workspace(1, 1)
        logits, _ = under.logits(work, np.array([[-1]]), None, under.initial_states(1))
        weights = np.exp(logits[:, 0, 0] - logits.max())
        np.testing.assert_allclose(np.bincount(first, minlength=VOCABULARY) / 4000, weights / weights.sum(), atol=0.03)


def test_inputs_without_labels_are_noticed() -> None:
    """A caller that forgets the label would get figures of no text at all."""
    model = labelled_model()
    with pytest.raises(UsageError, match="no label is named"):
        score_texts(model, [np.array([2, 0])])


@pytest.mark.parametrize("tied", [False, True])
def test_rows_of_labels_begin_as_those_of_tokens(tied: bool) -> None:
    """Entries have unit variance; rows that are the head's too have unit length on average."""
    model = LanguageModel(ModelConfig(400, hidden=64, embedding=64, tied=tied, labels=300))
    model.initialize(1)
    lengths = np.square(model.parameters.views["embedding"]).sum(axis=1)
    assert lengths[:400].mean() == pytest.approx(1 if tied else 64, rel=0.05)
    assert lengths[400:].mean() == pytest.approx(1 if tied else 64, rel=0.05)


@pytest.mark.parametrize("tied", [False, True])
def test_labels_move_behind_tokens_that_are_added(tied: bool) -> None:
    base = labelled_model(tied=tied)
    longer = LanguageModel(ModelConfig(VOCABULARY + 2, hidden=6, embedding=6, tied=tied, labels=LABELS))
    longer.initialize(3)
    longer.take_over(base, like=1)
    mine, theirs = longer.parameters.views["embedding"], base.parameters.views["embedding"]
    np.testing.assert_array_equal(mine[:VOCABULARY], theirs[:VOCABULARY])
    np.testing.assert_array_equal(mine[VOCABULARY + 2 :], theirs[VOCABULARY:])


def test_labels_that_a_model_has_not_begin_as_nothing() -> None:
    """Under every label the model is the one that it began as."""
    base = LanguageModel(ModelConfig(VOCABULARY, hidden=6, embedding=6))
    base.initialize(4)
    model = labelled_model()
    model.take_over(base, like=1)
    texts = [np.array([2, 3, 4, 0])]
    for label in range(LABELS):
        np.testing.assert_allclose(score_texts(model.under(label), texts)[0], score_texts(base, texts)[0], rtol=1e-6)
