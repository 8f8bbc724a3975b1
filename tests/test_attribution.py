"""Which model wrote a text: likelihoods, posteriors and confusion, against the chain rule in float64."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from comparing_cases import LETTERS, random_model, spelling, spelt_chain_rule
from hypothesis import given, settings
from hypothesis import strategies as st

import charlm
from charlm.attribution import Confusion, attribute, check_priors, passages
from charlm.errors import UsageError
from charlm.likelihoods import LOWERCASE, SPACE, Reader, characters
from charlm.spelling import CODE_POINTS, Speller

CHARS = [random_model(seed=seed) for seed in range(3)]
LINES = random_model(seed=3, independent_lines=True)
OCTETS = random_model(level="byte", seed=4)
WORDS = random_model(["ab", "\uffed.", "b", " "], level="word", seed=5)
LOWER = random_model(["a", "b", " "], seed=6, lowercase=True)
TOKENS = random_model(["ab", "b", "."], level="token", seed=7)
NAMES = ("one", "two", "lines", "octets", "words", "lower", "tokens")
EVERY = dict(zip(NAMES, (CHARS[0], CHARS[1], LINES, OCTETS, WORDS, LOWER, TOKENS), strict=True))
TEXTS = st.text([*LETTERS, "z", "A", "\n", "\0", "\ud800"], max_size=20)


def likelihood(model: charlm.Model, text: str) -> float:
    """Log P(text, and it ends), the lines of a model of independent lines being texts of their own."""
    text = text.removesuffix("\n")
    parts = text.split("\n") if model.trained.text.independent_lines else [text]
    # The chain rule takes a line break away itself.
    return math.fsum(nats for part in parts for nats in spelt_chain_rule(model, part + "\n"))


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.lists(st.floats(0.01, 100), min_size=7, max_size=7))
def test_posteriors_are_those_of_bayes(text: str, weights: list[float]) -> None:
    priors = dict(zip(EVERY, weights, strict=True))
    # Priors need not stand in the order of the models.
    found = charlm.which(EVERY, text, priors=dict(reversed(priors.items())))
    logs = {name: likelihood(model, text) for name, model in EVERY.items()}
    joint = {name: logs[name] + math.log(priors[name] / sum(weights)) for name in EVERY}
    most = max(joint.values())
    total = most + math.log(math.fsum(math.exp(value - most) for value in joint.values()))
    assert [claim.posterior for claim in found.claims] == sorted((c.posterior for c in found.claims), reverse=True)
    assert sum(claim.posterior for claim in found.claims) == pytest.approx(1)
    for claim in found.claims:
        assert claim.logprob == pytest.approx(logs[claim.model], rel=1e-5)
        assert claim.prior == pytest.approx(priors[claim.model] / sum(weights))
        assert claim.posterior == pytest.approx(math.exp(joint[claim.model] - total), rel=1e-3, abs=1e-12)
        assert claim.nats_per_character == pytest.approx(-claim.logprob / (len(text.removesuffix("\n")) + 1))
    first, second = found.claims[:2]
    assert found.log_ratio == pytest.approx(first.logprob - second.logprob)
    assert found.best is first


@settings(deadline=None, max_examples=30)
@given(TEXTS, st.floats(1e-3, 1e3))
def test_only_the_ratios_of_weights_count(text: str, factor: float) -> None:
    """Models in another order, and weights times any number, change nothing but the order of what is alike."""
    models = {name: EVERY[name] for name in ("one", "words", "octets")}
    weights = {"one": 1.0, "words": 2.5, "octets": 0.5}
    found = charlm.which(models, text, priors=weights)
    turned = dict(reversed(models.items()))
    other = charlm.which(turned, text, priors={name: factor * weight for name, weight in weights.items()})
    claims = {claim.model: claim for claim in other.claims}
    assert sum(claim.posterior for claim in other.claims) == pytest.approx(1)
    for claim in found.claims:
        assert claims[claim.model].logprob == claim.logprob
        assert claims[claim.model].posterior == pytest.approx(claim.posterior, rel=1e-9, abs=1e-300)


@settings(deadline=None, max_examples=30)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_texts_together_are_as_alone(texts: list[str]) -> None:
    models = {"lines": LINES, "words": WORDS, "octets": OCTETS}
    for text, found in zip(texts, charlm.which(models, texts), strict=True):
        alone = charlm.which(models, text)
        assert found.text == text
        for one, other in zip(found.claims, alone.claims, strict=True):
            assert one.logprob == pytest.approx(other.logprob, rel=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.text([*LETTERS, "z", "A"], max_size=10))
def test_spellings_cost_what_they_say(text: str) -> None:
    for model in (CHARS[0], WORDS, LOWER, TOKENS):
        (found,) = Reader(model.trained).likelihoods([text])
        tokenizer = model.trained.tokenizer
        tokens = zip(tokenizer.cut(text), tokenizer.encode(text).tolist(), strict=True)
        strange = [token for token, token_id in tokens if token_id == 1]
        assert found.oov == len(strange)
        assert found.spelling == pytest.approx(sum(spelling(model, token) for token in strange))


def test_spellings_are_probabilities() -> None:
    """Over all characters and the end they sum to 1, also where the vocabulary is empty."""
    for model in (WORDS, TOKENS, random_model([], level="word")):
        speller = Speller(model.trained.tokenizer)
        known = set("".join(model.vocabulary[2:]))
        end = math.exp(speller.log_probability(""))
        each = {c: math.exp(speller.log_probability(c)) / end for c in (*known, "\u2603")}
        others = each.pop("\u2603") * (CODE_POINTS - len(known))
        assert end + others + sum(each.values()) == pytest.approx(1)
    speller = Speller(CHARS[0].trained.tokenizer)
    assert math.exp(speller.log_probability("z")) * (CODE_POINTS - len(LETTERS)) == pytest.approx(1)


def test_words_that_are_unknown_do_not_win_for_that() -> None:
    """A model of words that takes nearly every word for <UNK> gives that a high probability, and the text none."""
    words = random_model(["ab"], level="word", seed=1)
    words.trained.network.parameters.views["head.b_y"][1] += 5
    text = "ba b.a aa b bab" * 3
    found = charlm.which({"words": words, "characters": CHARS[0]}, text)
    assert found.best.model == "characters"
    assert words.score(text).logprob > CHARS[0].score(text).logprob


@pytest.mark.parametrize(
    ("model", "text", "loose"),
    [
        (CHARS[0], "a b\nb", ()),
        (CHARS[0], "a\u00e9", ()),
        (OCTETS, "\u00e9 A", ()),
        (LOWER, "a b", ()),
        (LOWER, "A b", (LOWERCASE,)),
        (LOWER, "Az", (LOWERCASE,)),
        (TOKENS, "ab b\n. b", ()),
        (TOKENS, "ab  b", (SPACE,)),
        (TOKENS, "ab b\n b", (SPACE,)),
        (TOKENS, "ab <unk>", ()),
        (WORDS, "ab  b.", ()),
    ],
)
def test_what_is_read_as_one_with_other_texts_is_loose(model: charlm.Model, text: str, loose: tuple[str, ...]) -> None:
    (found,) = Reader(model.trained).likelihoods([text])
    assert found.loose == loose


def test_a_verdict_is_doubtful_only_where_the_first_alone_is_loose() -> None:
    exact = random_model(["a"], seed=1)
    found = charlm.which({"lower": LOWER, "exact": exact}, "AB A B")
    assert found.best.model == "lower"
    assert found.doubtful
    found = charlm.which({"lower": LOWER, "exact": exact}, "aaaa", priors={"lower": 1e-9, "exact": 1})
    assert not found.doubtful
    found = charlm.which({"lower": LOWER, "exact": exact}, "AB A B", priors={"lower": 1e-99, "exact": 1})
    assert found.best.model == "exact"
    assert not found.doubtful
    other = random_model(["b", "a", " "], seed=8, lowercase=True)
    assert not charlm.which({"lower": LOWER, "other": other}, "AB").doubtful


def test_the_end_counts_as_a_character() -> None:
    assert [characters(text) for text in ("", "a", "a\n", "a\n\n", "\ufeffa\r\n")] == [1, 2, 2, 3, 2]


def test_priors_are_checked() -> None:
    assert check_priors(["a", "b"], None) == {"a": 0.5, "b": 0.5}
    assert list(check_priors(["a", "b"], {"b": 3, "a": 1}).items()) == [("a", 0.25), ("b", 0.75)]
    for priors, mentioned in (
        ({"a": 1.0, "c": 1.0}, "'c', which is none of the models: a, b"),
        ({"a": 1.0}, "nothing of 'b'"),
        ({"a": 1.0, "b": 0.0}, "b=0: it must be a number above 0"),
        ({"a": 1.0, "b": math.inf}, "b=inf"),
        ({"a": math.nan, "b": 1.0}, "a=nan"),
    ):
        with pytest.raises(UsageError, match=mentioned):
            check_priors(["a", "b"], priors)


def test_there_must_be_two_models() -> None:
    with pytest.raises(UsageError, match="1 model is named"):
        list(attribute({"a": CHARS[0].trained}, ["a"]))


@given(st.text("ab \n\u2003", max_size=80), st.integers(1, 20))
def test_passages_are_the_text(text: str, size: int) -> None:
    found = list(passages(text, size))
    assert "".join(found) == text
    assert all(1 <= len(each) <= size for each in found)
    for each, after in pairwise(found):
        half = (each + after)[size // 2 : size]
        assert len(each) > size // 2
        # It ends behind the last white space of its second half, if there is any.
        assert each[-1].isspace() or not any(character.isspace() for character in half)
        assert each[-1].isspace() or len(each) == size


def test_words_stay_whole() -> None:
    assert list(passages("the cat sat on the mat", 10)) == ["the cat ", "sat on ", "the mat"]
    assert list(passages("abcdefghij", 4)) == ["abcd", "efgh", "ij"]
    assert list(passages("", 4)) == []


def test_confusion_counts() -> None:
    confusion = Confusion(["x", "y", "z"])
    for truth, found in ("xx", "xy", "yy", "zx", "zx", "xx"):
        confusion.add(truth, found)
    np.testing.assert_array_equal(confusion.counts, [[2, 1, 0], [0, 1, 0], [2, 0, 0]])
    assert (confusion.texts, confusion.right, confusion.accuracy) == (6, 3, 0.5)
    assert confusion.standard_error == pytest.approx(math.sqrt(0.25 / 6))
    data = json.loads(json.dumps(confusion.to_json()))
    assert data["confusion"]["z"] == {"x": 2, "y": 0, "z": 0}
    with pytest.raises(ValueError, match="not in"):
        confusion.add("x", "other")
