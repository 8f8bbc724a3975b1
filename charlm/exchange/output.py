"""Exported files, written whole or not at all, and over others only where that was asked for."""

from collections.abc import Mapping
from pathlib import Path

from charlm.errors import OutputError
from charlm.files import write_atomically


def write_files(files: Mapping[Path, bytes], *, overwrite: bool) -> None:
    """Write files in their order, and the folders that they lack.

    Raises:
        OutputError: one is there already and ``overwrite`` is False, or it cannot be written.
    """
    for path in files:
        if path.is_dir():
            raise OutputError(f"{path} is a folder: name a file to write, in it or elsewhere")
        if path.exists() and not overwrite:
            raise OutputError(f"{path} is there already: replace it with --overwrite, or write elsewhere")
    for path, data in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
        except (OSError, OutputError) as error:
            # The advice of write_atomically is for a model's folder.
            reason = error.__cause__ if isinstance(error, OutputError) else error
            why = getattr(reason, "strerror", None) or error
            raise OutputError(f"cannot write {path}: {why}. Free some space or write elsewhere") from error
