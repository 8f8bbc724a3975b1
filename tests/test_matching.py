"""Samples that match a regular expression: their distribution, what is found at all, and what is said where not."""

import itertools
import math
import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
import regex  # type: ignore[import-untyped]  # it brings no types along
from comparing_cases import random_model
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.api import Model
from charlm.errors import SearchError, UsageError
from charlm.matching import limits, search
from charlm.matching.patterns import NextTokens, Pattern
from charlm.matching.search import MATCH, Matching
from charlm.matching.shortest import shortest_match
from charlm.nn.arrays import Flags, Ids
from charlm.sample_options import sampling_config
from charlm.samples import read_prompt
from charlm.sampling.constraints import EOS, LENGTH, Constraint
from charlm.sampling.drawn import Drawn
from charlm.sampling.side_by_side import Job

LINES = random_model(["a", "b"], seed=1, independent_lines=True)
STREAM = random_model(["a", "b"], seed=2)
WORDS = random_model(["the", "cat", "sat", "\uffed.", "\uffed,", "cats"], level="word", seed=3)


def draw(model: Model, pattern: str, seed: int = 1, prompt: str = "", budget: int = 2000, **options: Any) -> Drawn:
    trained = model.trained
    found = Pattern(pattern, raw=trained.tokenizer.level == "byte")
    matching = Matching(trained.network, trained.tokenizer, found, sampling_config(trained, **options), budget)
    return matching.draw(Job(read_prompt(trained, prompt).ids, (seed, 0)))


def text_of(model: Model, drawn: Drawn) -> str:
    ids = drawn.ids[:-1] if drawn.stop == EOS else drawn.ids
    return model.trained.tokenizer.decode(ids)


def logprobs_after(model: Model, text: str) -> dict[str, float]:
    """Log-probabilities of every token behind a text, by the interface that has nothing to do with drawing."""
    row = model.log_probabilities(model.encode(text)[None])[0, -1]
    return dict(zip(["<EOS>", "<UNK>", *model.vocabulary[2:]], row.tolist(), strict=True))


def expected(model: Model, matches: list[str], ends_with_eos: bool) -> dict[str, float]:
    """The probability of each text when every token is drawn from those that can lead to one of them."""
    found = dict.fromkeys(matches, 0.0)

    def go_on(text: str, probability: float) -> None:
        shares = {token: math.exp(nats) for token, nats in logprobs_after(model, text).items()}
        del shares["<UNK>"]
        leads = {t: s for t, s in shares.items() if any(each.startswith(text + t) for each in matches)}
        met = text in found
        end = 0.0
        if met:
            end = shares["<EOS>"] if ends_with_eos else sum(shares.values()) - sum(leads.values())
        whole = sum(leads.values()) + end
        if met:
            found[text] += probability * (end / whole)
        for token, share in leads.items():
            go_on(text + token, probability * share / whole)

    go_on("", 1.0)
    return found


@pytest.mark.parametrize(("model", "ends"), [(LINES, True), (STREAM, False)])
def test_tokens_are_drawn_from_those_that_lead_on(model: Model, ends: bool) -> None:
    """Chi-square against the exact distribution, 7 degrees of freedom, at one chance in a thousand."""
    pattern, matches = "a?b{1,2}|ba{0,2}|aaab", ["b", "bb", "ab", "abb", "ba", "baa", "aaab"]
    shares = expected(model, matches, ends)
    assert math.isclose(sum(shares.values()), 1)
    number = 1500
    trained = model.trained
    config = sampling_config(trained)
    matching = Matching(trained.network, trained.tokenizer, Pattern(pattern), config)
    drawn = Counter(text_of(model, matching.draw(Job(np.zeros(0, np.int64), (7, k)))) for k in range(number))
    assert set(drawn) <= set(matches)
    chi_square = sum((drawn[text] - number * share) ** 2 / (number * share) for text, share in shares.items())
    assert chi_square < 22.46


PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "c", ".", "[ab]", ""]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("(?:{0[0]}|{0[1]})".format),
        inner.map("(?:{})*".format),
        inner.map("(?:{}){{2}}".format),
    ),
    max_leaves=5,
)


@settings(deadline=None, max_examples=150)
@given(PATTERNS, st.sampled_from([LINES, STREAM]), st.integers(0, 5))
def test_a_match_is_found_wherever_there_is_one(pattern: str, model: Model, seed: int) -> None:
    """Of up to 4 letters, or 5 where the length is; "c" is none of the model's."""
    length = 5 if model is LINES else 4
    texts = ("".join(each) for letters in range(length + 1) for each in itertools.product("ab\n", repeat=letters))
    there_is = any(re.fullmatch(pattern, text) and (model is STREAM or "\n" not in text) for text in texts)
    if there_is:
        drawn = draw(model, pattern, seed, length=length, budget=20_000)
        assert regex.fullmatch(pattern, text_of(model, drawn))
        assert drawn.stop == (EOS if drawn.stop == EOS else LENGTH if len(drawn.ids) == length else MATCH)
        assert (drawn.stop == EOS) == (model is LINES and drawn.ids[-1:].tolist() == [0])
    else:
        with pytest.raises((SearchError, UsageError), match=re.escape(repr(pattern))):
            draw(model, pattern, seed, length=length, budget=20_000)


def test_a_dead_end_is_taken_back() -> None:
    """The vocabulary has no "z", which the expression cannot know: nothing but "ab" can be written."""
    assert {text_of(LINES, draw(LINES, "ab|a+z|b*z", seed, length=30)) for seed in range(20)} == {"ab"}


def test_a_search_begins_anew_where_going_back_takes_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind "b" there are 2^24 dead ends, behind "a" there is the only match."""
    monkeypatch.setattr(search, "PATIENCE", 4)
    assert {text_of(LINES, draw(LINES, "b[ab]{24}z|aa", seed, budget=5000)) for seed in range(5)} == {"aa"}


def test_what_cannot_begin_is_said_at_once() -> None:
    with pytest.raises(UsageError, match=r"no token of this model can begin a text that matches --match 'z\+'"):
        draw(LINES, "z+", budget=1)


def test_what_the_budget_does_not_reach_is_said() -> None:
    with pytest.raises(SearchError, match="among 40 tokens that were tried: raise --budget"):
        draw(LINES, "[ab]{30}z", budget=40, length=100)
    with pytest.raises(UsageError, match="--budget is 0"):
        draw(LINES, "a", budget=0)


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(SearchError, match="no text of up to 3 tokens of this model matches --match"):
        draw(STREAM, "aaaa|bz", length=3)
    with pytest.raises(SearchError, match="no text of up to"):
        draw(LINES, "a[ab]z")


def test_patterns_that_are_none() -> None:
    with pytest.raises(UsageError, match=r"--match '\(a' is no regular expression: missing \) at position 2"):
        Pattern("(a")


SLOW = r"(?:a|aa)+c"


def test_a_look_that_takes_too_long_is_ended() -> None:
    with pytest.raises(
        SearchError, match=r"more than 0.01 s to find what may come next, behind a text of 31 characters"
    ):
        Pattern(SLOW, seconds=0.05).is_met("a" * 30 + "!")


class Clock:
    """Processor time in which every look takes so many seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        self.now, self.looks = 0.0, 0
        look = Pattern._looks  # noqa: SLF001 - what every look goes through

        def looks(pattern: Pattern, text: str | bytes, *, partial: bool) -> bool:
            found = look(pattern, text, partial=partial)
            self.now += seconds
            self.looks += 1
            return found

        monkeypatch.setattr(limits, "process_time", lambda: self.now)
        monkeypatch.setattr(Pattern, "_looks", looks)


def test_all_looks_of_a_place_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place of this model has three: one a letter, and one whether the text matches as it is."""
    clock = Clock(monkeypatch, 0.6)
    said = r"takes more than 1 s to find what may come next, behind .* or raise --match-seconds, now 5 s"
    with pytest.raises(SearchError, match=said):
        draw(LINES, "[ab]+")
    assert clock.looks == 2


def test_all_looks_of_a_sample_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """And another sample has as much again."""
    clock = Clock(monkeypatch, 0.2)
    with pytest.raises(SearchError, match="takes more than 5 s for one sample, behind a text of"):
        draw(LINES, "[ab]{60}")
    assert 20 < clock.looks <= 26
    trained = LINES.trained
    matching = Matching(trained.network, trained.tokenizer, Pattern("[ab]{6}"), sampling_config(trained))
    before = clock.looks
    for seed in range(9):
        assert matching.draw(Job(np.zeros(0, np.int64), (seed,))).stop == EOS
    assert clock.looks - before > 50


def test_quick_looks_do_not_count_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty thousand a place, as of a large vocabulary, and twenty places."""
    now = [0.0]
    monkeypatch.setattr(limits, "process_time", lambda: now[0])
    allowance = limits.Allowance()
    for _ in range(20):
        with allowance.place():
            for _ in range(60_000):
                assert allowance.left() > 0
                now[0] += limits.FREE
    assert allowance.left() == pytest.approx(limits.SECONDS / limits.PLACE)


def test_limits_change_nothing_within_them() -> None:
    for pattern in ("(a|b)*a", SLOW.replace("c", "b"), "[ab]{5,9}"):
        texts = {
            str(LINES.matching(pattern, 9, seed=2, length=20, seconds=seconds)) for seconds in (9.0, 10.0, 86_400.0)
        }
        assert len(texts) == 1


@pytest.mark.parametrize("seconds", [0, -1.0, math.inf, math.nan, 90_000])
def test_a_limit_of_time_is_a_number_of_seconds(seconds: float) -> None:
    with pytest.raises(UsageError, match=r"--match-seconds is .*above 0 and at most 86400"):
        LINES.matching("a", seconds=seconds)


def test_a_match_that_is_longer_than_the_length_is_said_before_anything_is_drawn() -> None:
    """Counted in characters, which a word has several of."""
    for model, pattern, length in (
        (LINES, "[ab]{30}", 29),
        (WORDS, "(the cat ){4}sat", 6),
        (LINES, r"(ab|ba{3})\1{9}", 19),
    ):
        with pytest.raises(SearchError, match=rf"has \d+ characters at least, and {length} tokens of this model have"):
            draw(model, pattern, length=length, budget=1)
    assert len(text_of(LINES, draw(LINES, "[ab]{30}", length=30))) == 30
    assert text_of(WORDS, draw(WORDS, "the cat sat", length=3)) == "the cat sat"
    octets = random_model(level="byte", unit="file", seed=4)
    with pytest.raises(SearchError, match="has 40 bytes at least, and 39 tokens of this model have 39 at most"):
        draw(octets, "n*(é){20}", length=39)


@settings(deadline=None, max_examples=200)
@given(PATTERNS)
def test_the_shortest_match_is_what_trying_all_texts_finds(pattern: str) -> None:
    texts = ("".join(each) for length in range(7) for each in itertools.product("abc", repeat=length))
    found = next((len(text) for text in texts if regex.fullmatch(pattern, text)), None)
    assert found is None or shortest_match(pattern) == found


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("[[:alpha:]]", "a"),
        ("[b[:alpha:]]{2}", "aa"),
        ("(?:abc){e<=2}", "a"),
        ("(?:abc){d<=1}", "ab"),
        (r"\p{L}{2}", "ab"),
        ("(?|ab|cd)", "ab"),
        (r"\X{2}", "ab"),
        ("a{,3}", ""),
        ("(?i:STRASSE)", "strasse"),
        ("(a)?b(?(1)c|d)", "bd"),
        ("(?<=x)?a++b", "ab"),
    ],
)
def test_no_match_is_shorter_than_the_shortest(pattern: str, text: str) -> None:
    """Whatever ``re`` reads in what means something else to ``regex``, or nothing at all."""
    assert regex.fullmatch(pattern, text, regex.VERSION0)
    assert shortest_match(pattern) <= len(text)
    assert shortest_match(pattern.encode()) <= len(text)


@given(st.sampled_from(["the", "the cat", "cats.", "", "the cat, ", "the\n"]), PATTERNS, st.integers(2, 7))
@settings(deadline=None, max_examples=60)
def test_the_mask_is_what_trying_every_token_gives(text: str, pattern: str, before: int) -> None:
    found = Pattern(rf"(?:the|cat)?s?\W*(?:sat|{pattern})\.?|the cat.*")
    tokenizer = WORDS.trained.tokenizer
    next_tokens = NextTokens(found, tokenizer, (0, 1))
    for last in (None, before):
        mask = next_tokens.allowed(text, last)
        for token in range(2, len(tokenizer)):
            whole = text + tokenizer.decode(np.array([token]), after=last)
            assert mask[token] == found.may_become(whole), (whole, token)
        assert not mask[:2].any()


def test_words_match_as_the_text_has_them() -> None:
    """With the spaces between them, and without the one that parts them from the prompt."""
    for seed in range(5):
        drawn = draw(WORDS, r"cats? sat(, the)?\.", seed, prompt="the")
        text = WORDS.trained.tokenizer.decode(drawn.ids, after=int(WORDS.encode("the")[-1]))
        assert regex.fullmatch(r" cats? sat(, the)?\.", text)


def test_bytes_match_as_utf8() -> None:
    model = random_model(level="byte", unit="file", seed=4)
    drawn = draw(model, "né[0-9]", seed=1)
    assert regex.fullmatch(b"n\xc3\xa9[0-9]", model.trained.tokenizer.decode_bytes(drawn.ids[:-1]))


def test_filters_and_other_constraints_hold_too() -> None:
    for seed in range(5):
        assert text_of(LINES, draw(LINES, "[ab]{3}", seed, ban=["a"])) == "bbb"
    greedy = {text_of(LINES, draw(LINES, "[ab]{6}", seed, temperature=0)) for seed in range(3)}
    assert len(greedy) == 1
    assert greedy == {text_of(LINES, draw(LINES, "[ab]{6}", seed, top_k=1)) for seed in range(3)}


class _Alternating(Constraint):
    """No letter twice in a row, and an end after four."""

    def begin(self, prompt: Ids) -> tuple[int, ...]:
        return tuple(prompt.tolist())

    def after(self, state: tuple[int, ...], token: int) -> tuple[int, ...]:
        return (*state, token)

    def allowed(self, state: tuple[int, ...]) -> Flags:
        mask = np.ones(len(LINES.vocabulary), np.bool_)
        mask[list(state[-1:])] = False
        return mask

    def must_end(self, state: tuple[int, ...]) -> str | None:
        return "four" if len(state) == 4 else None


def test_a_constraint_holds_too() -> None:
    trained = LINES.trained
    config = sampling_config(trained, constraints=[_Alternating()])
    for pattern, texts in (("[ab]*b", {"abab"}), ("a?b.*a", {"aba", "ba", "baba"})):
        matching = Matching(trained.network, trained.tokenizer, Pattern(pattern), config)
        drawn = [matching.draw(Job(np.zeros(0, np.int64), (seed, 0))) for seed in range(30)]
        for each in drawn:
            assert each.stop == ("four" if len(text_of(LINES, each)) == 4 else EOS)
        found = {text_of(LINES, each) for each in drawn}
        assert all(regex.fullmatch(pattern, text) and "aa" not in text and "bb" not in text for text in found)
        assert texts <= found


def test_log_probabilities_are_kept() -> None:
    trained = LINES.trained
    config = sampling_config(trained, details=True, alternatives=2)
    drawn = Matching(trained.network, trained.tokenizer, Pattern("a|b"), config).draw(
        Job(np.zeros(0, np.int64), (1, 0))
    )
    assert drawn.details is not None
    first = logprobs_after(LINES, "")
    chosen = first[text_of(LINES, drawn)]
    assert drawn.details.logprobs[0] == pytest.approx(chosen, abs=1e-5)
    both = math.log(math.exp(first["a"]) + math.exp(first["b"]))
    assert drawn.details.drawn_logprobs[0] == pytest.approx(chosen - both, abs=1e-5)
    assert drawn.details.best.shape == (2, 2)


def test_from_python_as_on_the_command_line() -> None:
    first = LINES.matching("[ab]{2,5}", 3, seed=4)
    assert first == LINES.matching("[ab]{2,5}", 3, seed=4) == LINES.matching("[ab]{2,5}", 5, seed=4)[:3]
    assert all(regex.fullmatch("[ab]{2,5}\n", text) for text in first)
