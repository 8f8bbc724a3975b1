"""Two workers take turns, while nothing else runs: the parent sleeps, or waits for a line."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from bench.cases import TABLES, Case, Plan, Side

PAUSE = 0.3
"""Seconds between turns, in which the threads of the one that had its turn stop spinning."""
UNCOUNTED = 1
"""Steps at the beginning of a turn that are not counted: the caches hold what the other has left."""
END_SECONDS = 10
TESTS = Path(__file__).resolve().parent.parent
CHOICES = ("OPENBLAS_", "GOTO_", "OMP_", "MKL_", "ONEDNN_", "DNNL_", "ATEN_", "CHARLM_")
"""How variables begin that choose kernels, threads or a model: none of them reaches a worker by accident."""


class WorkerError(Exception):
    """A worker has ended before its time."""


class Turns(NamedTuple):
    """What was measured of a case.

    Attributes:
        charlm: seconds for each unit of work, of the counted steps of each turn.
        peer: likewise.
        charlm_mb: peak memory of the process.
        peer_mb: likewise.
        least: seconds that the parts of charlm's step take one by one; 0 where nobody asks.
    """

    charlm: list[list[float]]
    peer: list[list[float]]
    charlm_mb: float
    peer_mb: float
    least: float = 0.0


def environment(kernels: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker: free to choose kernels and threads, but for what ``kernels`` says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(CHOICES)}
    path = os.pathsep.join(filter(None, [str(TESTS), str(TESTS.parent), kept.get("PYTHONPATH")]))
    return {**kept, "PYTHONPATH": path, **kernels}


class Worker:
    """A process that takes steps when it is told to; ready when entered, gone when left.

    Args:
        side: what it runs.
        kernels: variables that choose its kernels.

    Raises:
        WorkerError: on entering and at every turn, it has ended.
    """

    def __init__(self, side: Side, kernels: Mapping[str, str]) -> None:
        self.side = side
        self.megabytes = self.least = 0.0
        self.figures: Mapping[str, float] = {}
        self.processor: list[float] = []
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed on leaving
        command = [sys.executable, "-m", "bench.worker", side.engine, side.task, json.dumps(dict(side.arguments))]
        self._process = subprocess.Popen(
            command,
            env=environment(kernels),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._amount = 1.0

    def __enter__(self) -> Self:
        try:
            ready = self._read()
            self._amount, self.least, self.figures = ready["amount"], ready["least"], ready["figures"]
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def turn(self, steps: int) -> list[float]:
        """Seconds for each unit of work, of ``steps`` steps without the first; ``processor`` has the processor's."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{steps}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        found = self._read()
        self.megabytes = found["mb"]
        self.processor = self._counted(found["processor"])
        return self._counted(found["seconds"])

    def _counted(self, steps: list[float]) -> list[float]:
        return [seconds / self._amount for seconds in steps[UNCOUNTED:]]

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        found: dict[str, Any] = json.loads(line)
        return found

    def _ended(self) -> WorkerError:
        status = self._process.wait()
        self._errors.seek(0)
        last = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
        return WorkerError(f"{self.side.engine} {self.side.task} ended with status {status}: {' '.join(last)}")

    def _end(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # it no longer reads what was written to it
                    stream.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def measure(case: Case, plan: Plan) -> Turns:
    """Have both sides of a case take turns; which of them is first alternates.

    Raises:
        WorkerError: a side has failed.
    """
    charlm: list[list[float]] = []
    peer: list[list[float]] = []
    with Worker(case.charlm, case.kernels) as ours, Worker(case.peer, case.kernels) as theirs:
        began = time.monotonic()
        while plan.goes_on(len(charlm), time.monotonic() - began):
            pair = [(ours, charlm), (theirs, peer)]
            for worker, turns in pair if len(charlm) % 2 == 0 else pair[::-1]:
                time.sleep(PAUSE)
                turns.append(worker.turn(plan.steps))
    return Turns(charlm, peer, ours.megabytes, theirs.megabytes, _least(case) if TABLES[case.table].bound else 0.0)


def _least(case: Case) -> float:
    """By a process of its own, so that its memory does not count."""
    with Worker(case.charlm._replace(task="alone"), case.kernels) as worker:
        return worker.least
