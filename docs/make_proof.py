"""Writes docs/proof.md from the table of proofs: ``python docs/make_proof.py docs/proof.md``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from proof import COLUMNS, KINDS, Cell, cells

HEADER = """# What is known of each block, and how

Every block with every choice of its options, and what shows that it is right: each entry is a link to the file of the
test that fills it, and the list below the table names the test. Made from `tests/proof.py` by `make docs`; a test keeps
it true.
"""
FOOTER = """`make test` runs every test but those in `tests/parity`, which need PyTorch and ONNX Runtime themselves;
`make parity` installs and runs these. Where such a test is named, the one beside it holds the engine against numbers
that the peer found and that are stored, or against the definition of its operators in Python; that one needs no peer.

A test that cannot fail shows nothing. `make mutants` plants errors in the package, one at a time (a gate swapped, a
term of a gradient left out, a sign changed), and for every entry of the table there is one with which its test was seen
to fail.
"""


def proof() -> str:
    """The whole page."""
    questions = [f"- **{column.title}**: {column.about}" for column in COLUMNS.values()]
    parts = [HEADER, *questions, "", *_table(cells()), "", FOOTER, "## The tests", "", *_list(cells())]
    return "\n".join([*parts, ""])


def _table(filled: dict[str, Cell]) -> list[str]:
    lines = [
        f"| block | {' | '.join(column.title for column in COLUMNS.values())} |",
        "| --- " * (len(COLUMNS) + 1) + "|",
    ]
    for kind in KINDS:
        row = [filled[f"{kind}/{column}"] for column in COLUMNS]
        lines.append(f"| {' | '.join([kind, *(f'[{cell.text}](../tests/{_file(cell.tests[0])})' for cell in row)])} |")
    return lines


def _list(filled: dict[str, Cell]) -> list[str]:
    lines = []
    for kind in KINDS:
        lines += [f"### {kind}", ""]
        for name, column in COLUMNS.items():
            tests = filled[f"{kind}/{name}"].tests
            lines.append(f"- {column.title}: " + "; ".join(f"`tests/{test}`" for test in tests))
        lines.append("")
    return lines[:-1]


def _file(test: str) -> str:
    return test.partition("::")[0]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(proof(), encoding="utf-8")
