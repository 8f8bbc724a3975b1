"""Gaps filled: what is found is what trying every text for them finds, with the probabilities of ``charlm score``."""

import itertools
from typing import Any

import pytest
from comparing_cases import random_model
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.api import Model
from charlm.errors import SearchError, UsageError
from charlm.filling import fill

LETTERS = [random_model(["a", "b", " "], seed=seed) for seed in range(3)]
LINES = random_model(["a", "b", " "], seed=3, independent_lines=True)
WORDS = random_model(["the", "cat", "sat", "dog", "\uffed.", "\uffed,"], level="word", seed=4)
TOKENS = random_model(["the", "cat", "sat", "."], level="token", seed=5)


def joined(template: str, fills: tuple[str, ...]) -> str:
    parts = template.split("___")
    return parts[0] + "".join(text for pair in zip(fills, parts[1:], strict=True) for text in pair)


def check(model: Model, template: str, texts: list[str], number: int, **options: int) -> None:
    """What is found is what every combination of these texts in the gaps gives, the likeliest first.

    Texts that are equally likely but for rounding may stand in another order.
    """
    found = fill(model.trained, template, number, **options)
    gaps = template.count("___")
    everything = {joined(template, fills) for fills in itertools.product(texts, repeat=gaps)}
    logprobs = {score.text: score.logprob for score in model.score(sorted(everything))}
    likeliest = sorted(logprobs.values(), reverse=True)[:number]
    assert [each.logprob for each in found] == pytest.approx(likeliest, abs=1e-4)
    assert [each.logprob for each in found] == pytest.approx([logprobs[each.text] for each in found], abs=1e-4)
    assert [each.text for each in found] == [joined(template, each.fills) for each in found]
    assert len({each.text for each in found}) == len(found)


def strings(alphabet: str, longest: int) -> list[str]:
    return ["".join(each) for length in range(1, longest + 1) for each in itertools.product(alphabet, repeat=length)]


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from([*LETTERS, LINES]),
    st.lists(st.text("ab ", min_size=1, max_size=3), min_size=2, max_size=3),
    st.booleans(),
)
def test_nothing_likelier_is_missed(model: Model, parts: list[str], begins: bool) -> None:
    template = "___".join(["" if begins else parts[0], *parts[1:]])
    check(model, template, strings("ab ", 2), 6, longest=2, width=200)


@pytest.mark.parametrize(
    ("template", "fills"),
    [
        ("the ___ sat", ["cat", "dog", "the", "sat"]),
        ("___ sat.", ["cat", "dog", "the", "sat"]),
        ("the ___, the ___.", ["cat", "dog", "the", "sat"]),
        ("zebra ___ sat", ["cat", "dog", "the", "sat"]),
    ],
)
def test_gaps_are_whole_words(template: str, fills: list[str]) -> None:
    """With the spaces around them as they stand in the text, whatever the model knows of it."""
    check(WORDS, template, fills, 4, longest=1)


def test_gaps_of_several_words() -> None:
    words = ["the", "cat", "sat", "dog"]
    fills = [*words, *(f"{first} {last}" for first, last in itertools.product(words, repeat=2))]
    fills += [f"{word}{mark}" for word in words for mark in ".,"]
    check(WORDS, "the ___ dog", fills, 20, longest=2)


def test_tokens_have_spaces_between_them() -> None:
    check(TOKENS, "the ___ .", ["the", "cat", "sat", "."], 3, longest=1)


def test_a_narrow_beam_finds_less_and_never_better() -> None:
    all_of_them = fill(LETTERS[0].trained, "a___b", 50, longest=3, width=100)
    few = fill(LETTERS[0].trained, "a___b", 50, longest=3, width=1)
    assert len(few) == 3
    assert {each.text for each in few} <= {each.text for each in all_of_them}
    assert few[0].logprob <= all_of_them[0].logprob


def test_the_beam_keeps_the_likeliest_of_each_length() -> None:
    """More than are read side by side, against the chain rule."""
    model, width = random_model(seed=7), 200
    tokens = model.vocabulary[2:]
    kept, expected = [""], set()
    for _ in range(4):
        longer = [text + token for text in kept for token in tokens]
        table = model.log_probabilities([model.encode("a" + text).tolist() for text in longer])
        nats = [
            sum(row[place, token] for place, token in enumerate(model.encode("a" + text).tolist()))
            for text, row in zip(longer, table, strict=True)
        ]
        order = sorted(range(len(longer)), key=lambda index: -nats[index])
        kept = [longer[index] for index in order[:width]]
        expected |= set(kept)
    found = fill(model.trained, "a___.", 1000, longest=4, width=width)
    assert {each.fills[0] for each in found} == expected


def test_gaps_of_bytes() -> None:
    model = random_model(level="byte", unit="file", seed=6)
    found = fill(model.trained, "né___x", 3, longest=1, width=300)
    assert [each.text for each in found] == [f"né{each.fills[0]}x" for each in found]
    assert [each.logprob for each in found] == pytest.approx(
        [model.score(each.text).logprob for each in found], abs=1e-4
    )


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        ({"template": "no gap"}, "--fill 'no gap' has no gap: put ___ where text is to be found"),
        ({"template": "a ______ b"}, "two gaps with nothing between them"),
        ({"template": "a ___ b", "number": 0}, "-n is 0"),
        ({"template": "a ___ b", "longest": 0}, "--gap is 0"),
        ({"template": "a ___ b", "width": 0}, "--width is 0"),
    ],
)
def test_what_makes_no_sense_is_said(options: dict[str, Any], mentioned: str) -> None:
    with pytest.raises(UsageError, match=mentioned):
        LETTERS[0].fill(**options)


def test_gaps_that_fit_no_model() -> None:
    with pytest.raises(UsageError, match="a gap must be whole words"):
        WORDS.fill("the ca___ sat")
    with pytest.raises(UsageError, match="lines are independent"):
        LINES.fill("a ___\nb")
    with pytest.raises(SearchError, match="nothing was found that fits"):
        random_model(["\uffed.", "\uffed,"], level="word").fill("the ___ cat", longest=1)
