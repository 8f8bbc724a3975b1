"""Reading: normalisation over any cut, exact offsets of invalid bytes, compressed and binary files, clear messages."""

import bz2
import errno
import gzip
import hashlib
import io
import lzma
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.errors import InputError, UsageError
from charlm.text.reading import (
    COMPRESSIONS,
    HEAD_BYTES,
    ByteReader,
    Source,
    TextReader,
    file_source,
    find_binary,
    normalise,
    read_head,
)

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lambda data: lzma.compress(data, preset=0),  # the others take a hundred megabytes
}
TEXT = b"Some text, long enough to be worth compressing.\n" * 40


def source(data: bytes) -> Source:
    return Source("test", lambda: io.BytesIO(data))


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def read_bytes(path: Path) -> bytes:
    return b"".join(ByteReader(file_source(path)))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reading") / "text"


@given(text=st.text(alphabet=st.sampled_from("a\r\né😀\ufeff\x01")), size=st.integers(1, 5))
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


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "secret.txt", TEXT)
    path.chmod(0)
    with pytest.raises(InputError, match=r"secret\.txt cannot be read: permission denied"):
        ByteReader(file_source(path))


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_a_name_that_no_file_can_have(name: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        ByteReader(file_source(Path(name)))


class Failing(io.BytesIO):
    """A disk that fails."""

    def read1(self, _size: int | None = -1, /) -> bytes:
        """Fail."""
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("suffix", ["", *COMPRESS])
def test_a_failing_disk(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told from a damaged file."""
    disk = Failing()
    if suffix:
        failing = replace(COMPRESSIONS[suffix], start=lambda _file: (disk, OSError))
        monkeypatch.setitem(COMPRESSIONS, suffix, failing)
        opened = file_source(write(tmp_path / f"text{suffix}", COMPRESS[suffix](TEXT)))
    else:
        opened = Source("text", lambda: disk)
    reader = ByteReader(opened)
    with pytest.raises(InputError, match=r"text\S* cannot be read: Input/output error"):
        next(reader)
    assert disk.closed


@pytest.mark.parametrize("suffix", COMPRESS)
@settings(deadline=None)
@given(parts=st.lists(st.binary(max_size=40)), size=st.integers(1, 30))
def test_compressed_files_hold_what_was_compressed(scratch: Path, suffix: str, parts: list[bytes], size: int) -> None:
    """Read at any block size, and wholly where several were put together; the digest is that of the content."""
    raw = b"".join(parts)
    path = write(scratch.with_suffix(suffix), b"".join(map(COMPRESS[suffix], parts)))
    reader = ByteReader(file_source(path), block_bytes=size)
    blocks = list(reader)
    assert b"".join(blocks) == raw
    assert all(len(block) <= size for block in blocks)
    assert (reader.size, reader.digest) == (len(raw), hashlib.sha256(raw).hexdigest())


@pytest.mark.parametrize("suffix", COMPRESS)
def test_compressed_texts_are_decoded_and_normalised(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"TEXT{suffix.upper()}", COMPRESS[suffix]("\ufeffé\r\n".encode()))
    assert "".join(TextReader(file_source(path))) == "é\n"


@pytest.mark.parametrize("suffix", COMPRESS)
def test_a_truncated_file_is_never_read_as_a_shorter_one(tmp_path: Path, suffix: str) -> None:
    whole = COMPRESS[suffix](TEXT)
    path = tmp_path / f"text{suffix}"
    assert read_bytes(write(path, b"")) == b""
    for length in range(1, len(whole)):
        with pytest.raises(InputError, match=r"text\S+ (ends too early: it is only the beginning|is not a valid)"):
            read_bytes(write(path, whole[:length]))
    with pytest.raises(InputError, match=r"ends too early: it is only the beginning of a (gzip|bzip2|xz) file$"):
        read_bytes(path)


@pytest.mark.parametrize("suffix", COMPRESS)
def test_a_damaged_file_is_never_read_as_another(tmp_path: Path, suffix: str) -> None:
    whole = COMPRESS[suffix](TEXT)
    path, messages = tmp_path / f"text{suffix}", set()
    for place in range(len(whole)):
        write(path, whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            assert read_bytes(path) == TEXT
        except InputError as error:
            messages.add(str(error))
    assert any("is not a valid" in message for message in messages)
    assert all(message.startswith(str(path)) for message in messages)


@pytest.mark.parametrize("suffix", COMPRESS)
def test_a_suffix_that_lies(tmp_path: Path, suffix: str) -> None:
    for data in (TEXT, *(compress(TEXT) for other, compress in COMPRESS.items() if other != suffix)):
        reader = ByteReader(file_source(write(tmp_path / f"text{suffix}", data)))
        with pytest.raises(InputError, match=r"text\S+ is not a valid \w+ file: it begins like something else; rename"):
            next(reader)
        assert list(reader) == []


@pytest.mark.parametrize(("suffix", "module"), [(".gz", "gzip"), (".bz2", "bz2"), (".xz", "lzma")])
def test_a_python_without_the_library(
    tmp_path: Path, suffix: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / f"text{suffix}", COMPRESS[suffix](TEXT))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        InputError, match=r"cannot be read, since this Python lacks (gzip|bzip2|xz) .*: pass it through"
    ):
        read_bytes(path)


def test_libraries_are_loaded_only_when_they_are_used() -> None:
    check = "import sys, charlm.text.sources; print(*{'gzip', 'bz2', 'lzma'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", check], capture_output=True, check=True, timeout=60)
    assert ended.stdout.strip() == b""


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("raw", [TEXT, b""])
def test_compressed_data_that_nothing_says_to_be(suffix: str, raw: bytes) -> None:
    """As text it is refused with a way out; its bytes are bytes."""
    data = COMPRESS[suffix](raw)
    for encoding in ("utf-8", "latin-1", "utf-16"):
        with pytest.raises(InputError, match=rf"test looks \w+-compressed: pass it through \w+ -\w+, or .*\{suffix}$"):
            list(TextReader(source(data), encoding))
    assert b"".join(ByteReader(source(data))) == data


def tar_archive() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("text"), io.BytesIO(b""))
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        (b"GIF89a\x01\x00\x01\x00", "a GIF image"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive or an office document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office document"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"(\xb5/\xfd", "zstd-compressed"),
        (b"\x7fELF", "a program"),
        (b"\xcf\xfa\xed\xfe", "a program"),
        (b"\xce\xfa\xed\xfe", "a program"),
        (b"\xca\xfe\xba\xbe", "a program"),
        (b"MZ\x90\x00", "a Windows program"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (tar_archive(), "a tar archive"),
        (b"text\x00", "it holds NUL bytes"),
    ],
)
def test_binary_files_are_named(data: bytes, what: str) -> None:
    """As text they are refused; the byte level takes them as they are."""
    for encoding in ("utf-8", "latin-1"):
        with pytest.raises(InputError) as error:
            list(TextReader(source(data + TEXT), encoding))
        assert str(error.value) == (
            f"test is a binary file ({what}): name a text file, or train on its bytes with --level byte"
        )
    assert b"".join(ByteReader(source(data + TEXT))) == data + TEXT


def test_a_compressed_binary_file(tmp_path: Path) -> None:
    path = write(tmp_path / "texts.tar.gz", gzip.compress(tar_archive()))
    with pytest.raises(InputError, match=r"texts\.tar\.gz is a binary file \(a tar archive\)"):
        list(TextReader(file_source(path)))


@pytest.mark.parametrize("text", ["BZhang's diary", "GIF89a is a format", "MZ", "SQLite format 3", "%PDF-files", "PK"])
def test_texts_that_begin_like_binary_files(text: str) -> None:
    assert "".join(TextReader(source(text.encode()))) == text


@settings(deadline=None)
@given(place=st.integers(0, HEAD_BYTES + 100), size=st.integers(1, 3000))
def test_nul_bytes_count_in_the_beginning(place: int, size: int) -> None:
    """In the first bytes, whatever the blocks that they come in; further on they are characters."""
    data = b"a" * place + b"\0" + b"b" * 200
    reader = TextReader(source(data), block_bytes=size)
    if place < HEAD_BYTES:
        with pytest.raises(InputError, match="NUL bytes"):
            list(reader)
    else:
        assert "".join(reader).encode() == data


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_nul_bytes_are_at_home_in_wide_encodings(encoding: str) -> None:
    assert "".join(TextReader(source("ab\n".encode(encoding)), encoding)) == "ab\n"


@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("family", ["utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(family: str, order: str) -> None:
    """Also where there is no NUL byte, and where the encoding read with knows no invalid bytes."""
    hint = rf"test bears the byte order mark of {family.upper()}: read it with --encoding {family}$"
    for text, encoding in (("plain", "utf-8"), ("plain", "latin-1"), ("\u4e2d\u6587", "utf-8")):
        data = f"\ufeff{text}".encode(f"{family}-{order}")
        with pytest.raises(InputError, match=hint):
            list(TextReader(source(data), encoding))
        assert "".join(TextReader(source(data), family)) == text


def test_what_is_binary_depends_on_the_encoding() -> None:
    wide = "text".encode("utf-16-le")
    assert find_binary(wide, "utf-8") == "it holds NUL bytes"
    assert find_binary(wide, "utf-16-le") is None
    assert find_binary("\ufefftext".encode("utf-16-le"), "utf-8") is None
    assert find_binary(gzip.compress(b""), "utf-16-le") == "gzip-compressed"
    assert find_binary(b"", "utf-8") is None
    with pytest.raises(UsageError, match="unknown encoding"):
        find_binary(b"", "no-such")


def test_a_mark_may_be_text() -> None:
    """Without NUL bytes, in an encoding that has such letters; and in its own encoding it explains no error."""
    assert "".join(TextReader(source(b"\xff\xfe"), "latin-1")) == "\xff\xfe"
    with pytest.raises(InputError, match="test is not valid utf-16: byte 0x00 at offset 2;"):
        list(TextReader(source("\ufeff\ud800".encode("utf-16-le", "surrogatepass")), "utf-16"))


class Dripping(io.BytesIO):
    """What comes in pieces."""

    def read1(self, _size: int | None = -1, /) -> bytes:
        """A piece."""
        return self.read(HEAD_BYTES - 1)


@pytest.mark.parametrize("length", [0, 1, HEAD_BYTES, HEAD_BYTES + 1, 3 * HEAD_BYTES])
def test_the_head_of_a_source(length: int) -> None:
    stream = Dripping(os.urandom(length))
    data = stream.getvalue()
    assert read_head(Source("test", lambda: stream)) == data[:HEAD_BYTES]
    assert stream.closed


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("suffix", ["", *COMPRESS])
def test_named_pipes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"pipe{suffix}"
    os.mkfifo(path)
    data = COMPRESS[suffix](TEXT) if suffix else TEXT
    writer = threading.Thread(target=path.write_bytes, args=(data,), daemon=True)
    writer.start()
    assert "".join(TextReader(file_source(path))).encode() == TEXT


def test_streams_without_read1(tmp_path: Path) -> None:
    path = write(tmp_path / "text", TEXT)
    assert b"".join(ByteReader(Source("raw", lambda: path.open("rb", buffering=0)), 7)) == TEXT
