"""The folder that ids are kept in: where it is, what is in it, and what has to go.

    ids/        an entry a corpus: `entry.py`; its time of change is that of its last use
    suffixes/   the suffixes of a text in order: `charlm/novelty/index.py`; likewise
    recipes/    which entry came of what was asked for: `keys.py`
    texts/      what files hold: `notes.py`

Only files of these names are ever removed, so that it does no harm if the folder is used for something else too.
"""

import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from charlm.cache.entry import DamagedError, read_closed_label, read_label
from charlm.errors import OutputError
from charlm.files import write_atomically
from charlm.user_folders import user_folder

Found = TypeVar("Found")
VARIABLE = "CHARLM_CACHE"
"""The environment variable that names the folder; empty for no cache."""
MOST_BYTES = 10_000_000_000
"""What the entries may take together; those that were used longest ago go first."""
DAY = 86_400.0

_ENTRY = re.compile(r"[0-9a-f]{32}\.ids")
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}")
_FILES = {
    "ids": _ENTRY,
    "suffixes": re.compile(r"[0-9a-f]{32}\.suffixes"),
    "recipes": re.compile(r"[0-9a-f]{32}\.json"),
    "texts": re.compile(r"\d+-[0-9a-f]{32}\.json"),
}
_ENTRIES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "ids": read_label,
    "suffixes": lambda path: read_closed_label(path)[0],
}
"""What takes room, and what reads its label."""


def default_folder() -> Path | None:
    """The user's folder for charlm's cache, as the platform has it; None where there is to be none."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named).absolute() if named else None
    return user_folder("XDG_CACHE_HOME", windows=("charlm", "cache"), darwin=("Library", "Caches"), other=(".cache",))


@dataclass(frozen=True)
class Kept:
    """An entry.

    Attributes:
        path: of its file.
        size: in bytes.
        used: when it was last used, in seconds since 1970.
        label: what it says of itself; None if it is damaged.
    """

    path: Path
    size: int
    used: float
    label: dict[str, Any] | None = None


class CacheFolder:
    """What is kept in a folder; making the object touches nothing.

    Args:
        path: of the folder.
        most_bytes: what entries may take together.
    """

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        self.path = path
        self.most_bytes = most_bytes
        self.texts = path / "texts"

    def entry(self, key: str) -> Path:
        """The file of an entry."""
        return self.path / "ids" / f"{key}.ids"

    def taken(self, path: Path, read: Callable[[Path], Found]) -> Found | None:
        """What is read of an entry, which counts as used; None if there is none, or none that is sound.

        Args:
            path: of its file; a damaged one is removed.
            read: reads it, and raises ``OSError`` or ``DamagedError``.
        """
        try:
            found = read(path)
        except OSError:
            return None
        except DamagedError:
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)
        return found

    def suffixes(self, key: str) -> Path:
        """The file of the suffixes of a text."""
        return self.path / "suffixes" / f"{key}.suffixes"

    def make(self) -> None:
        """Make the folder, for its user alone: what a text was is plain from its ids.

        Raises:
            OSError: that cannot be done.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in _FILES:
            (self.path / name).mkdir(exist_ok=True)

    def check(self) -> None:
        """Check that files can be written into the folder, which is made if it is not there.

        Raises:
            OSError: they cannot.
        """
        self.make()
        probe = self.path / "ids" / f".writable.{secrets.token_hex(8)}"
        probe.touch(exist_ok=False)
        probe.unlink()

    def recall(self, recipe: str) -> str | None:
        """The key of the entry that came of a recipe, None if there was none."""
        try:
            found: Any = json.loads(self._recipe(recipe).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return found if isinstance(found, str) and _ENTRY.fullmatch(f"{found}.ids") else None

    def remember(self, recipe: str, key: str) -> None:
        """Note which entry came of a recipe; that it cannot be written does not matter."""
        with suppress(OutputError):
            write_atomically(self._recipe(recipe), json.dumps(key).encode())

    def _recipe(self, recipe: str) -> Path:
        return self.path / "recipes" / f"{recipe}.json"

    def kept(self, *, labels: bool = False) -> list[Kept]:
        """The entries, those that were used last first.

        Args:
            labels: whether to read what they say of themselves.
        """
        found = []
        for path in (*self._files("ids"), *self._files("suffixes")):
            with suppress(OSError):
                about = path.stat()
                found.append(Kept(path, about.st_size, about.st_mtime, _label(path) if labels else None))
        return sorted(found, key=lambda each: (-each.used, each.path))

    def _files(self, name: str) -> Iterator[Path]:
        with suppress(OSError):
            yield from (path for path in (self.path / name).iterdir() if _FILES[name].fullmatch(path.name))

    def tidy(self) -> None:
        """Remove entries beyond the limit, and what is of no use any more; what cannot be removed stays."""
        total = 0
        for each in self.kept():
            total += each.size
            if total > self.most_bytes:
                _remove(each.path)
        left = self.kept()
        keys = {each.path.stem for each in left}
        for path in self._files("recipes"):
            if self.recall(path.stem) not in keys:
                _remove(path)
        # No entry that is left was made from, or used with, a text that was looked at so long ago.
        oldest = min((each.used for each in left), default=time.time()) - DAY
        self._remove_before(self._files("texts"), oldest)
        self._remove_before(self._temporaries(), time.time() - DAY)

    def _temporaries(self) -> Iterator[Path]:
        """What was left by processes that were killed, or is just being written."""
        for name in _FILES:
            with suppress(OSError):
                yield from (path for path in (self.path / name).iterdir() if _TEMPORARY.fullmatch(path.name))

    @staticmethod
    def _remove_before(paths: Iterator[Path], when: float) -> None:
        for path in paths:
            with suppress(OSError):
                if path.stat().st_mtime < when:
                    path.unlink()

    def clear(self, older_than: float = 0.0) -> list[Kept]:
        """Remove entries, and with the last of them everything.

        Args:
            older_than: only those that have not been used for so many seconds.

        Returns:
            What was removed.

        Raises:
            OutputError: an entry cannot be removed.
        """
        before = time.time() - older_than
        gone = [each for each in self.kept() if not older_than or each.used <= before]
        for each in gone:
            try:
                each.path.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(
                    f"cannot remove {each.path}: {error.strerror or error}. Make its folder writable, or end its user"
                ) from error
        if not older_than:
            for path in (*self._files("recipes"), *self._files("texts"), *self._temporaries()):
                _remove(path)
        self.tidy()
        return gone


def _label(path: Path) -> dict[str, Any] | None:
    try:
        return _ENTRIES[path.parent.name](path)
    except (OSError, DamagedError):
        return None


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
