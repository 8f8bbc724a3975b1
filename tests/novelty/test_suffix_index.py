"""The longest stretch of a query that stands in a text, against looking everywhere."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from charlm.cache.entry import DamagedError
from charlm.novelty import index as index_module
from charlm.novelty.index import Stretch, SuffixIndex, key_of, write_index
from charlm.novelty.suffixes import suffix_array

KINDS = st.sampled_from([np.uint8, np.uint16, np.uint32])
IDS = st.lists(st.integers(0, 3), max_size=40)


def built(path: Path, ids: NDArray[Any]) -> SuffixIndex:
    file = io.BytesIO()
    write_index(file, ids)
    path.write_bytes(file.getvalue())
    return SuffixIndex(path, key_of(ids))


def longest_by_looking(text: list[int], query: list[int]) -> int:
    stretches = (
        end - begin
        for begin in range(len(query))
        for end in range(begin + 1, len(query) + 1)
        if any(text[at : at + end - begin] == query[begin:end] for at in range(len(text)))
    )
    return max(stretches, default=0)


@given(IDS, KINDS)
def test_suffixes_stand_in_their_order(ids: list[int], kind: type[np.unsignedinteger[Any]]) -> None:
    expected = sorted(range(len(ids)), key=lambda begin: ids[begin:])
    assert suffix_array(np.array(ids, kind)).tolist() == expected


@pytest.mark.parametrize("token", [0, 255, 70_000])
def test_a_text_of_one_token_is_sorted_too(token: int) -> None:
    ids = np.full(300, token, np.uint32)
    assert suffix_array(ids).tolist() == list(range(299, -1, -1))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that short texts have many."""
    monkeypatch.setattr(index_module, "BLOCK", 5)
    monkeypatch.setattr(index_module, "OVERLAP", 40)


@given(text=IDS, query=IDS, kind=KINDS, high=st.sampled_from([1, 60]), beyond=st.integers(0, 6))
def test_the_longest_stretch_is_found(
    tmp_path_factory: pytest.TempPathFactory,
    text: list[int],
    query: list[int],
    kind: type[np.unsignedinteger[Any]],
    high: int,
    beyond: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_module, "BLOCK", 5)
        patch.setattr(index_module, "OVERLAP", 40)
        scaled, asked = [high * each for each in text], [high * each for each in query]
        index = built(tmp_path_factory.mktemp("index") / "index", np.array(scaled, kind))
        found = index.longest(np.array(asked, np.int64), beyond)
        expected = longest_by_looking(scaled, asked)
        assert found.length == (expected if expected > beyond else 0)
        assert scaled[found.place : found.place + found.length] == asked[found.begin : found.begin + found.length]


def test_what_is_no_token_stands_nowhere(tmp_path: Path) -> None:
    index = built(tmp_path / "index", np.array([1, 2, 3, 255], np.uint8))
    assert index.longest(np.array([1, -1, 2, 3, 256, 255])) == Stretch(2, 2, 1)
    assert index.longest(np.array([], np.int64)) == Stretch()
    assert index.longest(np.array([-1, 300])) == Stretch()


@pytest.mark.usefixtures("small_blocks")
def test_places_and_counts_are_of_the_whole_text(tmp_path: Path) -> None:
    ids = np.arange(23, dtype=np.uint16) % 7
    index = built(tmp_path / "index", ids)
    assert len(index) == len(ids)
    assert index.ids(3, 17).tolist() == ids[3:17].tolist()
    assert [index.count(2, end) for end in (0, 2, 3, 9, 10, 23)] == [0, 0, 1, 1, 2, 3]


def test_a_damaged_file_is_noticed(tmp_path: Path) -> None:
    ids = np.arange(50, dtype=np.uint8)
    path = tmp_path / "index"
    built(path, ids)
    sound = path.read_bytes()
    with pytest.raises(DamagedError):
        SuffixIndex(path, key_of(ids[:-1]))
    for place in (0, 60, 130, len(sound) - 1):
        damaged = bytearray(sound)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(DamagedError):
            SuffixIndex(path, key_of(ids))
    for cut in (b"", sound[:40], sound[:-1]):
        path.write_bytes(cut)
        with pytest.raises(DamagedError):
            SuffixIndex(path)
