"""Ctrl-C at any moment: one line, exit status 130, and nothing lost."""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, NamedTuple

import pytest
from cli_cases import QUICK, Running, Trained, call, environment, names_text, succeed, words

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX's")

STEPS = 400
MOMENTS = 20


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A list of names."""
    path = tmp_path / "names.txt"
    path.write_text(names_text())
    return path


class Struck(NamedTuple):
    """A training that was struck by signals."""

    folder: Path
    status: int
    err: str


def strike(corpus: Path, folder: Path, moments: list[float], number: int = signal.SIGINT) -> Struck:
    """Train, and send a signal at each of these seconds after the start."""
    command = words("train", corpus, "--model", folder, *QUICK, "--steps", STEPS)
    # A sitting of its own, so that no signal meant for the tests reaches it, nor the other way round.
    with Running(
        command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:  # fmt: skip
        began = time.monotonic()
        for moment in moments:
            time.sleep(max(0.0, began + moment - time.monotonic()))
            running.send_signal(number)
        err = running.communicate(timeout=60)[1].decode()
    return Struck(folder, running.returncode, err)


def outside(err: str) -> bool:
    """Whether an interruption struck before Python had come to charlm at all, which charlm cannot help."""
    return "KeyboardInterrupt" in err and "charlm/" not in err.replace("charlm/__init__.py", "")


def check(struck: Struck) -> None:
    """Check what an interruption left."""
    if struck.status == -signal.SIGINT or outside(struck.err):
        assert not struck.folder.exists()
        return
    assert struck.status in (0, 130), struck.err
    lines = struck.err.splitlines()
    assert len(lines) == (struck.status == 130), struck.err
    assert all(line.startswith("charlm: ") for line in lines)
    files = {path.name for path in struck.folder.iterdir()} if struck.folder.exists() else set()
    assert files <= {"model.safetensors", "training.safetensors", "log.jsonl"}
    if "training.safetensors" in files:
        assert "model.safetensors" in files
    if "model.safetensors" in files:
        succeed("sample", "--model", struck.folder)


def length(corpus: Path) -> float:
    """Seconds that the whole command takes here and now."""
    began = time.monotonic()
    strike(corpus, corpus.parent / "whole", [])
    return time.monotonic() - began


@pytest.fixture
def uninterrupted(corpus: Path) -> bytes:
    """The model that the run ends in."""
    succeed("train", corpus, "--model", corpus.parent / "reference", *QUICK, "--steps", STEPS)
    return (corpus.parent / "reference" / "model.safetensors").read_bytes()


def test_ctrl_c_at_any_moment(corpus: Path, uninterrupted: bytes) -> None:
    """From the first import to the last save; and a run that was stopped ends, resumed, as if it had not been."""
    source, whole = random.Random(7), length(corpus)  # noqa: S311 - no secret
    plans = [[(number + source.random()) / MOMENTS * whole * 1.2] for number in range(MOMENTS)]
    with ThreadPoolExecutor(2) as pool:
        results = [
            pool.submit(strike, corpus, corpus.parent / f"run-{index}", plan) for index, plan in enumerate(plans)
        ]
        struck = [result.result() for result in results]
    for each in struck:
        check(each)
        if (each.folder / "training.safetensors").exists():
            succeed("train", "--resume", "--model", each.folder, "--quiet")
            assert (each.folder / "model.safetensors").read_bytes() == uninterrupted


def test_ctrl_c_twice(corpus: Path) -> None:
    """The second one does not wait for the end of a step, and loses no more than what was not saved yet."""
    source, whole = random.Random(8), length(corpus)  # noqa: S311 - no secret
    for index in range(6):
        first = source.uniform(0.2, 1.0) * whole
        check(strike(corpus, corpus.parent / f"run-{index}", [first, first + source.choice([0, 0.001, 0.01])]))


def test_termination_saves_too(corpus: Path) -> None:
    """SIGTERM, as a machine that shuts down sends it, and the closing of the terminal."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        folder = corpus.parent / number.name
        with training(corpus, folder) as running:
            wait_for(folder / "log.jsonl")
            running.send_signal(number)
            err = running.communicate(timeout=60)[1]
        assert running.returncode == 130
        assert b"charlm train --resume --model" in err
        assert call("train", "--resume", "--model", folder, "--lr", 1).status == 2
        assert (folder / "training.safetensors").exists()


def test_the_message_says_how_to_go_on(corpus: Path) -> None:
    folder = corpus.parent / "a folder"
    with training(corpus, folder) as running:
        wait_for(folder / "log.jsonl")
        running.send_signal(signal.SIGINT)
        err = running.communicate(timeout=60)[1].decode()
    assert running.returncode == 130
    assert err.startswith("charlm: stopped after ")
    assert err.endswith(f"go on with: charlm train --resume --model '{folder}'\n")
    check(Struck(folder, 130, err))


def test_ignored_interruptions_stay_ignored(corpus: Path) -> None:
    """A run in the background, for which the shell ignores Ctrl-C, goes on."""
    folder = corpus.parent / "background"
    command = words("train", corpus, "--model", folder, *QUICK, "--steps", 60)
    with Running(
        command, env=environment(), stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ) as running:  # fmt: skip
        wait_for(folder / "log.jsonl")
        running.send_signal(signal.SIGINT)
        assert running.communicate(timeout=60)[1] == b""
    assert running.returncode == 0


def training(corpus: Path, folder: Path) -> Running:
    """A run that does not end by itself, and whose log begins with its first step."""
    return Running(
        words("train", corpus, "--model", folder, *QUICK, "--time", "1h"),
        env=environment(),
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for(path: Path) -> None:
    """Wait until something is there, or for a minute."""
    for _ in range(6000):
        if path.exists():
            return
        time.sleep(0.01)


def interrupted(command: Running, output: IO[bytes] | None) -> None:
    """Interrupt a command once it has begun to write, and check that it ends with one line."""
    assert output is not None
    assert output.read(1)
    command.send_signal(signal.SIGINT)
    err = command.communicate(timeout=60)[1]
    assert command.returncode == 130
    assert err == b"charlm: interrupted\n"


def test_ctrl_c_while_sampling(prose: Trained) -> None:
    with Running(
        words("sample", "--model", prose.folder, "--length", 10**9), env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    ) as running:  # fmt: skip
        interrupted(running, running.stdout)


def test_ctrl_c_while_scoring(names: Trained, tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("banana\n" * 300_000)
    with Running(
        words("score", "--model", names.folder, "--file", tmp_path / "many.txt"), env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    ) as running:  # fmt: skip
        interrupted(running, running.stdout)


@pytest.mark.parametrize(
    ("command", "module"),
    [
        *(("train", module) for module in ("typer", "numpy", "safetensors", "tqdm", "threadpoolctl")),
        *(("sample", module) for module in ("typer", "numpy", "safetensors")),
    ],
)
def test_ctrl_c_while_importing(module: str, command: str, corpus: Path, names: Trained, tmp_path: Path) -> None:
    """Whatever is being loaded when it comes, there is no traceback; here the module itself sends the signal."""
    shadow = tmp_path / "shadow" / module
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    arguments = (
        ("train", corpus, "--model", "new", *QUICK) if command == "train" else ("sample", "--model", names.folder)
    )
    script = f"import sys; sys.path.insert(0, {str(shadow.parent)!r}); from charlm.__main__ import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], env=environment(), capture_output=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"charlm: interrupted\n")
    assert not Path("new").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_termination_ends_every_command_as_ctrl_c_does(number: signal.Signals, prose: Trained, tmp_path: Path) -> None:
    """While it is still loading, and while it writes."""
    shadow = tmp_path / "shadow" / "numpy"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text(f"import os\nos.kill(os.getpid(), {int(number)})\n")
    script = f"import sys; sys.path.insert(0, {str(shadow.parent)!r}); from charlm.__main__ import main; main()"
    command = [sys.executable, "-c", script, "train", str(prose.corpus), "--model", "new"]
    ended = subprocess.run(command, env=environment(), capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"charlm: interrupted\n")
    assert not Path("new").exists()
    with Running(
        words("sample", "--model", prose.folder, "--length", 10**9), env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stdout.read(1)
        running.send_signal(number)
        assert running.communicate(timeout=60)[1] == b"charlm: interrupted\n"
    assert running.returncode == 130
