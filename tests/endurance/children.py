"""Commands in children of this process: forked, so that none pays for a start, and each may be killed."""

import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

from charlm.cli import runs
from charlm.cli.app import outcome

LONGEST_SECONDS = 60.0
KILLED = -signal.SIGKILL


class Ended(NamedTuple):
    """What a command left: its exit status, or the signal that ended it with a minus, and standard error."""

    status: int
    err: str


def warm() -> None:
    """Have everything imported that the commands need, so that the children need not."""
    silent = sys.stdout
    with tempfile.TemporaryDirectory() as name, Path(os.devnull).open("w") as sys.stdout:
        text = Path(name) / "text"
        text.write_text("some text\n" * 100)
        for level in ("char", "word"):
            model = str(Path(name) / level)
            tiny = ("--hidden", "4", "--steps", "1", "--level", level, "--quiet")
            for command in (
                ["train", str(text), "--model", model, *tiny],
                ["train", "--resume", "--model", model, "--quiet"],
                ["sample", "--model", model, "--length", "3"],
            ):
                assert outcome(command) == ("", 0)
    sys.stdout = silent


def run(
    arguments: Sequence[object], prepare: Callable[[], None] | None = None, kill_after: float | None = None
) -> Ended:
    """Run a command in a child.

    Args:
        arguments: of ``charlm``.
        prepare: called in the child before.
        kill_after: seconds after which the child is killed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as err:
        with warnings.catch_warnings():
            # Newer Pythons warn of threads: those of a test runner do nothing but wait.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            _be_child([str(each) for each in arguments], prepare, err)
        status = _wait(child, kill_after)
        err.seek(0)
        return Ended(status, err.read().decode("utf-8", "replace"))


def _be_child(arguments: list[str], prepare: Callable[[], None] | None, err: IO[bytes]) -> NoReturn:
    status = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor, file in ((0, nothing), (1, nothing), (2, err.fileno())):
            os.dup2(file, descriptor)
        sys.stdout, sys.stderr = (os.fdopen(descriptor, "w", encoding="utf-8") for descriptor in (1, 2))
        sys.argv = ["charlm", *arguments]
        runs._BEGAN = time.perf_counter()  # noqa: SLF001 - the command begins now
        if prepare is not None:
            prepare()
        from charlm.__main__ import main  # noqa: PLC0415 - as the command does

        main()
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - nothing may get out of the child
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _wait(child: int, kill_after: float | None) -> int:
    """The exit status of a child, which is not waited for for ever."""
    began, killed = time.monotonic(), False
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if not killed and time.monotonic() - began > (LONGEST_SECONDS if kill_after is None else kill_after):
            os.kill(child, signal.SIGKILL)
            killed = True
        time.sleep(0.001)
