"""Alternatives and pairs: odds, posteriors and accuracies against the chain rule in float64."""

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from comparing_cases import LETTERS, chain_rule, random_model
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm import portions
from charlm.errors import InputError, UsageError
from charlm.labels.fields import Row, Wanted, read_rows
from charlm.pairs import Accuracy, Pair, accuracies, judge, verdict
from charlm.ranking import rank
from charlm.text.reading import file_source

MODELS = [random_model(seed=seed) for seed in range(3)]
TEXTS = st.lists(st.text([*LETTERS, "z", "\0", "\ud800"], max_size=12), min_size=2, max_size=6, unique=True)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(MODELS), TEXTS, st.sampled_from([None, "token", "char"]))
def test_odds_and_posteriors_are_those_of_the_chain_rule(model: object, texts: list[str], by: str | None) -> None:
    assert isinstance(model, type(MODELS[0]))
    found = rank(model.trained, texts, by)
    logprobs = {text: math.fsum(chain_rule(model, text)) for text in texts}
    total = math.fsum(map(math.exp, logprobs.values()))
    first = logprobs[found[0].text]
    assert sorted(each.text for each in found) == sorted(texts)
    for each in found:
        expected = logprobs[each.text]
        assert each.logprob == pytest.approx(expected, rel=1e-5)
        assert each.per_token == pytest.approx(expected / (len(each.text) + 1), rel=1e-5)
        assert each.per_character == pytest.approx(expected / (len(each.text) + 1), rel=1e-5)
        assert each.posterior == pytest.approx(math.exp(expected) / total, rel=1e-4)
        assert each.log_odds == pytest.approx(first - expected, abs=1e-5 * abs(first + expected))
        assert each.odds == pytest.approx(math.exp(each.log_odds), rel=1e-9)
        assert each.oov == sum(character in "z\0\ud800" for character in each.text)
    assert sum(each.posterior for each in found) == pytest.approx(1)
    keys = [each.logprob if by is None else each.per_token for each in found]
    assert keys == sorted(keys, reverse=True)


@settings(deadline=None, max_examples=30)
@given(TEXTS, st.randoms(use_true_random=False), st.sampled_from([None, "token", "char"]))
def test_the_order_of_the_alternatives_changes_nothing(texts: list[str], source: Random, by: str | None) -> None:
    """But that of those that are alike, which stay as they were given."""
    found = rank(MODELS[0].trained, texts, by)
    shuffled = source.sample(texts, len(texts))
    other = {each.text: each for each in rank(MODELS[0].trained, shuffled, by)}
    keys = [other[each.text].logprob if by is None else other[each.text].per_token for each in found]
    for one, after in pairwise(keys):
        assert one >= after or one == pytest.approx(after, rel=1e-6)
    for each in found:
        assert other[each.text].posterior == pytest.approx(each.posterior, rel=1e-4)
    alike = [each.text for each in rank(MODELS[0].trained, ["z", "y", "x"], by)]
    assert alike == ["z", "y", "x"]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.text(LETTERS, max_size=6), st.text(LETTERS, max_size=6)), min_size=1, max_size=8))
def test_what_is_right_of_pairs_is_wrong_of_turned_ones(pairs: list[tuple[str, str]]) -> None:
    overall, _ = accuracies(judge(MODELS[0].trained, [Pair(good, bad) for good, bad in pairs]))
    turned, _ = accuracies(judge(MODELS[0].trained, [Pair(bad, good) for good, bad in pairs]))
    assert overall.accuracy + turned.accuracy == pytest.approx(1)
    assert overall.standard_error == pytest.approx(turned.standard_error)
    assert overall.ties == turned.ties


def test_means_divide_by_what_they_say() -> None:
    model = random_model(["ab", "\uffed."], level="word")
    (found,) = rank(model.trained, ["ab ab."])
    assert found.per_token == pytest.approx(found.logprob / 4)
    assert found.per_character == pytest.approx(found.logprob / 7)


def test_a_text_counts_once() -> None:
    found = rank(MODELS[0].trained, ["a", "b", "a"])
    assert len(found) == 2
    assert sum(each.posterior for each in found) == pytest.approx(1)
    assert rank(MODELS[0].trained, []) == []


def test_orders_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="token, char"):
        rank(MODELS[0].trained, ["a", "b"], "word")


def test_odds_never_overflow() -> None:
    found = rank(MODELS[0].trained, ["", "z" * 5000])
    assert found[1].log_odds > 1000
    assert math.isfinite(found[1].odds)
    json.dumps([each.to_json() for each in found], allow_nan=False)


def test_portions_are_bounded_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "MOST_ITEMS", 3)
    monkeypatch.setattr(portions, "MOST_CHARACTERS", 10)
    given_ = ["aaaa", "aaaa", "a", "aaaaaaaaaaaaaaaaaaaaaaaa", "a", "a", "a", "a", "", "a"]
    cut = list(portions.portions(given_, len))
    assert cut == [given_[:3], given_[3:4], given_[4:7], given_[7:]]
    assert list(portions.portions([], len)) == []


def test_no_more_is_read_than_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that memory does not grow with the file."""
    monkeypatch.setattr(portions, "MOST_ITEMS", 4)
    read = 0

    def pairs() -> Iterator[Pair]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield Pair("a", "b")

    next(judge(MODELS[0].trained, pairs()))
    assert read == 4


def test_a_verdict_ignores_what_float32_cannot_tell() -> None:
    assert [verdict(-5.0, -6.0), verdict(-6.0, -5.0), verdict(-5.0, -5.000001), verdict(0.0, 0.0)] == [1, 0, 0.5, 0.5]


def test_ties_are_found_wherever_the_sentences_stand() -> None:
    """Both sentences are the same to the model, whatever stands beside them in a batch."""
    sentences = ["a b z." * 5, "b", "z a", ""]
    judged = judge(MODELS[0].trained, [Pair(each, each.replace("z", "y")) for each in sentences * 20])
    assert {each.right for each in judged} == {0.5}


def test_accuracy_counts_each_group() -> None:
    model = MODELS[1]
    generator = np.random.default_rng(3)
    texts = ["".join(generator.choice(LETTERS, 5)) for _ in range(60)]
    pairs = [
        Pair(a, b + "az", group) for a, b, group in zip(texts[:30], texts[30:], ["x", "y", None] * 10, strict=True)
    ]
    pairs.append(Pair("a", "a", "x"))
    overall, groups = accuracies(judge(model.trained, pairs))
    points = [
        0.5 if pair.good == pair.bad else float(sum(chain_rule(model, pair.good)) > sum(chain_rule(model, pair.bad)))
        for pair in pairs
    ]
    means = [
        0.5
        if pair.good == pair.bad
        else float(np.mean(chain_rule(model, pair.good)) > np.mean(chain_rule(model, pair.bad)))
        for pair in pairs
    ]
    assert overall.accuracy == pytest.approx(np.mean(points))
    assert overall.right_per_token == overall.right_per_character == sum(means)
    assert overall.standard_error == pytest.approx(np.std(points) / math.sqrt(31))
    assert (overall.ties, overall.unknown) == (1, 30)
    assert list(groups) == ["x", "y"]
    for name, found in groups.items():
        mine = [point for point, pair in zip(points, pairs, strict=True) if pair.group == name]
        assert found.pairs == len(mine)
        assert found.right == sum(mine)
        assert found.standard_error == pytest.approx(np.std(mine) / math.sqrt(len(mine)))


def test_one_pair_has_no_spread() -> None:
    assert Accuracy(pairs=1, right=1.0).standard_error == 0


def test_sentences_of_several_lines_are_named() -> None:
    model = random_model(independent_lines=True)
    pairs = [Pair("a\n", "b"), Pair("a\nb", "b", where="pairs.tsv, line 7")]
    with pytest.raises(UsageError, match=r"pairs\.tsv, line 7: a sentence has several lines"):
        list(judge(model.trained, pairs))


WANTED = Wanted(("good", "bad"), "kind")


def rows(name: str, text: str, wanted: Wanted = WANTED) -> list[Row]:
    Path(name).write_text(text, encoding="utf-8")
    return list(read_rows(file_source(Path(name)), "utf-8", wanted))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "a b\tc\tx\n\nd\t\ty\n"),
        ("a.txt", "a b\tc\tx\r\nd\t\ty"),
        ("a.tsv", "kind\tbad\tother\tgood\nx\tc\t\ta b\ny\t\t\td\n"),
        ("a.jsonl", '{"good": "a b", "bad": "c", "kind": "x"}\n \n{"kind": "y", "good": "d", "bad": "", "n": 1}\n'),
        ("a.txt", '{"good": "a b", "bad": "c", "kind": "x"}\n{"kind": "y", "good": "d", "bad": "", "n": 1}\n'),
    ],
)
def test_fields_are_read_from_every_form(name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = rows(name, text)
    assert [(each.values, each.group) for each in found] == [(("a b", "c"), "x"), (("d", ""), "y")]
    assert found[0].where.startswith(f"{name}, line ")


def test_a_group_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [each.group for each in rows("a.tsv", "a\tb\n")] == [None]
    assert [each.group for each in rows("a.jsonl", '{"good": "a", "bad": "c"}')] == [None]
    assert rows("a.tsv", "") == rows("a.jsonl", "\n\n") == []


@pytest.mark.parametrize(
    ("name", "text", "demanded", "message"),
    [
        ("a.tsv", "a\tb\nc\n", False, "a.tsv, line 2: 1 field, while a.tsv, line 1 has 2"),
        ("a.tsv", "a\tb\nc\td\te\n", False, "a.tsv, line 2: 3 fields, while a.tsv, line 1 has 2"),
        ("a.tsv", "good\tbad\nc\n", False, "a.tsv, line 2: 1 field, while"),
        ("a.tsv", "\na\n", False, "a.tsv, line 2: 1 field: a line needs good and bad and perhaps a group"),
        ("a.tsv", "a\tb\tc\td\n", False, "a.tsv, line 1: 4 fields"),
        ("a.tsv", "a\tb\n", True, "a.tsv, line 1: 2 fields: a line needs good and bad and the group"),
        ("a.tsv", "good\tbad\na\tb\n", True, "the head names no column 'kind'; name another with --group"),
        ("a.jsonl", '{"good": "a"}', False, "a.jsonl, line 1: the object has no field 'bad', but 'good'; a row needs"),
        ("a.jsonl", '{"good": "a", "bad": 3}', False, "line 1: the field 'bad' is a number"),
        ("a.jsonl", '{"good": "a", "bad": "b"}', True, "no field 'kind', but 'good', 'bad'; name another with --group"),
        ("a.jsonl", '\n["a"]', False, "a.jsonl, line 2 is a list: each line needs an object with good and bad"),
        ("a.jsonl", "{", False, "a.jsonl, line 1 is not valid JSON"),
    ],
)
def test_rows_of_another_form_are_refused(
    name: str, text: str, demanded: bool, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as refused:
        rows(name, text, Wanted(("good", "bad"), "kind", demanded=demanded))
    assert message in str(refused.value)
