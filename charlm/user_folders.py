"""Where a user's files of a kind belong, as the platform has it."""

import os
import sys
from pathlib import Path


def user_folder(
    variable: str, *, windows: tuple[str, ...], darwin: tuple[str, ...], other: tuple[str, ...]
) -> Path | None:
    """The folder of the XDG Base Directory Specification, or the platform's own; None where the user has none.

    Args:
        variable: the specification's, such as XDG_CACHE_HOME; ``charlm`` stands below what it names.
        windows: below LOCALAPPDATA.
        darwin: below the home folder on macOS.
        other: below the home folder elsewhere.
    """
    base = os.environ.get(variable, "")
    if os.path.isabs(base):  # noqa: PTH117 - others do not count, says the specification
        return Path(base) / "charlm"
    local = os.environ.get("LOCALAPPDATA", "")
    if sys.platform == "win32" and local:
        return Path(local).joinpath(*windows)
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home.joinpath(*(darwin if sys.platform == "darwin" else other), "charlm")
