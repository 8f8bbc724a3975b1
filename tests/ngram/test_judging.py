"""Many texts at once: tables find what searches find, and nothing depends on what is looked up together."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.errors import UsageError
from charlm.ngram import probabilities, tables
from charlm.ngram.arpa import LOG10, read_arpa
from charlm.ngram.model import NGramModel
from charlm.ngram.probabilities import judge
from charlm.ngram.tables import NOWHERE, DirectTable, Finder, HashTable, find
from charlm.scores import score_all
from charlm.text.sources import find_texts
from charlm.training.ngrams import count_texts

TEXT = "the old fox was tired\nthe fox, the old fox!\nIs 🦊 tired?\nthe fox was a fox\n" * 6
LEVELS = ["word", "char", "token"]
LINES = ["the old fox was tired", "", "the zebra was 🦖", "🦊", "\ufeffthe fox\r", " the  fox ", "<s> the </s> <unk>"]


def counted(path: Path, level: str, order: int = 4, **options: object) -> NGramModel:
    path.write_text(TEXT, encoding="utf-8")
    options = {"level": level, "order": order, "min_count": 1, **options}
    if level == "byte":
        del options["min_count"]
    return count_texts(lambda encoding: find_texts([str(path)], encoding=encoding), options)[0]


@given(
    st.sets(st.integers(0, 3000), min_size=1, max_size=200),
    st.lists(st.integers(0, 3000), max_size=200),
    st.sampled_from([1, 4]),
    st.sampled_from([1, 1 << 40]),
)
@settings(max_examples=60, deadline=None)
def test_tables_find_what_a_search_finds(known: set[int], wanted: list[int], slots: int, step: int) -> None:
    keys, asked = step * np.array(sorted(known)), step * np.array(wanted, np.int64)
    expected = [sorted(known).index(each) if each in known else NOWHERE for each in wanted]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "SLOTS", slots)
        found = [find(keys, asked), HashTable(keys).find(asked)]
    if step == 1:
        found.append(DirectTable(keys, 3001).find(asked))
    for each in found:
        assert each.tolist() == expected


@pytest.mark.parametrize("slots", [1, 4])
def test_crowded_tables_find_every_key_and_no_other(slots: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a key's slot is taken, and the one behind it as well."""
    monkeypatch.setattr(tables, "SLOTS", slots)
    drawn = np.unique(np.random.default_rng(1).integers(0, 1 << 50, 6000))
    keys, others = np.sort(drawn[::2]), drawn[1::2]
    table = HashTable(keys)
    np.testing.assert_array_equal(table.find(keys), np.arange(len(keys)))
    assert (table.find(others) == NOWHERE).all()


@pytest.mark.parametrize("space", [100, 1 << 62])
def test_a_table_is_made_when_as_many_keys_were_asked_for_as_there_are(
    space: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = []

    def noted(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        searches.append(len(wanted))
        return find(keys, wanted)

    monkeypatch.setattr(tables, "find", noted)
    finder = Finder(np.arange(0, 100, 10), space)
    for _ in range(5):
        assert finder.find(np.array([0, 5, 90])).tolist() == [0, NOWHERE, 9]
    assert searches == [3, 3, 3]


def test_of_no_keys_none_is_found() -> None:
    finder = Finder(np.zeros(0, np.int64), 0)
    assert finder.find(np.zeros(0, np.int64)).tolist() == []
    assert finder.find(np.array([3])).tolist() == [NOWHERE]


@pytest.mark.parametrize("level", LEVELS)
def test_the_figures_are_the_same_with_tables_and_in_blocks(
    level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit, wherever a block begins."""
    model = counted(tmp_path / "a.txt", level)
    start = model.trie.words - 1
    row = np.random.default_rng(1).integers(0, start + 1, 500)
    row[::7] = model.tokenizer.encode(TEXT)[:72]
    row = np.concatenate(([start], model.tokenizer.encode(TEXT), row))
    monkeypatch.setattr(tables, "MOST_KEYS", 0)
    first = judge(model.trie, model.smoothed, row)
    monkeypatch.undo()
    for size in (1 << 15, 1 << 15, 1, 2, 5, len(row) - 1):
        monkeypatch.setattr(probabilities, "BLOCK", size)
        found = judge(model.trie, model.smoothed, row)
        np.testing.assert_array_equal(found.log_probabilities, first.log_probabilities)
        np.testing.assert_array_equal(found.orders, first.orders)


@pytest.mark.parametrize("independent_lines", [True, False])
@pytest.mark.parametrize("level", LEVELS)
def test_lines_together_are_judged_as_each_alone(level: str, independent_lines: bool, tmp_path: Path) -> None:
    model = counted(tmp_path / "a.txt", level, independent_lines=independent_lines)
    found = model.judge_lines(LINES)
    for place, (line, score) in enumerate(zip(LINES, score_all(model, LINES), strict=True)):
        (alone,) = model.judge([model.tokenizer.encode_sentence(line.removeprefix("\ufeff"))])
        part = slice(*found.bounds[place : place + 2])
        np.testing.assert_array_equal(found.log_probabilities[part], alone.log_probabilities)
        np.testing.assert_array_equal(found.orders[part], alone.orders)
        assert found.totals[place] == pytest.approx(score.logprob, rel=1e-12)
        assert np.count_nonzero(found.ids[part] == model.tokenizer.unknown_id) == score.oov


def test_no_n_gram_reaches_over_the_start_of_a_text() -> None:
    """Not even where a file of another tool has such an n-gram."""
    lines = [
        "\\data\\",
        "ngram 1=3",
        "ngram 2=2",
        "ngram 3=1",
        "\\1-grams:",
        "-1\t</s>",
        "-9\t<s>\t-0.3",
        "-1\ta\t-0.2",
    ]
    lines += ["\\2-grams:", "-0.5\ta <s>\t-0.1", "-0.4\t<s> a\t-0.1", "\\3-grams:", "-0.01\ta <s> a", "\\end\\"]
    words, trie, smoothed = read_arpa(lines, "it")
    start, a = words.index("<s>"), words.index("a")
    logs = judge(trie, smoothed, np.array([start, a, start, a])).log_probabilities / LOG10
    assert logs.tolist() == pytest.approx([0, -0.4, 0, -0.4])


def test_no_lines_have_no_figures(tmp_path: Path) -> None:
    model = counted(tmp_path / "a.txt", "word")
    assert model.judge_lines([]).totals.tolist() == []
    assert model.judge([]) == []


@pytest.mark.parametrize("line", ["a\nb", "a\n"])
def test_a_line_has_no_line_break(line: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds a line break"):
        counted(tmp_path / "a.txt", "word").judge_lines(["a", line])


@pytest.mark.parametrize(("level", "unit"), [("byte", "file"), ("char", "paragraph")])
def test_models_of_other_units_have_no_lines(level: str, unit: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"the unit of this one is the {unit}"):
        counted(tmp_path / "a.txt", level, unit=unit).judge_lines(["a"])
