"""Disks that fill up or fail, folders that vanish or may not be written: one message, and nothing is lost."""

import errno
import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from endurance.cases import (
    CONFIG,
    LOG,
    SELDOM,
    STATE,
    BrokenPromiseError,
    Case,
    check_finished,
    expect,
    hidden,
    visible,
)
from endurance.children import Ended, run
from endurance.moments import Moments, Phase, refuse, vanish
from endurance.trials import Ground, Trial, visible_model

REFUSED = 5
NOBODY = 65534
MEGABYTE = 1 << 20


class Trouble(NamedTuple):
    """What goes wrong: its name, the moments that count, the error, and whether it lasts."""

    name: str
    kinds: tuple[str, ...]
    error: int
    lasts: bool


TROUBLES = (
    Trouble("the disk is full", ("write",), errno.ENOSPC, lasts=True),
    Trouble("one write finds no space", ("write",), errno.ENOSPC, lasts=False),
    Trouble("the disk fails", ("fsync",), errno.EIO, lasts=False),
    Trouble("renaming is refused", ("rename",), errno.EACCES, lasts=False),
    Trouble("the file system has become read-only", ("write", "rename", "remove", "cut"), errno.EROFS, lasts=True),
)


def expect_message(ended: Ended, *mentioned: str) -> None:
    """Check that a command ended with one message and the status of files that cannot be written."""
    lines = ended.err.splitlines()
    expect(ended.status == REFUSED, f"the exit status is {ended.status}, not {REFUSED}: {ended.err}")
    expect(len(lines) == 1 and lines[0].startswith("charlm: "), f"it says {ended.err!r}")
    for each in mentioned:
        expect(each in ended.err, f"it does not mention {each}: {ended.err!r}")


def troubled(ground: Ground, index: int) -> str:
    """One run that meets trouble, and goes on when it is over; what it was."""
    trial = Trial(ground, f"disks-{index}")
    try:
        source = trial.source
        if source.random() < 0.2:
            return vanished(trial)
        trouble = source.choice(TROUBLES)
        # Of one kind there are fewer moments than of all.
        at = source.randrange(trial.reference.moments) // (1 if trouble.lasts else 3)
        strike(trial, trouble, at, source.choice(("before", "half")) if trouble.kinds == ("write",) else "before")
        trial.finish()
    except BrokenPromiseError as error:
        raise BrokenPromiseError(trial.told(error, f"disks --seed {ground.seed} --first {index} --count 1")) from error
    return trouble.name


def strike(trial: Trial, trouble: Trouble, at: int, phase: Phase) -> None:
    """Have the next command of a trial meet trouble."""
    moments = Moments(trial.folder, at, phase, refuse(trouble.error), kinds=trouble.kinds, lasts=trouble.lasts)
    what = f"{trouble.name} {phase} moment {at} of {' and '.join(trouble.kinds)}"
    # Where there was room for a model alone, it is kept: the run is then to be begun anew.
    ended = trial.attempt(what, moments, needs_state=False)
    if ended.status:
        expect_message(ended, os.strerror(trouble.error), str(trial.folder))
    if trial.folder.exists() and "remove" not in trouble.kinds:
        # What waits for a model that stands is put in place by the next run.
        left = [name for name in hidden(trial.folder) if ".for-" not in name]
        expect(not left, f"left over: {left}")


def vanished(trial: Trial) -> str:
    """Somebody removes the folder while the run is at work; it is begun again."""
    at = trial.source.randrange(3, trial.reference.moments)
    moments = Moments(trial.folder, at, "before", vanish(trial.folder), kinds=("write", "fsync", "rename"))
    ended = run(trial.command, trial.case.prepare(moments))
    trial.story.append(f"the folder vanishes before moment {at}: {ended.status}")
    if ended.status:
        expect_message(ended, str(trial.folder))
    shutil.rmtree(trial.folder, ignore_errors=True)
    trial.finish()
    return "the folder vanishes"


@contextmanager
def small_file_system(place: Path, size: int) -> Iterator[Path]:
    """A file system in memory of so many bytes.

    Raises:
        PermissionError: it may not be mounted.
    """
    place.mkdir()
    if shutil.which("mount") is None:
        raise PermissionError("there is no mount")
    tried = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],  # noqa: S607 - wherever it is
        capture_output=True, check=False,
    )  # fmt: skip
    if tried.returncode:
        raise PermissionError(tried.stderr.decode().strip())
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S607 - likewise


def enlarge(place: Path) -> None:
    """Give a small file system space again."""
    subprocess.run(["mount", "-o", f"remount,size={64 * MEGABYTE}", str(place)], check=True)  # noqa: S607 - likewise


def on_a_small_disk(ground: Ground, size: int) -> bool:
    """Train where so many bytes fit; with more space the run goes on. Whether the disk was full."""
    reference = ground.reference(0)
    with small_file_system(ground.place / f"disk-{size}", size) as disk:
        folder = disk / "model"
        ended = run(reference.case.begin(folder), reference.case.prepare())
        if ended.status:
            expect_message(ended, "No space left on device", str(disk))
            enlarge(disk)
            resumes = "training.safetensors" in visible(folder)
            more = ["--overwrite"] if visible_model(folder) else []
            again: list[object] = ["train", "--resume", "--model", folder, "--quiet"]
            after = run(again if resumes else reference.case.begin(folder, *more), reference.case.prepare())
            expect(after == Ended(0, ""), f"with space again, it ends with {after}")
        check_finished(folder, reference)
    return bool(ended.status)


def small_disks(ground: Ground) -> str:
    """Disks from too small for anything to large enough."""
    sizes = [4096 * pages for pages in (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 48)]
    try:
        full = sum(on_a_small_disk(ground, size) for size in sizes)
    except PermissionError as error:
        return f"real disks left out ({error})"
    return f"{full} of {len(sizes)} real small disks were full"


def become_nobody() -> None:
    """Be bound by permissions from now on."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def forbidden(ground: Ground) -> None:
    """Folders and logs that may not be written, by a user whom permissions bind.

    Raises:
        BrokenPromiseError: a promise is broken.
    """
    reference = ground.reference(0)
    folder = ground.place / "forbidden"
    shutil.copytree(ground.earlier(0, stopped=True), folder)
    for path in ground.place.glob("*.txt"):
        path.chmod(0o644)
    before = state_and_log(folder)
    resume: list[object] = ["train", "--resume", "--model", folder, "--quiet"]
    for mode, file_mode, commands in (
        (0o555, 0o444, (resume, reference.case.begin(folder, "--overwrite"), reference.case.begin(folder / "new"))),
        (0o777, 0o444, (resume,)),
    ):
        for path in folder.iterdir():
            path.chmod(file_mode)
        folder.chmod(mode)
        for command in commands:
            expect_message(run(command, become_nobody), "ermission denied", str(folder))
            expect(state_and_log(folder) == before, "something has changed")
            expect(not hidden(folder), f"left over: {hidden(folder)}")
    ended = run(["sample", "--model", folder, "--length", "3"], become_nobody)
    expect(ended == Ended(0, ""), f"sampling ends with {ended}")


def state_and_log(folder: Path) -> dict[str, bytes]:
    """What of a folder no command may have touched that could not go on. The model may be the one set aside again."""
    return {name: data for name, data in visible(folder).items() if name in (STATE, LOG, CONFIG)}


def soak(ground: Ground, count: int, first: int, say: Callable[[str], None]) -> str:
    """So many runs in trouble, then real small disks and permissions; a line of what was seen."""
    seen: Counter[str] = Counter()
    for index in range(first, first + count):
        seen[troubled(ground, index)] += 1
        say(f"disks: {index - first + 1} of {count}")
    real = small_disks(steady(ground))
    forbidden(steady(ground))
    kinds = ", ".join(f"{name} {number}" for name, number in sorted(seen.items()))
    return f"{count} runs in trouble ({kinds}); {real}; permissions kept: one message each, nothing lost"


def steady(ground: Ground) -> Ground:
    """The same ground for one ordinary case."""
    place = Path(ground.place / f"steady-{len(list(ground.place.iterdir()))}")
    place.mkdir()
    for path in ground.place.glob("*.txt"):
        shutil.copy(path, place)
    return Ground(place, ground.seed, ordinary)


def ordinary(source: random.Random, place: Path) -> Case:
    """A run of a list of names that saves at its validations."""
    del source
    options = ("--hidden", "12", "--embedding", "6", "--window", "16", "--batch", "4", "--steps", "20")
    return Case(place / "names.txt", (*options, "--valid-fraction", "0.03"), SELDOM)
