"""The moments at which a command touches the files of a folder, and what may strike there.

A child process installs a ``Moments`` before it runs a command. Every write, flush, rename, removal, cut and new folder
below the watched folder is a moment; they are counted, and at the chosen one something happens: before it, after it, or
with half of a write done.
"""

import builtins
import io
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self

Phase = Literal["before", "half", "after"]
PHASES: tuple[Phase, ...] = ("before", "half", "after")


def kill() -> None:
    """End this process as a power cut would: nothing is cleared up."""
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(number: int) -> Callable[[], None]:
    """What the system does when it refuses with this error."""

    def strike() -> None:
        raise OSError(number, os.strerror(number))

    return strike


def vanish(folder: Path) -> Callable[[], None]:
    """Somebody removes the folder."""
    return lambda: shutil.rmtree(folder)


class Moments:
    """Counts moments, and strikes at one of them.

    Args:
        folder: what is below it counts.
        at: the moment to strike at; None only counts.
        phase: when, of that moment.
        strike: what happens then.
        kinds: which kinds of moments count: write, fsync, rename, remove, cut, mkdir; empty for all.
        naming: what must stand in the name of the file for a moment to count.
        lasts: whether it happens again at every later moment that counts, as on a disk that stays full.

    Attributes:
        names: what was done at the moments so far.
    """

    def __init__(
        self,
        folder: Path,
        at: int | None = None,
        phase: Phase = "before",
        strike: Callable[[], None] = kill,
        *,
        kinds: tuple[str, ...] = (),
        naming: str = "",
        lasts: bool = False,
    ) -> None:
        self.names: list[str] = []
        self._folder = str(folder)
        self._at = at
        self._phase = phase
        self._strike = strike
        self._kinds = kinds
        self._naming = naming
        self._lasts = lasts

    def install(self) -> None:
        """Watch this process from now on; nothing takes the watch away."""
        self._watch(os, "replace", "rename", 1)
        self._watch(os, "unlink", "remove", 0)
        self._watch(os, "mkdir", "mkdir", 0)
        fsync, opened = os.fsync, io.open

        def watched_fsync(descriptor: int) -> None:
            # Its file is named only by the system; all that this process flushes is below the folder.
            self.reach("fsync", "", lambda: fsync(descriptor))

        def watched_open(path: Any, mode: str = "r", *more: Any, **options: Any) -> Any:
            file = opened(path, mode, *more, **options)
            writes = self._is_below(path) and any(letter in mode for letter in "wax+")
            return WatchedFile(file, self, str(path)) if writes else file

        os.fsync = watched_fsync  # type: ignore[assignment]  # it is called with a descriptor only
        # By the one name for paths, by the other for files that want an opener.
        io.open = builtins.open = watched_open  # type: ignore[assignment]  # it is called with a path only

    def report_to(self, path: Path) -> None:
        """Write what was done at the moments, a line each, when this process ends by its own will."""
        end = os._exit

        def report_and_end(status: int) -> None:
            path.write_text("".join(f"{name}\n" for name in self.names))
            end(status)

        os._exit = report_and_end  # type: ignore[assignment]  # it does not return either

    def _watch(self, module: Any, function: str, kind: str, place: int) -> None:
        """Watch a function whose argument at ``place`` is the path that is changed."""
        plain = getattr(module, function)

        def watched(*arguments: Any, **options: Any) -> Any:
            path = arguments[place]
            if not self._is_below(path):
                return plain(*arguments, **options)
            return self.reach(kind, str(path), lambda: plain(*arguments, **options))

        setattr(module, function, watched)

    def _is_below(self, path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and str(os.fspath(path)).startswith(self._folder)

    def reach(self, kind: str, path: str, act: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        """Do what is done at this moment, and strike if its time has come."""
        if (self._kinds and kind not in self._kinds) or self._naming not in path:
            return act()
        index = len(self.names)
        self.names.append(f"{kind} {Path(path).name}".strip())
        due = self._at is not None and (index == self._at or (self._lasts and index > self._at))
        if not due:
            return act()
        if self._phase == "half" and half is not None:
            half()
        if self._phase == "after" or (self._phase == "half" and half is None):
            done = act()
            self._strike()
            return done
        self._strike()
        return act()


class WatchedFile:
    """An open file whose writes and cuts are moments."""

    def __init__(self, file: Any, moments: Moments, path: str) -> None:
        self._file = file
        self._moments = moments
        self._path = path

    def write(self, data: bytes) -> Any:
        """Write, and have it reach the system at once."""
        half = data[: len(data) // 2]
        return self._moments.reach("write", self._path, lambda: self._pass_on(data), lambda: self._pass_on(half))

    def _pass_on(self, data: bytes) -> Any:
        written = self._file.write(data)
        self._file.flush()
        return written

    def truncate(self, size: int) -> Any:
        """Cut the file."""
        return self._moments.reach("cut", self._path, lambda: self._file.truncate(size))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self._file.close()
