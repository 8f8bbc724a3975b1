"""Plant errors in the package, one at a time, and see that the tests catch each: `python tests/mutants.py`.

The package and its tests are copied to temporary folders, one a worker, and only the copies are changed. An error is
one exact textual substitution; a text that is not found exactly once stops everything, so that a mutant cannot go
stale unnoticed. A mutant that proves cells of the table of proofs is caught when the test of each of these cells
fails. Words as arguments run only the mutants whose description contains one of them.

The exit status is 1 if a mutant survives, and 2 if the experiment itself is wrong: a text not found, the unchanged
copy not green, or another package imported than the copy.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import proof
from planted import MUTANTS

if TYPE_CHECKING:
    from planted.mutant import Mutant

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 120
"""A mutant may loop for ever; that is noticed too."""
WORKERS = min(2, os.cpu_count() or 1)


class BrokenExperimentError(Exception):
    """The experiment itself is wrong."""


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def environment(copy: Path) -> dict[str, str]:
    """The copy comes first; nothing is cached, for a changed file may keep its size and second; one thread."""
    return {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "CI": "1",  # hypothesis draws the same examples each time, and keeps none
    }


def make_copy(folder: Path) -> Path:
    """The package and its tests, unchanged; what the tests import is this copy."""
    for name in ("charlm", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    command = [sys.executable, "-c", "import charlm.nn.stack as m; print(m.__file__)"]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=True)
    imported = Path(done.stdout.strip()).resolve()
    if imported != folder.resolve() / "charlm" / "nn" / "stack.py":
        raise BrokenExperimentError(f"the tests would import {imported}, not the copy in {folder}")
    return folder


def run_tests(copy: Path, tests: list[str], *options: str, seconds: int | None = SECONDS) -> tuple[int, str]:
    """Pytest's exit status and output; status 1 and a word about it if it takes too long."""
    paths = [f"tests/{test}" for test in tests]
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", *options, *paths]
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env=environment(copy),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return 1, f"FAILED (no end after {seconds} s)\n"
    return done.returncode, done.stdout + done.stderr


def proving_tests(mutant: Mutant) -> list[str]:
    """The first test of every cell that a mutant proves."""
    cells = proof.cells()
    return [cells[cell].tests[0] for cell in mutant.proves]


def plant(copy: Path, mutant: Mutant) -> tuple[Path, str]:
    """Change the file; return it with its right text."""
    path = copy / "charlm" / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise BrokenExperimentError(
            f"{mutant.what}: found {text.count(mutant.old)} times, not once, in {mutant.file}: {mutant.old!r}"
        )
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return path, text


def failures(output: str) -> list[str]:
    """The tests that failed, as the list of mutants names them."""
    return re.findall(r"^FAILED (?:tests/)?(.+?)(?: - .*)?$", output, flags=re.MULTILINE)


def attempt(copy: Path, mutant: Mutant) -> tuple[list[str], list[str]]:
    """Plant an error, run its tests, put the file right: the tests that failed, and what should have and did not."""
    proving = proving_tests(mutant)
    path, right = plant(copy, mutant)
    try:
        runs = [run_tests(copy, proving)] if proving else []
        if mutant.tests:
            runs.append(run_tests(copy, list(mutant.tests), "-x", *(["-k", mutant.only] if mutant.only else [])))
    finally:
        path.write_text(right, encoding="utf-8")
    caught: list[str] = []
    for status, output in runs:
        failed = failures(output)
        if status not in {0, 1} or (status == 1) != bool(failed):
            raise BrokenExperimentError(f"{mutant.what}: the tests did not run:\n{output[-3000:]}")
        caught += failed
    survived = [test for test in proving if test not in caught]
    if mutant.tests and not failures(runs[-1][1]):
        survived += mutant.tests
    return caught, survived


def check_unchanged(copy: Path, mutants: list[Mutant]) -> None:
    """All texts are found, and the tests are green without any mutant, before any time is spent."""
    for mutant in mutants:
        path, right = plant(copy, mutant)
        path.write_text(right, encoding="utf-8")
    files = {test.split("::")[0] for mutant in mutants for test in (*mutant.tests, *proving_tests(mutant))}
    status, output = run_tests(copy, sorted(files), "-n", str(WORKERS), seconds=None)
    if status:
        raise BrokenExperimentError(f"the tests fail without any mutant:\n{output[-3000:]}")


def experiment(folder: Path, mutants: list[Mutant]) -> int:
    """Try every mutant in one of the copies; how many survived."""
    copies: SimpleQueue[Path] = SimpleQueue()
    for number in range(WORKERS):
        copies.put(make_copy(folder / str(number)))
    first = copies.get()
    check_unchanged(first, mutants)
    copies.put(first)

    def one(mutant: Mutant) -> tuple[list[str], list[str]]:
        copy = copies.get()
        try:
            return attempt(copy, mutant)
        finally:
            copies.put(copy)

    say("| mutant | caught by |")
    say("| --- | --- |")
    survived = 0
    with ThreadPoolExecutor(WORKERS) as workers:
        for mutant, (caught, escaped) in zip(mutants, workers.map(one, mutants), strict=True):
            survived += bool(escaped)
            others = f" and {len(caught) - 1} more" if len(caught) > 1 else ""
            say(f"| {mutant.what} | {f'**it survived {escaped}**' if escaped else caught[0] + others} |")
    return survived


def main(words: list[str]) -> int:
    """Run all mutants, or those whose description contains one of the words."""
    mutants = [m for m in MUTANTS if not words or any(word in m.what for word in words)]
    if not mutants:
        say(f"no mutant's description contains any of {words}")
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="charlm-mutants-") as folder:
        try:
            survived = experiment(Path(folder), mutants)
        except BrokenExperimentError as error:
            say(f"broken: {error}")
            return 2
    say()
    say(f"{len(mutants) - survived} of {len(mutants)} caught in {time.monotonic() - began:.0f} s")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
