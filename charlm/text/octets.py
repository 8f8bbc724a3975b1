"""The byte level: 256 bytes and the <EOS> that ends a file. Nothing is normalised, nothing can be unknown."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.errors import ModelError, UsageError
from charlm.text.labelled import Through
from charlm.text.level import Blocks, Codec, Indexer, Level, TypeFacts, check_range, to_utf8
from charlm.text.reading import ByteReader, Source
from charlm.text.store import GrowingStore
from charlm.text.vocabulary import BYTE_TOKENS, EOS, SPECIAL_TOKENS, Vocabulary, show_byte

SIZE = len(BYTE_TOKENS)
LINE_END = ord("\n") + 1


class ByteIndexer(Indexer):
    """Provisional and final ids are the same: byte b is b + 1."""

    def index(self, source: Source, encoding: str, store: GrowingStore, through: Through = iter) -> str:  # noqa: ARG002
        """Append a text's ids; the encoding does not matter, and bytes pass through nothing."""
        reader = ByteReader(source)
        for block in reader:
            store.append(_ids_of(block))
        if reader.size:
            store.append(np.array([EOS]))
        return reader.digest

    def facts(self) -> TypeFacts:
        """Facts of the 257 types; a byte counts as a character unless it continues one in UTF-8."""
        values = np.arange(256)
        spaces = [bytes([value]).isspace() for value in range(256)]
        return TypeFacts(
            characters=np.append(0, values & 0xC0 != 0x80).astype(np.int64),  # noqa: PLR2004
            bytes=np.append(0, np.ones(256, np.int64)),
            spaces=np.array([True, *spaces]),
            parted=np.zeros(SIZE, np.bool_),
            line_ends=(LINE_END,),
            raw=True,
        )

    def vocabulary(self, counts: NDArray[np.int64], min_count: int, max_vocab: int | None) -> Vocabulary:
        """The fixed vocabulary with these counts.

        Raises:
            UsageError: There is a limit, which a fixed vocabulary cannot keep.
        """
        if min_count != 1 or max_vocab is not None:
            raise UsageError("--min-count and --max-vocab do not go with --level byte, whose vocabulary is fixed")
        return Vocabulary.of_bytes(counts)

    def final_ids(self, vocabulary: Vocabulary) -> NDArray[np.int64]:
        """The identity."""
        return np.arange(len(vocabulary))


class ByteCodec(Codec):
    """Bytes to ids and back; a str is taken as its UTF-8."""

    line_end_id = LINE_END

    def encode(self, text: str | bytes, *, ended: bool) -> NDArray[np.int64]:
        """Ids of a text's bytes, followed by <EOS> if `ended`."""
        ids = _ids_of(_bytes_of(text)).astype(np.int64)
        return np.append(ids, EOS) if ended else ids

    def encode_blocks(self, blocks: Blocks) -> Iterator[NDArray[np.integer[Any]]]:
        """Ids of bytes that come in blocks, followed by <EOS>."""
        for block in blocks:
            yield _ids_of(_bytes_of(block))
        yield np.array([EOS])

    def decode(self, ids: NDArray[np.integer[Any]], after: int | None = None) -> str:
        """The bytes as UTF-8; those that are not come as lone surrogates, which `encode` turns back."""
        return self.decode_bytes(ids, after).decode("utf-8", "surrogateescape")

    def decode_bytes(self, ids: NDArray[np.integer[Any]], after: int | None = None) -> bytes:  # noqa: ARG002
        """The bytes themselves, whatever they come after; <EOS> is none."""
        checked = check_range(ids, SIZE)
        values: NDArray[np.uint8] = (checked[checked != EOS] - 1).astype(np.uint8)
        return values.tobytes()


def _bytes_of(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else to_utf8(text)


def _ids_of(data: bytes) -> NDArray[np.uint16]:
    return np.frombuffer(data, np.uint8) + np.uint16(1)


def _indexer(_unit: str, _lowercase: bool) -> Indexer:
    return ByteIndexer()


def _codec(_unit: str, _lowercase: bool, vocabulary: Vocabulary) -> Codec:
    if not vocabulary.raw:
        raise ModelError("the model's level is byte, but its vocabulary is not that of bytes: the file is damaged")
    return ByteCodec()


def _cut(_unit: str, _lowercase: bool, text: str | bytes) -> list[str]:
    return [show_byte(bytes([value])) for value in _bytes_of(text)]


def _cut_blocks(unit: str, lowercase: bool, blocks: Blocks) -> Iterator[list[str]]:
    for block in blocks:
        yield _cut(unit, lowercase, block)
    yield [SPECIAL_TOKENS[EOS]]


BYTE = Level(
    noun="byte",
    units=("file",),
    lowercases=False,
    indexer=_indexer,
    codec=_codec,
    cut=_cut,
    cut_blocks=_cut_blocks,
)
