"""One side of a case in a process of its own: `python -m bench.worker ENGINE TASK ARGUMENTS`.

It makes its task, takes one step, and writes `{"amount": ..., "least": ..., "figures": ...}`. For each number of steps
that it reads it takes so many and writes their times, those of the processor, and its peak memory. It ends with its
standard input.
"""

import json
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")


def peak_megabytes() -> float:
    """The most memory that this process has had."""
    if STATUS.exists():
        # Linux counts in ru_maxrss what the parent had when it made this process, and not so here.
        (peak,) = (line.split()[1] for line in STATUS.read_text("utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(peak) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def say(message: dict[str, Any]) -> None:
    """A line of JSON to the parent."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main(engine: str, task: str, arguments: str) -> None:
    """Make the task and take its steps."""
    made = getattr(import_module(f"bench.{engine}_engine"), task)(**json.loads(arguments))
    made.step()
    say({"amount": made.amount, "least": made.least, "figures": dict(made.figures)})
    for line in sys.stdin:
        seconds, processor = [], []
        for _ in range(int(line)):
            busy, began = time.process_time(), time.perf_counter()
            made.step()
            seconds.append(time.perf_counter() - began)
            processor.append(time.process_time() - busy)
        say({"seconds": seconds, "processor": processor, "mb": peak_megabytes()})


if __name__ == "__main__":
    main(*sys.argv[1:])
