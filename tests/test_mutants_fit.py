"""The list of planted errors fits the code as it is, so that `python tests/mutants.py` can run."""

from __future__ import annotations

from pathlib import Path

import nn_cases
import pytest
from mutants import MUTANTS, ROOT, Mutant

assert nn_cases.KINDS  # it made the import of mutants possible


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_a_mutant_changes_one_place_and_names_its_tests(mutant: Mutant) -> None:
    """The text to change stands in the file exactly once, and the tests that should notice exist."""
    text = (ROOT / "charlm" / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    assert mutant.old != mutant.new
    assert all((Path(__file__).parent / name).is_file() for name in mutant.tests)


def test_every_mutant_is_another() -> None:
    assert len({mutant.what for mutant in MUTANTS}) == len(MUTANTS)
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)
