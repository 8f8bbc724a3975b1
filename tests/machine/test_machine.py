"""What is found out about a machine: here from planted files and libraries."""

import os
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl

from charlm.machine import (
    Blas,
    Chip,
    Machine,
    busy_seconds,
    find_blas,
    find_chip,
    find_machine,
    find_quota,
    fingerprint,
)


def plant(root: Path, files: dict[str, str]) -> Path:
    """Files of a system under ``root``."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2.0),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        # The group's own limit is not the tightest one.
        (
            {
                "proc/self/cgroup": "0::/slice/job\n",
                "sys/fs/cgroup/slice/job/cpu.max": "800000 100000\n",
                "sys/fs/cgroup/slice/cpu.max": "300000 100000\n",
                "sys/fs/cgroup/cpu.max": "max 100000\n",
            },
            3.0,
        ),
        # The path is the host's, the files are the container's.
        ({"proc/self/cgroup": "0::/docker/4f\n", "sys/fs/cgroup/cpu.max": "400000 100000\n"}, 4.0),
        # Version 1.
        (
            {
                "proc/self/cgroup": "5:cpuset:/\n3:cpu,cpuacct:/box\n1:name=systemd:/\n",
                "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "250000\n",
                "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/cpuset/cpu.cfs_quota_us": "100000\n",
                "sys/fs/cgroup/cpuset/cpu.cfs_period_us": "100000\n",
            },
            2.5,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/\n0::/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
    ],
)
def test_container_limits(files: dict[str, str], quota: float | None, tmp_path: Path) -> None:
    assert find_quota(plant(tmp_path, files)) == quota


@pytest.mark.parametrize(
    ("flags", "instructions"),
    [
        ("sse2 avx avx2 fma avx512f avx512dq avx512bw avx512vl avx512_bf16", {"AVX2", "AVX-512", "BF16"}),
        ("sse2 avx avx2 fma avx512f avx512cd", {"AVX2"}),
        ("sse2 avx2", set()),
        ("sse2 avx", set()),
    ],
)
def test_instructions_of_the_chip(flags: str, instructions: set[str], tmp_path: Path) -> None:
    """All flags of a kind are needed: the first chips with AVX-512F lack what kernels use besides."""
    one = f"processor\t: 0\nmodel name\t: A Chip\nflags\t\t: {flags}\n"
    chip = find_chip(plant(tmp_path, {"proc/cpuinfo": f"{one}\n{one.replace('A Chip', 'Another')}"}))
    assert chip == Chip("A Chip", frozenset(instructions))


def test_elsewhere_numpy_knows_the_instructions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        np, "show_config", lambda mode: {"SIMD Extensions": {"baseline": ["X86_V2"], "found": ["X86_V3", mode]}}
    )
    assert find_chip(tmp_path).instructions == {"AVX2"}


def test_work_of_all_processors(tmp_path: Path) -> None:
    """Neither idling nor waiting for a disk is work; what the host took away is."""
    tick = os.sysconf("SC_CLK_TCK")
    numbers = [1, 2, 4, 1000, 1000, 8, 16, 32, 5000, 5000]
    stat = "cpu  " + " ".join(str(tick * number) for number in numbers) + "\ncpu0 1 1 1 1\n"
    assert busy_seconds(plant(tmp_path, {"proc/stat": stat})) == 63
    assert busy_seconds(tmp_path / "nowhere") is None


def test_blas_that_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        {"user_api": "openmp", "internal_api": "openmp", "num_threads": 9, "version": None},
        {
            "user_api": "blas",
            "internal_api": "openblas",
            "num_threads": 6,
            "version": "0.3",
            "architecture": "Zen",
            "threading_layer": "pthreads",
        },
    ]
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: entries)
    assert find_blas() == Blas("openblas", "0.3", "Zen", "pthreads", 6)
    record = fingerprint()
    assert (record["blas"], record["kernel"], record["threads"]) == ("openblas 0.3", "Zen", "6")


@pytest.mark.parametrize(("built", "library"), [("accelerate", "accelerate"), ("auto", "unknown")])
def test_blas_that_shows_no_threads(built: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threadpoolctl, "threadpool_info", list)
    monkeypatch.setattr(np, "show_config", lambda mode: {"Build Dependencies": {"blas": {"name": built, "as": mode}}})
    assert find_blas() == Blas(library)
    assert fingerprint()["threads"] == "unknown"


@pytest.mark.parametrize(
    ("cpus", "quota", "cores"), [(8, None, 8), (8, 2.0, 2), (8, 1.5, 1), (8, 0.5, 1), (2, 16.0, 2)]
)
def test_cores_are_what_runs_at_a_time(cpus: int, quota: float | None, cores: int) -> None:
    assert Machine(Blas(), Chip("", frozenset()), 64, cpus, quota, {}, None).cores == cores


def test_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MKL_DYNAMIC", "FALSE")
    monkeypatch.setenv("OPENING", "1")
    machine = find_machine()
    assert 1 <= machine.cores <= machine.cpus <= machine.present
    assert machine.variables["MKL_DYNAMIC"] == "FALSE"
    assert "OPENING" not in machine.variables
