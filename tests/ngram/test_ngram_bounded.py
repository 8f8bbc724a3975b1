"""Counting in bounded memory: whatever memory there is, the same numbers; and what does not fit lies on the disk."""

import errno
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from typing import IO, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_ngram import Reference

from charlm.errors import OutputError
from charlm.ngram.counting import adjusted, alone, count
from charlm.ngram.estimating import by_context, estimate
from charlm.ngram.packing import Packing, sortable
from charlm.ngram.sorting import Sorter
from charlm.ngram.workspace import Workspace

WORDS = 6
"""0 is </s>, 1 <unk>, 5 <s>."""
Sentences = list[list[int]]
sentences = st.lists(st.lists(st.integers(2, 4), max_size=8).map(lambda row: [*row, 0]), min_size=1, max_size=12)
memories = st.sampled_from([1, 2000, 20_000, 1 << 20])
"""From a row at a time, with a run on the disk for each, to all at once."""


def row_of(texts: Sentences) -> np.ndarray:
    return np.array([word for text in texts for word in (WORDS - 1, *text)])


@pytest.fixture
def many_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words take so many bits that an n-gram takes several columns."""
    monkeypatch.setattr(Packing, "_bits", property(lambda _: 30))


def everything(texts: Sentences, order: int, memory: int, pieces: int = 1) -> list[np.ndarray]:
    with Workspace(memory) as workspace:
        trie, smoothed = estimate(np.array_split(row_of(texts), pieces), WORDS, order, workspace)
    return [*trie.keys, *smoothed.log_probabilities, *smoothed.log_backoffs, np.array(smoothed.discounts, object)]


@given(sentences, st.integers(1, 4), memories, st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_memory_changes_nothing(texts: Sentences, order: int, memory: int, pieces: int) -> None:
    """Nor does how the text comes in; not a bit."""
    for one, other in zip(everything(texts, order, memory, pieces), everything(texts, order, 1 << 30), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("many_words")
def test_memory_changes_nothing_where_n_grams_are_wide() -> None:
    """Nor do the columns that they take."""
    generator = np.random.default_rng(1)
    texts = [[*generator.integers(2, 5, size).tolist(), 0] for size in generator.integers(0, 30, 40)]
    wide = [everything(texts, 5, memory) for memory in (3000, 1 << 30)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Packing, "_bits", property(lambda _: 3))
        narrow = everything(texts, 5, 1 << 30)
    for found in wide:
        for one, other in zip(found, narrow, strict=True):
            np.testing.assert_array_equal(one, other)


def test_discounts_are_those_of_all_blocks() -> None:
    """Of a text that has enough words for them."""
    drawn = np.minimum(np.random.default_rng(1).zipf(1.5, 800), 90)
    found = []
    for memory in (5000, 1 << 30):
        with Workspace(memory) as workspace:
            found.append(estimate([np.append(99, drawn)], 100, 3, workspace)[1].discounts)
    assert found[0] == found[1]
    assert all(each.estimated for each in found[0])


@given(sentences, st.integers(1, 4), memories)
@settings(max_examples=60, deadline=None)
def test_adjusted_counts_are_those_of_a_dictionary(texts: Sentences, order: int, memory: int) -> None:
    reference = Reference(texts, WORDS, order)
    packing = Packing(WORDS, order)
    with Workspace(memory) as workspace:
        counted = count([row_of(texts)], packing, workspace)
        found = {(word,): number for word, number in enumerate(alone(counted, packing, 3).tolist()) if number}
        assert found == {gram: number for gram, number in reference.adjusted[0].items() if number}
        for n in range(2, order + 1):
            below = workspace.table(np.float64)
            below.append(np.arange(len(reference.counts[n - 2]) + WORDS, dtype=np.float64))
            rows = np.concatenate(list(adjusted(counted, packing, n, below, 3)))
            words = [(packing.written(rows, place).astype(int) - 1).tolist() for place in range(n)]
            grams = list(zip(*words, strict=True))
            assert dict(zip(grams, rows[:, packing.width].tolist(), strict=True)) == reference.adjusted[n - 1]
            assert [gram[::-1] for gram in grams] == sorted(gram[::-1] for gram in grams)
            # The value behind each is that of the n-gram without its first word, by its place among those.
            shorter = sorted(gram[::-1] for gram in reference.counts[n - 2]) if n > 2 else [(w,) for w in range(WORDS)]
            values = rows[:, -1].view(np.float64).tolist()
            assert values == [shorter.index(gram[:0:-1]) for gram in grams]


@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1 << 63)), max_size=20), max_size=30), memories)
@settings(max_examples=60, deadline=None)
def test_rows_come_back_sorted_and_added_up(blocks: list[list[tuple[int, int]]], memory: int) -> None:
    expected: dict[tuple[int, int], int] = {}
    with Workspace(memory) as workspace:
        sorter = Sorter(workspace, 2, 3, counted=True)
        for block in blocks:
            sorter.add(np.array([(*key, 1) for key in block], np.uint64).reshape(-1, 3))
            for key in block:
                expected[key] = expected.get(key, 0) + 1
        found = np.concatenate(list(sorter.blocks(7))).tolist()
    assert [tuple(row) for row in found] == [(*key, expected[key]) for key in sorted(expected)]


def test_runs_are_merged_when_they_are_too_many_to_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charlm.ngram.sorting.FAN_IN", 3)
    generator = np.random.default_rng(1)
    numbers = generator.permutation(2000).astype(np.uint64)
    with Workspace(500) as workspace:
        sorter = Sorter(workspace, 1, 2)
        most = 0
        for part in np.array_split(numbers, 300):
            sorter.add(np.column_stack((part, part * np.uint64(2))))
            most = max(most, len(workspace._tables))  # noqa: SLF001 - files that are open
        found = np.concatenate(list(sorter.blocks(50)))
        assert not workspace._tables  # noqa: SLF001 - likewise
    assert most < 20
    np.testing.assert_array_equal(found, np.column_stack((np.arange(2000), 2 * np.arange(2000))))


@given(st.lists(st.integers(0, 6), max_size=WORDS), st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_n_grams_come_with_all_others_of_their_context(followers: list[int], size: int, others: int) -> None:
    """However both come in blocks; contexts that nothing follows come too."""
    packing = Packing(WORDS, 2)
    contexts = packing.unigrams()[: len(followers)]
    grams = np.zeros((sum(followers), 2), np.uint64)
    packing.put(grams, 0, np.repeat(np.arange(1, len(followers) + 1), followers).astype(np.uint64))
    grams[:, 1] = np.arange(len(grams))

    def blocks(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
        return (rows[begin : begin + size] for begin in range(0, max(1, len(rows)), size))

    passed, places = [], []
    for keys, found in by_context(blocks(contexts, size) if followers else [], blocks(grams, others), packing, 1):
        assert np.isin(sortable(packing.first(found, 1), 1), sortable(keys, 1)).all()
        passed += keys.tolist()
        places += found[:, 1].tolist()
    assert passed == contexts.tolist()
    assert places == list(range(len(grams)))


@given(st.integers(1, 12), st.integers(3, 1 << 40), st.data())
@settings(max_examples=60, deadline=None)
def test_packed_n_grams_sort_as_their_words_do(order: int, words: int, data: st.DataObject) -> None:
    """And come back, whole and in part, from either end."""
    packing = Packing(words, order)
    rows = data.draw(st.lists(st.lists(st.integers(1, words), min_size=order, max_size=order), min_size=1, max_size=8))
    keys = np.zeros((len(rows), packing.width), np.uint64)
    for place in range(order):
        packing.put(keys, place, np.array([row[place] for row in rows], np.uint64))
        assert packing.written(keys, place).tolist() == [row[place] for row in rows]
    part = data.draw(st.integers(1, order))
    for found, expected in (
        (packing.first(keys, part), [row[:part] for row in rows]),
        (packing.reversed(keys, part), [row[:part][::-1] for row in rows]),
    ):
        by_key = np.argsort(sortable(found, packing.columns(part)), kind="stable").tolist()
        assert [expected[index] for index in by_key] == sorted(expected)
    differ = [one[:part] != other[:part] for one, other in pairwise(rows)]
    assert packing.changes(keys, part).tolist() == differ


@pytest.mark.parametrize("words", [3, 4, 7, 8])
def test_the_last_word_has_room(words: int) -> None:
    """Though words are written from 1 on."""
    packing = Packing(words, 2)
    assert packing.written(packing.unigrams(), 0).tolist() == list(range(1, words + 1))


class _Full:
    """A temporary file on a full disk."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, _: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None:
        self._file.close()


def test_a_full_disk_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    make: Any = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **where: _Full(make(**where)))
    with Workspace(1) as workspace, pytest.raises(OutputError, match=r"No space left.*--temporary") as caught:
        estimate([row_of([[2, 3, 0]])], WORDS, 3, workspace)
    assert tempfile.gettempdir() in str(caught.value)


def test_tables_leave_memory_when_it_is_full() -> None:
    """And what they took of it is there for others."""
    with Workspace(4 * 800) as workspace:
        first, second = workspace.table(np.float64), workspace.table(np.float64, 2)
        first.append(np.arange(90.0))
        assert not workspace.take(100)
        second.append(np.arange(40.0).reshape(20, 2))
        first.append(np.arange(90.0, 120))
        assert workspace.take(800)
        np.testing.assert_array_equal(first.read(85, 200), np.arange(85.0, 120))
        np.testing.assert_array_equal(second.read(3, 5), [[6, 7], [8, 9]])
        found = first.finish()
    assert isinstance(found.base, np.memmap)
    np.testing.assert_array_equal(found, np.arange(120.0))
