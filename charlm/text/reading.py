r"""Files to blocks of normalised text, in bounded memory and in one pass.

Normalised means: a byte order mark at the start is dropped and "\r\n" becomes "\n". Nothing else is touched;
a lone "\r" stays. A file is hashed while it is read, so that its digest costs no second pass.
"""

import codecs
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from charlm.errors import InputError, UsageError

# Small, since a block goes through arrays of its code points (4 bytes each) and indices (8 bytes each).
BLOCK_BYTES = 1 << 20

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Source:
    """Something that bytes can be read from: a name for messages, and how to open it."""

    name: str
    open: Callable[[], BinaryIO]


def file_source(path: Path) -> Source:
    """The source that reads `path`; opening it raises InputError where that is impossible."""
    return Source(str(path), lambda: _open_file(path))


def _open_file(path: Path) -> BinaryIO:
    # Asked beforehand because Windows calls opening a folder a lack of permission.
    if path.is_dir():
        raise InputError(f"{path} is a directory: name a text file inside it")
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except PermissionError:
        raise InputError(f"{path} cannot be read: permission denied") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


class ByteReader(Iterator[bytes]):
    """Iterates over the bytes of a source in blocks.

    Attributes:
        name: What messages call the source.
        size: Bytes read so far; the whole size once exhausted.
    """

    def __init__(self, source: Source, block_bytes: int = BLOCK_BYTES) -> None:
        self.name = source.name
        self.size = 0
        self._block_bytes = block_bytes
        self._hash = hashlib.sha256()
        self._file = source.open()

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the raw bytes read so far; of the whole source once exhausted."""
        return self._hash.hexdigest()

    def __next__(self) -> bytes:
        if self._file.closed:
            raise StopIteration
        try:
            block = self._file.read(self._block_bytes)
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
        self._file.close()


class TextReader(Iterator[str]):
    """Iterates over the normalised text of a source in blocks, none of them empty."""

    def __init__(self, source: Source, encoding: str = "utf-8", block_bytes: int = BLOCK_BYTES) -> None:
        self._encoding = encoding
        self._decoder = _incremental_decoder(encoding)
        self._bytes = ByteReader(source, block_bytes)
        self._at_start = True
        self._held = ""  # a "\r" whose "\n" may stand at the start of the next block
        self._done = False

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the raw bytes read so far; of the whole source once exhausted."""
        return self._bytes.digest

    @property
    def size(self) -> int:
        """Raw bytes read so far; the whole size once exhausted."""
        return self._bytes.size

    def __next__(self) -> str:
        while not self._done:
            block = next(self._bytes, b"")
            self._done = not block
            text = self._normalise(self._decode(block))
            if text:
                return text
        raise StopIteration

    def close(self) -> None:
        """Close the source; iteration must not go on after it."""
        self._done = True
        self._bytes.close()

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
        raise InputError(
            f"{self._bytes.name} is not valid {self._encoding}: {what}; name the file's own encoding with "
            "--encoding NAME (for instance --encoding latin-1) or train on its bytes with --level byte"
        )

    def _normalise(self, text: str) -> str:
        if self._at_start and text:
            text = text.removeprefix(BYTE_ORDER_MARK)
            self._at_start = False
        text = self._held + text
        self._held = "\r" if text.endswith("\r") and not self._done else ""
        return text.removesuffix(self._held).replace("\r\n", "\n")


def _incremental_decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        "a".encode(encoding)  # refuses codecs that are no text encodings, such as hex
    except (LookupError, ValueError, TypeError):
        raise UsageError(
            f"unknown encoding {encoding!r}: --encoding takes a name such as utf-8, latin-1, cp1252 or utf-16"
        ) from None
    return decoder


def normalise(text: str) -> str:
    """Normalise a whole text, for instance one from the command line, as `TextReader` does a file."""
    return text.removeprefix(BYTE_ORDER_MARK).replace("\r\n", "\n")
