"""``charlm ngram train --memory``: the same model in little memory, and nothing left where that goes wrong."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import call, one_message, succeed

from charlm.ngram.workspace import Workspace

WORDS = [f"w{number}" for number in range(400)]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words that are drawn at will, so that few n-grams come twice, and a megabyte does not hold them."""
    path = tmp_path_factory.mktemp("memory") / "words.txt"
    drawn = np.random.default_rng(1).integers(0, len(WORDS), (1500, 8))
    path.write_text("".join(" ".join(WORDS[word] for word in line) + "\n" for line in drawn), encoding="utf-8")
    return path


def train(text: Path, folder: Path, *options: object) -> tuple[object, ...]:
    return ("ngram", "train", text, "--level", "token", "--order", 4, "--model", folder, *options)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The temporary files that are made, beside that which the text needs."""
    made: list[Any] = []

    def watched(workspace: Workspace, plain: Any = Workspace.file) -> Any:
        made.append(plain(workspace))
        return made[-1]

    monkeypatch.setattr(Workspace, "file", watched)
    return made


@pytest.mark.parametrize("independent", ["--independent-lines", "--no-independent-lines"])
def test_memory_is_no_matter_to_the_model(text: Path, tmp_path: Path, files: list[Any], independent: str) -> None:
    plain = succeed(*train(text, tmp_path / "plain", independent))
    assert not files
    bounded = succeed(*train(text, tmp_path / "bounded", independent, "--memory", "1M", "--temporary", tmp_path))
    assert len(files) > 10
    assert all(file.closed for file in files)
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("plain", "bounded"))
    assert one == other
    assert bounded.out.decode().split(": ")[1] == plain.out.decode().split(": ")[1]
    assert bounded.err == plain.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bounded", "plain"]


def test_temporary_files_lie_where_they_are_to(text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In TMPDIR if nobody named a folder."""
    asked: list[Path | None] = []
    make: Any = tempfile.TemporaryFile

    def watched(**where: Any) -> Any:
        asked.append(where["dir"])
        return make(**where)

    monkeypatch.setattr(tempfile, "TemporaryFile", watched)
    (tmp_path / "scratch").mkdir()
    succeed(*train(text, tmp_path / "one", "--memory", "1M", "--temporary", tmp_path / "scratch"))
    assert set(asked) == {tmp_path / "scratch"}
    asked.clear()
    succeed(*train(text, tmp_path / "other", "--memory", "1M"))
    assert set(asked) == {None}


class Full:
    """A temporary file on a disk that becomes full, or where Ctrl-C is pressed, at the last write that is left."""

    left: int
    trouble: BaseException

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        """What there is space for."""
        Full.left -= 1
        if Full.left < 0:
            raise Full.trouble
        return int(self._file.write(data))


@pytest.mark.parametrize("left", [0, 5, 60, 200])
@pytest.mark.parametrize(
    ("trouble", "status", "said"),
    [(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 5, "No space left"), (KeyboardInterrupt(), 130, "interrupted")],
)
def test_trouble_leaves_nothing(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    left: int, trouble: BaseException, status: int, said: str,
) -> None:  # fmt: skip
    """At any write: one message, no file, and a model that was there is there still."""
    made: list[Any] = []

    def full(workspace: Workspace, plain: Any = Workspace.file) -> Any:
        made.append(Full(plain(workspace)))
        return made[-1]

    monkeypatch.setattr(Workspace, "file", full)
    monkeypatch.setattr(Full, "left", left, raising=False)
    monkeypatch.setattr(Full, "trouble", trouble, raising=False)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"before")
    ended = call(*train(text, tmp_path / "model", "--memory", "1M", "--temporary", tmp_path, "--overwrite"))
    assert made
    assert all(file.closed for file in made)
    one_message(ended, status, said)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == b"before"


@pytest.mark.parametrize("memory", ["5", "much", "-1M", "1X", "0.5M"])
def test_what_is_no_memory_is_told_of(text: Path, tmp_path: Path, memory: str) -> None:
    one_message(call(*train(text, tmp_path / "m", "--memory", memory)), 2, "--memory", "512M")


@pytest.mark.parametrize("memory", ["1m", "1.5MB", "2g", "1048576", "1T"])
def test_memory_is_said_in_many_ways(text: Path, tmp_path: Path, memory: str) -> None:
    succeed(*train(text, tmp_path / "m", "--order", 1, "--memory", memory))


def test_a_folder_for_temporary_files_is_to_be_there(text: Path, tmp_path: Path) -> None:
    one_message(call(*train(text, tmp_path / "m", "--temporary", tmp_path / "no")), 2, "--temporary", "no folder")
