"""Rows of numbers that may be more than memory holds: in memory while there is room, in temporary files beyond.

A temporary file has no name from the moment on that it is there (on Windows, it goes with the process), so nothing has
to be removed, however the process ends.
"""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from charlm.errors import OutputError

MEMORY = 512 << 20
"""Bytes where nobody said."""
_TABLES = 4
"""The share of memory that tables may fill is one in so many; the rest is for what is sorted and worked on."""
_RUN = 12
"""A run that is sorted in memory fills one in so many; sorting takes three times as much, and two are at it."""
_BLOCK = 64
"""Rows that are worked on at a time fill one in so many; they are unpacked into some ten columns."""


class Workspace:
    """Where tables are kept; use it as a context manager, so that their files go away whatever happens.

    Args:
        memory: bytes that counting may take, beside the program itself and its vocabulary.
        folder: for temporary files; None for the system's.
    """

    def __init__(self, memory: int = MEMORY, folder: Path | None = None) -> None:
        self._memory = memory
        self._folder = folder
        self._held = 0
        self._tables: set[Table] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for table in list(self._tables):
            table.close()

    def run_rows(self, width: int) -> int:
        """How many rows of so many words of 64 bits are sorted in memory."""
        return max(1, self._memory // (_RUN * 8 * width))

    def block_rows(self, width: int) -> int:
        """How many of them are worked on at a time."""
        return max(1, self._memory // (_BLOCK * 8 * width))

    def table(self, dtype: type[np.generic], *shape: int) -> "Table":
        """A new table of rows of this type and shape."""
        table = Table(self, np.dtype(dtype), shape)
        self._tables.add(table)
        return table

    def take(self, size: int) -> bool:
        """Whether there is room for so many bytes more in memory; if so, they are taken."""
        if self._held + size > self._memory // _TABLES:
            return False
        self._held += size
        return True

    def give_back(self, size: int) -> None:
        """Give back so many bytes of memory."""
        self._held -= size

    def forget(self, table: "Table") -> None:
        """A table has ended."""
        self._tables.discard(table)

    def file(self) -> IO[bytes]:
        """A temporary file."""
        return tempfile.TemporaryFile(dir=self._folder)

    @contextmanager
    def disk_errors(self) -> Iterator[None]:
        """Trouble with the temporary files as one message.

        Raises:
            OutputError: there was some.
        """
        try:
            yield
        except OSError as error:
            folder = self._folder or tempfile.gettempdir()
            raise OutputError(
                f"the temporary files for n-grams cannot be written in {folder}: {error.strerror or error}; free some "
                "space there, name another folder with --temporary, or give more memory with --memory"
            ) from error


class Table:
    """Rows, appended some at a time; made by a workspace."""

    def __init__(self, workspace: Workspace, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self._workspace = workspace
        self._dtype, self._shape = dtype, shape
        self._row_bytes = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        self._file: IO[bytes] = io.BytesIO()
        self._taken = 0  # bytes in memory
        self._in_memory = True
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, rows: NDArray[Any]) -> None:
        """Append rows [n, *shape].

        Raises:
            OutputError: a temporary file cannot be written.
        """
        data = np.ascontiguousarray(rows, self._dtype)
        if self._in_memory:
            if self._workspace.take(data.nbytes):
                self._taken += data.nbytes
            else:
                self._move()
        with self._workspace.disk_errors():
            self._file.seek(0, io.SEEK_END)
            self._file.write(data.reshape(-1).view(np.uint8).data)
        self._length += len(data)

    def read(self, begin: int, end: int) -> NDArray[Any]:
        """Rows from ``begin`` on, and before ``end``, as a new array.

        Raises:
            OutputError: a temporary file cannot be written, or not be read.
        """
        rows = np.empty((max(0, min(end, self._length) - begin), *self._shape), self._dtype)
        with self._workspace.disk_errors():
            self._file.seek(begin * self._row_bytes)
            read = self._file.readinto(rows.reshape(-1).view(np.uint8).data)  # type: ignore[attr-defined]  # of both
        if read != rows.nbytes:
            raise OutputError("a temporary file for n-grams has been cut short by another program: start again")
        return rows

    def blocks(self, rows: int) -> Iterator[NDArray[Any]]:
        """All rows, so many at a time."""
        for begin in range(0, self._length, rows):
            yield self.read(begin, begin + rows)

    def finish(self) -> NDArray[Any]:
        """All rows as one array: in memory, or mapped from a file without a name. The table ends there.

        Raises:
            OutputError: a temporary file cannot be written.
        """
        shape = (self._length, *self._shape)
        if isinstance(self._file, io.BytesIO):
            # The view shares the buffer, so nothing is copied.
            array: NDArray[Any] = np.frombuffer(self._file.getbuffer(), self._dtype).reshape(shape)
            array.flags.writeable = False
            # What it takes is counted still: the model is in memory as long as others are made from it.
            self._workspace.forget(self)
            return array
        if not self._length:
            array = self.read(0, 0)
        else:
            with self._workspace.disk_errors():
                self._file.flush()
                # A view, since what is looked up in an np.memmap is one too, and slower.
                array = np.asarray(np.memmap(self._file, self._dtype, "r", shape=shape))
        self.close()
        return array

    def close(self) -> None:
        """Give back its memory or its file."""
        self._file.close()
        self._workspace.forget(self)
        self._give_back()

    def _give_back(self) -> None:
        self._workspace.give_back(self._taken)
        self._taken = 0

    def _move(self) -> None:
        """To a temporary file."""
        with self._workspace.disk_errors():
            file = self._workspace.file()
            try:
                if isinstance(self._file, io.BytesIO):
                    with self._file.getbuffer() as held:
                        file.write(held)
            except BaseException:
                file.close()
                raise
        self._file.close()
        self._file, self._in_memory = file, False
        self._give_back()
