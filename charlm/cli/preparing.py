"""Following how a corpus is read and encoded: a bar in a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from charlm.cli.console import note

if TYPE_CHECKING:
    from charlm.text.sources import Texts

QUICK_SECONDS = 1.0
"""What takes no longer is not shown in a terminal."""
SILENCE_SECONDS = 20.0
"""Elsewhere, how long nothing is said."""
_UNITS = {"reading": "B", "encoding": "tok"}


class _Display(Protocol):
    def report(self, stage: str, done: int, total: int | None) -> None:
        """As ``text.progress.Report``."""

    def close(self) -> None:
        """At the end, whatever it was."""


@contextmanager
def preparing(*, quiet: bool) -> Iterator[Callable[["Texts"], "Texts"]]:
    """While this lasts, it is shown how far it has come with the texts that pass through the function it gives."""
    if quiet:
        yield lambda texts: texts
        return
    display: _Display = _Bar() if sys.stderr.isatty() else _Lines()
    try:
        yield lambda texts: texts.watched(display.report)
    finally:
        display.close()


class _Bar:
    """A bar for each stage."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: Any = None

    def report(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            from tqdm import tqdm  # noqa: PLC0415 - commands that prepare nothing large do without

            self.close()
            self._stage = stage
            self._bar = tqdm(
                desc=stage, total=total, unit=_UNITS[stage], unit_scale=True, file=sys.stderr, dynamic_ncols=True,
                leave=False, delay=QUICK_SECONDS,
            )  # fmt: skip
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _Lines:
    """A line where there would be a long silence."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def report(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._said < SILENCE_SECONDS:
            return
        self._said = now
        amount = f"{done / 1e6:,.0f} MB" if stage == "reading" else f"{done / 1e6:,.1f} million tokens"
        note(f"{stage}: {amount}" + (f", {done / total:.0%}" if total else ""))

    def close(self) -> None:
        pass
