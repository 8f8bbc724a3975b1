"""The list of planted errors fits the code as it is, so that `python tests/mutants.py` can run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from planted import MUTANTS

if TYPE_CHECKING:
    from planted.mutant import Mutant

TESTS = Path(__file__).resolve().parent


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_a_mutant_changes_one_place_and_names_its_tests(mutant: Mutant) -> None:
    """The text to change stands in the file exactly once, and the tests that should notice exist."""
    text = (TESTS.parent / "charlm" / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    assert mutant.old != mutant.new
    assert mutant.tests or mutant.proves
    assert all((TESTS / name).is_file() for name in mutant.tests)


def test_every_mutant_is_another() -> None:
    assert len({mutant.what for mutant in MUTANTS}) == len(MUTANTS)
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)
