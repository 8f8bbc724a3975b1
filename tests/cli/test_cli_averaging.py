"""Runs that average their weights, lower the learning rate on a plateau, or draw the lengths of their windows."""

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import QUICK, call, contents, names_text, one_message, prose_text, succeed
from safetensors.numpy import load_file
from tag_cases import TAGGER, write_columns
from test_cli_failures import Failing
from test_cli_resume import log_of, same_run, state_of

import charlm
from charlm.training.averaging import Average
from charlm.training.trainer import MOST_FAILURES

STEPS = 24
FAST = ("--eval-every", 3, "--steps", STEPS)
KINDS = {
    "ema": "--average ema --average-decay 0.9",
    "asgd": "--average asgd --average-after 1 --schedule constant --optimizer sgd --lr 20",
    "plateau": "--schedule plateau --plateau-after 1 --plateau-factor 0.3 --lr 1",
    "windows": "--random-windows",
    "all": "--average ema --schedule plateau --plateau-after 2 --random-windows --dropout 0.3 --layers 2",
}


@pytest.fixture(autouse=True)
def prose() -> str:
    """A stream, where the commands run."""
    Path("prose.txt").write_text(prose_text())
    return "prose.txt"


def validations(folder: str) -> list[Any]:
    return [entry for entry in log_of(Path(folder)) if entry["event"] == "validation"]


@pytest.mark.parametrize("kind", KINDS)
def test_stopping_behind_every_step_changes_nothing(kind: str, prose: str) -> None:
    """One after another: model, state and log, to the last bit."""
    options = (*QUICK, *FAST, *KINDS[kind].split())
    succeed("train", prose, "--model", "once", *options)
    succeed("train", prose, "--model", "often", *options, "--stop-at", 1)
    for stop in range(2, STEPS):
        succeed("train", "--resume", "--model", "often", "--quiet", "--stop-at", stop)
    succeed("train", "--resume", "--model", "often", "--quiet")
    same_run(Path("once"), Path("often"))


@pytest.mark.parametrize("stop", [3, 8, 17])
@pytest.mark.parametrize("kind", KINDS)
def test_stopping_after_any_step_changes_nothing(kind: str, stop: int, prose: str) -> None:
    """Model, state and log, to the last bit."""
    options = (*QUICK, *FAST, *KINDS[kind].split())
    succeed("train", prose, "--model", "once", *options)
    succeed("train", prose, "--model", "twice", *options, "--stop-at", stop)
    succeed("train", "--resume", "--model", "twice", "--quiet")
    same_run(Path("once"), Path("twice"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_of_a_run_and_the_command_of_its_model_repeat_it(kind: str, prose: str) -> None:
    succeed("train", prose, "--model", "first", *QUICK, *FAST, *KINDS[kind].split())
    succeed("train", "--config", "first/config.toml", "--model", "second", "--quiet")
    command = succeed("info", "--model", "first", "--json").json["command"].split()
    assert command[:2] == ["charlm", "train"]
    succeed(*command[1:], "--model", "third", "--quiet")
    first, second, third = (contents(Path(name))["model.safetensors"] for name in ("first", "second", "third"))
    assert first == second == third


@pytest.mark.parametrize("kind", ["ema", "asgd"])
def test_what_is_validated_and_kept_is_the_mean(kind: str, prose: str) -> None:
    """The model is the best mean, whose cost ``charlm eval`` finds again; the state has the weights too."""
    succeed("train", prose, "--model", "model", *QUICK, *FAST, *KINDS[kind].split())
    best = min(validations("model"), key=lambda each: each["valid_nats_per_token"])
    found = succeed("eval", "--model", "model", "--json").json
    assert found["nats_per_token"] == pytest.approx(best["valid_nats_per_token"], rel=1e-6)
    tensors, numbers = state_of(Path("model"))
    assert numbers["state"]["average"]["added"] > 0
    weights = load_file("model/model.safetensors")["embedding"]
    assert not np.array_equal(weights, tensors["embedding"])
    if best["step"] == STEPS:
        assert weights.tobytes() in tensors["average.mean"].tobytes()


def test_averaging_does_not_touch_what_is_trained(prose: str) -> None:
    """The same training losses with it and without."""
    for name, options in (("plain", ("--average", "none")), ("ema", KINDS["ema"].split())):
        succeed("train", prose, "--model", name, *QUICK, *FAST, *options)
    plain, ema = (validations(name) for name in ("plain", "ema"))
    assert [each["train_nats_per_token"] for each in plain] == [each["train_nats_per_token"] for each in ema]
    assert [each["valid_nats_per_token"] for each in plain] != [each["valid_nats_per_token"] for each in ema]
    tensors, numbers = state_of(Path("plain"))
    assert "average" not in numbers["state"]
    assert "average.mean" not in tensors


def test_what_is_shown_while_training_is_drawn_from_the_mean(prose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time that a sample is shown, the mean is in place."""
    inside: list[bool] = []
    seen: list[bool] = []
    right = Average.in_place

    @contextmanager
    def watched(average: Average) -> Iterator[None]:
        with right(average):
            inside.append(True)
            yield
            inside.pop()

    def sampled(*_: object) -> list[int]:
        seen.append(bool(inside))
        return []

    monkeypatch.setattr(Average, "in_place", watched)
    monkeypatch.setattr("charlm.cli.live_sample.sample", sampled)
    succeed("train", prose, "--model", "model", *QUICK[:-1], *FAST, *KINDS["ema"].split())
    assert len(seen) == len(validations("model"))
    assert all(seen)


def test_averaging_begins_behind_validations_without_gain(prose: str) -> None:
    succeed("train", prose, "--model", "model", *QUICK, *FAST, *KINDS["asgd"].split())
    losses = [each["valid_nats_per_token"] for each in validations("model")]
    begun = next(t for t in range(2, len(losses)) if losses[t] > min(losses[: t - 1]))
    added = state_of(Path("model"))[1]["state"]["average"]["added"]
    assert added == STEPS - 3 * (begun + 1) + 1


def test_going_back_begins_a_new_mean(prose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the best mean, which the weights become; what was spoilt is not in it."""
    failing = Failing(monkeypatch, set(range(10, 10 + MOST_FAILURES)))
    succeed("train", prose, "--model", "model", *QUICK, *FAST, *KINDS["ema"].split())
    tensors, numbers = state_of(Path("model"))
    back = 9 + MOST_FAILURES
    assert [entry["step"] for entry in log_of(Path("model")) if entry["event"] == "returned"] == [back]
    assert numbers["state"]["average"]["added"] == STEPS - back
    assert np.isfinite(tensors["average.mean"]).all()
    assert not np.array_equal(failing.before[back - 1], failing.before[back])


def test_the_learning_rate_falls_on_a_plateau(prose: str) -> None:
    ended = succeed("train", prose, "--model", "model", *QUICK[:-1], *FAST, *KINDS["plateau"].split(), "--warmup", 0)
    expected, rates = 1.0, []
    for entry in validations("model"):
        rates.append(expected)
        assert entry.get("lowered", False) == (not entry["best"])
        expected *= 1 if entry["best"] else 0.3
    assert [each["lr"] for each in validations("model")] == pytest.approx(rates)
    assert rates[-1] < 1
    assert ", learning rate lowered" in ended.err


def test_windows_vary_and_their_learning_rate_with_them(prose: str) -> None:
    """The log counts the tokens that were trained on; the rate is the schedule's times the share of the length."""
    options = ("--window", 20, "--batch", 4, "--steps", 12, "--eval-every", 1, "--schedule", "constant")
    arguments = ("--warmup", 0, "--lr", 0.01, "--hidden", 8, "--quiet", "--random-windows")
    succeed("train", prose, "--model", "model", *options, *arguments)
    tokens = [0, *(entry["tokens"] for entry in validations("model"))]
    lengths = np.diff(tokens) / 4
    assert len(set(lengths)) > 4
    assert 5 <= lengths.min() <= lengths.max() <= 30
    assert [entry["lr"] for entry in validations("model")] == pytest.approx(list(0.01 * lengths / 20))


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        ("--average-decay 0.9", ("--average-decay goes with --average ema",)),
        ("--average asgd --average-decay 0.9", ("--average-decay goes with --average ema",)),
        ("--average ema --average-after 3", ("--average-after goes with --average asgd",)),
        ("--plateau-after 3", ("--plateau-after goes with --schedule plateau",)),
        ("--average mean", ("none, ema, asgd",)),
        ("--average asgd --patience 3", ("--patience 3", "more patience than 5")),
        ("--schedule plateau --patience 2", ("--patience 2", "more patience than 2")),
    ],
)
def test_what_does_not_go_together_is_refused(options: str, mentioned: tuple[str, ...], prose: str) -> None:
    one_message(call("train", prose, *options.split()), 2, *mentioned)
    assert [path.name for path in Path().iterdir()] == [prose]


def test_a_run_that_averages_cannot_become_one_that_does_not(prose: str) -> None:
    succeed("train", prose, "--model", "model", *QUICK, *FAST, "--average", "ema", "--stop-at", 4)
    one_message(call("train", "--resume", "--model", "model", "--average", "none"), 2, "--average cannot change")


def test_options_that_decide_nothing_are_not_written(prose: str) -> None:
    succeed("train", prose, "--model", "model", *QUICK, "--steps", 3, "--average", "none")
    found = tomllib.loads(Path("model/config.toml").read_text())
    assert found["average"] == "none"
    assert not {"average-decay", "average-after", "plateau-factor", "plateau-after"} & set(found)


def test_taggers_and_classifiers_average_and_lower_too() -> None:
    corpus = write_columns(Path("names.conll"))
    chosen = "--average ema --average-decay 0.9 --schedule plateau --plateau-after 1"
    options = (*TAGGER, *FAST, *chosen.split())
    succeed("tag", "train", corpus, "--model", "once", *options)
    succeed("tag", "train", corpus, "--model", "twice", *options, "--stop-at", 10)
    succeed("tag", "train", "--resume", "--model", "twice", "--quiet")
    same_run(Path("once"), Path("twice"))
    succeed("tag", "train", "--config", "once/config.toml", "--model", "third", "--quiet")
    assert Path("third/model.safetensors").read_bytes() == Path("once/model.safetensors").read_bytes()
    assert "average.mean" in load_file("once/training.safetensors")


@pytest.mark.parametrize("command", ["tag", "classify"])
def test_windows_that_vary_are_refused_where_there_are_none(command: str) -> None:
    write_columns(Path("names.conll"))
    one_message(call(command, "train", "names.conll", "--random-windows"), 2, "--random-windows", "whole texts")
    assert "--random-windows" not in succeed(command, "train", "--help").out.decode()


def test_a_run_that_is_only_tried_writes_nothing(prose: str) -> None:
    succeed("train", prose, *QUICK[:-1], "--steps", 9, *KINDS["all"].split(), "--dry-run")
    assert [path.name for path in Path().iterdir()] == [prose]


def test_from_python() -> None:
    Path("names.txt").write_text(names_text())
    model = charlm.train(
        "names.txt",
        folder="kept",
        average="ema",
        random_windows=True,
        hidden=16,
        embedding=8,
        window=16,
        batch=4,
        steps=6,
    )
    train = model.trained.record["train"]
    assert (train["average"], train["average_decay"], train["random_windows"]) == ("ema", 0.999, True)
    assert json.loads(Path("kept/log.jsonl").read_text().splitlines()[0])["event"] == "validation"
