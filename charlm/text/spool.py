"""Bytes that are put on the disk, in a temporary file, to be read again in blocks."""

import tempfile
import weakref
from collections.abc import Iterator

from charlm.text.store import disk_errors


class Spool:
    """A temporary file that goes away when nothing refers to it any more.

    Args:
        what: what messages call its content.

    Attributes:
        size: bytes so far.
    """

    def __init__(self, what: str) -> None:
        self.size = 0
        self._what = what
        with disk_errors(what):
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the spool
        weakref.finalize(self, self._file.close)

    def append(self, data: bytes | memoryview) -> None:
        """Add bytes at the end.

        Raises:
            OutputError: the temporary file cannot be written.
        """
        with disk_errors(self._what):
            self._file.seek(self.size)
            self.size += self._file.write(data)

    def blocks(self, size: int) -> Iterator[bytes]:
        """All of it in blocks of this size, the last one shorter; several may be gone through at a time.

        Raises:
            OutputError: what was written before does not fit on the disk.
        """
        place = 0
        while place < self.size:
            with disk_errors(self._what):
                self._file.seek(place)
                block = self._file.read(size)
            place += len(block)
            yield block
