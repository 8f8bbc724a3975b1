"""Runs of taggers: stopped and continued, repeated from their file, tried, and interrupted."""

import shutil
import signal
import time
import tomllib
from pathlib import Path

import pytest
from cli_cases import Running, call, contents, environment, one_message, succeed, words
from tag_cases import TAGGER, write_columns
from test_cli_resume import log_of, same_run, stopping

from charlm.training.label_options import LABEL_OPTIONS, label_flags

STEPS = 12
FAST = (*TAGGER, "--steps", STEPS)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A column file, where the commands run."""
    return write_columns(tmp_path / "names.conll")


def in_two(monkeypatch: pytest.MonkeyPatch, corpus: Path, folder: str, stop: int, *options: object) -> None:
    """Train to a step, stop, and go on to the end."""
    with monkeypatch.context() as patch:
        stopping(patch, stop)
        status = call("tag", "train", corpus, "--model", folder, *FAST, *options).status
        assert status == (130 if stop < STEPS else 0)
    succeed("tag", "train", "--resume", "--model", folder, "--quiet")


@pytest.mark.parametrize("stop", [1, 5, 11, 12])
@pytest.mark.parametrize("options", ["--dropout 0.4", "--chars --dropout 0.3"])
def test_stopping_and_resuming_changes_nothing(
    options: str, stop: int, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Model, state and log are the same to the last byte."""
    succeed("tag", "train", corpus, "--model", "once", *FAST, *options.split())
    in_two(monkeypatch, corpus, "twice", stop, *options.split())
    same_run(Path("once"), Path("twice"))


@pytest.mark.parametrize(
    "options",
    [
        "--cell gru --reset after --no-bidirectional --optimizer sgd --lr 0.1",
        "--cell rnn --layers 2 --residual --class-weights balanced",
        "--output sigmoid --lowercase --schedule linear --warmup 0.3",
        "--chars --valid-fraction 0.3 --max-vocab 8 --class-weights B-PER=3",
        "--dropout-embedding 0.2 --dropout-input 0.3 --dropout-recurrent 0.4 --label-smoothing 0.1",
        "--chars --dropout-input 0.3 --dropout-output 0.1 --dropout-kind variational --layers 2",
    ],
)
def test_every_kind_of_run_goes_on_and_is_repeated(options: str, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    succeed("tag", "train", corpus, "--model", "once", *FAST, *options.split())
    in_two(monkeypatch, corpus, "twice", 5, *options.split())
    same_run(Path("once"), Path("twice"))
    succeed("tag", "train", "--config", "once/config.toml", "--model", "again", "--quiet")
    assert Path("again/model.safetensors").read_bytes() == Path("once/model.safetensors").read_bytes()
    first, second = (tomllib.loads(Path(folder, "config.toml").read_text()) for folder in ("once", "again"))
    assert first == {**second, "model": "once"}


def test_validation_may_be_files_of_its_own(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    valid = write_columns(tmp_path / "valid.conll", 20, seed=5)
    succeed("tag", "train", corpus, "--valid", valid, "--model", "once", *FAST)
    in_two(monkeypatch, corpus, "twice", 4, "--valid", valid)
    same_run(Path("once"), Path("twice"))
    own, named = (succeed("tag", "eval", *files, "--model", "once", "--json").json for files in ((), (valid,)))
    assert own == named


def test_every_option_can_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "some.toml").write_text("nonsense = 1")
    said = call("tag", "train", "--config", "some.toml").err
    assert all(flag[2:] in said for flag in label_flags(LABEL_OPTIONS["tagger"]))


def test_trying_writes_nothing(corpus: Path) -> None:
    before = contents(Path())
    ended = succeed("tag", "train", corpus, "--dry-run", *TAGGER[:-1], "--epochs", 3)
    assert contents(Path()) == before
    for what in ("parameters: ", "memory: ", "a step: ", "the run: about ", "the folder: runs/names, not there yet"):
        assert what in ended.out.decode()


def test_a_run_may_be_made_longer(corpus: Path) -> None:
    succeed("tag", "train", corpus, "--model", "model", *FAST)
    succeed("tag", "train", "--resume", "--model", "model", "--steps", 20, "--quiet")
    assert log_of(Path("model"))[-1]["step"] == 20


def test_a_time_budget_is_planned_and_ends(corpus: Path) -> None:
    succeed("tag", "train", corpus, "--model", "model", *TAGGER, "--time", "0.3s")
    assert any(entry["event"] == "plan" for entry in log_of(Path("model")))
    succeed("tag", "apply", "Rose said", "--model", "model")


def test_interrupted_it_saves_itself_and_goes_on(corpus: Path) -> None:
    line = words("tag", "train", corpus, "--model", "model", *TAGGER[:-1], "--epochs", 100_000)
    with Running(line, env=environment()) as running:
        deadline = time.monotonic() + 60
        while not Path("model/model.safetensors").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130
    before = log_of(Path("model"))[-1]
    assert before["event"] == "stopped"
    succeed("tag", "apply", "Rose said", "--model", "model")
    succeed("tag", "train", "--resume", "--model", "model", "--quiet", "--stop-at", before["step"] + 3)
    assert log_of(Path("model"))[-1]["step"] == before["step"] + 3


def test_going_on_needs_the_same_corpus(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stopping(patch, 3)
        call("tag", "train", corpus, "--model", "model", *FAST)
    write_columns(corpus, seed=2)
    one_message(call("tag", "train", "--resume", "--model", "model"), 3, "names.conll", "has changed", "--overwrite")
    ended = call("tag", "eval", "--model", "model")
    assert ended.status == 3
    assert "names.conll has changed since the model was trained on it: name a file to evaluate" in ended.err
    corpus.unlink()
    one_message(call("tag", "train", "--resume", "--model", "model"), 3, "no such file", "names.conll")


def test_a_run_is_not_overwritten_unasked(corpus: Path) -> None:
    succeed("tag", "train", corpus, "--model", "model", *FAST)
    before = contents(Path("model"))
    one_message(call("tag", "train", corpus, "--model", "model", *FAST), 5, "--overwrite")
    assert contents(Path("model")) == before
    shutil.rmtree("model")
