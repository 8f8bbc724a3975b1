"""Ctrl-C and termination, sent to real processes from their first moment to their last."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import charlm
from endurance.cases import (
    SELDOM,
    BrokenPromiseError,
    Case,
    Reference,
    check_finished,
    check_usable,
    expect,
    refer,
    visible,
)
from endurance.children import run
from endurance.trials import Ground

ROOT = Path(charlm.__file__).resolve().parent.parent
STEPS = 400
WORKERS = min(2, os.cpu_count() or 1)
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TWICE = 0.2
"""Share of the processes that get a second signal soon after."""
BEYOND = 1.1
"""Moments reach to so many times the length of the command."""


class Struck(NamedTuple):
    """A process that was sent signals: when, what it left."""

    number: int
    folder: Path
    sent: list[tuple[float, signal.Signals]]
    status: int
    err: str


def words(case: Case, folder: Path) -> list[str]:
    """The words that start a command in a process of its own."""
    return [sys.executable, "-m", "charlm", *map(str, case.begin(folder))]


def send(case: Case, folder: Path, index: int, sent: list[tuple[float, signal.Signals]]) -> Struck:
    """Start the command, send the signals, and wait for its end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        words(case, folder), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, start_new_session=True,
    ) as running:  # fmt: skip
        began = time.monotonic()
        for moment, number in sent:
            time.sleep(max(0.0, began + moment - time.monotonic()))
            running.send_signal(number)
        err = running.communicate(timeout=60)[1].decode()
    return Struck(index, folder, sent, running.returncode, err)


def was_outside(struck: Struck) -> bool:
    """Whether it struck before Python had come to charlm at all, which charlm cannot help."""
    early = "KeyboardInterrupt" in struck.err and "charlm/" not in struck.err.replace("charlm/__init__.py", "")
    return early or struck.status in {-number for number in ENDINGS}


def check(struck: Struck, reference: Reference) -> str:
    """Check what it has left; how it ended, in a word.

    Raises:
        BrokenPromiseError: a promise is broken.
    """
    if was_outside(struck):
        expect(not struck.folder.exists(), "it ended before it began, but there is a folder")
        return "before the start"
    expect(struck.status in (0, 130), f"the exit status is {struck.status}: {struck.err}")
    lines = struck.err.splitlines()
    expect(len(lines) == (struck.status != 0), f"it says {struck.err!r}")
    expect(all(line.startswith("charlm: ") for line in lines), f"it says {struck.err!r}")
    stopped = any("stopped after" in line for line in lines)
    usable = check_usable(struck.folder)
    expect(usable or not stopped, "it says that it has saved, and there is nothing")
    again = (
        ["train", "--resume", "--model", struck.folder, "--quiet"] if usable else reference.case.begin(struck.folder)
    )
    ended = run(again, reference.case.prepare())
    expect(ended.status == 0, f"going on ends with {ended}")
    check_finished(struck.folder, reference)
    shutil.rmtree(struck.folder)
    return "at the end" if struck.status == 0 else "saved" if stopped else "at once"


def soak(ground: Ground, count: int, first: int, say: Callable[[str], None]) -> str:
    """So many processes; a line of what was seen."""
    options = ("--hidden", "16", "--embedding", "8", "--window", "16", "--batch", "4", "--steps", str(STEPS))
    case = Case(ground.place / "names.txt", (*options, "--dropout", "0.3"), SELDOM)
    reference = refer(case, ground.place / "undisturbed")
    whole = length(case, ground.place / "whole")
    plans = [plan(ground, index, whole) for index in range(first, first + count)]
    seen: Counter[str] = Counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        places = ((index, ground.place / f"signals-{index}") for index in range(first, first + count))
        results = [
            pool.submit(send, case, folder, index, sent) for (index, folder), sent in zip(places, plans, strict=True)
        ]
        all_struck = [result.result() for result in results]
    for done, struck in enumerate(all_struck, start=1):
        try:
            seen[check(struck, reference)] += 1
        except BrokenPromiseError as error:
            sent = ", ".join(f"{number.name} after {moment:.3f} s" for moment, number in struck.sent)
            again = f"again: python tests/soak.py signals --seed {ground.seed} --first {struck.number} --count 1"
            files = sorted(visible(struck.folder))
            raise BrokenPromiseError(f"{error}\n  {sent}; left: {files}\n  {case}\n  {again}") from error
        say(f"signals: {done} of {count}")
    kinds = ", ".join(f"{number} {how}" for how, number in sorted(seen.items()))
    return f"{count} processes of {whole:.2f} s struck ({kinds}): 0 or 130, one line, no traceback, all went on"


def plan(ground: Ground, index: int, whole: float) -> list[tuple[float, signal.Signals]]:
    """What is sent to a process, and after how many seconds."""
    source = ground.source("signals", index)
    moment = source.uniform(0, BEYOND * whole)
    sent = [(moment, source.choice(ENDINGS))]
    if source.random() < TWICE:
        sent.append((moment + source.choice((0.0, 0.001, 0.01)), source.choice(ENDINGS)))
    return sent


def length(case: Case, folder: Path) -> float:
    """Seconds that the whole command takes here and now."""
    began = time.monotonic()
    send(case, folder, 0, [])
    return time.monotonic() - began
