"""Lines that were typed can be edited, and called back the next time, where the system has ``readline``."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from charlm.user_folders import user_folder

MOST_LINES = 1000
"""Lines that are kept."""


def history_file() -> Path | None:
    """Where the lines are kept, as the platform has it; None where the user has no folder."""
    folder = user_folder(
        "XDG_STATE_HOME", windows=("charlm",), darwin=("Library", "Application Support"), other=(".local", "state")
    )
    return None if folder is None else folder / "sample_history"


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
