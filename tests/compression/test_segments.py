"""A file's lines, whatever the blocks that it comes in."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.compression.adaptive import LONGEST
from charlm.compression.segments import segments_of

PIECES = st.sampled_from([b"a", b" ", b"\n", b"\r\n", b"\r", b"bc d", b"\n\n\n"])


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=30).map(b"".join), st.lists(st.integers(0, 40), max_size=5))
@pytest.mark.parametrize("unit", ["line", "paragraph", "file"])
def test_segments_are_the_file_and_the_same_wherever_blocks_are_cut(unit: str, data: bytes, cuts: list[int]) -> None:
    whole = list(segments_of([data] if data else [], unit))
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parts = [data[begin:end] for begin, end in itertools.pairwise(bounds) if end > begin]
    assert b"".join(whole) == data
    assert list(segments_of(parts, unit)) == whole
    assert all(each for each in whole)
    assert all(each.endswith(b"\n") for each in whole[:-1])


def test_a_paragraph_ends_behind_two_breaks() -> None:
    assert list(segments_of([b"a\n", b"\n\nb\r\n", b"\r\nc\nd"], "paragraph")) == [
        b"a\n\n", b"\n", b"b\r\n\r\n", b"c\n", b"d",
    ]  # fmt: skip
    assert list(segments_of([b"a\n", b"\n\nb"], "line")) == [b"a\n", b"\n", b"\n", b"b"]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("filling", [b"abc ", b"abc", "\u4e2d".encode(), b"\x80"])
@pytest.mark.parametrize("over", [-1, 0, 1, 3, 5, 100_000])
def test_long_lines_are_cut(filling: bytes, end: bytes, over: int) -> None:
    data = (filling * (LONGEST // len(filling) + 40_000))[: LONGEST + over] + end + b"next\n"
    whole = list(segments_of([data], "line"))
    assert b"".join(whole) == data
    assert max(map(len, whole)) <= LONGEST
    blocks = [data[begin : begin + 1000] for begin in range(0, len(data), 1000)]
    assert list(segments_of(blocks, "line")) == whole
    if filling == b"abc " and over > 5:
        assert whole[1].startswith(b" ")
    if filling not in (b"\x80", b"abc ") and over > 0:
        whole[0].decode()  # no character is cut
