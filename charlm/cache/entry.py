"""The file of a corpus: its ids and its vocabulary, and a label that says what they are.

    sections    the ids to train on, those to validate with, and the arrays of the vocabulary
    label       a JSON object: where each section is, its type and checksum, and what a `Corpus` has besides
    trailer     what kind of file it is, the size of the label, and its SHA-256

The label stands behind the ids because what it says of them is known when they have been written. A file is never
changed once it is there. It is checked as if it came from a stranger: what is not exactly as it was written counts as
damaged, and is made anew.
"""

import errno
import hashlib
import json
import os
import secrets
import shutil
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from charlm.errors import CharlmError
from charlm.text.corpus import Corpus, Draft
from charlm.text.parts import Part
from charlm.text.store import Extent, Ids, Store, blocks_of
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import Vocabulary

TRAILER = struct.Struct("<8sQ32s")
MAGIC = b"charlm\x00\x01"
LONGEST_LABEL = 1 << 20
SPARE_BYTES = 1 << 30
"""So much space is left to others on the disk."""
_ALIGNMENT = 64
_PARTS = ("train", "valid")
_ARRAYS = ("data", "offsets", "counts")
_COUNTS = ("characters", "bytes", "unknown", "lines")
_FACTS = {"independent_lines": bool, "blank_lines": int, "types": int, "dropped_types": int, "overflowed": bool}
_LABEL = {"key": str, "name": str, "level": str, "unit": str, "lowercase": bool, "digests": list, **_FACTS}
_DTYPES = {np.dtype(kind).str for kind in ("u1", "u2", "u4", "u8", "i8")}


class DamagedError(Exception):
    """A file is not as it was written."""


class _Section:
    """A part of a file that is written from its place on, whatever is written elsewhere in between."""

    def __init__(self, file: IO[bytes], offset: int, extent: Extent) -> None:
        self._file = file
        self._offset = offset
        self._extent = extent
        self._written = 0
        self._checksum = 0

    @property
    def end(self) -> int:
        return self._offset + self._extent.length * self._extent.dtype.itemsize

    @property
    def label(self) -> list[Any]:
        return [self._extent.dtype.str, self._offset, self._extent.length, self._checksum]

    def append(self, ids: NDArray[np.integer[Any]]) -> None:
        data = np.ascontiguousarray(ids, self._extent.dtype)
        self._file.seek(self._offset + self._written)
        self._file.write(data.data)
        self._written += data.nbytes
        self._checksum = zlib.crc32(data.data, self._checksum)

    def finish(self) -> Ids:
        self._file.flush()
        return np.memmap(self._file, self._extent.dtype, "r", self._offset, (self._extent.length,))


def write_entry(path: Path, key: str, draft: Draft) -> None:
    """Encode a draft into a file, which is written beside its place and then renamed.

    Two processes that write the same one do not disturb each other: the later takes the place of the earlier.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    if shutil.disk_usage(path.parent).free < entry_bytes(draft) + SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb+") as file:
            _fill(file, key, draft)
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def entry_bytes(draft: Draft) -> int:
    """How large the file of a draft gets at most, but for its label."""
    vocabulary = draft.tokenizer.vocabulary
    arrays: int = sum(getattr(vocabulary, name).nbytes for name in _ARRAYS)
    return int(draft.counts.sum()) * np.min_scalar_type(len(vocabulary)).itemsize + arrays


def _fill(file: IO[bytes], key: str, draft: Draft) -> None:
    sections: dict[str, _Section] = {}
    end = 0

    def section(name: str, extent: Extent) -> _Section:
        nonlocal end
        sections[name] = _Section(file, -(-end // _ALIGNMENT) * _ALIGNMENT, extent)
        end = sections[name].end
        return sections[name]

    @contextmanager
    def stores(train: Extent, valid: Extent) -> Iterator[tuple[Store, Store]]:
        yield section("train", train), section("valid", valid)

    corpus = draft.encode(stores)
    for name in _ARRAYS:
        array = getattr(corpus.tokenizer.vocabulary, name)
        section(name, Extent(len(array), array.dtype)).append(array)
    label = {
        "key": key,
        "name": corpus.name,
        "level": corpus.tokenizer.level,
        "unit": corpus.tokenizer.unit,
        "lowercase": corpus.tokenizer.lowercase,
        "digests": [corpus.digest, corpus.valid_digest],
        **{name: getattr(corpus, name) for name in _FACTS},
        **{name: {count: getattr(getattr(corpus, name), count) for count in _COUNTS} for name in _PARTS},
        "sections": {name: each.label for name, each in sections.items()},
    }
    text = json.dumps(label, ensure_ascii=True, allow_nan=False).encode()
    file.seek(end)
    write_label(file, text)


def write_label(file: IO[bytes], text: bytes) -> None:
    """Close a file by a label, and by what tells that it is whole."""
    file.write(text + TRAILER.pack(MAGIC, len(text), hashlib.sha256(text).digest()))


def read_label(path: Path) -> dict[str, Any]:
    """What a file says of itself.

    Raises:
        OSError: it cannot be read.
        DamagedError: it is not as it was written.
    """
    label, end = read_closed_label(path)
    try:
        ends = [_end(*label["sections"][name]) for name in (*_PARTS, *_ARRAYS)]
        if max(ends) != end or any(type(label[name]) is not kind for name, kind in _LABEL.items()):
            raise DamagedError
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DamagedError from error
    return label


def read_closed_label(path: Path) -> tuple[dict[str, Any], int]:
    """The label that ``write_label`` closed a file by, and where it begins.

    Raises:
        OSError: it cannot be read.
        DamagedError: it is not as it was written.
    """
    with path.open("rb") as file:
        start = file.seek(0, os.SEEK_END) - TRAILER.size
        if start < 0:
            raise DamagedError
        file.seek(start)
        magic, size, digest = TRAILER.unpack(file.read(TRAILER.size))
        if magic != MAGIC or size > min(start, LONGEST_LABEL):
            raise DamagedError
        file.seek(start - size)
        text = file.read(size)
    if hashlib.sha256(text).digest() != digest:
        raise DamagedError
    try:
        label: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedError from error
    if not isinstance(label, dict):
        raise DamagedError
    return label, start - size


def _end(dtype: str, offset: int, length: int, _checksum: int) -> int:
    if dtype not in _DTYPES or type(offset) is not int or type(length) is not int or offset < 0 or length < 1:
        raise DamagedError
    return offset + length * np.dtype(dtype).itemsize


def read_entry(
    path: Path, key: str, name: str, tokenizer: Tokenizer | None, *, detected: bool, check: bool = True
) -> Corpus:
    """The corpus in a file, its ids mapped into memory.

    Args:
        path: of the file.
        key: that it was written under.
        name: what messages call the text now.
        tokenizer: the one that was given, if one was.
        detected: whether it was left to be found out if lines are independent.
        check: whether to look at every id, which takes a second for a gigabyte; not needed of what was just written.

    Raises:
        OSError: it cannot be read.
        DamagedError: it is not as it was written.
    """
    label = read_label(path)
    try:
        return _corpus_of(path, label, key, name, tokenizer, detected=detected, check=check)
    except (CharlmError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise DamagedError from error


def _corpus_of(
    path: Path,
    label: dict[str, Any],
    key: str,
    name: str,
    tokenizer: Tokenizer | None,
    *,
    detected: bool,
    check: bool,
) -> Corpus:
    sections = {each: _mapped(path, *label["sections"][each], check=check) for each in (*_PARTS, *_ARRAYS)}
    if tokenizer is None:
        vocabulary = Vocabulary.from_arrays(*(np.array(sections[each]) for each in _ARRAYS))
        tokenizer = Tokenizer(label["level"], label["unit"], vocabulary, label["lowercase"])
    digest, valid_digest = label["digests"]
    if label["key"] != key or not isinstance(digest, str) or not isinstance(valid_digest, str | None):
        raise DamagedError
    train, valid = (_part(sections[each], label[each], len(tokenizer), check=check) for each in _PARTS)
    return Corpus(
        name=name,
        tokenizer=tokenizer,
        train=train,
        valid=valid,
        detected=detected,
        digest=digest,
        valid_digest=valid_digest,
        **{fact: label[fact] for fact in _FACTS},
    )


def _part(ids: Ids, counts: dict[str, Any], size: int, *, check: bool) -> Part:
    if any(type(counts[count]) is not int or counts[count] < 0 for count in _COUNTS) or ids.dtype.kind != "u":
        raise DamagedError
    if check and any(int(block.max()) >= size for block in blocks_of(ids)):
        raise DamagedError
    return Part(ids, **{count: counts[count] for count in _COUNTS})


def _mapped(path: Path, dtype: str, offset: int, length: int, checksum: int, *, check: bool) -> Ids:
    array: Ids = np.memmap(path, np.dtype(dtype), "r", offset, (length,))
    if check:
        found = 0
        for block in blocks_of(array):
            found = zlib.crc32(block.data, found)
        if found != checksum:
            raise DamagedError
    return array
