"""Writes docs/proof.md from the tables of proofs: ``python docs/make_proof.py docs/proof.md``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from proof import TABLES, Cell, Table, cells

HEADER = """# What is known of each block, and how

Every block with every choice of its options, every label head, and what shows that it is right: each entry is a link to
the file of the test that fills it, and the list below the tables names the test. Made from `tests/proof.py` by
`make docs`; a test keeps it true.
"""
FOOTER = """`make test` runs every test but those in `tests/parity`, which need PyTorch and ONNX Runtime themselves;
`make parity` installs and runs these. Where such a test is named, the one beside it holds the engine against numbers
that the peer found and that are stored, or against the definition of its operators in Python; that one needs no peer.

A test that cannot fail shows nothing. `make mutants` plants errors in the package, one at a time (a gate swapped, a
term of a gradient left out, a sign changed), and for every entry of the tables there is one with which its test was
seen to fail.
"""


def proof() -> str:
    """The whole page."""
    filled = cells()
    tables = [line for table in TABLES for line in (*_questions(table), "", *_table(table, filled), "")]
    parts = [HEADER, *tables, FOOTER, "## The tests", "", *(line for table in TABLES for line in _list(table, filled))]
    return "\n".join(parts)


def _questions(table: Table) -> list[str]:
    return [f"- **{column.title}**: {column.about}" for column in table.columns.values()]


def _table(table: Table, filled: dict[str, Cell]) -> list[str]:
    lines = [
        f"| {table.sort} | {' | '.join(column.title for column in table.columns.values())} |",
        "| --- " * (len(table.columns) + 1) + "|",
    ]
    for each in table.rows:
        row = [filled[f"{each}/{column}"] for column in table.columns]
        lines.append(f"| {' | '.join([each, *(f'[{cell.text}](../tests/{_file(cell.tests[0])})' for cell in row)])} |")
    return lines


def _list(table: Table, filled: dict[str, Cell]) -> list[str]:
    lines = []
    for row in table.rows:
        lines += [f"### {row}", ""]
        for name, column in table.columns.items():
            tests = filled[f"{row}/{name}"].tests
            lines.append(f"- {column.title}: " + "; ".join(f"`tests/{test}`" for test in tests))
        lines.append("")
    return lines


def _file(test: str) -> str:
    return test.partition("::")[0]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(proof(), encoding="utf-8")
