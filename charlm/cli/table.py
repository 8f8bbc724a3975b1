"""A table in the terminal that is no wider than it may be: columns that do not fit go below, with the first again."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

GAP = 2
"""Spaces between two columns."""
CUT = "..."


class Column(NamedTuple):
    """A heading, a cell a row, and whether they stand at the left."""

    title: str
    cells: Sequence[str]
    left: bool = False

    @property
    def width(self) -> int:
        """Of its widest cell, or its heading."""
        return max(map(len, (self.title, *self.cells)))


def table(first: Column, groups: Sequence[Sequence[Column]], width: int) -> Iterator[str]:
    """The lines of a table.

    Args:
        first: says what a row is.
        groups: the other columns; all have as many cells. What does not fit into one table becomes one a group.
        width: most characters a line, as long as there is room for the first column and one more.
    """
    whole = [first, *(column for group in groups for column in group)]
    blocks = [whole] if room(whole, width) >= 0 else [each for group in groups for each in _blocks(first, group, width)]
    for number, block in enumerate(blocks):
        if number:
            yield ""
        for cells in zip(*([column.title, *column.cells] for column in block), strict=True):
            padded = (
                cell.ljust(column.width) if column.left else cell.rjust(column.width)
                for cell, column in zip(cells, block, strict=True)
            )
            yield (" " * GAP).join(padded).rstrip()


def room(columns: Sequence[Column], width: int) -> int:
    """How many characters of so many are left beside these columns; negative where they do not fit."""
    return width + GAP - sum(column.width + GAP for column in columns)


def _blocks(first: Column, columns: Sequence[Column], width: int) -> list[list[Column]]:
    """Columns in as many tables as they need, each with the first."""
    blocks = [[first]]
    for column in columns:
        if room([*blocks[-1], column], width) < 0 and len(blocks[-1]) > 1:
            blocks.append([first])
        blocks[-1].append(column)
    return blocks


def shortened(text: str, most: int, *, end: int) -> str:
    """A text on one line of at most so many characters.

    Args:
        text: what to show; what cannot be printed is replaced by dots.
        most: characters, those that say that some are left out included.
        end: how many of its last characters are kept where it is too long.
    """
    shown = "".join(c if c.isprintable() else "." for c in text)
    if len(shown) <= most:
        return shown
    return shown[: max(1, most - len(CUT) - end)] + CUT + shown[len(shown) - end :]
