"""Runs that are done once more by their logs, to the same bytes, whatever the clock says."""

import json
import math
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_cases import QUICK, Trained, call, contents, one_message, prose_text, succeed
from tag_cases import TAGGER, write_columns
from test_cli_failures import Failing
from test_cli_resume import log_of

from charlm.scoring import Evaluation
from charlm.training.language import LanguageWork
from charlm.training.trainer import MOST_FAILURES

COSINE = ("--schedule", "cosine")
"""The rate of every step follows from the plans, which a constant one would not tell."""
TIME = ("--time", "8s", *COSINE)


class Machine:
    """A clock that goes on whenever it is looked at, now faster and now slower."""

    def __init__(self) -> None:
        self.now = 0.0
        self._source = random.Random(8)  # noqa: S311 - no secret

    def clock(self) -> float:
        """Seconds since the machine was made."""
        self.now += self._source.choice((0.002, 0.01, 0.03, 0.2))
        return self.now


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """What all commands of a test look at in place of the clock."""
    found = Machine()
    monkeypatch.setattr("charlm.cli.runs.clock", found.clock)
    return found


@pytest.fixture(autouse=True)
def prose() -> str:
    """A stream, where the commands run."""
    Path("prose.txt").write_text(prose_text())
    return "prose.txt"


def events(folder: str, *kinds: str) -> list[Any]:
    """Those of a log, without their places among others."""
    return [entry for entry in log_of(Path(folder)) if entry["event"] in kinds]


def rates(folder: str) -> list[float | None]:
    """The learning rate of every step."""
    return [lr for entry in events(folder, "rates") for lr in entry["lr"]]


def comes_out_the_same(folder: str, *command: str) -> None:
    """Replay a run, and compare what matters of it: the model, the rates, the plans, validations and returns."""
    ended = succeed(*(command or ("train",)), "--replay", folder)
    again = f"{folder}-replay"
    assert "byte for byte" in ended.err
    assert "is not that of" not in ended.err
    for name in ("model.safetensors", "config.toml"):
        first, second = (Path(each, name).read_bytes() for each in (folder, again))
        assert first == second.replace(again.encode(), folder.encode())
    assert rates(folder) == rates(again)
    kinds = ("plan", "validation", "skipped", "returned", "changed", "stopped", "finished")
    assert events(folder, *kinds) == events(again, *kinds)


def test_a_folder_that_holds_no_run_is_said(prose: str) -> None:
    message = one_message(call("train", "--replay", "nowhere"), 4, "nowhere holds no run to replay")
    assert "--resume" not in message
    succeed("train", prose, "--model", "run", *QUICK, "--steps", 5)
    Path("run/training.safetensors").write_bytes(b"{}")
    assert "begin anew" not in one_message(call("train", "--replay", "run"), 4, "run/training.safetensors")


@pytest.mark.parametrize(
    "options",
    [
        "--dropout 0.3",
        "--average ema --schedule plateau --plateau-after 1 --random-windows --lr 0.3",
        "--average asgd --average-after 1 --optimizer sgd --lr 3 --eval-every 5 --patience 9",
    ],
)
def test_a_run_bound_by_time_is_replayed(options: str, prose: str) -> None:
    succeed("train", prose, "--model", "run", *QUICK, *TIME, *options.split())  # of two schedules the last holds
    assert len(events("run", "plan")) > 0
    comes_out_the_same("run")


def test_every_step_of_a_run_bound_by_time_has_its_learning_rate_in_the_log(prose: str) -> None:
    succeed("train", prose, "--model", "run", *QUICK, *TIME)
    last = events("run", "finished")[0]["step"]
    assert len(rates("run")) == last
    for entry in events("run", "validation"):
        assert entry["lr"] == rates("run")[entry["step"] - 1]
    for entry, after in zip(events("run", "rates"), events("run", "rates")[1:], strict=False):
        assert after["step"] == entry["step"] + len(after["lr"])


def test_the_clock_does_not_matter(prose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that stands far behind the end of the run."""
    succeed("train", prose, "--model", "run", *QUICK, *TIME)
    monkeypatch.setattr("charlm.cli.runs.clock", lambda: 1000.0)
    comes_out_the_same("run")


def test_a_run_that_was_stopped_is_replayed_to_the_stop(prose: str) -> None:
    succeed("train", prose, "--model", "run", *QUICK, "--time", "60s", "--stop-at", 37)
    assert events("run", "stopped")[0]["step"] == 37
    comes_out_the_same("run")


def test_a_run_that_was_stopped_and_went_on_is_replayed_in_one_go(prose: str) -> None:
    """As it was, and with more time and another learning rate; the records of the models tell of that."""
    succeed("train", prose, "--model", "run", *QUICK, "--time", "20s", *COSINE, "--stop-at", 9)
    succeed("train", "--resume", "--model", "run", "--quiet", "--stop-at", 20)
    longer = ("--time", "15s", "--lr", 0.02)
    succeed("train", "--resume", "--model", "run", "--quiet", *longer, "--stop-at", 31)
    succeed("train", "--resume", "--model", "run", "--quiet", "--patience", 3)
    assert [entry["step"] for entry in events("run", "changed")] == [20, 31]
    comes_out_the_same("run")


def test_a_finished_run_that_was_made_longer_is_replayed(prose: str) -> None:
    """Its last validation came before it was made longer: the model of that says nothing of it."""
    succeed("train", prose, "--model", "run", *QUICK, "--time", "6s", *COSINE)
    succeed("train", "--resume", "--model", "run", "--quiet", "--time", "12s", "--lr", 0.001)
    comes_out_the_same("run")


@pytest.mark.parametrize("stop", [10, 20, 24])
def test_a_run_of_steps_that_was_changed_on_its_way_is_replayed(stop: int, prose: str) -> None:
    """Also where a validation was due behind the step at which it was stopped, and at its end."""
    options = ("--steps", 24, "--eval-every", 5)
    succeed("train", prose, "--model", "run", *QUICK, *options, "--stop-at", stop)
    succeed("train", "--resume", "--model", "run", "--quiet", "--steps", 40, "--lr", 0.03)
    comes_out_the_same("run")


LEAST = ("--dropout", "0.1", "--weight-decay", "0.01")
ALL_CHOSEN = ("--optimizer", "adamw", "--lr", "0.006", "--average", "none", *LEAST)
"""With these no step is taken to measure the machine, and steps are numbered from the run's first."""


def test_a_run_that_went_back_is_replayed(prose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {3, *range(10, 10 + MOST_FAILURES)}
    with monkeypatch.context() as patch:
        Failing(patch, bad)
        succeed("train", prose, "--model", "run", *QUICK, *TIME, *ALL_CHOSEN)
    assert events("run", "returned")
    assert [i + 1 for i, lr in enumerate(rates("run")) if lr is None] == sorted(bad)
    Failing(monkeypatch, bad)
    comes_out_the_same("run")


def test_a_run_that_went_back_for_its_validation_is_replayed(prose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a validation is not finite the log has a return in its place."""
    right = LanguageWork.evaluate

    def failing() -> Callable[[LanguageWork], Evaluation]:
        calls = iter(range(100))
        return lambda work: replace(right(work), nats=math.nan) if next(calls) == 1 else right(work)

    with monkeypatch.context() as patch:
        patch.setattr(LanguageWork, "evaluate", failing())
        succeed("train", prose, "--model", "run", *QUICK, *TIME)
    assert [entry["what"] for entry in events("run", "returned")] == ["validation loss"]
    monkeypatch.setattr(LanguageWork, "evaluate", failing())
    comes_out_the_same("run")


def test_a_run_that_began_with_a_model_is_replayed_from_standard_input(prose: str) -> None:
    text = Path(prose).read_bytes()
    succeed("train", prose, "--model", "base", *QUICK, "--steps", 3)
    options = ("--from", "base", "--extend-vocab", "--window", 16, "--batch", 4, "--quiet")
    succeed("train", "-", "--model", "run", *options, *TIME, stdin=text + b"\xc3\x84\n")
    succeed("train", "-", "--replay", "run", "--quiet", stdin=text + b"\xc3\x84\n")
    assert contents(Path("run"))["model.safetensors"] == contents(Path("run-replay"))["model.safetensors"]
    one_message(call("train", "-", "--replay", "run", "--model", "other", stdin=text), 3, "changed")


def test_taggers_are_replayed() -> None:
    write_columns(Path("names.conll"))
    succeed("tag", "train", "names.conll", "--model", "run", *TAGGER, "--time", "8s", "--average", "ema")
    comes_out_the_same("run", "tag", "train")
    one_message(call("train", "--replay", "run", "--model", "other"), 4, "tagger")


def test_a_replay_is_replayed(prose: str) -> None:
    succeed("train", prose, "--model", "run", *QUICK, *TIME)
    succeed("train", "--replay", "run", "--model", "a", "--quiet")
    comes_out_the_same("a")


def test_the_text_may_be_elsewhere(prose: str) -> None:
    succeed("train", prose, "--model", "run", *QUICK, *TIME)
    Path(prose).rename("moved.txt")
    one_message(call("train", "--replay", "run"), 3, "no such file", prose)
    said = succeed("train", "moved.txt", "--replay", "run").err
    # The record names the text, so the bytes are others; the run is the same.
    assert "is not that of run, byte for byte" in said
    assert "otherwise" not in said
    assert rates("run") == rates("run-replay")


@pytest.fixture
def run(prose: str) -> Trained:
    """A run bound by time."""
    succeed("train", prose, "--model", "run", *QUICK, *TIME)
    return Trained(Path("run"), Path(prose))


def drop_last(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[:-1])


def drop_rates(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if '"rates"' not in line)


@pytest.mark.parametrize(
    ("name", "change", "status", "mentioned"),
    [
        ("log.jsonl", drop_last, 4, ("run cannot be replayed", "does not end", "--resume")),
        ("log.jsonl", drop_rates, 4, ("run cannot be replayed", "learning rates")),
        ("log.jsonl", lambda text: text + '{"event": "finished", "step": 1000000000000}\n', 4, ("learning rates",)),
        ("log.jsonl", lambda text: "{" + text, 4, ("line 1 is damaged",)),
        ("log.jsonl", lambda text: text.replace('"slope": ', '"slope": -'), 4, ("damaged", "no plan")),
        ("log.jsonl", lambda text: text.replace('"slope"', '"slip"'), 4, ("damaged", "slope")),
        ("log.jsonl", lambda text: '{"event": "changed", "step": 3, "now": {"hidden": 3}}\n' + text, 4, ("hidden",)),
        ("log.jsonl", lambda text: '{"event": "changed", "step": 3, "now": {"lr": 3}}\n' + text, 4, ("changed on",)),
        ("log.jsonl", lambda text: text.replace('"lr": [', '"lr": [1'), 6, ("step 1 ", "learning rate", "no replay")),
        ("config.toml", lambda text: text.replace("seed = 1", "seed = 2"), 4, ("config.toml is not that of its run",)),
        ("../prose.txt", lambda text: text + "More.\n", 3, ("its text has changed",)),
    ],
)
def test_what_cannot_be_replayed_is_refused(
    name: str, change: Callable[[str], str], status: int, mentioned: tuple[str, ...], run: Trained
) -> None:
    file = run.folder / name
    text = file.read_text()
    assert change(text) != text
    file.write_text(change(text))
    one_message(call("train", "--replay", "run", "--quiet"), status, *mentioned)
    if status != 6:
        assert not Path("run-replay").exists()


@pytest.mark.parametrize(
    ("options", "status", "mentioned"),
    [
        ("--lr 0.1", 2, ("leave out --lr",)),
        ("--dry-run", 2, ("leave out --dry-run",)),
        ("--stop-at 3", 2, ("leave out --stop-at",)),
        ("--resume", 2, ("--resume continues", "--replay")),
        ("--model run --overwrite", 2, ("in its own place", "--model")),
    ],
)
def test_what_does_not_go_with_a_replay(options: str, status: int, mentioned: tuple[str, ...], run: Trained) -> None:
    before = contents(run.folder)
    one_message(call("train", "--replay", "run", *options.split()), status, *mentioned)
    assert contents(run.folder) == before


def test_without_a_run_there_is_nothing_to_replay(run: Trained) -> None:
    one_message(call("train", "--replay", "nothing"), 4, "nothing")
    (run.folder / "config.toml").unlink()
    one_message(call("train", "--replay", "run"), 3, "config.toml")
    shutil.copy(run.folder / "log.jsonl", "log.jsonl")
    assert all(json.loads(line) for line in Path("log.jsonl").read_text().splitlines())
    (run.folder / "log.jsonl").unlink()
    one_message(call("train", "--replay", "run"), 4, "log.jsonl")


def test_a_run_of_another_machine_that_comes_out_otherwise_is_told_of(
    run: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    del run
    right = call
    monkeypatch.setattr("charlm.training.replay.Recording.agrees", lambda *_: False)
    monkeypatch.setattr("charlm.cli.replaying.RunFolder", lambda _: type("F", (), {"model_file": Path("prose.txt")}))
    monkeypatch.setattr("charlm.cli.replaying.fingerprint", lambda: {"numpy": "another"})
    said = right("train", "--replay", "run").err.splitlines()[-1]
    assert "is not that of run" in said
    assert "came out otherwise" in said
    assert "-> another" in said
