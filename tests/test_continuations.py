"""The likeliest continuations: what is found is what listing every one of them finds, with the same probabilities."""

import itertools
from typing import Any

import numpy as np
import pytest

from charlm.checkpoint import TrainedModel
from charlm.config import ModelConfig, TextConfig
from charlm.continuations import Continuation, continuations
from charlm.errors import UsageError
from charlm.nn.language_model import LanguageModel
from charlm.samples import read_prompt
from charlm.scores import score_all
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import Vocabulary


def model_of(tokens: list[str], level: str = "char", seed: int = 0, **text: Any) -> TrainedModel:
    """A small model that is far from uniform."""
    vocabulary = Vocabulary.from_counts(tokens, np.arange(len(tokens), 0, -1))
    network = LanguageModel(ModelConfig(len(vocabulary), layers=2, hidden=7, embedding=5))
    network.initialize(seed)
    generator = np.random.default_rng(seed)
    for view in network.parameters.views.values():
        view[...] = 2 * view + generator.normal(0, 0.2, view.shape)  # the biases too, or a text's start is uniform
    config = TextConfig(level=level, **text)
    return TrainedModel(network, Tokenizer(level, config.unit, vocabulary), config, {})


def found(model: TrainedModel, prompt: str, number: int = 10) -> list[Continuation]:
    return continuations(model, read_prompt(model, prompt), number)


def probability(model: TrainedModel, text: str) -> float:
    """P(text begins so), by the chain rule."""
    return float(np.exp(score_all(model, [text])[0].logprob_without_eos))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("prompt", ["", "a", "ba b", "b,", "a "])
def test_words_are_the_likeliest_of_all(prompt: str, seed: int) -> None:
    """Of all words and spaced words of up to six letters: their probability is what ends them times what begins."""
    model = model_of(["a", "b", " ", ","], seed=seed)
    before = probability(model, prompt)
    expected = {}
    for length in range(1, 7):
        for word in map("".join, itertools.product("ab", repeat=length)):
            for begin in ("", " "):
                whole = prompt + begin + word
                goes_on = sum(probability(model, whole + letter) for letter in "ab")
                expected[begin + word] = (probability(model, whole) - goes_on) / before
    for other in (",", "  ", " ,"):
        expected[other] = probability(model, prompt + other) / before
    for begin, end in (("", "\n"), (" ", " \n")):
        expected[end] = float(np.exp(score_all(model, [prompt + begin])[0].logprob)) / before
    likeliest = sorted(expected.items(), key=lambda item: -item[1])[:8]
    got = found(model, prompt, 8)
    assert [each.text for each in got] == [text for text, _ in likeliest]
    np.testing.assert_allclose([each.probability for each in got], [p for _, p in likeliest], rtol=1e-3)
    assert [each.ends for each in got] == [each.text == "\n" for each in got]


def test_unknown_is_no_continuation_but_ends_a_word() -> None:
    model = model_of(["a"])
    model.network.parameters.views["head.b_y"][:] = [0, 9, 0]
    got = found(model, "a", 50)
    assert all(set(each.text) <= {"a", "\n"} for each in got)
    assert sum(each.probability for each in got) < 0.1
    first = next(each for each in got if each.text == "a")
    ends = probability(model, "aa") - probability(model, "aaa")
    assert first.probability == pytest.approx(ends / probability(model, "a"), rel=1e-4)


@pytest.mark.parametrize("level", ["word", "token"])
def test_words_are_single_tokens(level: str) -> None:
    """At the word level each continuation is one token, and what it appends makes the text it stands for."""
    tokens = ["pear", "pair", "salad", *(["￭,"] if level == "word" else [","])]
    model = model_of(tokens, level)
    got = found(model, "pear", 10)
    texts = {each.text for each in got}
    assert texts == {" pear", " pair", " salad", "," if level == "word" else " ,", "\n"}
    assert [each.probability for each in got] == sorted((each.probability for each in got), reverse=True)
    for each in got:
        if not each.ends:
            whole = probability(model, "pear" + each.text) / probability(model, "pear")
            assert each.probability == pytest.approx(whole, rel=1e-4)


def test_more_than_there_are() -> None:
    """All that there are come, if more are asked for."""
    model = model_of(["x"], "word")
    assert len(found(model, "", 100)) == 2


def test_number_must_be_positive() -> None:
    with pytest.raises(UsageError, match="-n is 0"):
        found(model_of(["a"]), "", 0)


def test_spread_too_thin(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that is cut short gives what it has found, in order."""
    monkeypatch.setattr("charlm.continuations.MOST_EXPANSIONS", 3)
    got = found(model_of(["a", "b", " "]), "a", 20)
    assert got
    assert [each.probability for each in got] == sorted((each.probability for each in got), reverse=True)
