"""What training shows on the way, and what it logs."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from cli_cases import QUICK, Running, call, environment, names_text, process, prose_text, succeed, words

LOUD = [word for word in QUICK if word != "--quiet"]


@pytest.fixture(params=[names_text, prose_text], ids=["lines", "stream"])
def corpus(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A text of either kind."""
    path = tmp_path / "text.txt"
    path.write_text(request.param())
    return path


def test_without_a_terminal_there_are_plain_lines(corpus: Path) -> None:
    """A line a validation, with a sample below it; no control characters; the result on standard output."""
    ended = process("train", corpus, "--model", "model", *LOUD, "--steps", 40, "--valid-fraction", 0.05)
    assert ended.status == 0
    assert "\r" not in ended.err
    assert "\x1b" not in ended.err
    lines = ended.err.splitlines()
    validations = [
        number for number, line in enumerate(lines) if "validation" in line and line.startswith("charlm: step ")
    ]
    log = [json.loads(line) for line in Path("model/log.jsonl").read_text().splitlines()]
    assert log.pop()["event"] == "finished"
    assert len(validations) == len(log) > 1
    assert all(lines[number + 1].startswith("    ") for number in validations)
    for number, entry in zip(validations, log, strict=True):
        assert f"validation {entry['valid_nats_per_token']:.4f} nats a token" in lines[number]
    assert ended.out.decode().startswith("model: validation ")
    assert len(ended.out.splitlines()) == 1


def test_long_silences_are_broken(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where validations are rare, a line says how far the run is; without waiting that is a line a step."""
    monkeypatch.setattr("charlm.cli.progress.SILENCE_SECONDS", 0.0)
    ended = succeed("train", corpus, "--model", "model", *LOUD, "--steps", 8, "--valid-fraction", 0.05)
    steps = [line for line in ended.err.splitlines() if " s left" in line]
    assert len(steps) == 8
    assert steps[3].startswith("charlm: step 4 (50%, ")
    assert steps[-1].endswith("some 0 s left")


def test_quiet_says_nothing(corpus: Path) -> None:
    ended = process("train", corpus, "--model", "model", *QUICK, "--steps", 10)
    assert ended == (0, b"", "")
    assert call("train", corpus, "--model", "model", *QUICK).err.startswith("charlm: ")


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_in_a_terminal_there_is_a_bar(corpus: Path) -> None:
    """With loss, validation, learning rate, speed and time left; and a live sample after each validation."""
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (40, 200))
    options = ("--model", "model", *LOUD, "--steps", 600, "--valid-fraction", 0.05)
    with Running(
        words("train", corpus, *options), env=environment(), stdin=slave, stdout=subprocess.PIPE, stderr=slave
    ) as running:
        os.close(slave)
        shown = b""
        while piece := _read(master):
            shown += piece
        assert running.wait(60) == 0
    os.close(master)
    bars = [line for line in shown.decode().replace("\n", "\r").split("\r") if "tok/s" in line]
    assert bars
    for figure in ("%|", "nats", "bits", "valid ", "lr ", "tok/s", "left"):
        assert figure in bars[-1]
    assert "validation" in shown.decode()
    assert any(line.startswith("    ") for line in shown.decode().splitlines())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other side has closed
        return b""


def test_every_line_of_the_log_is_an_object(corpus: Path) -> None:
    succeed("train", corpus, "--model", "model", *QUICK, "--steps", 40, "--valid-fraction", 0.05)
    log = [json.loads(line) for line in Path("model/log.jsonl").read_text().splitlines()]
    assert log.pop()["event"] == "finished"
    assert {entry["event"] for entry in log} == {"validation"}
    steps = [entry["step"] for entry in log]
    assert steps == sorted(set(steps))
    assert (steps[-1], log[-1]["progress"]) == (40, 1)
    best = [entry["valid_nats_per_token"] for entry in log if entry["best"]]
    assert best == sorted(best, reverse=True)
    assert min(entry["valid_nats_per_token"] for entry in log) == best[-1]


def test_a_run_bound_by_time_logs_its_plan(corpus: Path) -> None:
    """Progress only ever rises, and reaches the end; the plans say how."""
    succeed("train", corpus, "--model", "model", *QUICK, "--time", "3s")
    log = [json.loads(line) for line in Path("model/log.jsonl").read_text().splitlines()]
    plans = [entry for entry in log if entry["event"] == "plan"]
    validations = [entry for entry in log if entry["event"] == "validation"]
    assert plans
    assert all(set(plan) == {"event", "step", "progress", "slope", "ceiling"} for plan in plans)
    for entries in (plans, validations):
        for key in ("step", "progress"):
            values = [entry[key] for entry in entries]
            assert values == sorted(values)
    assert validations[-1]["progress"] == 1
    assert all(0 <= plan["progress"] <= plan["ceiling"] <= 1 for plan in plans)
    assert call("sample", "--model", "model").status == 0
    record = succeed("info", "--model", "model", "--json").json["record"]["train"]
    assert (record["seconds"], record["steps"]) == (3, None)


@pytest.mark.parametrize("length", ["90", "90s", "1.5m", "0.025h", " 90 s "])
def test_lengths_of_time(length: str) -> None:
    """All of these are ninety seconds, and are understood before any file is looked for."""
    assert call("train", "missing.txt", "--time", length).status == 3
