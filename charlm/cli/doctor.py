"""``charlm doctor``: what this machine computes with, how fast it does, and what to do about it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.console import note, result, result_json
from charlm.cli.find import JsonOption

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from charlm.diagnosis import Advice, Facts
    from charlm.machine import Machine
    from charlm.speed import Peak, Training

PEAK_SECONDS = 2.0
TRAINING_SECONDS = 1.0
TURNS = 5
"""Turns of each kernel; so many medians are compared."""
TURN_SECONDS = 0.5


def doctor(
    kernels: Annotated[
        bool, typer.Option("--kernels", help="Try each OpenBLAS kernel that the chip can run; half a minute.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell whether this machine computes as fast as it can: what it has, how fast it is, and advice.

    Nothing is changed. It takes some ten seconds, in which nothing else should run.
    """
    from charlm.diagnosis import Facts, advise  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.machine import find_machine  # noqa: PLC0415 - likewise
    from charlm.speed import SIZES, measure_peaks, measure_training  # noqa: PLC0415 - likewise

    machine = find_machine()
    note("multiplying matrices")
    peaks = measure_peaks(PEAK_SECONDS)
    trained = []
    for layers, hidden in SIZES:
        note(f"training an LSTM of {layers} x {hidden}")
        trained.append(measure_training(layers, hidden, peaks.all_threads, TRAINING_SECONDS))
    facts = Facts(machine, peaks, _try_kernels(machine) if kernels else {})
    advice = advise(facts)
    if as_json:
        result_json(_as_json(facts, trained, advice))
        return
    for line in _lines(facts, trained, advice):
        result(line)


def _try_kernels(machine: "Machine") -> "Mapping[str, list[float]]":
    from charlm.diagnosis import kernels_to_try  # noqa: PLC0415 - as above
    from charlm.kernels import time_kernels  # noqa: PLC0415 - as above

    names = kernels_to_try(machine)
    if not names:
        note(f"there are no kernels to choose from: that takes OpenBLAS and a chip with AVX2, this is {_blas(machine)}")
        return {}
    note(f"trying the kernels {', '.join(names)}")
    times: dict[str, list[float]] = {}
    for kernel, seconds in time_kernels(names, TURNS, TURN_SECONDS):
        if seconds is None:
            note(f"OpenBLAS does not run its {kernel} kernel here")
        else:
            times.setdefault(kernel, []).append(seconds)
    return times


def _as_json(facts: "Facts", trained: "list[Training]", advice: "list[Advice]") -> dict[str, Any]:
    from charlm.machine import versions  # noqa: PLC0415 - as above

    machine = facts.machine
    return {
        "versions": versions(),
        **asdict(machine),
        "chip": {"name": machine.chip.name, "instructions": sorted(machine.chip.instructions)},
        "cores": machine.cores,
        "peaks": asdict(facts.peaks),
        "training": [{**asdict(each), "share": _share(each, facts)} for each in trained],
        "kernels": facts.kernels,
        "advice": [each._asdict() for each in advice],
    }


def _lines(facts: "Facts", trained: "list[Training]", advice: "list[Advice]") -> "Iterator[str]":
    yield from _having(facts.machine)
    yield ""
    yield "float32 products              GFLOP/s     best   median"
    yield _product("as it is", facts.peaks.all_threads)
    yield _product("on one thread", facts.peaks.one_thread)
    yield ""
    yield "training                      ms a step   tokens/s   of the best product"
    for each in trained:
        pace = f"{1e3 * each.seconds:8.1f} {each.tokens_per_second:10,.0f}"
        yield f"{each.model:<30} {pace} {_share(each, facts):21.0%}"
    if facts.kernels:
        yield ""
        yield from _kernels(facts)
    yield ""
    yield from (f"{each.problem}:\n    {each.command}" for each in advice)
    if not advice:
        yield "nothing to advise"


def _share(trained: "Training", facts: "Facts") -> float:
    """How much of the fastest product's speed a training step reaches."""
    return trained.gflops / facts.peaks.all_threads.best


def _having(machine: "Machine") -> "Iterator[str]":
    from charlm.machine import versions  # noqa: PLC0415 - as above

    yield f"versions       {', '.join(f'{name} {version}' for name, version in versions().items())}"
    yield f"chip           {', '.join([machine.chip.name, *sorted(machine.chip.instructions)])}"
    blas = machine.blas
    threads = "unknown" if blas.threads is None else f"{blas.threads} ({blas.threading})"
    yield f"BLAS           {_blas(machine)}, kernel {blas.kernel}, threads {threads}"
    limit = "" if machine.quota is None else f", a container's limit of {machine.quota:g}"
    yield f"cores          {machine.cores}, of {machine.present} in the machine{limit}"
    variables = " ".join(f"{name}={value}" for name, value in machine.variables.items())
    yield f"variables      {variables or 'none that steers a BLAS'}"
    yield f"load           {'unknown' if machine.load is None else f'{machine.load:.2f} in the last minute'}"


def _blas(machine: "Machine") -> str:
    return f"{machine.blas.library} {machine.blas.version}".strip()


def _product(name: str, peak: "Peak") -> str:
    size = f"{name}, {peak.rows} x {peak.rows}"
    return f"{size:<37} {peak.best:8.1f} {peak.median:8.1f}"


def _kernels(facts: "Facts") -> "Iterator[str]":
    """The table of the kernels that were tried, and which is the fastest."""
    from statistics import median  # noqa: PLC0415 - NumPy is not alone in taking its time

    from charlm.diagnosis import MARGIN, fastest_kernel  # noqa: PLC0415 - as above

    yield "kernel                        ms a step"
    for kernel, seconds in facts.kernels.items():
        yield f"{kernel:<30} {1e3 * median(seconds):8.1f}"
    if best := fastest_kernel(facts):
        name, gain = best
        worth = "" if gain >= MARGIN else ": too little to matter"
        yield f"fastest: {name}, {gain:.2f} times as fast as {facts.machine.blas.kernel}, turn by turn{worth}"
