"""The texts in a file or a pipe."""

import gzip
import io
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.text import inputs
from charlm.text.inputs import lines_of, read_lines, read_whole, undecoded
from charlm.text.long import BLOCK, LongText, text_in_memory
from charlm.text.reading import Source, file_source


def source(data: bytes) -> Source:
    return Source("test", lambda: io.BytesIO(data))


@given(st.lists(st.text("ab\n", max_size=6)))
def test_lines_do_not_depend_on_how_they_come(blocks: list[str]) -> None:
    """However the text is cut into blocks, its lines are those of the whole; a last line break ends no further line."""
    expected = "".join(blocks).split("\n")
    if not expected[-1]:
        expected.pop()
    assert list(lines_of(iter(blocks), "\n")) == expected
    assert list(lines_of(iter(block.encode() for block in blocks), b"\n")) == [line.encode() for line in expected]


def test_text_is_normalised_and_bytes_are_not() -> None:
    data = "\ufeffone\r\n\r\nthree".encode()
    assert list(read_lines(source(data), "utf-8")) == ["one", "", "three"]
    assert list(read_lines(source(data), None)) == [b"\xef\xbb\xbfone\r", b"\r", b"three"]
    assert read_whole(source(data), "utf-8") == "one\n\nthree"
    assert read_whole(source(data), None) == data


def test_nothing_holds_no_line() -> None:
    assert list(read_lines(source(b""), "utf-8")) == []
    assert read_whole(source(b""), "utf-8") == ""


def test_compressed_files_are_texts_too(tmp_path: Path) -> None:
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(b"one\r\ntwo"))
    assert list(read_lines(file_source(path), "utf-8")) == ["one", "two"]
    assert list(read_lines(file_source(path), None)) == [b"one\r", b"two"]
    assert read_whole(file_source(path), "utf-8") == "one\ntwo"


@pytest.mark.parametrize("encoding", ["utf-8", None])
def test_a_pipe_is_read_as_it_comes(encoding: str | None) -> None:
    """A line is there as soon as it was written, while the pipe stays open."""
    end, begin = os.pipe()
    lines = read_lines(Source("pipe", lambda: os.fdopen(end, "rb")), encoding)
    found: list[object] = []
    with os.fdopen(begin, "wb", buffering=0) as written:
        for data in (b"one\nunfi", b"nished\n"):
            written.write(data)
            reader = threading.Thread(target=lambda: found.append(next(lines)), daemon=True)
            reader.start()
            reader.join(10)
            assert not reader.is_alive()
    assert found == (["one", "unfinished"] if encoding else [b"one", b"unfinished"])
    assert list(lines) == []


def test_a_long_line_takes_linear_time() -> None:
    """What has come of it is not copied again with each block: here that would be a hundred gigabytes."""
    begun = time.process_time()
    assert list(lines_of(iter(["x" * 64] * 60_000), "\n")) == ["x" * 64 * 60_000]
    assert time.process_time() - begun < 2


class Dripping(io.BytesIO):
    """Gives a few bytes at a time."""

    def read1(self, size: int | None = -1, /) -> bytes:
        """At most three."""
        del size
        return super().read1(3)


@settings(deadline=None)
@given(st.lists(st.text("ab\N{GREEK SMALL LETTER ALPHA}", max_size=12), min_size=1), st.booleans(), st.booleans())
def test_long_texts_lie_on_the_disk_and_are_whole(lines: list[str], whole: bool, raw: bool) -> None:
    """However few bytes come at a time, and whatever stands before and behind them."""
    text = "\n".join(lines)
    expected = [text] if whole else text.removesuffix("\n").split("\n") if text else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "LONGEST", 5)
        dripping = Source("test", lambda: Dripping(text.encode()))
        found = list(inputs.read_texts(dripping, None if raw else "utf-8", whole=whole))
    assert [text_in_memory(each) for each in found] == ([each.encode() for each in expected] if raw else expected)
    for each, known in zip(found, expected, strict=True):
        assert isinstance(each, LongText) == (len(known.encode() if raw else known) > 5)


@pytest.mark.parametrize("place", [0, 5, BLOCK - 2, BLOCK - 1, BLOCK, 2 * BLOCK - 1])
def test_a_byte_that_was_escaped_is_found_wherever_it_stands(place: int) -> None:
    """In memory and on the disk, where a character may lie across two blocks; characters of other kinds are none."""
    plain = "a" * place + "\ud7ff\ue000\U0001f600"
    for text, expected in ((plain, None), ("a" * place + "\udce9\udcff", 0xE9)):
        spooled = LongText(raw=False)
        spooled.append(text)
        assert undecoded(text) == undecoded(spooled) == expected
    assert undecoded(b"\xff") is None
