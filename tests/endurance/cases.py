"""Runs of many kinds, drawn by a seed, what they end in undisturbed, and what a disturbed one must leave."""

import json
import os
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import safe_open
from safetensors.numpy import load_file

from charlm.nn.registry import BLOCKS
from charlm.training import run as run_module
from endurance.children import Ended, run
from endurance.moments import Moments

MODEL, STATE, LOG, CONFIG = "model.safetensors", "training.safetensors", "log.jsonl", "config.toml"
TIMES = ("seconds", "validation_seconds")
"""What of a state depends on the clock."""
OFTEN = 0.0
SELDOM = 1e9
"""Seconds between two saves that no validation asks for."""


class BrokenPromiseError(Exception):
    """What was promised is not so; the text says what happened."""


def expect(so: bool, what: str) -> None:
    """Check a promise.

    Raises:
        BrokenPromiseError: it is broken.
    """
    if not so:
        raise BrokenPromiseError(what)


class Finished(NamedTuple):
    """What a run ends in, without the times that it took."""

    model: bytes
    state: dict[str, bytes]
    numbers: Any
    log: list[Any]


@dataclass(frozen=True)
class Case:
    """A kind of run.

    Attributes:
        corpus: what is trained on.
        options: of ``charlm train``.
        save_seconds: longest time between two saves.
    """

    corpus: Path
    options: tuple[str, ...]
    save_seconds: float

    @property
    def timed(self) -> bool:
        """Whether the clock decides what it ends in."""
        return "--time" in self.options

    def begin(self, folder: Path, *more: str) -> list[object]:
        """The command that begins it."""
        return ["train", self.corpus, "--model", folder, "--quiet", *self.options, *more]

    def prepare(self, moments: Moments | None = None) -> Callable[[], None]:
        """What a child does before it runs a command of this case."""

        def prepare() -> None:
            run_module.SAVE_SECONDS = self.save_seconds
            # A process that is killed loses nothing that the system has; the disk itself would only take its time.
            os.fsync = leave_unflushed
            if moments is not None:
                moments.install()

        return prepare

    def __str__(self) -> str:
        return f"{self.corpus.name} {' '.join(self.options)} (saved {'seldom' if self.save_seconds else 'often'})"


def leave_unflushed(fd: Any) -> None:
    """In the place of ``os.fsync``."""
    del fd


@dataclass
class Reference:
    """A case as it ends undisturbed.

    Attributes:
        case: the case.
        seconds: how long the command took.
        moments: how many moments it had.
        finished: what it ended in; None where the clock decides that.
    """

    case: Case
    seconds: float
    moments: int
    finished: Finished | None


def draw(source: random.Random, place: Path) -> Case:
    """A case: any block, optimiser, level and text, mostly with dropout, validated often."""
    text = source.choice(("names.txt", "prose.txt"))
    level = source.choice(("char", "char", "word"))
    length = ("--time", "0.4s") if source.random() < 0.1 else ("--steps", str(source.randint(14, 26)))
    options = (
        *("--cell", source.choice(sorted(BLOCKS)), "--level", level, "--optimizer"),
        *(source.choice(("adamw", "muon", "sgd", "rmsprop")), "--dropout", source.choice(("0", "0.3", "0.5"))),
        *("--layers", source.choice("112"), "--hidden", "12", "--embedding", "6", "--window", "16", "--batch", "4"),
        *("--valid-fraction", "0.03", "--lr", "0.01", *length),
    )
    return Case(place / text, options, source.choice((OFTEN, SELDOM)))


def write_corpora(place: Path) -> None:
    """A list of independent lines, and a stream."""
    source = random.Random(5)  # noqa: S311 - no secret
    syllables = [a + b for a in "bdklmnrst" for b in "aeiou"]
    names = ("".join(source.choices(syllables, k=source.randint(2, 5))) for _ in range(150))
    (place / "names.txt").write_text("".join(f"{name}\n" for name in names))
    nouns = ["river", "mountain", "engine", "garden", "letter", "winter", "bridge", "window"]
    lines = (" ".join(source.choices(nouns, k=9)) for _ in range(60))
    (place / "prose.txt").write_text("".join(f"{line}.\n" for line in lines))


def refer(case: Case, folder: Path) -> Reference:
    """Run a case undisturbed."""
    report = folder.with_suffix(".moments")
    moments = Moments(folder)

    def prepare() -> None:
        case.prepare(moments)()
        moments.report_to(report)

    began = time.monotonic()
    ended = run(case.begin(folder), prepare)
    seconds = time.monotonic() - began
    expect(ended == Ended(0, ""), f"undisturbed, it ends with {ended}")
    return Reference(case, seconds, len(report.read_text().splitlines()), None if case.timed else finished(folder))


def finished(folder: Path) -> Finished:
    """What a run in a folder has ended in."""
    state = folder / STATE
    with safe_open(state, framework="numpy") as opened:
        metadata = json.loads(opened.metadata()["charlm"])
    for key in TIMES:
        del metadata["state"][key]
    # What depends on the times: the length of the log, and the seal of it all.
    del metadata["log_bytes"], metadata["digest"]
    entries = [json.loads(line) for line in (folder / LOG).read_bytes().splitlines()]
    return Finished(
        (folder / MODEL).read_bytes(),
        {name: tensor.tobytes() for name, tensor in load_file(state).items()},
        metadata,
        [{key: value for key, value in entry.items() if key not in TIMES} for entry in entries],
    )


def visible(folder: Path) -> dict[str, bytes]:
    """The files of a folder that are no leftovers."""
    if not folder.exists():
        return {}
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if not path.name.startswith(".")}


def hidden(folder: Path) -> list[str]:
    """The names of the leftovers in a folder."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def check_usable(folder: Path, earlier: dict[str, bytes] | None = None) -> bool:
    """Check that a folder can be sampled from if there is anything in it.

    Args:
        folder: of a run that was disturbed.
        earlier: the files of the run that was to be replaced; as long as its model is there, all of it must be.

    Returns:
        Whether the disturbed run has left something; False: nothing, or the earlier run as it was.

    Raises:
        BrokenPromiseError: it cannot be used.
    """
    files = visible(folder)
    if earlier is not None and files.get(MODEL) == earlier[MODEL]:
        expect(files == earlier, f"of the earlier run only the model is as it was, beside {sorted(files)}")
        return False
    if MODEL not in files:
        expect(STATE not in files, "there is a state without a model")
        return False
    ended = run(["sample", "--model", folder, "--length", "3", "--seed", "1"])
    expect(ended == Ended(0, ""), f"sampling ends with {ended}")
    return True


def check_finished(folder: Path, reference: Reference) -> None:
    """Check that a run that was disturbed and resumed has ended as if nothing had happened.

    Raises:
        BrokenPromiseError: it has not.
    """
    expect(not hidden(folder), f"left over: {hidden(folder)}")
    expect(set(visible(folder)) == {MODEL, STATE, LOG, CONFIG}, f"there are {sorted(visible(folder))}")
    check_usable(folder)
    if reference.finished is None:
        return
    for what, found, wanted in zip(Finished._fields, finished(folder), reference.finished, strict=True):
        expect(found == wanted, f"the {what} is not as the undisturbed run's")


def copy_of(folder: Path, to: Path) -> dict[str, bytes]:
    """Copy the folder of a run; its files."""
    shutil.copytree(folder, to)
    return visible(to)
