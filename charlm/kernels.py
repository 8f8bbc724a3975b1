"""OpenBLAS's kernels, timed against one another.

OpenBLAS chooses its kernel when it is loaded, so each is tried in a process of its own, by OPENBLAS_CORETYPE.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_SCRIPT = """
import json
from charlm.machine import find_blas
from charlm.speed import measure_step
print(json.dumps([find_blas().kernel, measure_step({seconds})]))
"""


def time_kernels(kernels: Sequence[str], turns: int, seconds: float) -> Iterator[tuple[str, float | None]]:
    """Time a training step under each kernel in turn, all of them ``turns`` times over.

    Args:
        kernels: as OPENBLAS_CORETYPE has them.
        turns: how often each is timed.
        seconds: how long each time, the start of a process not counted.

    Yields:
        A kernel and the median seconds of a step. None where it cannot be run, or OpenBLAS takes another in its place;
        then it is not tried again.
    """
    left = list(kernels)
    for _ in range(turns):
        for kernel in tuple(left):
            median = _time(kernel, seconds)
            if median is None:
                left.remove(kernel)
            yield kernel, median


def _time(kernel: str, seconds: float) -> float | None:
    # The package that is running comes first, wherever it was found; the folder that the user is in does not count.
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", ""))))
    ended = subprocess.run(  # noqa: S603 - the script is this file's, and no shell reads it
        [sys.executable, "-P", "-c", _SCRIPT.format(seconds=seconds)],
        env={**os.environ, "PYTHONPATH": path, "OPENBLAS_CORETYPE": kernel},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if ended.returncode:
        return None
    found, median = json.loads(ended.stdout)
    return float(median) if found == kernel else None
