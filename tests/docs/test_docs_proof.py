"""The page of proofs is what the table says, and the tests that it names are there."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import proof
from planted import MUTANTS
from scripts import load_script

ROOT = Path(__file__).parents[2]
PARITY = "parity/"


def test_the_page_is_what_the_table_says() -> None:
    """docs/proof.md is made from the table; if this fails, ``make docs`` makes it anew."""
    page = (ROOT / "docs" / "proof.md").read_text(encoding="utf-8")
    assert page == load_script("docs/make_proof.py").proof()


def test_every_test_of_the_table_exists() -> None:
    """Pytest finds each, with its parameters; those that need peers are looked for where the peers are."""
    named = {test for cell in proof.cells().values() for test in cell.tests}
    peers = importlib.util.find_spec("torch") and importlib.util.find_spec("onnxruntime")
    wanted = sorted(test for test in named if peers or not test.startswith(PARITY))
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *(f"tests/{test}" for test in wanted)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {f"tests/{test}" for test in wanted} <= set(done.stdout.splitlines())


def test_the_functions_of_tests_that_need_peers_exist() -> None:
    """Where they cannot be collected, at least their names are in their files."""
    named = {test for cell in proof.cells().values() for test in cell.tests if test.startswith(PARITY)}
    assert named
    for test in named:
        file, _, name = test.partition("[")[0].partition("::")
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


def test_every_cell_names_a_test_that_needs_no_peer() -> None:
    """Of every kind and question, and first, since that is the one that is seen to fail."""
    cells = proof.cells()
    assert len(cells) == sum(len(table.rows) * len(table.columns) for table in proof.TABLES)
    for cell in cells.values():
        assert cell.text
        assert not cell.tests[0].startswith(PARITY)


def test_every_cell_is_seen_to_fail() -> None:
    """With a planted error, which names the cell."""
    assert {cell for mutant in MUTANTS for cell in mutant.proves} == set(proof.cells())
