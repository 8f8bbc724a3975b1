"""kill -9 at any moment, inside writes too: what is left can be used, and goes on as if nothing had happened.

`make soak` does the same two hundred times.
"""

import os
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

if os.name != "posix":
    pytest.skip("kills of this kind are POSIX's", allow_module_level=True)

from endurance import kills
from endurance.cases import OFTEN, Case, check_usable, expect, visible, write_corpora
from endurance.children import KILLED, run, warm
from endurance.moments import PHASES, Moments
from endurance.trials import Ground, Trial

KILLS = 10
SMALL = ("--hidden", "8", "--embedding", "4", "--window", "16", "--batch", "4", "--steps", "6")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Where runs are killed, with all that they need imported."""
    place = tmp_path_factory.mktemp("ground")
    write_corpora(place)
    warm()
    yield Ground(place, 1)


@pytest.fixture(scope="module")
def one_case(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """A ground on which all runs are of one kind, and short."""

    def make(source: random.Random, place: Path) -> Case:
        del source
        return Case(place / "names.txt", (*SMALL, "--dropout", "0.3"), OFTEN)

    place = tmp_path_factory.mktemp("one")
    write_corpora(place)
    return Ground(place, 1, make)


def test_ten_kills(ground: Ground) -> None:
    """Of runs of many kinds, at seeded moments."""
    assert "every run ended as undisturbed" in kills.soak(ground, KILLS, 0, lambda _: None)
