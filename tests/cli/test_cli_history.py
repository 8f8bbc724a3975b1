"""``charlm history``: runs side by side, as a table, as curves and as JSON."""

import math
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cli_cases import QUICK, Ended, Running, Trained, call, environment, names_text, one_message, succeed, words
from history_cases import finished, long_ago, validation, write_log, write_run

from charlm.cli.chart import HEIGHT, MARKS

CHART = "validation loss in nats a token"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs below runs/: one that is over, one that was stopped, and one that was killed."""
    monkeypatch.setenv("COLUMNS", "80")
    folder = tmp_path / "runs"
    finished(folder / "slow", [3.0, 2.5, 2.25])
    write_run(folder / "good", validation(20, 2.5), validation(43, 1.75), {"event": "stopped", "step": 43})
    long_ago(write_run(folder / "dead", validation(20, 3.5)))
    return folder


def rows(ended: Ended) -> dict[str, list[str]]:
    """The table by run: the words of its rows, those of a second and third table behind those of the first."""
    found: dict[str, list[str]] = {}
    for line in ended.out.decode().split(CHART)[0].splitlines()[1:]:
        name, *cells = line.split() or [""]
        found.setdefault(name, []).extend(cells)
    return found


def order(ended: Ended) -> list[str]:
    """The runs in the order of the first table."""
    return [line.split()[0] for line in ended.out.decode().splitlines()[2:5]]


def widest(ended: Ended) -> int:
    return max(map(len, ended.out.decode().splitlines()))


def test_real_runs_as_table_and_json(names: Trained, prose: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = succeed("history", names.folder, prose.folder, "--json").json
    table = succeed("history", names.folder, prose.folder)
    assert widest(table) <= 80
    assert {run["folder"] for run in found} == {str(names.folder), str(prose.folder)}
    shown = rows(table)
    for run in found:
        best = run["best"]
        info = succeed("info", "--model", run["folder"], "--json").json
        assert best["nats_per_token"] == info["record"]["valid_nats_per_token"]
        assert (run["model"], run["parameters"]) == (info["model"], info["parameters"])
        costs = [each for each in run["records"] if each["event"] == "validation"]
        lowest = min(costs, key=lambda each: each["valid_nats_per_token"])
        assert (best["nats_per_token"], best["step"]) == (lowest["valid_nats_per_token"], lowest["step"])
        bits = lowest["valid"]["nats"] / math.log(2)
        assert best["bits_per_char"] == pytest.approx(bits / run["record"]["corpus"]["valid_characters"])
        cells = shown[run["name"]]
        expected = [f"{best[key]:.4f}" for key in ("nats_per_token", "bits_per_token", "bits_per_char")]
        assert cells[0] == run["group"]
        assert cells[1:4] == expected
        assert cells[4:7] == [f"{best['step']:,}", f"{run['train_nats_per_token']:.4f}", "finished"]
        assert run["state"] == "finished"
        assert run["step"] == 40
    assert [found[0]["group"], found[1]["group"]] == ["1", "2"]
    assert "losses compare within a group" in table.out.decode()


def test_all_below_runs_where_none_is_named(runs: Path) -> None:
    ended = succeed("history")
    shown = rows(ended)
    assert shown["slow"][:6] == ["2.2500", "3.2461", "3.2461", "100", "1.7500", "finished"]
    assert shown["good"][5:8] == ["stopped", "at", "43%"]
    assert shown["dead"][5:8] == ["killed?", "at", "20%"]
    assert "lstm 1 x 16" in ended.out.decode()
    assert "names.txt" in ended.out.decode()
    assert ended.out == succeed("history", runs).out
    assert ended.err == ""
    assert "group" not in ended.out.decode()


def test_sorted_as_asked(runs: Path) -> None:
    assert order(succeed("history")) == ["good", "slow", "dead"]
    assert order(succeed("history", "--sort", "name")) == ["dead", "good", "slow"]
    assert order(succeed("history", "--sort", "time")) == ["dead", "good", "slow"]
    write_log(runs / "dead", {"event": "plan", "step": 1})
    assert order(succeed("history", "--sort", "loss"))[-1] == "dead"
    assert order(succeed("history", "--sort", "time"))[-1] == "dead"


def test_curves_over_steps_seconds_or_tokens(runs: Path) -> None:
    """Across stands what was asked for, from the first validation to the last of all runs."""
    for by, first, last in (("steps", "20", "100"), ("seconds", "2", "10"), ("tokens", "640", "3,200")):
        lines = succeed("history", runs, "--by", by).out.decode().split(CHART)[1].splitlines()
        across = lines[HEIGHT + 2].split()
        assert (across[0], across[1], across[-1]) == (first, by, last)
        assert [line.split()[1] for line in lines[HEIGHT + 3 :]] == ["good", "slow", "dead"]
    assert CHART not in succeed("history", runs, "--no-chart").out.decode()


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_long_names_keep_to_the_width(width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    long: dict[str, Any] = {
        "corpus": {"paths": ["very/" * 20 + "long-name-of-a-text" * 5 + ".txt", "b"]},
        "model": {"residual": True},
    }
    for name in ("experiment-" * 15 + "1", "experiment-" * 15 + "2", "short", "with\x7fcontrol"):
        finished(tmp_path / name, **(long if name != "short" else {}))
    ended = succeed("history", tmp_path, "--no-chart")
    table = ended.out.decode()
    assert max(map(len, table.splitlines()[1:])) <= width
    assert "with.control"[-3:] in table
    assert "\x7f" not in table
    assert "-1" in table
    assert "-2" in table
    assert widest(succeed("history", tmp_path)) <= max(width, 76)


def test_many_runs_are_all_in_the_table_and_some_in_the_chart(tmp_path: Path) -> None:
    for number in range(12):
        finished(tmp_path / f"run{number}", [3.0, 1.0 + number / 10])
    ended = succeed("history", tmp_path)
    assert len([name for name in rows(ended) if name.startswith("run")]) == 13  # and the heading
    chart = ended.out.decode().split(CHART)[1]
    assert f"of 12 runs the first {len(MARKS)}" in chart
    assert "run7" in chart
    assert "run8" not in chart


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_plot(kind: str, runs: Path) -> None:
    plots = [Path(f"{name}.{kind}") for name in "ab"]
    for plot in plots:
        ended = succeed("history", runs, "--plot", plot)
        assert f"wrote {plot}" in ended.err
        assert ended.out
    first, second = (plot.read_bytes() for plot in plots)
    assert first == second
    succeed("history", runs, "--plot", plots[1], "--by", "seconds", "--json")
    assert plots[1].read_bytes() != first


def test_what_went_wrong_is_said(runs: Path) -> None:
    accidents = [validation(20, spikes=2, skipped=0), validation(40, spikes=1, skipped=1), {"event": "returned"}]
    write_log(runs / "rough", *accidents, end=b"nonsense\n")
    ended = succeed("history")
    assert ended.err == f"charlm: {Path('runs/rough/log.jsonl')}: line 4 damaged and left out\n"
    said = "rough: the loss jumped at 3 steps, 1 step skipped, not being finite, gone back to its best weights 1 time"
    assert said in " ".join(ended.out.decode().split())
    assert widest(ended) <= 80
    assert sum("jumped" in line for line in ended.out.decode().splitlines()) == 1


def test_what_does_not_compare_is_said(runs: Path) -> None:
    in_words: dict[str, Any] = {"text": {"level": "word"}, "model": {"vocabulary": 300}}
    cost = {"nats": 1500.0, "tokens": 200, "unknown_nats": 10.0, "unknown": 10}
    write_run(runs / "words", validation(100, 7.5, valid=cost), **in_words)
    ended = succeed("history")
    shown = rows(ended)
    assert (shown["words"][0], shown["slow"][0]) == ("1.2", "1.1")
    assert shown["words"][1:4] == ["7.5000", "10.8202", "2.1640"]
    text = " ".join(ended.out.decode().split())
    assert "groups such as 1.1 and 1.2 have one text in different tokens" in text
    assert "words reads 5.0% of the tokens as <UNK>" in text
    assert "other texts" not in text
    finished(runs / "else", corpus={"digest": "b" * 64})
    ended = succeed("history")
    assert rows(ended)["else"][0] == "2"
    assert "validated with other texts" in ended.out.decode()


def test_wrong_usage(runs: Path) -> None:
    one_message(call("history", "--by", "luck"), 2, "--by", "'luck'", "seconds")
    one_message(call("history", "--sort", "luck"), 2, "--sort", "'luck'", "time")
    one_message(call("history", "--plot", "x.pdf"), 2, ".svg or .png")
    one_message(call("history", "nowhere"), 4, "there is nothing at nowhere")
    (runs.parent / "empty").mkdir()
    one_message(call("history", "empty"), 4, "empty holds no log.jsonl of a run")
    write_log(runs.parent / "begun")
    one_message(call("history", "begun"), 4, Path("begun/log.jsonl"), "holds no record")


def test_no_runs_at_all() -> None:
    one_message(call("history"), 4, "runs", "charlm train")


def test_the_empty_log_of_one_does_not_hide_the_others(runs: Path) -> None:
    write_log(runs / "begun", end=b'{"event": "val')
    ended = succeed("history", "--json")
    assert len(ended.json) == 4
    assert "begun" in ended.err
    assert rows(succeed("history"))["begun"][:5] == ["?", *"-----"][:5]


@pytest.mark.skipif(os.name != "posix", reason="processes are killed so under POSIX")
def test_while_a_run_goes_on_and_when_it_was_killed(tmp_path: Path) -> None:
    """Another process writes what is read here."""
    Path("names.txt").write_text(names_text())
    command = words("train", "names.txt", "--model", "run", *QUICK, "--time", "100s")
    with Running(command, env=environment(), stdin=subprocess.DEVNULL, start_new_session=True) as running:
        log, given_up = tmp_path / "run" / "log.jsonl", time.monotonic() + 60
        while not (log.exists() and log.stat().st_size) and time.monotonic() < given_up:
            time.sleep(0.05)
        seen = [succeed("history", "run", "--json").json[0] for _ in range(3)]
        running.kill()
        running.wait()
    assert [run["state"] for run in seen] == ["running"] * 3
    assert seen[0]["records"] == seen[2]["records"][: len(seen[0]["records"])]
    assert all(not run["problems"] for run in seen)
    long_ago(tmp_path / "run")
    killed = succeed("history", "run")
    assert "killed? at " in killed.out.decode()
    assert killed.err == ""
