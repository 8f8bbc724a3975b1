"""Planted situations and the advice that they call for."""

from dataclasses import replace
from typing import Any

import pytest

from charlm.diagnosis import Facts, advise, fastest_kernel, kernels_to_try
from charlm.machine import Blas, Chip, Machine
from charlm.speed import Peak, Peaks

AVX2 = frozenset({"AVX2"})
AVX512 = frozenset({"AVX2", "AVX-512"})
WELL = Machine(
    Blas("openblas", "0.3.31", "SkylakeX", "pthreads", 4), Chip("A Chip", AVX512), 4, 4, None, variables={}, load=0.3
)
PEAKS = Peaks(Peak(2048, 4, 400.0, 380.0), Peak(2048, 1, 110.0, 100.0), others=0.0)


def facts(**changed: Any) -> Facts:
    """A machine where all is well, but for these."""
    blas = {name: changed.pop(name) for name in ("library", "kernel", "threads") if name in changed}
    instructions = changed.pop("instructions", AVX512)
    machine = replace(WELL, blas=replace(WELL.blas, **blas), chip=Chip("A Chip", instructions), **changed)
    return Facts(machine, PEAKS)


def only(given: Facts) -> tuple[str, str]:
    """The one advice that there is."""
    (advice,) = advise(given)
    return advice.problem, advice.command


def test_where_all_is_well_there_is_nothing_to_say() -> None:
    assert advise(facts()) == []
    assert advise(facts(kernel="Haswell", instructions=AVX2)) == []
    assert advise(facts(kernel="Zen", instructions=AVX2)) == []
    assert advise(facts(library="mkl", kernel="unknown", instructions=AVX512)) == []
    assert advise(facts(kernel="Cooperlake", instructions=AVX512 | {"BF16"})) == []
    assert advise(facts(library="accelerate", kernel="unknown", threads=None, instructions=frozenset())) == []
    assert advise(facts(kernel="neoversen1", instructions=frozenset())) == []


def test_container_of_two_processors_with_sixty_four_threads() -> None:
    problem, command = only(facts(threads=64, present=64, cpus=64, quota=2.0))
    assert "64 threads for 2 cores (a container's limit)" in problem
    assert command == "export OPENBLAS_NUM_THREADS=2"


def test_process_held_to_one_processor() -> None:
    problem, command = only(facts(threads=4, cpus=1))
    assert "4 threads for 1 core:" in problem
    assert command == "export OPENBLAS_NUM_THREADS=1"


@pytest.mark.parametrize(
    ("library", "variables", "variable"),
    [
        ("openblas", {"OMP_NUM_THREADS": "9"}, "OMP_NUM_THREADS"),
        ("openblas", {"OMP_NUM_THREADS": "9", "OPENBLAS_NUM_THREADS": "9"}, "OPENBLAS_NUM_THREADS"),
        ("mkl", {}, "MKL_NUM_THREADS"),
    ],
)
def test_the_variable_to_set_is_the_one_that_is_heard(library: str, variables: dict[str, str], variable: str) -> None:
    assert only(facts(library=library, threads=9, variables=variables))[1] == f"export {variable}=4"


def test_a_variable_keeps_cores_idle() -> None:
    problem, command = only(facts(threads=1, variables={"OPENBLAS_NUM_THREADS": "1"}))
    assert "OPENBLAS_NUM_THREADS=1 leaves 3 of 4 cores idle" in problem
    assert command == "export OPENBLAS_NUM_THREADS=4"


def test_more_than_four_threads_are_not_asked_for() -> None:
    many = {"present": 32, "cpus": 32}
    assert only(facts(threads=2, variables={"OMP_NUM_THREADS": "2"}, **many))[1] == "export OMP_NUM_THREADS=4"
    assert advise(facts(threads=4, variables={"OMP_NUM_THREADS": "4"}, **many)) == []


def test_few_threads_that_no_variable_asked_for_are_left_alone() -> None:
    assert advise(facts(threads=1)) == []


def test_one_thread_is_faster_than_all() -> None:
    slow = replace(PEAKS, all_threads=Peak(2048, 4, 100.0, 90.0))
    problem, command = only(replace(facts(), peaks=slow))
    assert "one thread is faster than 4: 100 against 90" in problem
    assert command == "export OPENBLAS_NUM_THREADS=1"
    near = replace(PEAKS, all_threads=Peak(2048, 4, 100.0, 97.0))
    assert advise(replace(facts(), peaks=near)) == []


@pytest.mark.parametrize("kernel", ["Prescott", "Nehalem", "Sandybridge", "Generic"])
def test_kernel_of_before_avx2(kernel: str) -> None:
    problem, command = only(facts(kernel=kernel, instructions=AVX2))
    assert kernel in problem
    assert command == "export OPENBLAS_CORETYPE=Haswell"
    pinned = facts(kernel=kernel, variables={"OPENBLAS_CORETYPE": kernel})
    assert only(pinned)[1] == "unset OPENBLAS_CORETYPE"


def test_kernel_that_leaves_avx512_unused() -> None:
    problem, command = only(facts(kernel="Haswell", variables={"OPENBLAS_CORETYPE": "Haswell"}))
    assert "Haswell kernel (OPENBLAS_CORETYPE), which leaves the chip's AVX-512 unused" in problem
    assert command == "charlm doctor --kernels"


def test_numpy_without_a_blas() -> None:
    problem, command = only(facts(library="unknown", kernel="unknown", threads=None))
    assert "no BLAS" in problem
    assert command.endswith("numpy")


@pytest.mark.parametrize(("others", "load"), [(1.5, 0.3), (0.0, 4.5), (None, 4.5)])
def test_others_load_the_machine(others: float | None, load: float) -> None:
    """By what they used while products were timed, or by the load before."""
    problem, _ = only(replace(facts(load=load), peaks=replace(PEAKS, others=others)))
    assert "load the machine" in problem


@pytest.mark.parametrize(("others", "load"), [(0.1, 3.9), (None, None)])
def test_a_machine_that_is_quiet_enough(others: float | None, load: float | None) -> None:
    assert advise(replace(facts(load=load), peaks=replace(PEAKS, others=others))) == []


def test_others_on_processors_that_are_not_wanted() -> None:
    """A host of sixty-four, of which others use forty: the four threads have room."""
    assert advise(replace(facts(present=64, cpus=64, load=40.0), peaks=replace(PEAKS, others=40.0))) == []


def test_what_load_explains_is_not_blamed_on_threads() -> None:
    slow = Peaks(Peak(2048, 4, 100.0, 50.0), Peak(2048, 1, 110.0, 100.0), others=2.0)
    assert "load the machine" in only(replace(facts(), peaks=slow))[0]


@pytest.mark.parametrize(
    ("kernel", "instructions", "names"),
    [
        ("SkylakeX", AVX512, ["SkylakeX", "Haswell", "Zen"]),
        ("Haswell", AVX2, ["Haswell", "Zen"]),
        ("Prescott", AVX2, ["Prescott", "Haswell", "Zen"]),
        ("Cooperlake", AVX512 | {"BF16"}, ["Cooperlake", "Haswell", "Zen", "SkylakeX"]),
        ("armv8", frozenset(), []),
    ],
)
def test_kernels_that_the_chip_can_run(kernel: str, instructions: frozenset[str], names: list[str]) -> None:
    assert kernels_to_try(facts(kernel=kernel, instructions=instructions).machine) == names


def test_only_openblas_has_kernels_to_choose_from() -> None:
    assert kernels_to_try(facts(library="mkl").machine) == []


def test_fastest_kernel_by_turns() -> None:
    """The machine slows down from turn to turn, and strikes one kernel alone once: the median of the turns' ratios."""
    times = {"SkylakeX": [1.0, 2.0, 10.0], "Haswell": [0.9, 3.0, 9.0]}
    tried = replace(facts(), kernels=times)
    best = fastest_kernel(tried)
    assert best is not None
    assert best[0] == "Haswell"
    assert best[1] == pytest.approx(1 / 0.9)
    problem, command = only(tried)
    assert "1.11 times as long under the SkylakeX kernel as under Haswell" in problem
    assert command == "export OPENBLAS_CORETYPE=Haswell"


def test_a_kernel_that_is_hardly_faster_is_not_advised() -> None:
    times = {"SkylakeX": [1.0, 1.0, 1.0], "Haswell": [0.97, 0.5, 0.98]}
    assert advise(replace(facts(), kernels=times)) == []


def test_measurement_beats_what_the_chip_suggests() -> None:
    """Haswell leaves AVX-512 unused, and is the fastest all the same."""
    times = {"Haswell": [1.0, 1.0], "SkylakeX": [1.1, 1.1]}
    assert advise(replace(facts(kernel="Haswell"), kernels=times)) == []
