"""Whole processes, timed from outside: what a command costs before it does anything."""

import atexit
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.task import Task

ROOT = Path(__file__).resolve().parents[2]
CHARLM = [sys.executable, "-m", "charlm"]


def python(code: str) -> Task:
    """Python, running a line of code."""
    return command([sys.executable, "-c", code])


def charlm(arguments: list[str]) -> Task:
    """A command of charlm that needs no model."""
    return command([*CHARLM, *arguments])


def sample(hidden: int) -> Task:
    """`charlm sample` of one character, from a model of one layer."""
    folder = tempfile.mkdtemp(prefix="charlm-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    model = f"{folder}/model"
    sizes = ["--hidden", str(hidden), "--layers", "1", "--window", "16", "--batch", "4", "--steps", "2"]
    run([*CHARLM, "train", str(ROOT / "corpora" / "dinosaurs.txt"), "--model", model, "--quiet", *sizes])
    return command([*CHARLM, "sample", "--model", model, "-n", "1", "--length", "1"])


def command(words: list[str]) -> Task:
    """A command that writes nothing that is looked at."""
    return Task(lambda: run(words))


def run(words: list[str]) -> None:
    """Run a command to its end. It does not read the worker's standard input, where turns are asked for.

    Raises:
        CalledProcessError: it failed.
    """
    subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
