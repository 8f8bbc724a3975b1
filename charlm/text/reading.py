r"""Files to blocks of normalised text, in bounded memory and in one pass.

A file whose name ends in .gz, .bz2 or .xz is decompressed as it is read. Normalised means: a byte order mark at
the start is dropped and "\r\n" becomes "\n". Nothing else is touched; a lone "\r" stays. What is read is hashed on
its way, so that its digest costs no second pass.
"""

import codecs
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import Protocol

from charlm.errors import InputError, UsageError

# Small, since a block goes through arrays of its code points (4 bytes each) and indices (8 bytes each).
BLOCK_BYTES = 1 << 20

HEAD_BYTES = 8000
"""So much of a file's beginning tells whether it is text."""

BYTE_ORDER_MARK = "\ufeff"


class Stream(Protocol):
    """What bytes are read from; ``read1`` is preferred to ``read`` where there is one."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True)
class Source:
    """Something that bytes can be read from.

    Attributes:
        name: For messages.
        open: Opens it.
        path: Of the file that it is; None where it is none.
    """

    name: str
    open: Callable[[], Stream]
    path: Path | None = None


def file_source(path: Path) -> Source:
    """The source that reads `path`, decompressed; opening it raises InputError where that is impossible."""
    return Source(str(path), lambda: _open(path), path)


def raw_source(path: Path) -> Source:
    """The source that reads the bytes of `path` as they lie on the disk; otherwise as `file_source`."""
    return Source(str(path), lambda: _open_raw(path), path)


def is_folder(path: Path) -> bool:
    """Whether this is a folder; False for what cannot be a name at all."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where a name is too long


def _open(path: Path) -> Stream:
    file = _open_raw(path)
    compression = COMPRESSIONS.get(path.suffix.lower())
    return file if compression is None else _Decompressed(file, str(path), compression)


def _open_raw(path: Path) -> BufferedReader:
    # Asked beforehand because Windows calls opening a folder a lack of permission.
    if is_folder(path):
        raise InputError(f"{path} is a directory: name a text file inside it")
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except PermissionError:
        raise InputError(f"{path} cannot be read: permission denied") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


# What gives a compressed file's content, and the error that a damaged one raises besides EOFError and OSError.
_Decompressor = tuple[BufferedIOBase, type[Exception]]


def _gzip(file: BufferedReader) -> _Decompressor:
    import gzip  # noqa: PLC0415 - loaded only when it is used
    import zlib  # noqa: PLC0415 - likewise

    return gzip.open(file), zlib.error


def _bzip2(file: BufferedReader) -> _Decompressor:
    import bz2  # noqa: PLC0415 - likewise

    return bz2.open(file), OSError


def _xz(file: BufferedReader) -> _Decompressor:
    import lzma  # noqa: PLC0415 - likewise

    return lzma.open(file), lzma.LZMAError


@dataclass(frozen=True)
class Compression:
    """A format that files are compressed in.

    Attributes:
        name: As messages call it.
        magic: What every such file begins with.
        sign: A longer pattern, by which data is told that nothing else says to be compressed.
        tool: The command that decompresses to standard output.
        start: Begins to decompress; raises ImportError where Python was built without the library.
    """

    name: str
    magic: bytes
    sign: bytes
    tool: str
    start: Callable[[BufferedReader], _Decompressor]


COMPRESSIONS = {
    ".gz": Compression("gzip", b"\x1f\x8b", rb"\x1f\x8b\x08", "gunzip -c", _gzip),
    ".bz2": Compression("bzip2", b"BZh", rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", "bunzip2 -c", _bzip2),
    ".xz": Compression("xz", b"\xfd7zXZ\x00", rb"\xfd7zXZ\x00", "xz -dc", _xz),
}
"""By the suffix, in lower case, that a file's name ends in."""


class _Decompressed:
    """What a compressed file holds; damage shows as InputError."""

    def __init__(self, file: BufferedReader, name: str, compression: Compression) -> None:
        self._file = file
        self._name = name
        self._compression = compression
        self._content: BufferedIOBase | None = None
        self._damage: type[Exception] = EOFError

    @property
    def closed(self) -> bool:
        return self._file.closed

    def read(self, size: int, /) -> bytes:
        """As much as comes at once."""
        kind = self._compression
        try:
            if self._content is None:
                self._content, self._damage = self._begin()
            return self._content.read1(size)
        except EOFError:
            what = f"ends too early: it is only the beginning of a {kind.name} file"
        except ImportError as error:
            what = f"cannot be read, since this Python lacks {kind.name} ({error}): pass it through {kind.tool}"
        except (OSError, self._damage) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # not the content's fault
            what = f"is not a valid {kind.name} file: {error}"
        self.close()
        raise InputError(f"{self._name} {what}")

    def _begin(self) -> _Decompressor:
        magic = self._compression.magic
        head = self._file.peek(len(magic))[: len(magic)]
        if not head:
            return self._file, OSError
        # Of a pipe there may be only part so far.
        if not magic.startswith(head):
            raise OSError("it begins like something else; rename it if that is what it is")
        return self._compression.start(self._file)

    def close(self) -> None:
        """Close the file too, which a decompressor leaves open."""
        if self._content is not None:
            self._content.close()
        self._file.close()


class ByteReader(Iterator[bytes]):
    """Iterates over the bytes of a source in blocks, each as soon as there is something to read.

    Attributes:
        name: What messages call the source.
        size: Bytes read so far; the whole size once exhausted.
    """

    def __init__(self, source: Source, block_bytes: int = BLOCK_BYTES) -> None:
        self.name = source.name
        self.size = 0
        self._block_bytes = block_bytes
        self._hash = hashlib.sha256()
        self._stream = source.open()
        # A pipe's `read` waits until the block is full, `read1` only until there is something.
        self._read: Callable[[int], bytes] = getattr(self._stream, "read1", self._stream.read)

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the bytes read so far; of the whole source once exhausted."""
        return self._hash.hexdigest()

    def __next__(self) -> bytes:
        if self._stream.closed:
            raise StopIteration
        try:
            block = self._read(self._block_bytes)
        except OSError as error:
            self.close()
            raise InputError(f"{self.name} cannot be read: {error.strerror or error}") from error
        if not block:
            self.close()
            raise StopIteration
        self._hash.update(block)
        self.size += len(block)
        return block

    def close(self) -> None:
        """Close the source; it reads as exhausted from then on."""
        self._stream.close()


def read_head(source: Source) -> bytes:
    """The first `HEAD_BYTES` of a source, fewer if it is shorter.

    Raises:
        InputError: It cannot be read.
    """
    head = b""
    with closing(ByteReader(source, HEAD_BYTES)) as reader:
        while len(head) < HEAD_BYTES and (block := next(reader, b"")):
            head += block
    return head[:HEAD_BYTES]


# What no text begins with.
_BINARIES = {
    rb"\x89PNG\r\n\x1a\n": "a PNG image",
    rb"\xff\xd8\xff": "a JPEG image",
    rb"%PDF-\d": "a PDF document",
    rb"PK\x03\x04": "a ZIP archive or an office document",
    rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old office document",
    rb"7z\xbc\xaf\x27\x1c": "a 7z archive",
    rb"Rar!\x1a\x07": "a RAR archive",
    rb"\(\xb5/\xfd": "zstd-compressed",
    rb"\x7fELF|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe": "a program",
} | {compression.sign: f"{compression.name}-compressed" for compression in COMPRESSIONS.values()}

# What a text might begin with, but hardly one that holds NUL bytes.
_BINARIES_WITH_NULS = {
    rb"GIF8[79]a": "a GIF image",
    rb"SQLite format 3\x00": "an SQLite database",
    rb"MZ": "a Windows program",
    rb"(?s:.{257})ustar": "a tar archive",
    rb"": "it holds NUL bytes",
}

# Byte order marks; those of UTF-32 first, since one of them begins as one of UTF-16 does.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def find_binary(head: bytes, encoding: str, *, nuls: bool = False) -> str | None:
    """What a file is that begins like this, such as "a PNG image"; None if it may be a text.

    What bears the byte order mark of another encoding is a text, too, and so is what holds NUL bytes if ``nuls``.

    Raises:
        UsageError: There is no such encoding.
    """
    found = _first_match(_BINARIES, head)
    if nuls or _has_nuls(encoding) or found or b"\0" not in head or _marked_encoding(head):
        return found
    return _first_match(_BINARIES_WITH_NULS, head)


def _first_match(patterns: dict[bytes, str], head: bytes) -> str | None:
    return next((what for pattern, what in patterns.items() if re.match(pattern, head)), None)


def _marked_encoding(head: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS.items() if head.startswith(mark)), None)


def _has_nuls(encoding: str) -> bool:
    """Whether plain text in this encoding is full of NUL bytes."""
    _incremental_decoder(encoding)
    return b"\0" in "a".encode(encoding)


def _refusal(head: bytes, encoding: str, *, nuls: bool) -> str | None:
    """Why what begins like this cannot be read as text, for a message that begins with its name."""
    for suffix, compression in COMPRESSIONS.items():
        if re.match(compression.sign, head):
            return (
                f"looks {compression.name}-compressed: pass it through {compression.tool}, "
                f"or name a file that ends in {suffix}"
            )
    if binary := find_binary(head, encoding, nuls=nuls):
        return f"is a binary file ({binary}): name a text file, or train on its bytes with --level byte"
    marked = _marked_encoding(head)
    if marked and b"\0" in head and not _has_nuls(encoding):
        return _marked_refusal(marked)
    return None


def _marked_refusal(marked: str) -> str:
    return f"bears the byte order mark of {marked.upper()}: read it with --encoding {marked}"


class TextReader(Iterator[str]):
    """Iterates over the normalised text of a source in blocks, none of them empty.

    Args:
        source: What to read.
        encoding: That it is in.
        block_bytes: How many bytes to read at a time.
        nuls: Whether NUL bytes are characters as others are. Else they show that it is no text.
        escaped: Whether bytes that are not in the encoding come as lone surrogates, U+DC80 to U+DCFF, as Python
            escapes them. Else they are an error.
    """

    def __init__(
        self,
        source: Source,
        encoding: str = "utf-8",
        block_bytes: int = BLOCK_BYTES,
        *,
        nuls: bool = False,
        escaped: bool = False,
    ) -> None:
        self._encoding = encoding
        self._nuls = nuls
        self._decoder = _incremental_decoder(encoding, "surrogateescape" if escaped else "strict")
        self._bytes = ByteReader(source, block_bytes)
        self._head = b""
        self._normaliser = Normaliser()
        self._done = False

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the bytes read so far; of the whole source once exhausted."""
        return self._bytes.digest

    @property
    def size(self) -> int:
        """Bytes read so far; the whole size once exhausted."""
        return self._bytes.size

    def __next__(self) -> str:
        while not self._done:
            block = next(self._bytes, b"")
            self._done = not block
            if len(self._head) < HEAD_BYTES:
                self._look(block)
            text = self._normaliser.feed(self._decode(block), last=self._done)
            if text:
                return text
        raise StopIteration

    def close(self) -> None:
        """Close the source; iteration must not go on after it."""
        self._done = True
        self._bytes.close()

    def _look(self, block: bytes) -> None:
        """Refuse what is no text; a pipe may bring the beginning in pieces, so at more than the first block."""
        self._head += block[: HEAD_BYTES - len(self._head)]
        if refusal := _refusal(self._head, self._encoding, nuls=self._nuls):
            self.close()
            raise InputError(f"{self._bytes.name} {refusal}")

    def _decode(self, block: bytes) -> str:
        try:
            return self._decoder.decode(block, final=self._done)
        except UnicodeDecodeError as error:
            # The object is what a decoder had kept back and the block: both end where reading has come to.
            offset = self.size - len(error.object) + error.start
            what = f"byte 0x{error.object[error.start]:02x} at offset {offset}"
        except UnicodeError as error:
            what = str(error)
        self.close()
        marked = _marked_encoding(self._head)
        if marked and not _has_nuls(self._encoding):
            raise InputError(f"{self._bytes.name} {_marked_refusal(marked)}")
        raise InputError(
            f"{self._bytes.name} is not valid {self._encoding}: {what}; name the file's own encoding with "
            "--encoding NAME (for instance --encoding latin-1). Models of --level byte read any bytes"
        )


def check_encoding(encoding: str) -> None:
    """Check that there is such an encoding of texts.

    Raises:
        UsageError: there is none.
    """
    _incremental_decoder(encoding)


def _incremental_decoder(encoding: str, errors: str = "strict") -> codecs.IncrementalDecoder:
    try:
        decoder = codecs.getincrementaldecoder(encoding)(errors)
        "a".encode(encoding)  # refuses codecs that are no text encodings, such as hex
    except (LookupError, ValueError, TypeError):
        raise UsageError(
            f"unknown encoding {encoding!r}: --encoding takes a name such as utf-8, latin-1, cp1252 or utf-16"
        ) from None
    return decoder


class Normaliser:
    """Normalises a text that comes in blocks, wherever they were cut."""

    def __init__(self) -> None:
        self._at_start = True
        self._held = ""  # a "\r" whose "\n" may stand at the start of the next block

    def feed(self, text: str, *, last: bool) -> str:
        """What has become sure with the next block, which may be nothing; everything with the last one."""
        if self._at_start and text:
            text = text.removeprefix(BYTE_ORDER_MARK)
            self._at_start = False
        text = self._held + text
        self._held = "\r" if text.endswith("\r") and not last else ""
        return text.removesuffix(self._held).replace("\r\n", "\n")


def normalised(blocks: Iterable[str]) -> Iterator[str]:
    """Blocks of a text as `normalise` has the whole, none of them empty."""
    normaliser = Normaliser()
    for block in blocks:
        if text := normaliser.feed(block, last=False):
            yield text
    if text := normaliser.feed("", last=True):
        yield text


def normalise(text: str) -> str:
    """Normalise a whole text, for instance one from the command line, as `TextReader` does a file."""
    return text.removeprefix(BYTE_ORDER_MARK).replace("\r\n", "\n")
