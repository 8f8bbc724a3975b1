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


def is_longer(file: Path, size: int) -> bool:
    """Whether a log has more whole lines than those in its first bytes."""
    data = file.read_bytes() if file.is_file() else b""
    return len(data) > size and data.endswith(b"\n")
