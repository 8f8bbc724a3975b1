"""What a planted error is."""

from __future__ import annotations

from typing import NamedTuple

ENGINE = ("nn/test_engine_reference.py",)
WINDOWS = ("nn/test_engine_windows.py",)
BLOCKS = ("nn/test_blocks.py",)
STACK = ("nn/test_stack.py",)
DROPOUT = ("nn/test_dropout.py",)
COLUMNS = ("nn/test_columns.py",)
FORWARD_ONLY = ("nn/test_forward_only.py",)


class Mutant(NamedTuple):
    """One planted error: an exact textual substitution, and who must notice.

    Attributes:
        what: the error, in words; the part before the colon is where it is.
        file: below charlm/.
        old: a text that stands in the file exactly once.
        new: what takes its place.
        tests: files or single tests, from tests/; one of their tests must fail.
        only: of these files' tests, those whose names contain this; all if it is empty.
        proves: cells of the table of proofs, as ``sru/gradcheck``; every cell's own test must fail.
    """

    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()
    only: str = ""
    proves: tuple[str, ...] = ()


def cells(kinds: str, columns: str) -> tuple[str, ...]:
    """Every cell of these rows and columns, each named in one string: ``cells("lstm sru", "limits trains")``."""
    return tuple(f"{kind}/{column}" for kind in kinds.split() for column in columns.split())
