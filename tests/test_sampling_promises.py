"""Each option that says what is drawn: texts against their exact probabilities, worked out anew in plain Python."""

import itertools
import math
from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from comparing_cases import random_model

from charlm.api import Model
from charlm.text.vocabulary import EOS, UNK

LETTERS = random_model(["a", "b", "c", "d", "e"], seed=5)
WORDS = random_model(["the", "cat", "\uffedcat", "sat", "dog"], level="word", seed=6)
SAMPLES = 3000
PROMPTS = {LETTERS: "ab", WORDS: "the dog"}
SURE = 3.09
"""Standard deviations that are passed once in a thousand times."""


@lru_cache
def following(model: Model, ids: tuple[int, ...]) -> tuple[float, ...]:
    """The probability of each token behind others, by the interface that has nothing to do with drawing."""
    return tuple(np.exp(model.log_probabilities(np.array([ids], np.int64))[0, -1].astype(np.float64)).tolist())


Shares = dict[int, float]


def divided(shares: Shares) -> Shares:
    whole = math.fsum(shares.values())
    return {token: share / whole for token, share in shares.items()}


def reaching(shares: Shares, order: list[int], least: float) -> Shares:
    """The first tokens that have so much together."""
    kept: Shares = {}
    for token in order:
        kept[token] = shares[token]
        if math.fsum(kept.values()) >= least:
            break
    return divided(kept)


def left(shares: Shares, recent: tuple[int, ...], how: dict[str, Any], never: set[int]) -> Shares:
    """What the steps of docs/sampling.md make of a distribution, one after another."""
    shares = divided({token: share for token, share in shares.items() if token not in never})
    penalty = how.get("repetition_penalty", 1.0)
    shares = divided({token: share ** (penalty if token in recent else 1.0) for token, share in shares.items()})
    shares = divided({token: share ** (1 / how.get("temperature", 1.0)) for token, share in shares.items()})
    likeliest = sorted(shares, key=lambda token: (-shares[token], token))
    shares = divided({token: shares[token] for token in likeliest[: how.get("top_k")]})
    likeliest = [token for token in likeliest if token in shares]
    shares = reaching(shares, likeliest, how.get("top_p", 1.0) - 1e-12)
    most = max(shares.values())
    shares = divided({token: share for token, share in shares.items() if share >= how.get("min_p", 0.0) * most})
    entropy = -math.fsum(share * math.log(share) for share in shares.values())
    nearest = sorted(shares, key=lambda token: (abs(-math.log(shares[token]) - entropy), token))
    return reaching(shares, nearest, how.get("typical", 1.0) - 1e-12)


def exact(model: Model, prompt: tuple[int, ...], how: dict[str, Any], never: set[int]) -> dict[tuple[int, ...], float]:
    """The probability of each continuation of two tokens."""
    found: dict[tuple[int, ...], float] = {}
    window = how.get("penalty_window", 64)
    for first, one in left(dict(enumerate(following(model, prompt))), prompt[-window:], how, never).items():
        begun = (*prompt, first)
        for second, other in left(dict(enumerate(following(model, begun))), begun[-window:], how, never).items():
            found[first, second] = one * other
    return found


def distance(drawn: Counter[tuple[int, ...]], shares: dict[tuple[int, ...], float]) -> tuple[float, int]:
    """Chi-square and its degrees of freedom; what is expected less than five times counts together."""
    rows = [(drawn[text], SAMPLES * share) for text, share in shares.items()]
    common = [row for row in rows if row[1] >= 5]
    rare = [row for row in rows if row[1] < 5]
    if rare:
        common.append((sum(count for count, _ in rare), sum(hoped for _, hoped in rare)))
    return sum((count - hoped) ** 2 / hoped for count, hoped in common), len(common) - 1


def most_by_chance(freedom: int) -> float:
    """The quantile of chi-square that is passed once in a thousand times (Wilson & Hilferty 1931)."""
    part = 2 / (9 * freedom)
    return freedom * float(1 - part + SURE * math.sqrt(part)) ** 3


OPTIONS: list[dict[str, Any]] = [
    {},
    {"temperature": 0.6},
    {"temperature": 1.7},
    {"top_k": 3},
    {"top_p": 0.7},
    {"min_p": 0.3},
    {"typical": 0.6},
    {"repetition_penalty": 2.5},
    {"repetition_penalty": 0.5, "penalty_window": 1},
    {"unknown": True},
    {"repetition_penalty": 1.5, "temperature": 1.3, "top_k": 5, "top_p": 0.9, "min_p": 0.1, "typical": 0.8},
    {"typical": 0.9, "min_p": 0.2, "temperature": 0.8},
    {"top_k": 4, "top_p": 0.6, "unknown": True},
]
HELD: list[tuple[Model, dict[str, Any], set[int]]] = [
    (LETTERS, {}, set()),
    (LETTERS, {"ban": ["b", "d"]}, {3, 5}),
    (LETTERS, {"only": "abc", "ban": "a"}, {EOS, 2, 5, 6}),
    (WORDS, {}, set()),
    (WORDS, {"ban": ["cat"]}, {3, 4}),
    (WORDS, {"only": ["the sat dog"]}, {EOS, 3, 4}),
]
"""What samples of a model may hold, and what never comes for it."""


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: " ".join(options) or "plain")
@pytest.mark.parametrize(("model", "held", "never"), HELD)
def test_texts_are_as_likely_as_they_should_be(
    model: Model, held: dict[str, Any], never: set[int], options: dict[str, Any]
) -> None:
    """The whole way of ``charlm sample`` and ``Model.samples``: in one stream, in few lanes and in many."""
    prompt = PROMPTS[model]
    never = never if options.get("unknown") and "only" not in held else {*never, UNK}
    shares = exact(model, tuple(model.encode(prompt).tolist()), options, never)
    assert sum(shares.values()) == pytest.approx(1)
    found = model.samples(SAMPLES, prompt=prompt, seed=11, length=2, **held, **options)
    drawn = Counter(tuple(each.drawn.ids.tolist()) for each in found)
    assert set(drawn) <= set(shares)
    chi_square, freedom = distance(drawn, shares)
    assert not freedom or chi_square < most_by_chance(freedom)


def test_the_options_make_a_difference() -> None:
    """Each of them, so that one which is forgotten would be seen: what it leaves is far from what the others leave."""
    prompt = tuple(LETTERS.encode(PROMPTS[LETTERS]).tolist())
    for options, others in itertools.combinations(OPTIONS, 2):
        one, other = (exact(LETTERS, prompt, how, set() if how.get("unknown") else {UNK}) for how in (options, others))
        assert sum(abs(one.get(text, 0) - other.get(text, 0)) for text in {*one, *other}) > 0.05, (options, others)
