"""Texts in colour: in the terminal, and the options that ask for it and for a page."""

import os
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from charlm.cli.console import aside, note, printable
from charlm.errors import OutputError, UsageError

if TYPE_CHECKING:
    from charlm.colours import Colour, Scale
    from charlm.heatmap import Page, Token

ColorOption = Annotated[
    bool,
    typer.Option("--color", help="Show texts in colour, in a terminal; elsewhere only where $FORCE_COLOR is set, too."),
]
RESET = "\x1b[0m"
PAGES = (".html", ".htm")
BREAK = "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"
_CUBE = (0, 95, 135, 175, 215, 255)
"""Red, green and blue in the colour cube of terminals with 256 colours, which begins at number 16."""


def check_page_file(path: Path, option: str) -> None:
    """Refuse before any work what could not be written in the end.

    Raises:
        UsageError: the name is not that of a page.
        OutputError: there is no such folder, or a folder of that name.
    """
    if path.suffix.lower() not in PAGES:
        raise UsageError(f"{path}: {option} writes a page of HTML; give it a name that ends in .html")
    if not path.parent.is_dir():
        raise OutputError(
            f"cannot write {path}: there is no folder {path.parent}. Make it, or name another with {option}"
        )
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder. Name a file with {option}")


def write_page(path: Path, page: "Page", option: str) -> None:
    """Write a page, and say so.

    Raises:
        OutputError: it cannot be written.
    """
    from charlm.files import write_atomically  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.heatmap import render  # noqa: PLC0415 - only commands that write pages need it

    write_atomically(path, render(page).encode(), f"Free some space or name another file with {option}")
    note(f"wrote {path}")
    if page.left_out:
        note(f"{path}: {page.left_out[0].lower()}{page.left_out[1:].rstrip('.')}")


def in_colour(stream: TextIO) -> bool:
    """Whether colours may be sent: NO_COLOR forbids them, FORCE_COLOR allows them to what is no terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def painter(scale: "Scale") -> "Painter | None":
    """What paints texts for standard output; None, and a note, where there are to be no colours."""
    if in_colour(sys.stdout):
        return Painter(scale, true_colour=os.environ.get("COLORTERM") in ("truecolor", "24bit"))
    why = "NO_COLOR is set" if os.environ.get("NO_COLOR") else "the output is no terminal (FORCE_COLOR=1 forces them)"
    note(f"no colours: {why}")
    return None


class Painter:
    """Paints tokens by their values with the escape codes of terminals.

    Args:
        scale: which colour a value has.
        true_colour: whether the terminal has all colours, or only 256.
    """

    def __init__(self, scale: "Scale", *, true_colour: bool) -> None:
        self._scale = scale
        code = _true_colour if true_colour else _one_of_256
        # Black on the colours of light paper can be read whatever the terminal's own colours are.
        self._codes = [code(colour) for colour in scale.colours(dark=False)]
        self._codes[scale.plain] = ""

    def paint(self, tokens: Sequence["Token"]) -> str:
        r"""A text in colour; what would command the terminal is written as \uNNNN, a line break is marked."""
        from charlm.heatmap import cells, extreme  # noqa: PLC0415 - only commands that paint need it

        painted = (
            (self._scale.level(extreme(cell, self._scale)), "".join(token.text for token in cell))
            for cell in cells(tokens)
        )
        return self._runs((level, _shown(text)) for level, text in painted if text)

    def legend(self) -> str:
        """The colours with what they stand for."""
        scale = self._scale
        marks = range(0, scale.levels, max(1, scale.steps // 5))
        shown = ((level, f" {scale.start(level):.3g} ") for level in marks)
        return f"charlm: {self._runs(shown)} {scale.name}"

    def show_legend(self) -> None:
        """Write the legend to standard error, where that takes colours."""
        if in_colour(sys.stderr):
            aside(self.legend())

    def _runs(self, parts: Iterable[tuple[int, str]]) -> str:
        """Parts of a text, each of a level; codes stand only where the level changes, and none spans a line break."""
        runs = []
        for level, group in groupby(parts, key=lambda part: part[0]):
            text, code = "".join(part for _, part in group), self._codes[level]
            between = f"{RESET}\n{code}" if code else "\n"
            runs.append(code + between.join(text.split("\n")) + (RESET if code else ""))
        return "".join(runs)


def _shown(text: str) -> str:
    return "\n".join(map(printable, text.split("\n"))).replace("\n", f"{BREAK}\n")


def _true_colour(colour: "Colour") -> str:
    return "\x1b[38;2;0;0;0;48;2;{};{};{}m".format(*colour)


def _one_of_256(colour: "Colour") -> str:
    red, green, blue = (_nearest(part) for part in colour)
    return f"\x1b[38;5;16;48;5;{16 + 36 * red + 6 * green + blue}m"


def _nearest(part: int) -> int:
    return min(range(len(_CUBE)), key=lambda index: abs(_CUBE[index] - part))
