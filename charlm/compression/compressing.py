"""A file to compressed bytes and back, block by block, in memory that does not grow with the file."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from charlm.compression.basis import Basis, one_thread
from charlm.compression.coder import Decoder, DecodingError, Encoder
from charlm.compression.container import CONTENT_BYTES, Contents, Trailer
from charlm.compression.segments import segments_of
from charlm.compression.transfer import Transfer
from charlm.errors import ModelError

Write = Callable[[bytes], object]
_CONTINUES, _OF_CHARACTER = 0b11000000, 0b10000000


class Sizes(NamedTuple):
    """How large a file is: its bytes, its characters (bytes that go on with one in UTF-8 do not count), compressed."""

    bytes: int
    characters: int
    compressed: int


class _Content:
    """Adds up what a file holds."""

    def __init__(self) -> None:
        self.bytes = self.characters = 0
        self._digest = hashlib.sha256()

    def add(self, data: bytes) -> None:
        self._digest.update(data)
        self.bytes += len(data)
        self.characters += int(np.count_nonzero(np.frombuffer(data, np.uint8) & _CONTINUES != _OF_CHARACTER))

    def trailer(self) -> Trailer:
        return Trailer(self.bytes, self._digest.digest()[:CONTENT_BYTES])


class _Output:
    """Writes, and keeps count and a checksum of what was written."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self.bytes = self.check = 0

    def put(self, data: bytes) -> None:
        if data:
            self._write(data)
            self.bytes += len(data)
            self.check = zlib.crc32(data, self.check)


def compress(blocks: Iterable[bytes], write: Write, basis: Basis, passed: Callable[[int], None] | None = None) -> Sizes:
    """Compress a file.

    Args:
        blocks: its bytes.
        write: takes the compressed ones as they settle.
        basis: what the coding rests on.
        passed: is told how many of the file's bytes have been coded, now and then.

    Raises:
        ModelError: the model's figures are not finite.
    """
    output, content, encoder = _Output(write), _Content(), Encoder()
    with one_thread(), np.errstate(all="ignore"):
        output.put(basis.header().to_bytes())
        transfer = Transfer(encoder, basis)
        for data in segments_of(blocks, basis.tokenizer.unit):
            transfer.write(data)
            content.add(data)
            output.put(encoder.take())
            if passed is not None:
                passed(content.bytes)
        transfer.end()
    output.put(encoder.finish())
    output.put(content.trailer().to_bytes(output.check))
    return Sizes(content.bytes, content.characters, output.bytes)


def decompress(
    name: str,
    blocks: Iterable[bytes],
    write: Write,
    basis_with: Callable[[Mapping[str, Any]], Basis],
    passed: Callable[[int], None] | None = None,
) -> Sizes:
    """Decompress a file; what has been written is right only if this returns.

    Args:
        name: of the file, for messages.
        blocks: the compressed bytes.
        write: takes those of the file.
        basis_with: gives what the coding rests on, of what the header says that the predictor was made with.
        passed: is told how many of the compressed bytes have been read, now and then.

    Raises:
        InputError: it is damaged, or was not compressed by charlm.
        ModelError: it was compressed with another model, or where the same one computes other bits.
    """
    contents, content, ended = Contents(name, blocks), _Content(), False
    with one_thread(), np.errstate(all="ignore"):
        header = contents.header()
        basis = basis_with(header.about)
        basis.check(name, header)
        contents.check_short()
        try:
            transfer = Transfer(Decoder(contents.next_byte), basis)
            while (data := transfer.read()) is not None:
                content.add(data)
                write(data)
                if passed is not None:
                    passed(contents.read)
            ended = contents.next_byte() is None
        except DecodingError:
            pass  # what has become of it, the trailer tells
    if contents.trailer() != content.trailer() or not ended:
        # Every byte is as it was written, and the model is the same.
        raise ModelError(
            f"{name} is whole, but its content does not come out as it went in: this machine computes other bits than "
            "the one that it was compressed on. Decompress it there"
        )
    return Sizes(content.bytes, content.characters, contents.read)
