"""What the benchmark runs on: `python -m bench.machine` writes the versions of a worker's process as JSON."""

import datetime as dt
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.cases import AVX2, KERNELS
from bench.measuring import environment

AVX512_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}
"""Those of OpenBLAS's kernels that use AVX-512."""
AVX2_KERNELS = {"Haswell", "Zen"}
"""Those that use AVX2."""
LOAD = 0.5
"""The load above which something else is at work."""


def probe(kernels: Mapping[str, str]) -> dict[str, str]:
    """What ``charlm.machine.fingerprint`` says in a process with these kernels."""
    command = [sys.executable, "-m", "bench.machine"]
    found: dict[str, str] = json.loads(subprocess.check_output(command, env=environment(kernels)))
    return found


def avx2_kernel() -> str | None:
    """The kernel that BLAS takes when it is held to AVX2; None where it cannot be."""
    try:
        kernel = probe(KERNELS[AVX2])["kernel"]
    except subprocess.CalledProcessError:  # a chip without these instructions ends the process
        return None
    return kernel if kernel in AVX2_KERNELS else None


def kernels_name(kernel: str) -> str:
    """How the instructions of one of BLAS's kernels are called: AVX-512, or the kernel's own name."""
    return "AVX-512" if kernel in AVX512_KERNELS else kernel


def description(free: Mapping[str, str], held: str | None, load: float | None) -> str:
    """Machine, versions and date, in a line.

    Args:
        free: what ``probe`` found where the kernels are free.
        held: what ``avx2_kernel`` found.
        load: the load average before.
    """
    parts = [
        f"{_processor()}, {os.cpu_count()} cores, {_memory()}",
        f"{platform.system()} {platform.release()}",
        f"Python {free['python']}",
        f"NumPy {free['numpy']} with {free['blas']}, kernel {free['kernel']}, {free['threads']} threads",
        f"PyTorch {torch_version() or 'missing'}",
        f"{dt.datetime.now(tz=dt.UTC):%d %B %Y}",
    ]
    parts += [] if load is None else [f"load average before: {load:.2f}"]
    return "; ".join(parts) + "." + ("" if held is None else f" {_held_to(held)}")


def torch_version() -> str | None:
    """PyTorch's version, or None where it is not installed."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return None


def load_average() -> float | None:
    """Processes at work in the last minute; None where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _held_to(kernel: str) -> str:
    """A sentence about what AVX2 means."""
    held = " ".join(f"{name}={value}" for name, value in KERNELS[AVX2].items())
    return f"{AVX2} means `{held}`, which gives OpenBLAS's kernel {kernel}."


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def main() -> None:
    """Write what this process computes with."""
    from charlm.machine import fingerprint  # noqa: PLC0415 - the parent of all workers stays small without NumPy

    sys.stdout.write(json.dumps(fingerprint()))


if __name__ == "__main__":
    main()
