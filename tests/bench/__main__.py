"""Runs the benchmark: `python tests/bench`."""

import sys
from pathlib import Path

# Run as a folder, Python looks for modules inside it; the package stands one folder above.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.command import main  # noqa: E402 - the path comes first

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
