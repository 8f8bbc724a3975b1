"""The index of a text, from the cache if it is there: else it is built, and kept there for the next time."""

import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from charlm.cache.entry import SPARE_BYTES
from charlm.cache.folder import CacheFolder, default_folder
from charlm.errors import OutputError
from charlm.novelty.index import SuffixIndex, index_bytes, key_of, write_index
from charlm.text.store import Ids


def index_of(ids: Ids, building: Callable[[], None] = lambda: None) -> SuffixIndex:
    """The index of a text.

    Args:
        ids: uint8, uint16 or uint32 [N].
        building: called before it is built, which for 100 MB takes minutes.

    Raises:
        OutputError: there is no space for it.
    """
    key, path = key_of(ids), default_folder()
    folder = None if path is None else CacheFolder(path)
    if folder is not None:
        found = folder.taken(folder.suffixes(key), lambda path: SuffixIndex(path, key))
        if found is not None:
            return found
    building()
    if folder is not None and index_bytes(ids) <= folder.most_bytes:
        with suppress(OSError):
            return _keep(folder, key, ids)
    return _for_now(ids)


def _keep(folder: CacheFolder, key: str, ids: Ids) -> SuffixIndex:
    """Build an index beside its place, and put it there.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    folder.make()
    path = folder.suffixes(key)
    if shutil.disk_usage(path.parent).free < index_bytes(ids) + SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            write_index(file, ids)
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    found = SuffixIndex(path, key, check=False)
    folder.tidy()
    return found


def _for_now(ids: Ids) -> SuffixIndex:
    """An index whose file is gone as soon as nobody uses it; where a file in use cannot be removed, it stays."""
    try:
        handle, name = tempfile.mkstemp(suffix=".suffixes")
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                write_index(file, ids)
            return SuffixIndex(path, check=False)
        finally:
            with suppress(OSError):
                path.unlink()
    except OSError as error:
        raise OutputError(
            f"the index of the training text cannot be written in {tempfile.gettempdir()}: "
            f"{error.strerror or error}; free some space there, or point TMPDIR at another folder"
        ) from error
