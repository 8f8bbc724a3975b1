"""kill -9 at any moment, inside writes too: what is left can be used, and goes on as if nothing had happened.

`make soak` does two hundred times what is done here some ten times.
"""

import os
import random
from pathlib import Path

import pytest

if os.name != "posix":
    pytest.skip("kills of this kind are POSIX's", allow_module_level=True)

from endurance import kills
from endurance.cases import OFTEN, Case, hidden, visible, write_corpora
from endurance.children import KILLED, run, warm
from endurance.moments import Moments
from endurance.trials import MANNERS, Ground, Trial, has_state

KILLS = 10
SMALL = ("--hidden", "8", "--embedding", "4", "--window", "16", "--batch", "4", "--steps", "4", "--dropout", "0.3")


def only_case(source: random.Random, place: Path) -> Case:
    """One kind of run, and a short one."""
    del source
    return Case(place / "names.txt", SMALL, OFTEN)


def ground_at(place: Path) -> Path:
    """A folder with texts; all that commands need is imported."""
    write_corpora(place)
    warm()
    return place


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Where runs of many kinds are killed."""
    return Ground(ground_at(tmp_path_factory.mktemp("many")), 1)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Where short runs of one kind are killed."""
    return Ground(ground_at(tmp_path_factory.mktemp("short")), 1, only_case)


def test_ten_kills(ground: Ground) -> None:
    """Of runs of many kinds, at seeded moments."""
    assert "every run ended as undisturbed" in kills.soak(ground, KILLS, 0, lambda _: None)


def first_moments(ground: Ground, manner: str) -> list[str]:
    """What a run does to its folder until its first model stands with its state."""
    trial = Trial(ground, f"counted-{manner}", manner)
    report = ground.place / "moments"
    moments = Moments(trial.folder)

    def prepare() -> None:
        trial.case.prepare(moments)()
        moments.report_to(report)

    assert run(trial.command, prepare).status == 0
    names = report.read_text().splitlines()
    return names[: names.index("rename training.safetensors") + 1]


@pytest.mark.parametrize("manner", [MANNERS[0], MANNERS[-1]])
def test_a_kill_at_every_moment_of_the_first_save(manner: str, short: Ground) -> None:
    """Of a new run, and of one that replaces another: which is whole until the new one is."""
    first = first_moments(short, manner)
    model = first.index("rename model.safetensors")
    assert "rename .training.safetensors.for-" in " ".join(first[:model])
    for moment in range(2, len(first)):
        trial = Trial(short, f"{manner}-{moment}", manner)
        strike = Moments(trial.folder, moment, "half" if first[moment].startswith("write") else "before")
        assert trial.attempt(first[moment], strike).status == KILLED
        assert trial.has_begun == (moment > model), first[moment]
        trial.check_earlier()
        trial.finish()


def test_the_next_run_removes_what_a_killed_one_has_left(short: Ground) -> None:
    """Its own temporaries only, and it is not disturbed by them."""
    folder = short.place / "left over"
    folder.mkdir()
    left = [f".model.safetensors.{'0' * 16}", f"..training.safetensors.for-{'1' * 16}.{'2' * 16}", ".lock"]
    left += [f".{name}.for-{'3' * 16}" for name in ("training.safetensors", "log.jsonl", "config.toml")]
    kept = [".log.jsonl.swp", ".model.safetensors.mine", ".notes"]
    for name in (*left, *kept):
        (folder / name).write_text("something")
    (folder / "log.jsonl").write_text("of a run that never saved\n")
    reference = short.reference(0)
    assert run(reference.case.begin(folder), reference.case.prepare()) == (0, "")
    assert hidden(folder) == sorted(kept)
    assert b"never" not in visible(folder)["log.jsonl"]


def test_a_model_without_a_state(short: Ground) -> None:
    """Where the state was taken away, each message names the way that is open."""
    folder = short.place / "no state"
    case = short.reference(0).case
    assert run(case.begin(folder)).status == 0
    (folder / "training.safetensors").unlink()
    assert not has_state(folder)
    begun = run(case.begin(folder))
    assert begun.status == 5
    assert "--overwrite" in begun.err
    assert "--resume" not in begun.err
    resumed = run(["train", "--resume", "--model", folder])
    assert resumed.status == 4
    assert "--overwrite" in resumed.err


def test_a_best_model_that_is_lost_is_saved_with_its_state(short: Ground) -> None:
    """The weights of the moment take its place at once, so that a kill right after loses nothing again."""
    trial = Trial(short, "lost", MANNERS[0])
    assert run(trial.command, trial.case.prepare()).status == 0
    (trial.folder / "model.safetensors").unlink()
    resume = ["train", "--resume", "--model", trial.folder, "--quiet"]
    assert run(resume).status == 0
    files = visible(trial.folder)
    assert run(resume).status == 0
    assert visible(trial.folder) == files
