"""The texts in a file or a pipe."""

import io

from hypothesis import given
from hypothesis import strategies as st

from charlm.text.inputs import _lines, read_lines, read_whole
from charlm.text.reading import Source


def source(data: bytes) -> Source:
    return Source("test", lambda: io.BytesIO(data))


@given(st.lists(st.text("ab\n", max_size=6)))
def test_lines_do_not_depend_on_how_they_come(blocks: list[str]) -> None:
    """However the text is cut into blocks, its lines are those of the whole; a last line break ends no further line."""
    expected = "".join(blocks).split("\n")
    if not expected[-1]:
        expected.pop()
    assert list(_lines(iter(blocks), "\n")) == expected
    assert list(_lines(iter(block.encode() for block in blocks), b"\n")) == [line.encode() for line in expected]


def test_text_is_normalised_and_bytes_are_not() -> None:
    data = "\ufeffone\r\n\r\nthree".encode()
    assert list(read_lines(source(data), "utf-8")) == ["one", "", "three"]
    assert list(read_lines(source(data), None)) == [b"\xef\xbb\xbfone\r", b"\r", b"three"]
    assert read_whole(source(data), "utf-8") == "one\n\nthree"
    assert read_whole(source(data), None) == data


def test_nothing_holds_no_line() -> None:
    assert list(read_lines(source(b""), "utf-8")) == []
    assert read_whole(source(b""), "utf-8") == ""
