"""The log of a run: one JSON object a line, of which the last ones may have to be taken back."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from charlm.errors import OutputError


def line(record: Mapping[str, Any]) -> bytes:
    """An object as a line of the log."""
    return json.dumps(record, ensure_ascii=True, allow_nan=False).encode() + b"\n"


def _opener(path: str, flags: int) -> int:
    """Open a file of the folder's own: a link would lead out of it, and a pipe would be waited for.

    A folder may come from anybody, with links in it to the files of whoever continues the run.
    """
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)


def append(file: Path, data: bytes) -> None:
    """Add lines.

    Raises:
        OutputError: they cannot be written.
    """
    try:
        with open(file, "ab", opener=_opener) as log:
            log.write(data)
    except OSError as error:
        raise OutputError(f"cannot write {file}: {error.strerror or error}. What was saved before is kept") from error


def cut(file: Path, size: int) -> None:
    """Cut a log back to a size in bytes, if there is one that is longer.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        if os.path.lexists(file):  # a link that leads nowhere, too
            # Opened in any case, so that a log that cannot be written is known before anything is trained.
            with open(file, "ab", opener=_opener) as log:
                if size < log.tell():
                    log.truncate(size)
    except OSError as error:
        raise OutputError(f"cannot write {file}: {error.strerror or error}") from error


def ends_with(file: Path, event: str, size: int) -> bool:
    """Whether what stands behind the first so many bytes of a log ends with a whole line that tells of this event."""
    data = file.read_bytes()[size:] if file.is_file() else b""
    if not data.endswith(b"\n"):
        return False
    try:
        last = json.loads(data.splitlines()[-1])
    except (ValueError, RecursionError):
        return False
    return isinstance(last, dict) and last.get("event") == event
