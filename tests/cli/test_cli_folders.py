"""Output folders that are taken, closed or full, and readers that go away."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_cases import (
    QUICK,
    Ended,
    Running,
    Trained,
    call,
    contents,
    environment,
    names_text,
    one_message,
    process,
    succeed,
    words,
)

NOBODY = 65534


@pytest.fixture
def begun(tmp_path: Path) -> Trained:
    """A folder with a small model, its state and its log."""
    corpus = tmp_path / "names.txt"
    corpus.write_text(names_text())
    succeed("train", corpus, "--model", tmp_path / "model", *QUICK, "--steps", 5)
    return Trained(tmp_path / "model", corpus)


def test_a_folder_with_a_model_is_not_touched(begun: Trained) -> None:
    before = contents(begun.folder)
    ended = call("train", begun.corpus, "--model", begun.folder, *QUICK, "--steps", 5)
    one_message(ended, 5, begun.folder, "--resume", "--overwrite", "--model OTHER")
    assert contents(begun.folder) == before


def test_nor_is_one_with_only_a_state(begun: Trained) -> None:
    begun.file.unlink()
    before = contents(begun.folder)
    one_message(call("train", begun.corpus, "--model", begun.folder, *QUICK), 5, "--resume")
    assert contents(begun.folder) == before


def test_overwrite_replaces_it(begun: Trained) -> None:
    options = (*QUICK, "--steps", 5, "--seed", 2)
    succeed("train", begun.corpus, "--model", begun.folder, *options, "--overwrite")
    succeed("train", begun.corpus, "--model", begun.folder.parent / "fresh", *options)
    fresh = contents(begun.folder.parent / "fresh")
    assert contents(begun.folder)["model.safetensors"] == fresh["model.safetensors"]
    assert len(contents(begun.folder)["log.jsonl"].splitlines()) == len(fresh["log.jsonl"].splitlines())
    assert set(contents(begun.folder)) == set(fresh)


@pytest.mark.parametrize("corpus", ["missing.txt", "empty.txt"])
def test_overwrite_that_cannot_begin_changes_nothing(begun: Trained, corpus: str) -> None:
    (begun.folder.parent / "empty.txt").touch()
    before = contents(begun.folder)
    one_message(call("train", corpus, "--model", begun.folder, "--overwrite"), 3, corpus)
    assert contents(begun.folder) == before


def test_a_file_where_the_folder_should_be(begun: Trained) -> None:
    for model in (begun.corpus, begun.corpus / "below"):
        one_message(call("train", begun.corpus, "--model", model, *QUICK), 5, model, "--model")
    assert begun.corpus.read_text() == names_text()


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that every user may enter, wherever the test's own folders may be."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        yield place


LAUNCH = f"""
import os, tempfile
from charlm.cli.app import outcome
with tempfile.TemporaryDirectory() as warm:  # whatever is imported late is imported now
    text, model = warm + "/text", warm + "/model"
    open(text, "w").write("some text " * 20)
    assert outcome(["train", text, "--model", model, "--hidden", "4", "--steps", "1", "--quiet"]) == ("", 0)
    assert outcome(["sample", "--model", model, "--length", "1"]) == ("", 0)
    try:
        assert outcome(["info", "--model", text])[1] == 4
    finally:
        os.remove(text)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
from charlm.__main__ import main
main()
"""
"""Runs a command as a user whom permissions bind, whoever may read this Python."""


def as_somebody(*arguments: object, cwd: Path) -> Ended:
    """Run a command as a user whom permissions bind; skips where there is none."""
    if os.name != "posix":
        pytest.skip("permissions of this kind are POSIX's")
    command = [sys.executable, "-c", LAUNCH, *map(str, arguments)]
    ended = subprocess.run(
        command, cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr.decode())


def test_a_folder_that_may_not_be_written(begun: Trained, open_place: Path) -> None:
    """Beginning, resuming and overwriting all fail with one message, and leave what is there."""
    shutil.copy(begun.corpus, open_place / "names.txt")
    shutil.copytree(begun.folder, open_place / "model")
    succeed("train", open_place / "names.txt", "--model", open_place / "short", *QUICK, "--steps", 5)
    (open_place / "short" / "model.safetensors").unlink()
    (open_place / "empty").mkdir()
    for path in (*open_place.rglob("*"), open_place):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = contents(open_place)
    for options in (
        ("--model", open_place / "new", *QUICK),
        ("--model", open_place / "empty", *QUICK),
        ("--model", open_place / "model", *QUICK, "--overwrite"),
        ("--model", open_place / "short", "--quiet", "--resume"),
    ):
        ended = as_somebody("train", open_place / "names.txt", *options, cwd=open_place)
        one_message(ended, 5, options[1], "ermission denied")
    assert contents(open_place) == before
    assert not list((open_place / "empty").iterdir())
    assert as_somebody("sample", "--model", open_place / "model", cwd=open_place).status == 0
    for path in (open_place, *open_place.rglob("*")):
        path.chmod(0o755)


def test_unreadable_texts_and_models(begun: Trained, open_place: Path) -> None:
    shutil.copy(begun.corpus, open_place / "names.txt")
    shutil.copy(begun.file, open_place / "model")
    for path in open_place.iterdir():
        path.chmod(0)
    one_message(as_somebody("train", open_place / "names.txt", cwd=open_place), 3, "names.txt", "denied")
    one_message(as_somebody("info", "--model", open_place / "model", cwd=open_place), 4, "model", "denied")


def full_after(size: int) -> Any:
    """What makes a process unable to write files longer than so many bytes, as on a full disk."""
    resource = pytest.importorskip("resource")
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [0, 1, 1000, 4000])
def test_a_full_disk(begun: Trained, size: int) -> None:
    """What was there stays as it was, and no temporary files are left."""
    before = contents(begun.folder)
    for options in (("--model", begun.folder, "--overwrite"), ("--model", "new")):
        ended = process("train", begun.corpus, *options, *QUICK, "--steps", 9, preexec_fn=full_after(size))
        one_message(ended, 5, "cannot write", "--model")
    assert contents(begun.folder) == before
    assert set(contents(Path("new"))) <= {"config.toml", "log.jsonl"}


def test_a_disk_that_fills_up_while_training_goes_on(begun: Trained) -> None:
    """The model fits and the state does not: the model stays, whole."""
    size = begun.file.stat().st_size + 100
    ended = process("train", begun.corpus, "--model", "new", *QUICK, "--steps", 9, preexec_fn=full_after(size))
    one_message(ended, 5, "training.safetensors", "--model")
    assert sorted(contents(Path("new"))) == ["config.toml", "log.jsonl", "model.safetensors"]
    assert call("sample", "--model", "new").status == 0


COMMANDS: list[tuple[str, ...]] = [
    ("sample",),
    ("sample", "--length", "0"),
    ("score", "abc"),
    ("score", "abc", "--json"),
    ("eval",),
    ("info",),
    ("info", "--json"),
]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", [*COMMANDS, ("--help",), ("--version",), ("train", "--help")])
def test_output_to_a_full_disk(command: tuple[str, ...], names: Trained) -> None:
    where = ("--model", names.folder) if command in COMMANDS else ()
    with Path("/dev/full").open("wb") as full:
        ended = process(*command, *where, stdout=full, stderr=subprocess.PIPE)
    lines = [line for line in ended.err.splitlines() if "evaluating the validation part" not in line]
    assert ended.status == 5
    assert len(lines) == 1
    assert lines[0].startswith("charlm: cannot write to standard output: No space left")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_messages_to_a_full_disk_stop_nothing(names: Trained) -> None:
    """Where not even standard error can be written, training goes on."""
    with Path("/dev/full").open("wb") as full:
        ended = process(
            "train", names.corpus, "--model", "new", *QUICK[:-1], "--steps", 5, stdout=subprocess.PIPE, stderr=full
        )
    assert ended.status == 0
    assert call("sample", "--model", "new").status == 0


@pytest.mark.skipif(os.name != "posix", reason="closed descriptors are POSIX's")
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_streams(closed: tuple[int, ...], names: Trained) -> None:
    """A command that lacks a standard stream does its work all the same."""

    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    for command in (
        ("train", names.corpus, *QUICK, "--steps", 2, "--model", "new"),
        ("score", "--model", names.folder),
    ):
        ended = process(*command, preexec_fn=close)
        assert ended.status == 0
        assert "Traceback" not in ended.err
    assert call("sample", "--model", "new").status == 0


@pytest.mark.parametrize(
    "command",
    [
        ("sample", "--length", "100000000"),
        ("sample", "-n", "100000000", "--length", "5"),
        ("score", "--json"),
        ("score",),
        ("score", "--per-token"),
    ],
)
def test_a_reader_that_goes_away(command: tuple[str, ...], prose: Trained) -> None:
    """``| head -c 10``: the command ends by itself, with nothing to say."""
    Path("many.txt").write_text("banana\n" * 20_000)
    with (
        Path("many.txt").open("rb") as many,
        Running(
            words(*command, "--model", prose.folder),
            env=environment(),
            stdin=many,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as running,
    ):
        assert running.stdout is not None
        assert running.stderr is not None
        assert len(running.stdout.read(10)) == 10
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) == 0


@pytest.mark.parametrize("command", [("info",), ("info", "--json"), ("score", "abc"), ("sample",)])
def test_a_reader_that_was_never_there(command: tuple[str, ...], names: Trained) -> None:
    """The pipe is closed before the first byte."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = process(*command, "--model", names.folder, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (ended.status, ended.err) == (0, "")
