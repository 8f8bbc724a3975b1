"""Following how far scoring has come: a bar in a terminal where it takes more than a moment, nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from charlm.cli import preparing

if TYPE_CHECKING:
    from charlm.text.reading import Source

INTERVAL = 0.1
"""Seconds between two states of a bar."""


class Bar:
    """A bar on standard error; results may be written while it is hidden."""

    def __init__(self, stage: str, total: int | None, unit: str) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - only a terminal needs it

        self._visible = False
        self._bar: Any = tqdm(
            desc=stage, total=total, unit=unit, unit_scale=True, file=sys.stderr, dynamic_ncols=True, leave=False,
            delay=preparing.QUICK_SECONDS, mininterval=INTERVAL, miniters=0,
        )  # fmt: skip

    def move(self, done: float) -> None:
        """Show that so much has been done."""
        self._visible = bool(self._bar.update(done - self._bar.n)) or self._visible

    def hide(self) -> None:
        """Until the next move."""
        if self._visible:
            self._bar.clear()
            self._visible = False

    def close(self) -> None:
        """At the end, whatever it was."""
        self._bar.close()


class Following:
    """How far the texts of a source have come: in bytes of a file, or in texts where its size is not known.

    Args:
        shown: whether to show it, if there is a terminal.
    """

    def __init__(self, *, shown: bool = True) -> None:
        self._shown = shown and sys.stderr.isatty()
        self._bar: Bar | None = None
        self._total: int | None = None
        self._read = self._done = self._texts = 0
        self._on_disk = self._passed = 0

    def read(self, source: "Source") -> "Source":
        """The source, in a form that tells what is read of it."""
        from charlm.text.progress import Progress, total_bytes  # noqa: PLC0415 - only a terminal needs it

        if not self._shown:
            return source
        self._total = total_bytes([source])
        self._bar = Bar("scoring", self._total, "text" if self._total is None else "B")
        (told,) = Progress(self._has_read).read((source,))
        return told

    def _has_read(self, _stage: str, done: int, _total: int | None) -> None:
        self._read = done

    def begin(self, on_disk: int) -> None:
        """Some texts are scored now; so many characters of them lie on the disk, which `passed` tells of."""
        self._on_disk, self._passed = on_disk, 0

    def passed(self, characters: int) -> None:
        """So many more characters of texts on the disk have been scored."""
        self._passed += characters
        if self._bar is not None and self._total is not None and self._on_disk:
            self._bar.move(self._done + (self._read - self._done) * min(1, self._passed / self._on_disk))

    def end(self, texts: int) -> None:
        """So many texts have been scored, and their scores are written now."""
        self._texts += texts
        self._done = self._read
        if self._bar is not None:
            self._bar.move(self._texts if self._total is None else self._done)
            self._bar.hide()

    def close(self) -> None:
        """At the end, whatever it was."""
        if self._bar is not None:
            self._bar.close()


@contextmanager
def following(*, shown: bool = True) -> Iterator[Following]:
    """While this lasts, it is shown how far scoring has come, unless it should not be."""
    found = Following(shown=shown)
    try:
        yield found
    finally:
        found.close()


@contextmanager
def following_tokens(total: int) -> Iterator[Callable[[int], None] | None]:
    """What to tell how many more of a text's tokens have been evaluated; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    bar, done = Bar("evaluating", total, "tok"), 0

    def passed(tokens: int) -> None:
        nonlocal done
        done += tokens
        bar.move(done)

    try:
        yield passed
    finally:
        bar.close()
