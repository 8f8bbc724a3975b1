"""Mutated files through the command line: `python tests/hostile_soak.py --count 2000 --seed 1`.

Small models are trained, then each of so many mutations of their files is given to the commands that read such a file,
in processes whose memory is limited, with a time limit for each file, and with an ear on every file that is opened to
be written and every process that is started. What breaks a promise is printed with its number, seed and kind; the exit
status is then 1. Linux only: macOS and Windows do not keep a process to the memory that it was allowed.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BATCH = 250
"""Cases of one process, which begins with a memory that nothing has touched."""
SECONDS = 300
"""A process takes far less; it has hung if it does not end by then."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _parsed(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=2000, help="how many files")
    parser.add_argument("--seed", type=int, default=1, help="decides every one of them")
    parser.add_argument("--first", type=int, default=0, help="the number of the first, to repeat one")
    return parser.parse_args(words)


def _worker(folder: Path, seed: int, first: int, last: int) -> list[dict[str, Any]]:
    """Run some cases in a process of its own: what it wrote, one object a case, and a last one for all."""
    numbers = [str(number) for number in (seed, first, last)]
    words = [sys.executable, "-m", "hostile.worker", str(folder), *numbers]
    root = Path(__file__).resolve().parent
    paths = [str(root), str(root.parent), os.environ.get("PYTHONPATH", "")]
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1", "TMPDIR": str(scratch)}
    try:
        ended = subprocess.run(
            words,
            env={**os.environ, **quiet, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
        out, problem = ended.stdout, f"exit status {ended.returncode}: {ended.stderr.decode()[-2000:]}"
        broken = ended.returncode != 0
    except subprocess.TimeoutExpired as error:
        out, problem, broken = error.stdout or b"", f"no end within {SECONDS} seconds", True
    found: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    if broken:
        found.append({"number": first + len(found), "kind": "?", "of": "?", "came": "died", "wrong": [problem]})
    return found


def _table(rows: list[dict[str, Any]]) -> None:
    """How often each kind came to each end."""
    ends = sorted({row["came"] for row in rows})
    say(f"{'kind':<32}" + "".join(f"{end:>10}" for end in ends))
    by_kind = collections.Counter((row["kind"], row["came"]) for row in rows)
    for kind in dict.fromkeys(row["kind"] for row in rows):
        say(f"{kind:<32}" + "".join(f"{by_kind[kind, end]:>10}" for end in ends))
    total = collections.Counter(row["came"] for row in rows)
    say(f"{'all':<32}" + "".join(f"{total[end]:>10}" for end in ends))
    for name in dict.fromkeys(row["of"] for row in rows):
        mine = collections.Counter(row["came"] for row in rows if row["of"] == name)
        say(f"{name:<32}" + "".join(f"{mine[end]:>10}" for end in ends))


def main(words: list[str]) -> int:
    """Run the cases and print what came of them.

    Args:
        words: of the command line.

    Returns:
        0, or 1 where a promise was broken.
    """
    given, began = _parsed(words), time.perf_counter()
    rows: list[dict[str, Any]] = []
    peak = 0
    end = given.first + given.count
    with tempfile.TemporaryDirectory(prefix="charlm-hostile-") as name:
        for first in range(given.first, end, BATCH):
            folder = Path(name) / str(first)
            folder.mkdir()
            found = _worker(folder, given.seed, first, min(first + BATCH, end))
            peak = max([peak, *(row["grown_mb"] for row in found if "grown_mb" in row)])
            rows += [row for row in found if "came" in row]
            say(f"{len(rows):>6} files, {time.perf_counter() - began:.0f} s, {peak:.0f} MB more than before the first")
    _table(rows)
    wrong = [(row["number"], row["of"], row["kind"], fault) for row in rows for fault in row["wrong"]]
    for number, of, kind, fault in wrong:
        say(f"WRONG: --seed {given.seed} --first {number} --count 1 ({of}; {kind}): {fault}")
    if len(rows) != given.count:
        say(f"WRONG: {len(rows)} files of {given.count} were tried")
    slowest = max((row for row in rows if "seconds" in row), key=lambda row: row["seconds"], default=None)
    if slowest:
        say(f"the slowest took {slowest['seconds']:.2f} s: number {slowest['number']}, {slowest['kind']}")
    say(f"{len(rows)} files in {time.perf_counter() - began:.0f} s; {len(wrong)} broken promises")
    return 1 if wrong or len(rows) != given.count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
