"""What a machine's facts say: rules that turn them into advice. They measure nothing and change nothing."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from charlm.machine import UNKNOWN, Machine
from charlm.speed import Peaks

MARGIN = 1.05
"""What is not faster than this is not worth a change."""
SOME = 0.2
"""Of a processor: less is what any system does by itself."""
ENOUGH_THREADS = 4
"""More seldom help models of the sizes that are trained on such machines."""
_NEEDS = {
    "Haswell": "AVX2",
    "Zen": "AVX2",
    "SkylakeX": "AVX-512",
    "Cooperlake": "BF16",
    "SapphireRapids": "AMX",
}
"""OpenBLAS's kernels for today's processors, and the instructions that each needs; others need, and use, less."""
_WIDE = {"AVX-512", "BF16", "AMX"}
_THREADS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS")
"""What sets the number of threads, what comes first being heard first."""
_OF_LIBRARY = {"mkl": "MKL_NUM_THREADS", "blis": "BLIS_NUM_THREADS"}


class Advice(NamedTuple):
    """What wastes the machine, in a sentence, and what to type against it."""

    problem: str
    command: str


@dataclass(frozen=True)
class Facts:
    """Everything that advice rests on.

    Attributes:
        machine: what there is to compute with, and its load before anything was measured.
        peaks: how fast it multiplies matrices.
        kernels: seconds of a step, one number a turn, under each kernel that was tried; the turns alternated.
    """

    machine: Machine
    peaks: Peaks
    kernels: Mapping[str, Sequence[float]] = field(default_factory=dict)


def advise(facts: Facts) -> list[Advice]:
    """All that there is to say, what costs most first; nothing where all is well."""
    machine = facts.machine
    found = [_library(machine), _threads(facts)]
    found.append(_measured_kernel(facts) if facts.kernels else _kernel(machine))
    found.append(_load(facts))
    return [advice for advice in found if advice]


def kernels_to_try(machine: Machine) -> list[str]:
    """The kernel in use, and OpenBLAS's others that this chip can run; none where there is no choice."""
    if machine.blas.library != "openblas" or machine.blas.kernel == UNKNOWN:
        return []
    able = [kernel for kernel, needed in _NEEDS.items() if needed in machine.chip.instructions]
    return [machine.blas.kernel, *(kernel for kernel in able if kernel != machine.blas.kernel)] if able else []


def fastest_kernel(facts: Facts) -> tuple[str, float] | None:
    """Of the kernels that were tried, the fastest, and how many times as fast as the one in use it is.

    Turn by turn, so that a slow minute of the machine strikes both sides; the median of the turns counts.
    """
    mine = facts.kernels.get(facts.machine.blas.kernel)
    if not mine:
        return None
    gains = {
        kernel: statistics.median(before / after for before, after in zip(mine, theirs, strict=False))
        for kernel, theirs in facts.kernels.items()
    }
    best = max(gains, key=gains.__getitem__)
    return best, gains[best]


def _library(machine: Machine) -> Advice | None:
    if machine.blas.library != UNKNOWN:
        return None
    return Advice(
        "NumPy has no BLAS that is known (OpenBLAS, MKL, BLIS, Accelerate): its products may be many times too slow. "
        "Its wheels bring OpenBLAS",
        "python -m pip install --force-reinstall --only-binary :all: numpy",
    )


def _threads(facts: Facts) -> Advice | None:
    machine, threads = facts.machine, facts.machine.blas.threads
    if threads is None:
        return None
    cores = machine.cores
    setting = next((name for name in _THREADS if name in machine.variables), None)
    variable = setting or _OF_LIBRARY.get(machine.blas.library, "OPENBLAS_NUM_THREADS")
    if threads > cores:
        limit = " (a container's limit)" if cores < machine.cpus else ""
        return Advice(
            f"the BLAS has {threads} threads for {_cores(cores)}{limit}: they wait for one another",
            f"export {variable}={cores}",
        )
    alone, together = facts.peaks.one_thread.median, facts.peaks.all_threads.median
    if alone > MARGIN * together and not _is_loaded(facts):
        return Advice(
            f"one thread is faster than {threads}: {alone:.0f} against {together:.0f} GFLOP/s", f"export {variable}=1"
        )
    wanted = min(cores, ENOUGH_THREADS)
    if setting and threads < wanted:
        return Advice(
            f"{setting}={machine.variables[setting]} leaves {cores - threads} of {_cores(cores)} idle "
            f"(more than {ENOUGH_THREADS} threads seldom help small models)",
            f"export {setting}={wanted}",
        )
    return None


def _cores(number: int) -> str:
    return f"{number} core{'' if number == 1 else 's'}"


def _kernel(machine: Machine) -> Advice | None:
    """Whether the kernel makes use of what the chip can do."""
    if not kernels_to_try(machine):
        return None
    kernel, pinned = machine.blas.kernel, "OPENBLAS_CORETYPE" in machine.variables
    uses = _NEEDS.get(kernel)
    if uses is None:
        return Advice(
            f"OpenBLAS runs its {kernel} kernel, which leaves the chip's AVX2 unused",
            "unset OPENBLAS_CORETYPE" if pinned else "export OPENBLAS_CORETYPE=Haswell",
        )
    if uses not in _WIDE and "AVX-512" in machine.chip.instructions:
        return Advice(
            f"OpenBLAS runs its {kernel} kernel{' (OPENBLAS_CORETYPE)' if pinned else ''}, which leaves the chip's "
            "AVX-512 unused; that is not always slower",
            "charlm doctor --kernels",
        )
    return None


def _measured_kernel(facts: Facts) -> Advice | None:
    best, kernel = fastest_kernel(facts), facts.machine.blas.kernel
    if best is None or best[1] < MARGIN:
        return None
    return Advice(
        f"a training step takes {best[1]:.2f} times as long under the {kernel} kernel as under {best[0]}",
        f"export OPENBLAS_CORETYPE={best[0]}",
    )


def _load(facts: Facts) -> Advice | None:
    if not _is_loaded(facts):
        return None
    return Advice(
        "other processes load the machine, so that these figures are low: end those, or measure again later", "top"
    )


def _is_loaded(facts: Facts) -> bool:
    """Whether others leave less of the machine than the BLAS's threads want, or more processes wait than it can run."""
    machine, others = facts.machine, facts.peaks.others or 0.0
    wanted = min(machine.blas.threads or 1, machine.cores)
    crowded = others > SOME and others + wanted > machine.present + SOME
    return crowded or (machine.load is not None and machine.load > machine.present)
