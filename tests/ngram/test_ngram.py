"""Counting models: equal to a naive reference, to KenLM's figures, and to one another."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_ngram import Reference

from charlm.errors import InputError
from charlm.ngram.arpa import LOG10, read_arpa, write_arpa
from charlm.ngram.estimating import estimate
from charlm.ngram.probabilities import distribution, judge
from charlm.ngram.smoothing import FALLBACK, Smoothed, counts_of_counts, discounts_of, interpolate
from charlm.ngram.trie import Trie, spelt
from charlm.ngram.workspace import Workspace

GOLDEN = Path(__file__).parent.parent / "golden"
WORDS = 6
"""0 is </s>, 1 <unk>, 5 <s>."""
Sentences = list[list[int]]
sentences = st.lists(st.lists(st.integers(2, 4), max_size=8).map(lambda row: [*row, 0]), min_size=1, max_size=12)


def row_of(texts: Sentences) -> np.ndarray:
    return np.array([word for text in texts for word in (WORDS - 1, *text)])


def learnt(texts: Sentences, order: int) -> tuple[Trie, Smoothed]:
    with Workspace() as workspace:
        return estimate([row_of(texts)], WORDS, order, workspace)


@given(sentences, st.integers(2, 4))
@settings(max_examples=60, deadline=None)
def test_n_grams_are_those_of_a_dictionary(texts: Sentences, order: int) -> None:
    """And those that share their beginning stand together."""
    trie, _ = learnt(texts, order)
    reference = Reference(texts, WORDS, order)
    for n in range(2, order + 1):
        grams = list(zip(*(column.tolist() for column in spelt(trie, n, np.arange(trie.size(n)))), strict=True))
        assert grams == sorted(reference.counts[n - 1])


@given(sentences, st.integers(1, 4), st.lists(st.integers(0, 4), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_probabilities_are_those_of_the_equations(texts: Sentences, order: int, read: list[int]) -> None:
    """Also of words and contexts that never occurred."""
    trie, smoothed = learnt(texts, order)
    reference = Reference(texts, WORDS, order)
    row = [WORDS - 1, *read]
    found = judge(trie, smoothed, np.array(row)).log_probabilities
    expected = [math.log(reference.probability(tuple(row[: place + 1]))) for place in range(1, len(row))]
    np.testing.assert_allclose(found[1:], expected, rtol=1e-10)
    assert found[0] == 0


@given(sentences, st.integers(1, 4), st.lists(st.integers(0, 4), max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_distribution_sums_to_one_and_holds_what_is_judged(texts: Sentences, order: int, read: list[int]) -> None:
    trie, smoothed = learnt(texts, order)
    context = np.array([WORDS - 1, *read])
    logs = distribution(trie, smoothed, context)
    assert np.exp(logs).sum() == pytest.approx(1, abs=1e-12)
    for word in range(WORDS - 1):
        judged = judge(trie, smoothed, np.append(context, word)).log_probabilities[-1]
        assert logs[word] == pytest.approx(judged, abs=1e-12)


@given(sentences, st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_an_arpa_file_comes_back(texts: Sentences, order: int) -> None:
    trie, smoothed = learnt(texts, order)
    words = ["</s>", "<unk>", "a", "b", "c", "<s>"]
    found, again, probabilities = read_arpa("".join(write_arpa(trie, smoothed, words)).splitlines(), "it")
    assert found == words
    assert [keys.tolist() for keys in again.keys] == [keys.tolist() for keys in trie.keys]
    pairs = [(probabilities.log_probabilities, smoothed.log_probabilities)]
    pairs += [(probabilities.log_backoffs, smoothed.log_backoffs)]
    for mine, theirs in pairs:
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_queries_are_answered_as_kenlm_answers_them() -> None:
    """Log-probability and the length of the n-gram that was used."""
    golden = json.loads((GOLDEN / "kenlm.json").read_text("utf-8"))
    words, trie, smoothed = read_arpa((GOLDEN / "kenlm.arpa").read_text("utf-8").splitlines(), "kenlm.arpa")
    number = {word: index for index, word in enumerate(words)}
    for query in golden["queries"]:
        row = np.array([number["<s>"], *(number[word] for word in query["words"]), number["</s>"]])
        judged = judge(trie, smoothed, row)
        assert judged.orders[1:].tolist() == query["orders"]
        np.testing.assert_allclose(judged.log_probabilities[1:] / LOG10, query["log10"], atol=1e-5)


@pytest.mark.parametrize("order", [2, 3])
def test_estimates_are_those_of_lmplz(order: int) -> None:
    """Discounts, probabilities and backoffs, from the same adjusted counts and the same shorter contexts."""
    golden = json.loads((GOLDEN / "kenlm.json").read_text("utf-8"))["estimates"][order - 2]
    adjusted = np.repeat([1, 2, 3, 4], golden["counts_of_counts"])
    discounts = discounts_of(counts_of_counts(adjusted))
    assert discounts.estimated
    for context in golden["contexts"]:
        counts = np.array(context["adjusted"])
        below = 10 ** np.array(context["below_log10"])
        each, share = interpolate(counts, np.zeros(len(counts), np.int64), 1, discounts, below)
        np.testing.assert_allclose(np.log10(each), context["log10"], atol=1e-5)
        assert math.log10(share[0]) == pytest.approx(context["backoff_log10"], abs=1e-5)


def test_counts_that_give_no_discounts_get_the_usual_ones() -> None:
    found = discounts_of(counts_of_counts(np.array([3, 5, 8])))
    assert not found.estimated
    assert found.values == FALLBACK


@pytest.mark.parametrize(
    "counts",
    [[0, 1, 1, 9, 1, 0], [0, 9, 1, 9, 9, 0], [0, 0, 3, 2, 1, 0], [0, 4, 3, 0, 1, 0], [0, 4, 2, 2, 3, 0]],
)
def test_discounts_that_make_no_sense_are_not_taken(counts: list[int]) -> None:
    """Below 0, above their counts, of no counts, or just 0."""
    assert not discounts_of(np.array(counts)).estimated


def test_an_arpa_file_without_unknown_words_gives_them_what_kenlm_does() -> None:
    lines = ["\\data\\", "ngram 1=3", "\\1-grams:", "-1\t</s>", "-99\t<s>", "-0.5\ta", "\\end\\"]
    words, _, smoothed = read_arpa(lines, "it")
    assert words == ["</s>", "<unk>", "a", "<s>"]
    assert (smoothed.log_probabilities[0] / LOG10).tolist() == pytest.approx([-1, -100, -0.5, -99])


def arpa(*lines: str) -> list[str]:
    return ["\\data\\", "ngram 1=3", "ngram 2=1", "", "\\1-grams:", *lines]


UNIGRAMS = ("-1\t</s>", "-99\t<s>\t-0.3", "-0.5\ta\t-0.2")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "is no whole ARPA file"),
        (["hello"], "line 1: no ARPA file begins like this"),
        (["\\data\\", "ngram 2=1"], "line 2: 'ngram 2=1' should say how many 1-grams"),
        (arpa("-1\t</s>\t0\t0"), "line 6: a 1-gram is a logarithm"),
        (arpa("x\t</s>"), "line 6: a 1-gram is a logarithm"),
        (arpa("nan\t</s>"), "line 6: a 1-gram is a logarithm"),
        (arpa("0.1\t</s>"), "line 6: 0.1 is no logarithm of a probability"),
        (arpa(*UNIGRAMS), "is no whole ARPA file"),
        (arpa(*UNIGRAMS, "\\end\\"), "says that it has [3, 1] n-grams of each order, and has [3]"),
        (arpa(*UNIGRAMS, "\\2-grams:", "-1\ta b", "\\end\\"), "line 10: 'a b' has a word that is no 1-gram"),
        (arpa("-1\ta", "-1\tb", "-1\ta", "\\2-grams:", "-1\ta b", "\\end\\"), "has a word twice"),
        (arpa("-1\ta", "-1\tb", "-1\tc", "\\2-grams:", "-1\ta b", "\\end\\"), "lacks <s>, </s>"),
    ],
)
def test_what_is_no_arpa_file_is_told_of(lines: list[str], said: str) -> None:
    with pytest.raises(InputError, match="it") as caught:
        read_arpa(lines, "it")
    assert said in str(caught.value)


def test_an_n_gram_whose_beginning_is_missing_is_told_of() -> None:
    lines = [
        "\\data\\", "ngram 1=3", "ngram 2=1", "ngram 3=1", "\\1-grams:", *UNIGRAMS,
        "\\2-grams:", "-1\ta a\t-0.1", "\\3-grams:", "-1\t<s> a a", "\\end\\",
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"line 12: what '<s> a a' begins with is no 2-gram"):
        read_arpa(lines, "it")
