"""The digest of what files hold, mostly without reading them.

For the files of a corpus a note says how large each was, when it was changed, which inode it was, and what its digest
is. As long as all of that is as it was, the files are taken to be as they were, as make, git and rsync take it.

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


Stamps = tuple[Stamp, ...]


def stamps_of(sources: tuple[Source, ...]) -> Stamps | None:
    """The stamps of sources; None if one is no regular file."""
    stamps = tuple(map(stamp_of, sources))
    return None if None in stamps else tuple(stamp for stamp in stamps if stamp is not None)


def total_size(stamps: Stamps) -> int:
    """The size of all of the files."""
    return sum(stamp.size for stamp in stamps)


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
        """The digest of what each source holds; None where nothing like that was ever read.

        Files that are not as they were noted are read, if files of their size were: they may be copies, or old ones
        again.

        Raises:
            InputError: a file cannot be read.
        """
        stamps = stamps_of(sources)
        if stamps is None or not any(True for _ in self.folder.glob(f"{total_size(stamps)}-*.json")):
            return None
        return self._noted(sources, stamps) or self._read(sources, stamps)

    def write(self, sources: tuple[Source, ...], before: Stamps | None, digests: tuple[str, ...]) -> None:
        """Note what sources held when they were read; their stamps are those of ``before`` reading began.

        Nothing is noted if a file has changed since; that it cannot be written does not matter.
        """
        if before is None or stamps_of(sources) != before:
            return
        trusted = time.time() - max(stamp.changed_ns for stamp in before) / 1e9 > YOUNG_SECONDS
        note = {"stamps": before if trusted else None, "digests": digests}
        with suppress(OutputError):
            write_atomically(self._path(sources, before), json.dumps(note).encode())

    def _path(self, sources: tuple[Source, ...], stamps: Stamps) -> Path:
        # The name begins with the size, so that texts of the same size are found by it.
        name = hashlib.sha256()
        for source in sources:
            name.update(os.fsencode(os.path.realpath(source.path or "")) + b"\0")
        return self.folder / f"{total_size(stamps)}-{name.hexdigest()[:32]}.json"

    def _noted(self, sources: tuple[Source, ...], stamps: Stamps) -> tuple[str, ...] | None:
        path = self._path(sources, stamps)
        try:
            note: Any = json.loads(path.read_bytes())
            same = note["stamps"] == [list(stamp) for stamp in stamps]
            digests = tuple(map(str, note["digests"])) if same else ()
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        if len(digests) != len(sources):
            return None
        with suppress(OSError):
            os.utime(path)
        return digests

    def _read(self, sources: tuple[Source, ...], stamps: Stamps) -> tuple[str, ...]:
        digests = tuple(map(_digest_of, sources))
        self.write(sources, stamps, digests)
        return digests


def _digest_of(source: Source) -> str:
    reader = ByteReader(source)
    for _ in reader:
        pass
    return reader.digest
