"""Runs that go on longer, with another learning rate, or watched otherwise; and runs that end early."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli_cases import QUICK, Trained, call, contents, names_text, one_message, prose_text, succeed
from safetensors import safe_open

from charlm.machine import fingerprint


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A list of names."""
    path = tmp_path / "names.txt"
    path.write_text(names_text())
    return path


@pytest.fixture
def stopped(corpus: Path) -> Trained:
    """A run of 20 steps that was stopped after 8."""
    folder = corpus.parent / "model"
    ended = succeed("train", corpus, "--model", folder, *QUICK[:-1], "--steps", 20, "--stop-at", 8)
    assert "stopped after 8 steps at " in ended.err
    assert "--resume" in ended.err
    return Trained(folder, corpus)


def log_of(folder: Path, event: str) -> list[Any]:
    """The objects of one kind in a log."""
    found = [json.loads(line) for line in (folder / "log.jsonl").read_bytes().splitlines()]
    return [each for each in found if each["event"] == event]


def record_of(folder: Path) -> Any:
    """The record of a run's model."""
    with safe_open(folder / "model.safetensors", framework="numpy") as file:
        return json.loads(file.metadata()["charlm"])["record"]


def test_a_run_stopped_at_a_step_and_resumed_ends_as_one_that_was_not(stopped: Trained, tmp_path: Path) -> None:
    succeed("train", stopped.corpus, "--model", tmp_path / "once", *QUICK, "--steps", 20)
    succeed("train", "--resume", "--model", stopped.folder, "--quiet")
    once, twice = contents(tmp_path / "once"), contents(stopped.folder)
    assert once["model.safetensors"] == twice["model.safetensors"]
    assert set(once) == set(twice)


def test_the_last_run_is_resumed_where_none_is_named(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(corpus.parent)
    for name in ("first", "second"):
        succeed("train", corpus, "--model", f"runs/{name}", *QUICK, "--steps", 9, "--stop-at", 3)
    ended = succeed("train", "--resume")
    assert "going on with runs/second" in ended.err
    assert log_of(Path("runs/second"), "finished")


def test_a_run_is_made_longer(stopped: Trained) -> None:
    ended = succeed("train", "--resume", "--model", stopped.folder, "--steps", 30)
    assert "steps 30 instead of 20" in ended.err
    assert "stretched" in ended.err
    assert log_of(stopped.folder, "validation")[-1]["step"] == 30
    assert record_of(stopped.folder)["changes"] == [
        {"step": 8, "was": {"steps": 20, "seconds": None, "lr": 0.016, "eval_every": None, "patience": None}}
    ]


def test_a_run_is_made_longer_in_passes_over_its_text(stopped: Trained) -> None:
    succeed("train", "--resume", "--model", stopped.folder, "--epochs", 2, "--quiet")
    tokens = record_of(stopped.folder)["corpus"]["train_tokens"]
    assert log_of(stopped.folder, "finished")[0]["step"] == -(-2 * tokens // 64)


def test_a_finished_run_is_made_longer(corpus: Path) -> None:
    succeed("train", corpus, "--model", "model", *QUICK, "--steps", 5)
    before = contents(Path("model"))["model.safetensors"]
    succeed("train", "--resume", "--model", "model", "--steps", 12, "--quiet")
    assert log_of(Path("model"), "validation")[-1]["step"] == 12
    assert contents(Path("model"))["model.safetensors"] != before


def test_a_run_made_much_longer_keeps_its_best_model_until_there_is_a_better_one(corpus: Path) -> None:
    """Also where the validation that it has had is none of the first of the longer run."""
    succeed("train", corpus, "--model", "model", *QUICK, "--steps", 30, "--average", "none")
    best = contents(Path("model"))["model.safetensors"]
    options = ("--steps", 3000, "--lr", 300, "--stop-at", 33)
    succeed("train", "--resume", "--model", "model", *options, "--quiet")
    assert contents(Path("model"))["model.safetensors"] == best


def test_a_longer_run_that_is_stopped_again_ends_as_one_that_was_not(stopped: Trained, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name, data in contents(stopped.folder).items():
        (other / name).write_bytes(data)
    longer = ("--steps", 30, "--lr", 0.01, "--quiet")
    succeed("train", "--resume", "--model", stopped.folder, *longer)
    succeed("train", "--resume", "--model", other, *longer, "--stop-at", 17)
    succeed("train", "--resume", "--model", other, "--quiet")
    assert contents(other)["model.safetensors"] == contents(stopped.folder)["model.safetensors"]


def test_the_learning_rate_is_changed(stopped: Trained) -> None:
    ended = succeed("train", "--resume", "--model", stopped.folder, "--lr", 0.001)
    assert "a learning rate of 0.001 instead of 0.016" in ended.err
    assert log_of(stopped.folder, "validation")[-1]["lr"] <= 0.001
    assert record_of(stopped.folder)["train"]["lr"] == 0.001


def test_saying_what_is_so_already_changes_nothing(stopped: Trained) -> None:
    ended = succeed("train", "--resume", "--model", stopped.folder, "--steps", 20, "--lr", 0.016)
    assert "instead" not in ended.err
    assert "changes" not in record_of(stopped.folder)


def test_a_run_bound_by_time_is_made_longer(corpus: Path) -> None:
    succeed("train", corpus, "--model", "model", *QUICK, "--time", "1s", "--stop-at", 3)
    one_message(call("train", "--resume", "--model", "model", "--steps", 9), 2, "counted in seconds", "--time")
    succeed("train", "--resume", "--model", "model", "--time", "1.5s", "--quiet")
    assert record_of(Path("model"))["train"]["seconds"] == 1.5
    assert log_of(Path("model"), "finished")


@pytest.mark.parametrize("every", [1, 4, 7])
def test_validations_come_every_so_many_steps(every: int, corpus: Path) -> None:
    ended = succeed("train", corpus, "--model", "model", *QUICK[:-1], "--steps", 12, "--eval-every", every)
    steps = [entry["step"] for entry in log_of(Path("model"), "validation")]
    assert steps == [*range(every, 12, every), 12]
    assert f"validating {len(steps)} times, in about " in ended.err


def test_a_run_without_gain_runs_out_of_patience(corpus: Path) -> None:
    """At a learning rate that spoils the weights, only the first validations are better."""
    options = ("--steps", 200, "--eval-every", 2, "--patience", 3, "--lr", 0.5, "--schedule", "constant")
    ended = succeed("train", corpus, "--model", "model", *QUICK[:-1], *options)
    validations = log_of(Path("model"), "validation")
    assert len(validations) < 100
    assert [entry["best"] for entry in validations[-4:]] == [True, False, False, False]
    assert log_of(Path("model"), "finished")[0]["why"] == "patience"
    assert "no better validation in 3" in ended.err
    before = contents(Path("model"))
    assert "out of patience" in succeed("train", "--resume", "--model", "model").err
    assert contents(Path("model")) == before
    succeed("train", "--resume", "--model", "model", "--patience", 4, "--quiet")
    assert len(log_of(Path("model"), "validation")) > len(validations)


def test_a_stop_keeps_the_better_model_and_resuming_does_not_count_it(tmp_path: Path) -> None:
    """The weights of the stop are better than those of the last validation; both are kept until the run goes on."""
    corpus, options = tmp_path / "prose.txt", ("--steps", 40, "--eval-every", 10)
    corpus.write_text(prose_text())
    succeed("train", corpus, "--model", "once", *QUICK, *options)
    succeed("train", corpus, "--model", "twice", *QUICK, *options, "--stop-at", 19)
    at_stop, validated = log_of(Path("twice"), "stopped")[0], log_of(Path("twice"), "validation")[0]
    assert at_stop["valid_nats_per_token"] < validated["valid_nats_per_token"]
    assert record_of(Path("twice"))["valid_nats_per_token"] == at_stop["valid_nats_per_token"]
    found = succeed("eval", "--model", "twice", "--json").json
    assert found["nats_per_token"] == pytest.approx(at_stop["valid_nats_per_token"], rel=1e-6)
    assert (Path("twice") / "best.safetensors").exists()
    succeed("train", "--resume", "--model", "twice", "--quiet")
    assert contents(Path("twice"))["model.safetensors"] == contents(Path("once"))["model.safetensors"]
    assert set(contents(Path("twice"))) == set(contents(Path("once")))


def test_what_a_stop_has_set_aside_is_the_best_where_the_run_gets_worse(tmp_path: Path) -> None:
    corpus = tmp_path / "prose.txt"
    corpus.write_text(prose_text())
    options = ("--steps", 40, "--eval-every", 10, "--schedule", "constant", "--clip", 1000)
    succeed("train", corpus, "--model", "once", *QUICK, *options)
    succeed("train", corpus, "--model", "twice", *QUICK, *options, "--stop-at", 12)
    for folder in ("once", "twice"):
        succeed("train", "--resume", "--model", folder, "--steps", 60, "--lr", 1e3, "--quiet")
    # The one was at step 40 when its learning rate rose, the other at step 12.
    assert record_of(Path("once"))["step"] == 40
    assert record_of(Path("twice"))["step"] == 10


def test_another_machine_is_told_of(stopped: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another kernel or number of threads, for instance: the last digits may be others."""
    here = fingerprint()
    assert "differs" not in succeed("train", "--resume", "--model", stopped.folder, "--stop-at", 10).err
    key = next(iter(here))
    monkeypatch.setattr("charlm.cli.runs.fingerprint", lambda: {**here, key: "another"})
    said = succeed("train", "--resume", "--model", stopped.folder).err
    assert f"the machine differs from where the run began, so its last digits may too: {key} {here[key]}" in said
