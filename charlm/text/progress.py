"""Following how a corpus is read and encoded, which takes a while where it is large."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from charlm.text.reading import COMPRESSIONS, Source, Stream

if TYPE_CHECKING:
    from charlm.text.store import Ids  # which loads more than finding texts needs

READING, ENCODING = "reading", "encoding"
_PASSES = 2
"""How often the ids of a text are gone through after it has been read: to count them, and to encode them."""

Report = Callable[[str, int, int | None], None]
"""Called with what is done (`READING`, in bytes, or `ENCODING`, in tokens), how much of it has been done, and how
much there is, None where that is not known."""


@dataclass(frozen=True)
class Progress:
    """Reports how far the preparation of a corpus has come; to nobody if there is no `report`."""

    report: Report | None = None

    def read(self, sources: tuple[Source, ...]) -> Iterator[Source]:
        """The sources, in a form that reports what is read of them."""
        if self.report is None:
            yield from sources
            return
        tally = _Tally(self.report, total_bytes(sources))
        for source in sources:
            yield replace(source, open=partial(_counted, source, tally))

    def passes(
        self, split: "Callable[[], Iterator[tuple[Ids, Ids]]]", number: int, tokens: int
    ) -> "Callable[[], Iterator[tuple[Ids, Ids]]]":
        """A split that reports how far its blocks have come.

        Args:
            split: Gives pairs of blocks, some `tokens` in all.
            number: Which of the passes over them it is, from 0 on.
            tokens: How many there are.
        """
        report = self.report
        if report is None:
            return split

        def reported() -> "Iterator[tuple[Ids, Ids]]":
            done = number * tokens
            for pair in split():
                yield pair
                done += sum(map(len, pair))
                report(ENCODING, min(done, _PASSES * tokens), _PASSES * tokens)

        return reported


UNWATCHED = Progress()


def total_bytes(sources: Iterable[Source]) -> int | None:
    """How many bytes are read from sources; None where one is no file, or has to be decompressed to tell."""
    sizes = [_size(source) for source in sources]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _size(source: Source) -> int | None:
    path = source.path
    if path is None or path.suffix.lower() in COMPRESSIONS:
        return None
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


class _Tally:
    """Sums up what is read of several sources."""

    def __init__(self, report: Report, total: int | None) -> None:
        self._report = report
        self._total = total
        self._done = 0

    def add(self, number: int) -> None:
        self._done += number
        self._report(READING, self._done, self._total)


def _counted(source: Source, tally: _Tally) -> Stream:
    return _Counted(source.open(), tally)


class _Counted:
    """A stream that reports what is read of it."""

    def __init__(self, stream: Stream, tally: _Tally) -> None:
        self._stream = stream
        self._tally = tally
        # As a reader would take it: `read` waits for a pipe to fill the block, `read1` does not.
        self._read: Callable[[int], Any] = getattr(stream, "read1", stream.read)

    @property
    def closed(self) -> bool:
        return self._stream.closed

    def read(self, size: int, /) -> bytes:
        block: bytes = self._read(size)
        self._tally.add(len(block))
        return block

    def close(self) -> None:
        self._stream.close()
