"""Running the command line, in this process and in others, and the texts that it is run on."""

import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import pytest

import charlm
from charlm.cli.app import outcome
from charlm.cli.console import note

ROOT = Path(charlm.__file__).resolve().parent.parent
QUICK = ("--hidden", "16", "--embedding", "8", "--window", "16", "--batch", "4", "--quiet")
"""Options of a model that is trained in no time."""


class Ended(NamedTuple):
    """What a command left."""

    status: int
    out: bytes
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on standard output."""
        return json.loads(self.out)

    @property
    def objects(self) -> list[Any]:
        """The JSON objects on standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def call(*arguments: object, stdin: bytes = b"") -> Ended:
    """Run a command in this process, which is quick."""
    out, err, given = (io.TextIOWrapper(io.BytesIO(data), encoding="utf-8") for data in (b"", b"", stdin))
    out.reconfigure(errors="surrogateescape")
    err.reconfigure(errors="surrogateescape")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.setattr(sys, "stdin", given)
        message, status = outcome([str(argument) for argument in arguments])
        if message:
            note(message)
        out.flush()
        err.flush()
    written = (stream.buffer.getvalue() for stream in (out, err) if isinstance(stream.buffer, io.BytesIO))
    first, second = written
    return Ended(status, first, second.decode("utf-8", "surrogateescape"))


def succeed(*arguments: object, stdin: bytes = b"") -> Ended:
    """``call``, and expect that all goes well."""
    ended = call(*arguments, stdin=stdin)
    assert ended.status == 0, ended.err
    return ended


def environment(**extra: str) -> dict[str, str]:
    """The environment of a command in a process of its own."""
    plain = {key: value for key, value in os.environ.items() if key != "CHARLM_MODEL"}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return {**plain, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", **extra}


def words(*arguments: object) -> list[str]:
    """The words that start a command in a process of its own."""
    return [sys.executable, "-m", "charlm", *map(str, arguments)]


def process(*arguments: object, **options: Any) -> Ended:
    """Run a command in a process of its own, to its end."""
    options = {"env": environment(), "stdin": subprocess.DEVNULL, **options}
    if "input" in options:
        del options["stdin"]
    if not {"stdout", "stderr"} & set(options):
        options["capture_output"] = True
    ended = subprocess.run(words(*arguments), check=False, timeout=120, **options)
    return Ended(ended.returncode, ended.stdout or b"", (ended.stderr or b"").decode("utf-8", "replace"))


def one_message(ended: Ended, status: int, *mentioned: object) -> str:
    """Check that a command ended with one message that mentions these, and with this exit status."""
    assert ended.status == status, ended.err
    lines = ended.err.splitlines()
    assert len(lines) == 1, ended.err
    assert lines[0].startswith("charlm: ")
    for what in mentioned:
        assert str(what) in lines[0]
    return lines[0]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones included."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def names_text(number: int = 150) -> str:
    """A list of made-up names: short lines, independent of each other."""
    source = random.Random(5)  # noqa: S311 - no secret
    return "".join(
        "".join(source.choice("bdklmnrst") + source.choice("aeiou") for _ in range(source.randint(2, 5))) + "\n"
        for _ in range(number)
    )


def prose_text(lines: int = 60) -> str:
    """Lines too long to be a list, with an empty line here and there."""
    source = random.Random(6)  # noqa: S311 - no secret
    nouns = ["river", "mountain", "engine", "garden", "letter", "winter", "bridge", "window"]
    return "".join(
        "\n" if number % 9 == 8 else " ".join(source.choice(nouns) for _ in range(9)) + ".\n" for number in range(lines)
    )


class Trained(NamedTuple):
    """A trained model and what it was trained on."""

    folder: Path
    corpus: Path

    @property
    def file(self) -> Path:
        """The model's file."""
        return self.folder / "model.safetensors"


class Running(subprocess.Popen[bytes]):
    """A process that does not outlive a test that failed: leaving its block would wait for it for ever."""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, traceback)
