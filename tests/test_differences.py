"""Where models disagree: tokens laid side by side, and what they cost, against the chain rule in float64."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from comparing_cases import LETTERS, random_model, spelt_chain_rule
from hypothesis import given, settings
from hypothesis import strategies as st
from test_attribution import likelihood

import charlm
from charlm.text.spans import token_ends

CHARS, OTHER = random_model(seed=0), random_model(["b", "a"], seed=1)
MODELS = {
    "chars": CHARS,
    "other": OTHER,
    "lines": random_model(seed=3, independent_lines=True),
    "octets": random_model(level="byte", seed=4),
    "words": random_model(["ab", "\uffed.", "b", " "], level="word", seed=5),
    "lower": random_model(["a", "b", " "], seed=6, lowercase=True),
    "tokens": random_model(["ab", "b", "."], level="token", seed=7),
    "paragraphs": random_model(["a", "b", "\n"], seed=8, unit="paragraph"),
    "files": random_model(["a", "b", "\n"], seed=9, unit="file"),
    "word files": random_model(["ab", "\n", "b"], level="word", seed=10, unit="file"),
    "low words": random_model(["ab", "b"], level="word", seed=11, unit="paragraph", lowercase=True),
    "token paragraphs": random_model(["ab", "b"], level="token", seed=12, unit="paragraph"),
    "token lines": random_model(["ab", "b", "<EOS>"], level="token", seed=13, independent_lines=True),
}
TEXTS = st.text([*LETTERS, "z", "A", "\u0130", "\n", "\t", "\0", "\ud800", "\uffed", "\u05b0", "\u3000"], max_size=25)
NAMES = st.sampled_from(list(MODELS))


@settings(deadline=None, max_examples=300)
@given(NAMES, NAMES, TEXTS)
def test_gaps_make_up_the_text_and_its_cost(first: str, second: str, text: str) -> None:
    a, b = MODELS[first], MODELS[second]
    found = charlm.diff(a, b, text)
    assert found.text == text.removesuffix("\n")
    assert "".join(gap.text for gap in found.gaps) == found.text
    assert [gap.ends for gap in found.gaps] == [False] * (len(found.gaps) - 1) + [True]
    for gap, after in pairwise(found.gaps):
        assert gap.place + len(gap.text) == after.place
        assert gap.text
    assert found.logprob_a == pytest.approx(likelihood(a, text), rel=1e-5)
    assert found.logprob_b == pytest.approx(likelihood(b, text), rel=1e-5)
    assert all(gap.tokens_a and gap.tokens_b for gap in found.gaps)
    assert found.by_token == all(gap.tokens_a == gap.tokens_b == 1 for gap in found.gaps)
    if first == second:
        assert found.by_token or first in ("octets", "lower", "low words")
        assert all(gap.difference == 0 for gap in found.gaps)


@settings(deadline=None, max_examples=60)
@given(NAMES, NAMES, TEXTS)
def test_models_that_change_places_change_the_signs(first: str, second: str, text: str) -> None:
    found, turned = charlm.diff(MODELS[first], MODELS[second], text), charlm.diff(MODELS[second], MODELS[first], text)
    assert [gap.difference for gap in turned.gaps] == [-gap.difference for gap in found.gaps]
    assert [gap.place for gap in turned.by_size()] == [gap.place for gap in found.by_size()]
    assert (turned.logprob_a, turned.logprob_b) == (found.logprob_b, found.logprob_a)
    by_name = {"a": MODELS[first], "b": MODELS[second]}
    ratio = charlm.which(by_name, text)
    assert abs(found.logprob_a - found.logprob_b) == pytest.approx(ratio.log_ratio, rel=1e-4, abs=1e-4)
    first_wins = ratio.best.model == "a"
    assert first_wins == (found.logprob_a >= found.logprob_b) or ratio.log_ratio < 1e-4


@settings(deadline=None, max_examples=60)
@given(TEXTS)
def test_models_of_characters_are_compared_one_by_one(text: str) -> None:
    found = charlm.diff(CHARS, OTHER, text)
    assert found.by_token
    for gap, nats_a, nats_b in zip(
        found.gaps, spelt_chain_rule(CHARS, found.text + "\n"), spelt_chain_rule(OTHER, found.text + "\n"), strict=True
    ):
        assert gap.logprob_a == pytest.approx(nats_a, rel=1e-4, abs=1e-5)
        assert gap.logprob_b == pytest.approx(nats_b, rel=1e-4, abs=1e-5)
        assert gap.unknown_a == (gap.text not in [*LETTERS, "\n", ""])


def test_words_are_compared_with_their_characters() -> None:
    words, text = MODELS["words"], "ab b. ab\nzz  b"
    found = charlm.diff(CHARS, words, text)
    assert [gap.text for gap in found.gaps] == ["ab", " b", ".", " ab", "\n", "zz", "  ", "b", ""]
    assert not found.by_token
    characters, tokens = spelt_chain_rule(CHARS, text), spelt_chain_rule(words, text)
    assert [gap.tokens_a for gap in found.gaps] == [2, 2, 1, 3, 1, 2, 2, 1, 1]
    assert [gap.tokens_b for gap in found.gaps] == [1] * 9
    for gap, nats in zip(found.gaps, tokens, strict=True):
        assert gap.logprob_b == pytest.approx(nats, rel=1e-5)
        whole = math.fsum(characters[gap.place : gap.place + len(gap.text) + gap.ends])
        assert gap.logprob_a == pytest.approx(whole, rel=1e-5)
    assert [gap.unknown_a for gap in found.gaps] == [0, 0, 0, 0, 0, 2, 0, 0, 0]
    assert [gap.unknown_b for gap in found.gaps] == [0, 0, 0, 0, 0, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("name", "text", "ends"),
    [
        ("chars", "ab\nb", [1, 2, 3, 4, 5]),
        ("octets", "a\u05d0\U0001f600", [1, 2, 2, 3, 3, 3, 3, 4]),
        ("octets", "\ud800\udc80", [1, 1, 1, 2, 3]),
        ("words", "ab, b\n\n b", [2, 3, 5, 6, 7, 8, 9, 10]),
        ("words", "\uffeda", [1, 2, 3]),
        ("tokens", " ab \u3000 b\t\n. ", [3, 7, 9, 10, 12]),
        ("token lines", "<EOS> <unk>", [5, 11, 12]),
        ("paragraphs", "a\n\n\nb\n", [1, 3, 4, 5, 7]),
        ("token paragraphs", "a\nb \n\n c", [1, 3, 6, 8, 9]),
        ("files", "a\nb", [1, 2, 3, 4]),
        ("lower", "\u0130b", [1, 1, 2, 3]),
        ("low words", "\u0130B b", [2, 4, 5]),
    ],
)
def test_tokens_end_where_they_should(name: str, text: str, ends: list[int]) -> None:
    tokenizer = MODELS[name].trained.tokenizer
    np.testing.assert_array_equal(token_ends(tokenizer, text, tokenizer.encode_sentence(text)), ends)


def test_the_largest_difference_comes_first() -> None:
    found = charlm.diff(CHARS, OTHER, "abba b.a")
    sizes = [abs(gap.difference) for gap in found.by_size()]
    assert sizes == sorted(sizes, reverse=True)
    assert sorted(found.by_size(), key=lambda gap: gap.place) == list(found.gaps)
    data = json.loads(json.dumps(found.to_json(found.by_size()[:2]), allow_nan=False))
    assert len(data["gaps"]) == 2
    assert data["difference"] == pytest.approx(sum(gap.difference for gap in found.gaps))
    assert len(found.to_json()["gaps"]) == 9
