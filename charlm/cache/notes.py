"""The digest of what a file holds, mostly without reading it.

For each file that was read a note says how large it was, when it was changed, which inode it was, and what its
digest is. As long as all of that is as it was, the file is taken to be as it was, as make, git and rsync take it.

What could fool it: a program that writes into a file in place, keeps its size, and sets its time back to what it
was; and a file system that gives inodes again and times to the second, if a file is replaced by another of its size
within that second. For that reason a file that was changed just before it was read is not trusted
(`YOUNG_SECONDS`): it is read again to see what it holds. ``touch FILE`` or ``charlm cache --clear`` helps in any case.
"""

import hashlib
import json
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from charlm.errors import OutputError
from charlm.files import write_atomically
from charlm.text.reading import ByteReader, Source

YOUNG_SECONDS = 2.0
"""Changes may come so soon after one another that they bear the same time; FAT counts in steps of two seconds."""


class Stamp(NamedTuple):
    """What is known of a file without reading it."""

    size: int
    changed_ns: int
    inode: int
    device: int


def stamp_of(source: Source) -> Stamp | None:
    """The stamp of a source; None if it is no regular file."""
    if source.path is None:
        return None
    try:
        found = source.path.stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)


class Notes:
    """The notes in a folder.

    Args:
        folder: where they are; it need not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def digests(self, sources: tuple[Source, ...]) -> tuple[str, ...] | None:
        """The digest of what each source holds; None where no text like that was ever read.

        A file that is not as it was noted is read, if a text of its size was: it may be a copy, or an old one again.

        Raises:
            InputError: a file cannot be read.
        """
        stamps = [stamp_of(source) for source in sources]
        if not all(stamp is not None and self._was_read(stamp) for stamp in stamps):
            return None
        return tuple(
            self._noted(source, stamp) or self._read(source, stamp)
            for source, stamp in zip(sources, stamps, strict=True)
            if stamp is not None
        )

    def write(self, source: Source, before: Stamp | None, digest: str) -> None:
        """Note what a source held when it was read; its stamp is that of ``before`` reading began.

        Nothing is noted if the file has changed since; that it cannot be written does not matter.
        """
        if before is None or stamp_of(source) != before:
            return
        trusted = time.time() - before.changed_ns / 1e9 > YOUNG_SECONDS
        note = {"stamp": before if trusted else None, "digest": digest}
        with suppress(OutputError):
            write_atomically(self._path(source, before), json.dumps(note).encode())

    def _path(self, source: Source, stamp: Stamp) -> Path:
        # The name begins with the size, so that texts of the same size are found by it.
        name = hashlib.sha256(os.fsencode(os.path.realpath(source.path or ""))).hexdigest()[:32]
        return self.folder / f"{stamp.size}-{name}.json"

    def _was_read(self, stamp: Stamp) -> bool:
        return any(True for _ in self.folder.glob(f"{stamp.size}-*.json"))

    def _noted(self, source: Source, stamp: Stamp) -> str | None:
        path = self._path(source, stamp)
        try:
            note: Any = json.loads(path.read_bytes())
            digest = str(note["digest"]) if note["stamp"] == list(stamp) else None
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        with suppress(OSError):
            os.utime(path)
        return digest

    def _read(self, source: Source, stamp: Stamp) -> str:
        reader = ByteReader(source)
        for _ in reader:
            pass
        self.write(source, stamp, reader.digest)
        return reader.digest
