"""Reading: normalisation over any cut, exact offsets of invalid bytes, one clear message an error."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import InputError, UsageError
from charlm.text.reading import ByteReader, TextReader, file_source, normalise


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reading") / "text"


@given(text=st.text(alphabet=st.sampled_from("a\r\né😀\ufeff\x00")), size=st.integers(1, 5))
def test_normalised_alike_wherever_blocks_are_cut(scratch: Path, text: str, size: int) -> None:
    raw = text.encode()
    scratch.write_bytes(raw)
    reader = TextReader(file_source(scratch), block_bytes=size)
    blocks = list(reader)
    assert "".join(blocks) == normalise(text)
    assert all(blocks)
    assert reader.digest == hashlib.sha256(raw).hexdigest()
    assert reader.size == len(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(b"a\r\nb", "a\nb"), (b"a\r", "a\r"), (b"\xef\xbb\xbfa", "a"), (b"\r\r\n", "\r\n"), (b"", "")],
)
def test_only_crlf_and_mark_change(tmp_path: Path, raw: bytes, expected: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(raw)
    assert "".join(TextReader(file_source(path))) == expected
    assert b"".join(ByteReader(file_source(path))) == raw


@pytest.mark.parametrize("offset", [0, 3, 4, 1000])
@pytest.mark.parametrize("bad", [b"\xff", b"\xe9a", b"\xe9"])
def test_offset_of_an_invalid_byte_is_absolute(tmp_path: Path, offset: int, bad: bytes) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(b"\xef\xbb\xbf" + b"x" * offset + bad)
    with pytest.raises(InputError) as error:
        list(TextReader(file_source(path), block_bytes=4))
    message = str(error.value)
    assert f"byte 0x{bad[0]:02x} at offset {offset + 3};" in message
    assert all(part in message for part in ("latin.txt", "--encoding latin-1", "--level byte"))


def test_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes("é\r\n".encode("utf-16"))
    assert "".join(TextReader(file_source(path), "utf-16", 1)) == "é\n"
    path.write_bytes(b"\xe9")
    assert "".join(TextReader(file_source(path), "latin-1")) == "é"


@pytest.mark.parametrize("encoding", ["no-such", "hex", "", "a\x00b"])
def test_unknown_encoding(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(UsageError, match="unknown encoding"):
        TextReader(file_source(tmp_path / "text"), encoding)


def test_missing_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file: .*nowhere"):
        TextReader(file_source(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="is a directory"):
        ByteReader(file_source(tmp_path))
