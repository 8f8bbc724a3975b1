"""One trainer at a time in a folder: the system's lock on an open file, which dies with its process.

The file says who holds the lock, for the message that another trainer gets. That it is there says nothing: a process
that was killed leaves it, and the next one takes it over.
"""

import contextlib
import errno
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from charlm.errors import OutputError
from charlm.files import FREE_OR_MOVE

LOCK_FILE = ".lock"
ATTEMPTS = 10
PAUSE_SECONDS = 0.02
"""Between two attempts: somebody may only be looking whether the lock is held."""
_REFUSALS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
"""What a file system says that has no locks, as some in a network."""

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30
    """Where the locked byte is: what is locked there cannot be read, and the file's text is to be."""

    def _take(file: IO[bytes]) -> bool:
        """Whether the lock could be had."""
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EDEADLK):
                return False
            raise
        return True

else:
    import fcntl

    def _take(file: IO[bytes]) -> bool:
        """Whether the lock could be had."""
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Lock:
    """A lock that is held, or the lack of one where the file system has none.

    Attributes:
        held: whether others are kept out.
    """

    def __init__(self, path: Path, file: IO[bytes] | None) -> None:
        self._path = path
        self._file = file
        self.held = file is not None

    def release(self) -> None:
        """Let others in; a second time does nothing."""
        if self._file is None:
            return
        file, self._file = self._file, None
        # Removed while it is held, nobody who waits for this file can take it for the folder's lock. Windows lets no
        # open file be removed, neither this one nor one that somebody has opened in between.
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                file.close()
                self._path.unlink()
            elif _is_at(file, self._path):
                self._path.unlink()
        file.close()


def acquire(folder: Path) -> Lock:
    """Lock a folder.

    Raises:
        OutputError: another process holds its lock, which the message names, or the folder cannot be written.
    """
    path = folder / LOCK_FILE
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE_SECONDS if attempt else 0)
        try:
            lock = _try(path)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}. {FREE_OR_MOVE}") from error
        if lock is not None:
            return lock
    raise OutputError(
        f"{folder} is being trained already, by {_holder(path)}: wait for its end, stop it with Ctrl-C, "
        "or write elsewhere with --model OTHER"
    )


def _try(path: Path) -> Lock | None:
    """The lock, if nobody else has it."""
    # Unbuffered: what a full disk refuses must not be tried again when the file is closed.
    file = path.open("ab", buffering=0)
    lock = Lock(path, file)
    try:
        try:
            if not _take(file):
                file.close()
                return None
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise
            lock.release()
            return Lock(path, None)
        if not _is_at(file, path):
            # Whoever had it has removed it meanwhile: the folder's lock is another file now, or none.
            file.close()
            return None
        file.truncate(0)
        file.write(_myself())
    except BaseException:
        lock.release()
        raise
    return lock


def _is_at(file: IO[bytes], path: Path) -> bool:
    """Whether an open file is the one that has the name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _myself() -> bytes:
    now = datetime.now(tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return json.dumps({"pid": os.getpid(), "host": platform.node(), "since": now}).encode() + b"\n"


def _holder(path: Path) -> str:
    """Who holds the lock, as far as can be read."""
    try:
        about = json.loads(path.read_bytes())
        where = "" if about["host"] == platform.node() else f" on {about['host']}"
        return f"process {about['pid']}{where} since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
