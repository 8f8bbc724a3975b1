"""Ids appended one array after another, kept in as few bytes as their values need."""

import io
import mmap
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import IO, Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from charlm.errors import OutputError

Ids = NDArray[np.unsignedinteger[Any]]
"""One-dimensional array of ids in the smallest unsigned type that holds them."""

_Integer = TypeVar("_Integer", bound=np.integer[Any])
_Entry = TypeVar("_Entry", bound=np.generic)

BYTES = 256

# Beyond this many bytes a store moves to a temporary file, whose pages the system can drop at need.
MEMORY_BYTES = 16 << 20

BLOCK_IDS = 1 << 20

_WHAT = "the text's ids"


def blocks_of(ids: NDArray[_Integer], size: int = BLOCK_IDS) -> Iterator[NDArray[_Integer]]:
    """Views of `size` consecutive ids each (the last may be shorter), as plain arrays."""
    plain = np.asarray(ids)
    for start in range(0, len(plain), size):
        yield plain[start : start + size]


def passed_blocks(ids: NDArray[_Entry], size: int = BLOCK_IDS) -> Iterator[NDArray[_Entry]]:
    """As ``blocks_of``; of a mapped file, no more than a block is in memory, until it is read again."""
    mapped = _mapping(ids)
    plain = np.asarray(ids)
    for start in range(0, len(plain), size):
        yield plain[start : start + size]
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)


def _mapping(array: NDArray[Any]) -> mmap.mmap | None:
    """The mapped file whose pages an array can do without; None where there is none."""
    # Pages that may be written to may be nowhere else, and Windows has no such advice.
    if array.flags.writeable or not hasattr(mmap, "MADV_DONTNEED"):
        return None
    base: Any = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    return base


def look_up(table: NDArray[_Entry], ids: NDArray[np.integer[Any]]) -> NDArray[_Entry]:
    """``table[ids]``, several times as fast where both are bytes; read-only then."""
    if ids.dtype != np.uint8 or table.dtype.itemsize != 1:
        found: NDArray[_Entry] = table[ids]
        return found
    # What is not in the table is not in the ids.
    padded = table.tobytes().ljust(BYTES, b"\0")
    return np.frombuffer(ids.tobytes().translate(padded), table.dtype)


def count_ids(ids: NDArray[np.integer[Any]], types: int) -> NDArray[np.int64]:
    """How often each of so many types occurs, int64 [types]; bytes are counted in pairs, which is twice as fast."""
    if ids.dtype != np.uint8 or len(ids) < BYTES * BYTES:
        return np.bincount(ids, minlength=types)
    even = len(ids) // 2 * 2
    pairs = np.bincount(ids[:even].view(np.uint16), minlength=BYTES * BYTES).reshape(BYTES, BYTES)
    counts: NDArray[np.int64] = pairs.sum(axis=0) + pairs.sum(axis=1) + np.bincount(ids[even:], minlength=BYTES)
    # Bytes have 257 types, of which the last may not occur: then ids fit into bytes all the same.
    return np.append(counts, np.zeros(max(0, types - BYTES), np.int64))[:types]


class Extent(NamedTuple):
    """How many ids a store will hold, and of which type."""

    length: int
    dtype: np.dtype[np.unsignedinteger[Any]]


class Store(Protocol):
    """Where ids are put, one array after another."""

    def append(self, ids: NDArray[np.integer[Any]]) -> None:
        """Append non-negative ids of any integer type."""

    def finish(self) -> Ids:
        """All ids as one read-only array."""


Stores = Callable[[Extent, Extent], AbstractContextManager[tuple[Store, Store]]]
"""Makes the stores of a text's two parts, of which it is known how large they get."""


class GrowingStore:
    """Ids appended one array after another; uint8 at first, wider from the first id on that needs it.

    Use it as a context manager, so that the temporary file goes away when something fails on the way. The
    array that `finish` returns stays valid after that.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES) -> None:
        self._memory_bytes = memory_bytes
        self._file: IO[bytes] = io.BytesIO()
        self._in_memory = True
        self._length = 0
        self.dtype: np.dtype[np.unsignedinteger[Any]] = np.dtype(np.uint8)

    def __len__(self) -> int:
        return self._length

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # A BytesIO whose buffer an array shares can be neither closed nor need it.
        if not self._in_memory:
            self._file.close()

    def append(self, ids: NDArray[np.integer[Any]]) -> None:
        """Append non-negative ids of any integer type.

        Raises:
            OutputError: The temporary file cannot be written.
        """
        if not ids.size:
            return
        needed = np.min_scalar_type(int(ids.max()))
        if needed.itemsize > self.dtype.itemsize:
            self._widen(np.dtype(needed))
        length = self._length + ids.size
        with disk_errors(_WHAT):
            if self._in_memory and length * self.dtype.itemsize > self._memory_bytes:
                self._move(self.dtype, in_memory=False)
            self._file.write(ids.astype(self.dtype, copy=False).data)
        self._length = length

    def finish(self, *, writeable: bool = False) -> Ids:
        """All ids as one array: in memory, or a `np.memmap` of an unlinked file.

        Args:
            writeable: Whether they may be changed in place; the file has all of its space by then.

        Raises:
            OutputError: The temporary file cannot be written.
        """
        if self._in_memory:
            # The view shares the buffer, so nothing is copied.
            ids: Ids = np.frombuffer(_buffer(self._file), self.dtype, self._length)
            ids.flags.writeable = writeable
            return ids
        with disk_errors(_WHAT):
            self._file.flush()
            mapped: Ids = np.memmap(self._file, self.dtype, "r+" if writeable else "r", shape=(self._length,))
            self._file.close()
        return mapped

    def _widen(self, dtype: np.dtype[np.unsignedinteger[Any]]) -> None:
        in_memory = self._in_memory and self._length * dtype.itemsize <= self._memory_bytes
        with disk_errors(_WHAT):
            self._move(dtype, in_memory=in_memory)
        self.dtype = dtype

    def _move(self, dtype: np.dtype[np.unsignedinteger[Any]], *, in_memory: bool) -> None:
        """Rewrite what is there in `dtype`, block by block, to a new place."""
        old, new = self._file, io.BytesIO() if in_memory else tempfile.TemporaryFile()  # noqa: SIM115
        try:
            old.seek(0)
            while block := old.read(BLOCK_IDS * self.dtype.itemsize):
                new.write(np.frombuffer(block, self.dtype).astype(dtype).data)
        except BaseException:
            new.close()
            raise
        old.close()
        self._file, self._in_memory = new, in_memory


@contextmanager
def growing_stores(first: Extent, second: Extent) -> Iterator[tuple[Store, Store]]:
    """Stores in memory, or in temporary files where they are large; what is said of their size does not matter."""
    del first, second
    with GrowingStore() as train, GrowingStore() as valid:
        yield train, valid


def _buffer(file: IO[bytes]) -> memoryview:
    if not isinstance(file, io.BytesIO):
        raise TypeError("only a file in memory has a buffer")
    return file.getbuffer()


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """While this lasts, an OSError is an OutputError: that the temporary file for this cannot be written."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the temporary file for {what} cannot be written in {tempfile.gettempdir()}: "
            f"{error.strerror or error}; free some space there, or point TMPDIR at another folder"
        ) from error
