"""Break what can be broken, for minutes: `python tests/soak.py [SECTION...] [--count N] [--seed S] [--first I]`.

Sections: kills, signals, disks, hostile; all of them where none is named. The same seed strikes at the same moments.
The exit status is 1 at the first promise that is broken, and what is printed repeats it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    # One thread: children are forked, and a second would only disturb the others.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from endurance import disks, kills, signals
from endurance.cases import BrokenPromiseError, write_corpora
from endurance.children import warm
from endurance.trials import Ground

SECTIONS = {"kills": (kills.soak, 200), "signals": (signals.soak, 100), "disks": (disks.soak, 100)}
"""Section -> what runs it, and how often something strikes where no count is given."""
HOSTILE = "hostile"
SCRIPTS = ("hostile_soak", "hostile")
"""Where the last section may stand: the first that is there has a ``main`` that takes words and gives a status."""


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def progress(text: str) -> None:
    """Print over the last such line in a terminal, and nothing elsewhere."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\033[K{text}")
        sys.stdout.flush()


def run_section(name: str, seed: int, count: int | None, first: int) -> str | None:
    """Run a section; what was seen, None if a promise was broken."""
    soak, usual = SECTIONS[name]
    place = Path(tempfile.mkdtemp(prefix=f"charlm-soak-{name}-"))
    place.chmod(0o755)
    write_corpora(place)
    began = time.monotonic()
    try:
        seen = soak(Ground(place, seed), count or usual, first, progress)
    except BrokenPromiseError as error:
        progress("")
        say(f"{name}: BROKEN: {error}\n  what is left stands in {place}")
        return None
    progress("")
    remove(place)
    return f"{name}: {seen}; {time.monotonic() - began:.0f} s"


def remove(place: Path) -> None:
    """Remove what the trials have made; on the way folders that may not be written."""
    for path in place.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(place)


def run_hostile() -> str | None:
    """Hand over to the script of hostile files, where there is one."""
    found = [name for name in SCRIPTS if importlib.util.find_spec(name) is not None]
    if not found:
        return f"{HOSTILE}: left out, there is no such script"
    status = importlib.import_module(found[0]).main([])
    return None if status else f"{HOSTILE}: passed"


def main(words: list[str]) -> int:
    """Run the sections that are named; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join((*SECTIONS, HOSTILE)))
    parser.add_argument("--count", type=int, help="how often something strikes, in each section")
    parser.add_argument("--seed", type=int, default=1, help="of what happens when")
    parser.add_argument("--first", type=int, default=0, help="the number of the first trial")
    given = parser.parse_args(words)
    unknown = set(given.sections) - {*SECTIONS, HOSTILE}
    if unknown:
        parser.error(f"there is no section {', '.join(sorted(unknown))}")
    if os.name != "posix":
        say("left out: kills, signals and full disks of this kind are POSIX's")
        return 0
    warm()
    for name in given.sections or (*SECTIONS, HOSTILE):
        seen = run_hostile() if name == HOSTILE else run_section(name, given.seed, given.count, given.first)
        if seen is None:
            return 1
        say(seen)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
