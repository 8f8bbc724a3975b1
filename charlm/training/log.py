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


def is_longer(file: Path, size: int) -> bool:
    """Whether a log has more whole lines than those in its first bytes."""
    data = file.read_bytes() if file.is_file() else b""
    return len(data) > size and data.endswith(b"\n")
