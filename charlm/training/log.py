"""The log of a run: one JSON object a line, of which the last ones may have to be taken back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from charlm.errors import OutputError


def line(record: Mapping[str, Any]) -> bytes:
    """An object as a line of the log."""
    return json.dumps(record, ensure_ascii=True, allow_nan=False).encode() + b"\n"


def append(file: Path, data: bytes) -> None:
    """Add lines.

    Raises:
        OutputError: they cannot be written.
    """
    try:
        with file.open("ab") as log:
            log.write(data)
    except OSError as error:
        raise OutputError(f"cannot write {file}: {error.strerror or error}. What was saved before is kept") from error


def cut(file: Path, size: int) -> None:
    """Cut a log back to a size in bytes, if there is one that is longer.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        if file.exists():
            # Opened in any case, so that a log that cannot be written is known before anything is trained.
            with file.open("ab") as log:
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
