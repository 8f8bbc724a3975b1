"""charlm doctor: the facts, the figures and the advice, as text and as JSON."""

from dataclasses import replace

import pytest
from cli_cases import call, succeed

from charlm import diagnosis, kernels, machine, speed
from charlm.cli import doctor
from charlm.machine import Blas, Chip, Machine
from charlm.speed import Peak, Peaks, Training

PLANTED = Machine(
    Blas("openblas", "0.3.31", "SkylakeX", "pthreads", 64),
    Chip("A Chip", frozenset({"AVX2", "AVX-512"})),
    present=64,
    cpus=64,
    quota=2.0,
    variables={"OMP_NUM_THREADS": "64"},
    load=1.0,
)
FOUND = {"machine": PLANTED}


@pytest.fixture(autouse=True)
def _planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that needs no time to be measured."""
    peaks = Peaks(Peak(2048, 64, 200.0, 150.0), Peak(2048, 1, 100.0, 90.0), others=0.0)
    monkeypatch.setattr(machine, "find_machine", lambda: FOUND["machine"])
    monkeypatch.setattr(speed, "measure_peaks", lambda _seconds: peaks)
    monkeypatch.setattr(
        speed,
        "measure_training",
        lambda layers, hidden, *_: Training(f"lstm: {layers} x {hidden}", 64, 32, 0.025, 81920.0, 50.0),
    )


def test_shows_facts_figures_and_what_to_type() -> None:
    ended = succeed("doctor")
    lines = ended.out.decode().splitlines()
    text = "\n".join(lines)
    for part in ("0.3.31", "SkylakeX", "threads 64 (pthreads)", "A Chip, AVX-512, AVX2", "OMP_NUM_THREADS=64"):
        assert part in text
    assert "cores          2, of 64 in the machine, a container's limit of 2" in lines
    assert "as it is, 2048 x 2048                    200.0    150.0" in lines
    assert "lstm: 1 x 256                      25.0     81,920                   25%" in lines
    assert lines[-1] == "    export OMP_NUM_THREADS=2"
    assert "64 threads for 2 cores" in lines[-2]
    assert "training an LSTM of 1 x 512" in ended.err


def test_says_so_where_there_is_nothing_to_advise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FOUND, "machine", replace(PLANTED, quota=None))
    assert succeed("doctor").out.decode().splitlines()[-1] == "nothing to advise"


def test_json_is_one_object_with_everything() -> None:
    ended = succeed("doctor", "--json")
    assert ended.out.count(b"\n") == 1
    found = ended.json
    assert found["versions"]["charlm"]
    assert found["blas"]["threads"] == 64
    assert found["chip"] == {"name": "A Chip", "instructions": ["AVX-512", "AVX2"]}
    assert (found["present"], found["cpus"], found["quota"], found["cores"]) == (64, 64, 2.0, 2)
    assert found["variables"] == {"OMP_NUM_THREADS": "64"}
    assert found["peaks"]["all_threads"]["best"] == 200.0
    assert [each["share"] for each in found["training"]] == [0.25] * 3
    assert found["kernels"] == {}
    assert [advice["command"] for advice in found["advice"]] == ["export OMP_NUM_THREADS=2"]


def test_kernels_are_compared_turn_by_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FOUND, "machine", replace(PLANTED, quota=None))

    def time_kernels(names: list[str], turns: int, _seconds: float) -> list[tuple[str, float | None]]:
        assert names == diagnosis.kernels_to_try(PLANTED)
        return [("Zen", None), *[("SkylakeX", 0.030), ("Haswell", 0.025)] * turns]

    monkeypatch.setattr(kernels, "time_kernels", time_kernels)
    ended = succeed("doctor", "--kernels")
    lines = ended.out.decode().splitlines()
    assert "Haswell                            25.0" in lines
    assert "fastest: Haswell, 1.20 times as fast as SkylakeX, turn by turn" in lines
    assert lines[-1] == "    export OPENBLAS_CORETYPE=Haswell"
    assert "does not run its Zen kernel" in ended.err
    assert succeed("doctor", "--kernels", "--json").json["kernels"] == {
        "SkylakeX": [0.030] * doctor.TURNS,
        "Haswell": [0.025] * doctor.TURNS,
    }


def test_where_there_are_no_kernels_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FOUND, "machine", replace(PLANTED, blas=Blas("mkl", "2026")))
    ended = call("doctor", "--kernels")
    assert ended.status == 0
    assert "no kernels to choose from" in ended.err
    assert "mkl 2026" in ended.err


def test_a_machine_that_says_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fact may be missing; it is still told, and valid JSON."""
    bare = Machine(Blas(), Chip("", frozenset()), 1, 1, None, {}, None)
    monkeypatch.setitem(FOUND, "machine", bare)
    assert "numpy" in succeed("doctor").out.decode().splitlines()[-1]
    assert succeed("doctor", "--json").json["blas"]["threads"] is None
