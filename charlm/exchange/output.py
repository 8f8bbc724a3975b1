"""Exported files, written whole or not at all, and over others only where that was asked for."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from charlm.checkpoint import MODEL_FILE
from charlm.errors import OutputError
from charlm.files import replacing

ADVICE = "Free some space or write elsewhere"


def write_files(files: Mapping[Path, bytes | Iterable[bytes]], *, overwrite: bool) -> None:
    """Write files in their order, and the folders that they lack.

    Args:
        files: the contents of each, whole or in parts that are made as they are written.
        overwrite: whether files that are there may be replaced.

    Raises:
        OutputError: one is there already and ``overwrite`` is False, or it cannot be written.
    """
    for path in files:
        if path.is_dir():
            raise OutputError(f"{path} is a folder: name a file to write, in it or elsewhere")
        if path.parent.is_file():
            raise OutputError(f"{path.parent} is a file: name a folder to write")
        if path.exists() and not overwrite:
            raise OutputError(f"{path} is there already: replace it with --overwrite, or write elsewhere")
    for path, data in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {path.parent}: {error.strerror or error}. {ADVICE}") from error
        with replacing(path, ADVICE) as file:
            file.writelines([data] if isinstance(data, bytes) else data)


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that is there for something else.

    Raises:
        OutputError: it holds a model of charlm, or anything at all where ``overwrite`` is False.
    """
    if (folder / MODEL_FILE).exists():
        raise OutputError(f"{folder} holds a model of charlm: name a folder of its own (which model, says --model)")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise OutputError(f"{folder} is not empty: write into it with --overwrite, or name another")
