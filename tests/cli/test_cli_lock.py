"""Two trainers in one folder: the second one is told who is there, and touches nothing."""

import errno
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest
from cli_cases import QUICK, Ended, Running, call, contents, environment, names_text, one_message, succeed, words

import charlm
from charlm.errors import OutputError
from charlm.training import lock as lock_module
from charlm.training.lock import LOCK_FILE, acquire


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A list of names."""
    path = tmp_path / "names.txt"
    path.write_text(names_text())
    return path


def wait_for(path: Path) -> None:
    """Wait until something is there, or for a minute."""
    for _ in range(6000):
        if path.exists():
            return
        time.sleep(0.01)


def second_commands(corpus: Path, folder: Path) -> list[list[object]]:
    """All the ways to train in a folder."""
    begin = ["train", corpus, "--model", folder, *QUICK, "--steps", 3]
    return [begin, [*begin, "--overwrite"], ["train", "--resume", "--model", folder, "--quiet"]]


def test_a_second_trainer_is_told_who_is_there(corpus: Path, tmp_path: Path) -> None:
    """In another process, however it is called; the other commands do not ask."""
    folder = tmp_path / "model"
    succeed("train", corpus, "--model", folder, *QUICK, "--steps", 3)
    held = acquire(folder)
    before = contents(folder)
    since = json.loads(before[LOCK_FILE])["since"]
    for command in second_commands(corpus, folder):
        ended = call(*command)
        one_message(ended, 5, folder, f"process {os.getpid()}", since, "--model OTHER")
        assert contents(folder) == before
    assert call("sample", "--model", folder, "--length", 3).status == 0
    assert call("info", "--model", folder).status == 0
    with pytest.raises(OutputError, match="is being trained already"):
        charlm.train(str(corpus), folder=folder, overwrite=True, steps=3)
    held.release()
    for command in second_commands(corpus, folder)[1:]:
        assert call(*command).status == 0
    assert LOCK_FILE not in contents(folder)


def test_a_run_in_another_process_is_found(corpus: Path, tmp_path: Path) -> None:
    """By its number, which is the one to stop it with; once it has ended it is in nobody's way."""
    folder = tmp_path / "model"
    with Running(
        words("train", corpus, "--model", folder, *QUICK, "--time", "1h"), env=environment(), stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:  # fmt: skip
        wait_for(folder / "log.jsonl")
        for command in second_commands(corpus, folder)[1:]:
            # Before it has saved, there is nothing to resume, but that it is at work goes first.
            one_message(call(*command), 5, f"process {running.pid} since", "is being trained already")
        if os.name == "posix":
            running.send_signal(signal.SIGKILL)
        else:
            running.kill()
        running.communicate(timeout=60)
    # A process that was killed holds nothing, though its file is there.
    assert (folder / LOCK_FILE).exists()
    succeed("train", corpus, "--model", folder, *QUICK, "--steps", 3)
    assert LOCK_FILE not in contents(folder)


def test_two_that_start_at_once(corpus: Path, tmp_path: Path) -> None:
    """Exactly one trains; the other has changed nothing, so the folder is as one run leaves it."""
    folder = tmp_path / "model"
    succeed("train", corpus, "--model", folder, *QUICK, "--steps", 3)
    commands = [words("train", corpus, "--model", folder, *QUICK, "--time", "2s", "--overwrite")] * 2
    both = [
        subprocess.Popen(each, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for each in commands
    ]
    ended = [Ended(each.wait(60), b"", "") for each in both]
    errors = [each.communicate()[1].decode() for each in both]
    assert sorted(each.status for each in ended) == [0, 5], errors
    assert any("is being trained already, by process" in error for error in errors)
    assert call("sample", "--model", folder, "--length", 3).status == 0
    assert LOCK_FILE not in contents(folder)


def test_a_run_that_began_while_the_texts_were_read(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was free when the command began may be another's model when the texts have been read."""
    folder = tmp_path / "model"
    fingerprint = "charlm.training.setup.fingerprint"

    def somebody_trains() -> dict[str, str]:
        monkeypatch.undo()
        monkeypatch.chdir(tmp_path)
        succeed("train", corpus, "--model", folder, *QUICK, "--steps", 3)
        return {}

    monkeypatch.setattr(fingerprint, somebody_trains)
    ended = call("train", corpus, "--model", folder, *QUICK, "--steps", 5)
    one_message(ended, 5, "holds a model already")
    assert b'"step": 3' in contents(folder)["log.jsonl"]


@pytest.mark.parametrize("fails", [False, True])
def test_training_in_python_lets_go(fails: bool, corpus: Path, tmp_path: Path) -> None:
    """At its end, whatever that was."""
    folder = tmp_path / "model"

    def report(each: Any) -> None:
        del each
        assert (folder / LOCK_FILE).exists()
        with pytest.raises(OutputError, match="by process"):
            acquire(folder)
        if fails:
            raise ZeroDivisionError

    options: Any = {"hidden": 8, "window": 16, "batch": 4, "steps": 2}
    if fails:
        with pytest.raises(ZeroDivisionError):
            charlm.train(str(corpus), folder=folder, report=report, **options)
    else:
        charlm.train(str(corpus), folder=folder, report=report, **options)
    assert LOCK_FILE not in contents(folder)
    acquire(folder).release()


def refusing(number: int) -> Callable[[IO[bytes]], bool]:
    """A file system that has no locks."""

    def take(file: IO[bytes]) -> bool:
        del file
        raise OSError(number, os.strerror(number))

    return take


def test_a_file_system_without_locks(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is trained all the same, which is said; what may be another run's temporaries is left alone."""
    monkeypatch.setattr(lock_module, "_take", refusing(errno.ENOLCK))
    folder = tmp_path / "model"
    folder.mkdir()
    left = f".model.safetensors.{'0' * 16}"
    (folder / left).touch()
    loud = [option for option in QUICK if option != "--quiet"]
    ended = succeed("train", corpus, "--model", folder, *loud, "--steps", 3)
    assert f"the file system of {folder} has no locks" in ended.err
    assert "has no locks" in succeed("train", "--resume", "--model", folder).err
    assert set(contents(folder)) == {"model.safetensors", "training.safetensors", "log.jsonl", "config.toml", left}


def test_a_lock_that_cannot_be_had_for_another_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "_take", refusing(errno.EIO))
    with pytest.raises(OutputError, match="Input/output error"):
        acquire(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_holder_that_cannot_be_read(tmp_path: Path) -> None:
    held = acquire(tmp_path)
    (tmp_path / LOCK_FILE).write_bytes(b"\xff")
    with pytest.raises(OutputError, match="by another process"):
        acquire(tmp_path)
    held.release()


def test_many_that_want_the_same_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never two hold it, though each that lets go removes its file."""
    monkeypatch.setattr(lock_module, "PAUSE_SECONDS", 0.001)
    inside, most = threading.Lock(), 8
    seen: list[bool] = []

    def work() -> None:
        for _ in range(20):
            try:
                lock = acquire(tmp_path)
            except OutputError:
                continue
            seen.append(inside.acquire(blocking=False))
            inside.release()
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(most)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen
    assert all(seen)
    assert not list(tmp_path.iterdir())
