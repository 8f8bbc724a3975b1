"""The results as Markdown, and that in a page."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bench.cases import TABLES, Case, Table
from bench.results import Result

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
"""Between these marks of docs/performance.md stand the tables."""


class Outcome(NamedTuple):
    """What became of a case: its figures, or what went wrong."""

    case: Case
    result: Result | None
    error: str = ""


def report(machine: str, outcomes: Sequence[Outcome]) -> str:
    """The machine and a table for each kind of case, in Markdown."""
    parts = [machine]
    for key, table in TABLES.items():
        chosen = [outcome for outcome in outcomes if outcome.case.table == key]
        if chosen:
            parts += [f"### {table.title}", table.about, "\n".join(_lines(table, chosen))]
    return "\n\n".join(parts) + "\n"


def _lines(table: Table, outcomes: Sequence[Outcome]) -> Iterator[str]:
    memory = ["charlm MB", f"{table.peer} MB"] if table.memory else []
    bound = ["in the cache"] if table.bound else []
    head = ["case", f"charlm, {table.unit}", f"{table.peer}, {table.unit}", "ratio (turns)", "floor", *memory, *bound]
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for outcome in outcomes:
        cells = _cells(outcome)
        yield f"| {' | '.join(cells + [''] * (len(head) - len(cells)))} |"


def _cells(outcome: Outcome) -> list[str]:
    found = outcome.result
    if found is None:
        return [outcome.case.name, f"failed: {outcome.error}", "", "", f"{outcome.case.floor:g}"]
    spread = f"{found.ratio:.2f} ({found.low:.2f}-{found.high:.2f})"
    return [
        found.case,
        number(found.charlm),
        number(found.peer),
        spread if found.reached else f"**{spread}, below**",
        f"{found.floor:g}",
        *(number(memory) for memory in (found.charlm_mb, found.peer_mb) if memory is not None),
        *([] if found.bound is None else [f"{found.bound:.2f}"]),
    ]


def number(value: float) -> str:
    """Three figures at least, and no fractions of hundreds."""
    for bound, decimals in ((100, 0), (10, 1), (1, 2)):
        if abs(value) >= bound:
            return f"{value:,.{decimals}f}"
    return f"{value:.3f}"


def spliced(page: str, text: str) -> str:
    """The page with ``text`` between its marks.

    Raises:
        ValueError: it has no such marks, or several.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(END) < page.index(BEGIN):
        raise ValueError(f"it needs one line {BEGIN} and, below it, one line {END}")
    return f"{page.partition(BEGIN)[0]}{BEGIN}\n\n{text.strip()}\n\n{END}{page.partition(END)[2]}"
