"""What the speed and the bits of a run depend on besides its inputs: versions, the BLAS in use, and the processor."""

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from charlm.version import __version__

UNKNOWN = "unknown"
_STEERING = ("OPENBLAS_", "GOTO_", "OMP_", "MKL_", "VECLIB_", "BLIS_")
"""How the environment variables that steer a BLAS begin."""
_INSTRUCTIONS: Mapping[str, tuple[set[str], set[str]]] = {
    "AVX2": ({"avx2", "fma"}, {"AVX2", "X86_V3"}),
    "AVX-512": ({"avx512f", "avx512dq", "avx512bw", "avx512vl"}, {"AVX512_SKX", "X86_V4"}),
    "BF16": ({"avx512_bf16"}, {"AVX512_SPR"}),
    "AMX": ({"amx_tile", "amx_bf16"}, set()),
}
"""Instructions that kernels are made for: all the flags by which Linux knows them, any name by which NumPy does."""


def peak_memory() -> int | None:
    """The most bytes that this process has had in memory; None where the system does not say."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@dataclass(frozen=True)
class Blas:
    """The library that multiplies matrices for NumPy.

    Attributes:
        library: openblas, mkl, blis, accelerate, or unknown: then it may be none.
        version: of it.
        kernel: which of its sets of routines it has chosen for the processor.
        threading: how it runs threads: pthreads, openmp, ...
        threads: how many it uses; None where it does not say.
    """

    library: str = UNKNOWN
    version: str = ""
    kernel: str = UNKNOWN
    threading: str = UNKNOWN
    threads: int | None = None


@dataclass(frozen=True)
class Chip:
    """The processor: its name, and which of AVX2, AVX-512, BF16 and AMX it has."""

    name: str
    instructions: frozenset[str]


@dataclass(frozen=True)
class Machine:
    """What this process has to compute with.

    Attributes:
        blas: NumPy's.
        chip: the processor.
        present: how many processors the machine has.
        cpus: on how many of them the system lets this process run.
        quota: to how many processors' time a container limits it; None where it does not.
        variables: environment variables that steer a BLAS.
        load: processes that wanted to run in the last minute, on average; None where the system does not say.
    """

    blas: Blas
    chip: Chip
    present: int
    cpus: int
    quota: float | None
    variables: Mapping[str, str]
    load: float | None

    @property
    def cores(self) -> int:
        """How many threads can run at a time: ``cpus``, or the whole part of the quota if that is less."""
        return self.cpus if self.quota is None else max(1, min(self.cpus, int(self.quota)))


def versions() -> dict[str, str]:
    """Versions of charlm, Python and NumPy, and the kind of machine."""
    return {
        "charlm": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }


def fingerprint() -> dict[str, str]:
    """Versions of charlm, Python, NumPy and safetensors, and BLAS library, kernel and threads, as strings."""
    import safetensors  # noqa: PLC0415 - only here and in the checkpoint

    about, blas = versions(), find_blas()
    kind = about.pop("machine")
    return {
        **about,
        "safetensors": safetensors.__version__,
        "machine": kind,
        "blas": f"{blas.library} {blas.version}".strip(),
        "kernel": blas.kernel,
        "threads": str(blas.threads or UNKNOWN),
    }


def find_blas() -> Blas:
    """The BLAS that NumPy has loaded."""
    import threadpoolctl  # noqa: PLC0415 - it inspects every loaded library, which takes a while

    found = [entry for entry in threadpoolctl.threadpool_info() if entry.get("user_api") == "blas"]
    if not found:
        # Accelerate has no threads to control and so goes unseen, but NumPy was built for nothing else then.
        built = _configuration().get("Build Dependencies", {}).get("blas", {}).get("name", "")
        return Blas("accelerate") if built == "accelerate" else Blas()
    entry = found[0]
    return Blas(
        library=entry.get("internal_api", UNKNOWN),
        version=entry.get("version") or "",
        kernel=entry.get("architecture") or UNKNOWN,
        threading=entry.get("threading_layer") or UNKNOWN,
        threads=entry.get("num_threads"),
    )


def find_machine() -> Machine:
    """What this process has to compute with, as it is now."""
    return Machine(
        blas=find_blas(),
        chip=find_chip(),
        present=os.cpu_count() or 1,
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        quota=find_quota(),
        variables={name: value for name, value in sorted(os.environ.items()) if name.startswith(_STEERING)},
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def _configuration() -> dict[str, Any]:
    """What NumPy says of how it was built, and of the instructions it has found."""
    found: dict[str, Any] = np.show_config(mode="dicts") or {}  # type: ignore[assignment]  # its types know printing only
    return found


def busy_seconds(root: Path = Path("/")) -> float | None:
    """Seconds that all processors together have worked, or been taken away, since the start; None off Linux."""
    name, *spent = _text(root / "proc" / "stat").partition("\n")[0].split() or [""]
    if name != "cpu":
        return None
    # In ticks: user, nice, system, idle, waiting, interrupts of two kinds, stolen by the host; guests are in the first.
    user, nice, system, _, _, *rest = map(int, spent[:8])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def find_chip(root: Path = Path("/")) -> Chip:
    """The processor, as Linux describes it under ``root``; elsewhere as NumPy and Python do."""
    about: dict[str, str] = {}
    for line in _text(root / "proc" / "cpuinfo").partition("\n\n")[0].splitlines():
        key, _, value = line.partition(":")
        about[key.strip()] = value.strip()
    name = about.get("model name") or platform.processor() or platform.machine()
    if "flags" in about:
        flags = set(about["flags"].split())
        return Chip(name, frozenset(each for each, (linux, _) in _INSTRUCTIONS.items() if linux <= flags))
    simd = _configuration().get("SIMD Extensions", {})
    known = {*simd.get("baseline", ()), *simd.get("found", ())}
    return Chip(name, frozenset(each for each, (_, numpy) in _INSTRUCTIONS.items() if numpy & known))


def find_quota(root: Path = Path("/")) -> float | None:
    """To how many processors' time control groups limit this process, by the files under ``root``; None: not at all.

    Every group limits those inside it, so the tightest limit on the way up counts. A container often sees its own
    group as the uppermost, whatever path the process is said to be in; groups that are not there are passed over.
    """
    limits = []
    for line in _text(root / "proc" / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            mount = root / "sys" / "fs" / "cgroup" / controllers
            inner = mount / path.lstrip("/")
            groups = [inner, *(parent for parent in inner.parents if parent == mount or mount in parent.parents)]
            limits += [_limit(group) for group in groups]
    return min((limit for limit in limits if limit is not None), default=None)


def _limit(group: Path) -> float | None:
    """The limit of one group: version 2 of the kernel's interface has it in one file, version 1 in two."""
    one = _text(group / "cpu.max").split()
    quota, period = one or [_text(group / f"cpu.cfs_{what}_us").strip() for what in ("quota", "period")]
    # "max" and -1 mean that there is none.
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _text(path: Path) -> str:
    """A file of the kernel's; nothing where there is none, as on other systems."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
