"""Some cases in a process with little memory: `python -m hostile.worker FOLDER SEED FIRST LAST`.

Writes one JSON object a case to standard output: what came of it, and what is wrong with that.
"""

import json
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, Never

import class_cases as classes
import numpy as np
from scripts import load_script

from charlm.errors import NOT_FINITE
from hostile.kinds import Case, case

cli = load_script("tests/cli/cli_cases.py")
tagging = load_script("tests/cli/tag_cases.py")

ROOM = 1 << 29
"""Bytes that the process may take besides what it has when it begins."""
SECONDS = 20
"""A file may take so long; on an idle machine none takes one."""
NOT_ALLOWED = {
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "socket.connect",
    "pickle.find_class",
}
CHANGES = {"os.rename", "os.remove", "os.truncate", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.chmod"}
OF = (
    *("model", "model", "training", "tagger", "classifier"),
    *("model", "training", "tagging", "classifying", "state dict"),
)
"""What is mutated, in turn."""
COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "model": (
        ("info", "--model", "{file}"),
        ("info", "--json", "--model", "{file}"),
        ("sample", "--length", "5", "--seed", "1", "--model", "{file}"),
        ("sample", "-n", "3", "--length", "5", "--temperature", "0", "--seed", "1", "--model", "{file}"),
        ("score", "abc", "--model", "{file}"),
        ("next", "ab", "--model", "{file}"),
        ("vocab", "{file}"),
    ),
    "training": (("train", "--resume", "--quiet", "--model", "{folder}"),),
    "tagger": (
        ("info", "--model", "{file}"),
        ("info", "--json", "--model", "{file}"),
        ("tag", "apply", "Teddy Roosevelt was new.", "--model", "{file}"),
        ("tag", "apply", "Rose Miller", "--format", "json", "--model", "{file}"),
        ("tag", "apply", "Rose Miller", "--format", "color", "--color", "--model", "{file}"),
    ),
    "tagging": (("tag", "train", "--resume", "--quiet", "--model", "{folder}"),),
    "classifier": (
        ("info", "--model", "{file}"),
        ("info", "--json", "--model", "{file}"),
        ("classify", "apply", "The song was not bad.", "", "--all", "--model", "{file}"),
        ("classify", "apply", "The zyx was bad.", "--why", "--model", "{file}"),
        ("classify", "apply", "The zyx was bad.", "--why", "--json", "--model", "{file}"),
    ),
    "classifying": (("classify", "train", "--resume", "--quiet", "--model", "{folder}"),),
    "state dict": (("import", "{file}", "--model", "{folder}/imported", "--overwrite"),),
}
FILES = {
    "model": "model.safetensors",
    "training": "training.safetensors",
    "tagger": "model.safetensors",
    "tagging": "training.safetensors",
    "classifier": "model.safetensors",
    "classifying": "training.safetensors",
    "state dict": "state.safetensors",
}
STOPPED = {"training": "stopped", "tagging": "stopped-tagger", "classifying": "stopped-classifier"}
"""The folders of runs that were stopped, by what is mutated in them."""


class Ear:
    """Hears what the interpreter is about to do, and remembers what it must not.

    Args:
        inside: the only folders in which files may be written.
    """

    def __init__(self, *inside: Path) -> None:
        self.inside = tuple(str(folder) for folder in inside)
        self.heard: list[str] = []
        self.listens = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what happens in this block."""
        self.listens = True
        try:
            yield
        finally:
            self.listens = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The hook, see ``sys.addaudithook``."""
        if not self.listens:
            return
        if event in NOT_ALLOWED:
            self.heard.append(f"{event} {arguments!r:.200}")
        elif (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)) or event in CHANGES:
            path = os.path.abspath(os.fsdecode(arguments[0])) if isinstance(arguments[0], str | bytes) else ""  # noqa: PTH100 - links are followed by what opens it
            if path and not path.startswith(self.inside):
                self.heard.append(f"{event} {path}")


class TooLongError(BaseException):
    """Not to be caught by anything that catches errors."""


def _too_long(number: int, frame: FrameType | None) -> Never:
    del number, frame
    raise TooLongError


@contextmanager
def time_limit() -> Iterator[None]:
    """End what takes too long."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def _peak() -> float:
    """The most memory that this process has had, in MB; what getrusage gives begins with its parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def make_originals(folder: Path) -> None:
    """A model, a tagger and a classifier, a run of each that was stopped half-way, and a state dict."""
    (folder / "corpus.txt").write_text(cli.names_text(100), encoding="utf-8")
    small = ("--hidden", 8, "--embedding", 4, "--window", 16, "--batch", 4, "--quiet")
    _ended(cli.call("train", folder / "corpus.txt", "--model", folder / "run", *small, "--steps", 6), 0)
    with stopping(3):
        _ended(cli.call("train", folder / "corpus.txt", "--model", folder / "stopped", *small, "--steps", 6), 130)
    words, texts = tagging.write_columns(folder / "words.conll", 40), folder / "reviews.tsv"
    texts.write_text(classes.table(classes.reviews(60)), encoding="utf-8")
    for kind, train in {
        "tagger": ("tag", "train", words, *tagging.TAGGER, "--chars", "--steps", 6),
        "classifier": ("classify", "train", texts, *small, "--steps", 6),
    }.items():
        _ended(cli.call(*train, "--model", folder / kind), 0)
        with stopping(3):
            _ended(cli.call(*train, "--model", folder / f"stopped-{kind}"), 130)
    _ended(cli.call("export", "--model", folder / "run", "--to", "pytorch", folder / "exported"), 0)


def _ended(ended: Any, status: int) -> None:
    if ended.status != status:
        raise RuntimeError(f"the originals cannot be made: {ended.err}")


@contextmanager
def stopping(steps: int) -> Iterator[None]:
    """Have every run stopped after so many steps, whatever its state says of its length."""
    from charlm.cli.console import Stopped  # noqa: PLC0415 - it is light, but only this needs it

    runs: Any = import_module("charlm.cli.runs")  # it is to be changed
    before = runs.follow

    def follow(run: Any, interrupt: Any, *_: Any, **__: Any) -> None:
        del interrupt
        left = iter(range(steps - 1))
        with np.errstate(all="ignore"):
            for _ in run.reports(lambda: next(left, None) is None):
                pass
        if run.stopped:
            raise Stopped("stopped")

    runs.follow = follow
    try:
        yield
    finally:
        runs.follow = before


class Cases:
    """The originals in a folder, and what becomes of their mutations.

    Args:
        folder: to work in.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ear = Ear(folder / "place", folder / "scratch")
        self.place = folder / "place"
        make_originals(folder)
        sources = {of: f"{of}/model.safetensors" for of in ("tagger", "classifier")}
        sources["model"] = "run/model.safetensors"
        sources |= {of: f"{stopped}/training.safetensors" for of, stopped in STOPPED.items()}
        sources["state dict"] = "exported/state.safetensors"
        self.data = {of: (folder / path).read_bytes() for of, path in sources.items()}
        self.expected = {of: self.ends(of, data) for of, data in self.data.items()}
        self.kept = self.around()

    def ends(self, of: str, data: bytes) -> list[Any]:
        """What each command says of a file; where a run is continued, also what it leaves behind."""
        shutil.rmtree(self.place, ignore_errors=True)
        if of in STOPPED:
            shutil.copytree(self.folder / STOPPED[of], self.place)
        else:
            self.place.mkdir()
        file = self.place / FILES[of]
        file.write_bytes(data)
        ended = []
        for command in COMMANDS[of]:
            words = [word.format(file=file, folder=self.place) for word in command]
            with self.ear.listening():
                ended.append(cli.call(*words))
        written = [] if of in ("model", "tagger", "classifier") else sorted(self.place.rglob("model.safetensors"))
        left = [path.read_bytes() for path in written]
        return [*ended, left]

    def around(self) -> dict[str, bytes]:
        """Every file but those of the place itself."""
        return {
            name: data for name, data in cli.contents(self.folder).items() if not name.startswith(("place", "scratch"))
        }

    def faults(self, of: str, tried: Case) -> tuple[str, list[str]]:
        """What came of a file, and what is wrong with that."""
        *ends, left = self.ends(of, tried.data)
        refused = all(end.status == 4 for end in ends)
        wrong = [fault for end in ends for fault in self._faults_of(end, of, tried)]
        if refused:
            return "refused", wrong
        if [*ends, left] == self.expected[of]:
            return "same", wrong
        if not tried.forged and of != "state dict":
            wrong.append(f"read as something else: {[end for end in ends if end.status != 4]!r:.500}")
        return "other", wrong

    def _faults_of(self, end: Any, of: str, tried: Case) -> Iterator[str]:
        """What is wrong with how a command ended."""
        allowed = {0, 4}
        if of in STOPPED and tried.forged:
            allowed |= {3, 6, 130}  # another text is named, its weights are no good, or it has been stopped
        lines = end.err.splitlines()
        if end.status not in allowed:
            yield f"exit status {end.status}: {end.err!r:.500}"
        if end.status and (len(lines) != 1 or not lines[0].startswith("charlm: ")):
            yield f"not one message: {end.err!r:.500}"
        if "Warning" in end.err:
            yield f"a warning: {end.err!r:.500}"
        if end.status == 4 and str(self.place) not in end.err and NOT_FINITE not in end.err:
            yield f"the file is not named: {end.err!r:.500}"


def _tried(cases: Cases, number: int, seed: int) -> dict[str, Any]:
    of = OF[number % len(OF)]
    # Every kind of mutation meets every kind of file.
    tried = case(number // len(OF), np.random.default_rng([seed, number]), cases.data[of])
    cases.ear.heard.clear()
    began = time.perf_counter()
    try:
        with time_limit(), stopping(2 if tried.forged else 10**6):
            came, wrong = cases.faults(of, tried)
    except TooLongError:
        came, wrong = "hung", [f"no end within {SECONDS} seconds"]
    except BaseException as error:  # noqa: BLE001 - that is what is looked for
        came, wrong = "raised", [f"{type(error).__name__}: {error!s:.500}"]
    seconds = time.perf_counter() - began
    wrong += cases.ear.heard
    if cases.around() != cases.kept:
        wrong.append("files outside the folder have changed")
        cases.kept = cases.around()
    return {"number": number, "of": of, "kind": tried.kind, "came": came, "wrong": wrong, "seconds": seconds}


def main(words: list[str], write: Callable[[str], object]) -> None:
    """Run the cases from a first to a last number."""
    folder, (seed, first, last) = Path(words[0]), map(int, words[1:])
    os.chdir(folder)
    cases = Cases(folder)
    sys.addaudithook(cases.ear)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    before = _peak()
    for number in range(first, last):
        write(json.dumps(_tried(cases, number, seed)) + "\n")
    write(json.dumps({"grown_mb": _peak() - before}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:], sys.__stdout__.write if sys.__stdout__ else print)
