"""Disks that are full or fail, folders that vanish or may not be written: one message each, and nothing is lost.

`make soak` does the same a hundred times, and mounts real small disks where it may.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

if os.name != "posix":
    pytest.skip("disks of this kind are POSIX's", allow_module_level=True)

from endurance import disks
from endurance.cases import MODEL, STATE, hidden, visible, write_corpora
from endurance.children import run, warm
from endurance.disks import TROUBLES, expect_message, ordinary
from endurance.moments import Moments, refuse
from endurance.trials import MANNERS, Ground, Trial

RUNS = 12


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """Where runs of many kinds meet trouble, open to every user."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        write_corpora(place)
        warm()
        yield Ground(place, 1)


@pytest.fixture(scope="module")
def plain(ground: Ground) -> Ground:
    """Where all runs are of one kind."""
    place = ground.place / "plain"
    place.mkdir()
    shutil.copy(ground.place / "names.txt", place)
    return Ground(place, 1, ordinary)


def test_trouble_at_seeded_moments(ground: Ground) -> None:
    """Runs of many kinds, which go on when it is over and end as if there had been none."""
    assert {disks.troubled(ground, index) for index in range(RUNS)} - {trouble.name for trouble in TROUBLES} <= {
        "the folder vanishes"
    }


def test_folders_and_logs_that_may_not_be_written(plain: Ground) -> None:
    disks.forbidden(plain)
    for path in plain.place.rglob("*"):
        path.chmod(0o755)


def test_a_state_that_does_not_fit_costs_a_new_run_only_the_state(plain: Ground) -> None:
    """There may be room for the model."""
    trial = Trial(plain, "no room", MANNERS[0])
    ended = run(trial.command, trial.case.prepare(refusing_the_state(trial)))
    expect_message(ended, "No space left", STATE)
    assert MODEL in visible(trial.folder)
    assert STATE not in visible(trial.folder)
    assert run(["sample", "--model", trial.folder, "--length", "3"]).status == 0
    assert not hidden(trial.folder)


def test_a_state_that_does_not_fit_leaves_an_earlier_run_whole(plain: Ground) -> None:
    """Its model is better than that of a run that has only begun."""
    trial = Trial(plain, "no room either", MANNERS[1])
    before = visible(trial.folder)
    expect_message(run(trial.command, trial.case.prepare(refusing_the_state(trial))), "No space left", STATE)
    assert visible(trial.folder) == before
    assert not hidden(trial.folder)


def refusing_the_state(trial: Trial) -> Moments:
    """What is first written of the state finds no space."""
    return Moments(trial.folder, 0, "half", refuse(errno.ENOSPC), kinds=("write",), naming=STATE)
