"""Lines that were typed can be edited, and called back the next time, where the system has ``readline``."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MOST_LINES = 1000
"""Lines that are kept."""


def history_file() -> Path | None:
    """Where the lines are kept, as the platform has it; None where the user has no folder."""
    base = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(base):  # noqa: PTH117 - others do not count, says the specification
        return Path(base) / "charlm" / "sample_history"
    local = os.environ.get("LOCALAPPDATA", "")
    if sys.platform == "win32" and local:
        return Path(local) / "charlm" / "sample_history"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    folder = ("Library", "Application Support") if sys.platform == "darwin" else (".local", "state")
    return home.joinpath(*folder, "charlm", "sample_history")


@contextmanager
def line_history(*, wanted: bool) -> Iterator[None]:
    """Have lines edited and remembered while this lasts; that they cannot be kept does not matter."""
    try:
        import readline  # noqa: PLC0415 - not every system has it
    except ImportError:
        wanted = False
    path = history_file() if wanted else None
    if path is None:
        yield
        return
    with suppress(OSError):
        readline.read_history_file(path)
    try:
        yield
    finally:
        readline.set_history_length(MOST_LINES)
        with suppress(OSError):
            # For its user alone: what was typed is nobody else's business.
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            readline.write_history_file(path)
