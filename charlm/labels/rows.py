"""What labelled files are read into: many strings as few numbers, and where each row stood."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, repr=False)
class Coded:
    """A row of strings, each kept as the number of its type: 4 bytes, however long it is.

    Attributes:
        types: The distinct strings, in order of first appearance; a part of a row keeps those of the whole.
        ids: int32 [n], for each string its place in `types`.
    """

    types: tuple[str, ...]
    ids: NDArray[np.int32]

    @classmethod
    def of(cls, strings: Iterable[str]) -> Self:
        """These strings."""
        places: dict[str, int] = {}
        ids = array("i", [places.setdefault(each, len(places)) for each in strings])
        return cls(tuple(places), np.array(ids, np.int32))

    def __len__(self) -> int:
        return len(self.ids)

    def counts(self) -> NDArray[np.int64]:
        """How often each type occurs, int64 [types]; 0 for those that stand only in another part."""
        return np.bincount(self.ids, minlength=len(self.types))

    def strings(self, start: int = 0, stop: int | None = None) -> list[str]:
        """The strings from a place to before another."""
        return [self.types[each] for each in self.ids[start:stop].tolist()]

    def part(self, chosen: NDArray[np.bool_]) -> "Coded":
        """The strings that are chosen, bool [n]."""
        return Coded(self.types, self.ids[chosen])


class Coder:
    """Makes a `Coded` of strings as they come."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._ids = array("i")

    def append(self, string: str) -> None:
        """Add a string to the row."""
        self._ids.append(self._places.setdefault(string, len(self._places)))

    def coded(self) -> Coded:
        """The row so far."""
        return Coded(tuple(self._places), np.array(self._ids, np.int32))


WHOLE = 0
"""The line of a row that is a file as a whole."""


@dataclass(frozen=True, eq=False, repr=False)
class Origins:
    """Where rows stood.

    Attributes:
        names: Of the sources.
        sources: int32 [rows], the source of each row.
        lines: int64 [rows], its line, counted from 1; `WHOLE` where it is all that the source holds.
    """

    names: tuple[str, ...]
    sources: NDArray[np.int32]
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lines)

    def where(self, row: int, offset: int = 0) -> str:
        """What a message calls the place of a row, or of what stands `offset` lines below its beginning."""
        name, line = self.names[self.sources[row]], int(self.lines[row])
        return name if line == WHOLE else place(name, line + offset)

    def part(self, chosen: NDArray[np.bool_]) -> "Origins":
        """Those of the rows that are chosen, bool [rows]."""
        return Origins(self.names, self.sources[chosen], self.lines[chosen])


class OriginsSoFar:
    """Makes `Origins` of rows as they come."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._sources = array("i")
        self._lines = array("q")

    def __len__(self) -> int:
        return len(self._lines)

    def enter(self, name: str) -> None:
        """Begin with the next source."""
        self._names.append(name)

    def append(self, line: int) -> None:
        """Add a row of the source that was entered last."""
        self._sources.append(len(self._names) - 1)
        self._lines.append(line)

    def origins(self) -> Origins:
        """Those of the rows so far."""
        return Origins(tuple(self._names), np.array(self._sources, np.int32), np.array(self._lines, np.int64))


def place(name: str, line: int) -> str:
    """What a message calls a line of a source."""
    return f"{name}, line {line}"
