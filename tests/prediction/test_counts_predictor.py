"""N-grams as a predictor, and predictors of other vocabularies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from comparing_cases import LETTERS, random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from prediction_cases import read_all

from charlm.errors import UsageError
from charlm.ngram.model import NGramModel, learn, load_ngram
from charlm.ngram.storing import write_ngram
from charlm.prediction.build import Beside, build, others
from charlm.prediction.config import Adaptation, Counts, Models
from charlm.prediction.counts import CountsPredictor
from charlm.prediction.network import NetworkPredictor
from charlm.prediction.vocabularies import spelt_as

if TYPE_CHECKING:
    from pathlib import Path

    from charlm.checkpoint import TrainedModel

IDS = st.lists(st.integers(0, 7), min_size=1, max_size=40)
HALF = Adaptation(ngrams=Counts("n", 0.5))


def counted(ids: list[int], order: int, model: TrainedModel | None = None) -> NGramModel:
    model = model or random_model().trained
    return learn(np.array(ids), model.tokenizer, model.text, order, {})


@given(IDS, st.integers(1, 5), IDS, st.booleans())
@settings(max_examples=80, deadline=None)
def test_counts_say_what_they_judge_and_sum_to_one(ids: list[int], order: int, read: list[int], lines: bool) -> None:
    """Of every token, <UNK> included, that came or not."""
    model = counted(ids, order, random_model(independent_lines=lines).trained)
    logs = read_all(CountsPredictor(model), [read])
    found = [float(each[token]) for each, token in zip(logs, read, strict=False)]
    np.testing.assert_allclose(found, model.score_texts([np.array(read)])[0], rtol=1e-12, atol=1e-12)
    for each in logs:
        assert np.exp(each).sum() == pytest.approx(1, abs=1e-12)
    every = [model.score_texts([np.array([*read, token])])[0][-1] for token in range(8)]
    np.testing.assert_allclose(logs[-1], every, rtol=1e-12, atol=1e-12)


def test_counts_of_a_file_sum_to_one(tmp_path: Path) -> None:
    """Which has them in float32."""
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 8, 500).tolist()
    write_ngram(counted(ids, 4), tmp_path / "n")
    model = load_ngram(tmp_path / "n")
    logs = read_all(CountsPredictor(model), [ids[:100]])
    for each in logs:
        assert np.exp(each).sum() == pytest.approx(1, abs=1e-12)
    found = [float(each[token]) for each, token in zip(logs[:100], ids[:100], strict=True)]
    np.testing.assert_allclose(found, model.score_texts([np.array(ids[:100])])[0], rtol=1e-6, atol=1e-7)


def test_a_text_begins_anew() -> None:
    model = counted([2, 3, 0, 2, 3, 0, 2, 4, 0], 3)
    predictor = CountsPredictor(model)
    for forget in (True, False):
        first = predictor.log_probabilities().copy()
        predictor.read(3)
        assert not np.array_equal(predictor.log_probabilities(), first)
        predictor.start(forget=forget)
        np.testing.assert_array_equal(predictor.log_probabilities(), first)


def test_a_mixture_of_network_and_counts() -> None:
    model = random_model().trained
    counts = counted([2, 3, 4, 5, 0, 2, 3], 3)
    found = read_all(build(model, HALF, Beside(ngrams=counts)), [[2, 3, 1, 0]])
    pairs = zip(
        read_all(NetworkPredictor(model.network), [[2, 3, 1, 0]]),
        read_all(CountsPredictor(counts), [[2, 3, 1, 0]]),
        strict=True,
    )
    for each, (one, other) in zip(found, pairs, strict=True):
        np.testing.assert_allclose(np.exp(each), (np.exp(one) + np.exp(other)) / 2, rtol=1e-12)


def test_tokens_are_those_of_one_spelling() -> None:
    """In another order, and with more of them, which are all unknown here."""
    ours, theirs = random_model(LETTERS[:4]).trained, random_model([*LETTERS[::-1], "x"]).trained
    other = NetworkPredictor(theirs.network)
    mapped = spelt_as(ours.tokenizer, other, theirs.tokenizer, "it")
    texts = [ours.tokenizer.encode("ab a").tolist()]
    again = [theirs.tokenizer.encode("ab a").tolist()]
    spelling = [ours.tokenizer.vocabulary.token(k) for k in range(len(ours.tokenizer))]
    expected = read_all(NetworkPredictor(theirs.network), again)
    for mine, its in zip(read_all(mapped, texts), expected, strict=True):
        assert len(mine) == 6
        assert np.exp(mine).sum() == pytest.approx(1, abs=1e-12)
        for token, name in enumerate(spelling):
            if token != 1:
                same = [k for k in range(9) if theirs.tokenizer.vocabulary.token(k) == name]
                assert mine[token] == its[same[0]]
    assert mapped.vocabulary == 6


def test_the_same_vocabulary_is_not_looked_up() -> None:
    model = random_model().trained
    other = NetworkPredictor(model.network)
    assert spelt_as(model.tokenizer, other, random_model().trained.tokenizer, "it") is other


def test_tokens_that_the_other_does_not_know_are_refused() -> None:
    ours, theirs = random_model().trained, random_model(LETTERS[:-1]).trained
    with pytest.raises(
        UsageError, match=r"the n-gram model does not know 1 of the model's 8 tokens, such as '\U0001f600'"
    ):
        others(ours, Beside(ngrams=counted([2, 3], 2, theirs)))


def test_bytes_and_characters_do_not_go_together() -> None:
    ours, theirs = random_model().trained, random_model(level="byte").trained
    with pytest.raises(UsageError, match=r"its --level \(byte, not char\), --unit \(file, not line\)"):
        others(ours, Beside(models=(theirs,)))
    with pytest.raises(UsageError, match="one of them reads bytes"):
        spelt_as(ours.tokenizer, NetworkPredictor(theirs.network), theirs.tokenizer, "it")


def test_texts_that_begin_elsewhere_are_refused() -> None:
    ours, theirs = random_model().trained, random_model(independent_lines=True).trained
    with pytest.raises(
        UsageError, match=r"model 2 of the mixture reads texts otherwise .*independent-lines \(True, not F"
    ):
        others(ours, Beside(models=(theirs,)))


def test_what_is_named_must_be_opened() -> None:
    model = random_model().trained
    with pytest.raises(UsageError, match="2 weights and 1 models"):
        build(model, HALF)


def test_a_mixture_of_networks() -> None:
    models = [random_model(seed=seed).trained for seed in range(3)]
    how = Adaptation(models=Models(["b", "c"], [0.2, 0.3]))
    found = read_all(build(models[0], how, Beside(models=tuple(models[1:]))), [[2, 3]])[-1]
    each = [np.exp(read_all(NetworkPredictor(model.network), [[2, 3]])[-1]) for model in models]
    np.testing.assert_allclose(np.exp(found), 0.5 * each[0] + 0.2 * each[1] + 0.3 * each[2], rtol=1e-12)


def test_labels_do_not_part_texts() -> None:
    """The n-grams of a text with labels are those of its lines."""
    model = random_model().trained
    labelled = replace(model, text=replace(model.text, labels=True))
    assert len(others(labelled, Beside(ngrams=counted([2, 3], 2, model)))) == 1
