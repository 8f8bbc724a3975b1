"""Measuring speed: what is done, and how often; never how long it takes here."""

import numpy as np
import pytest
import threadpoolctl

from charlm import speed
from charlm.arithmetic import training_flops
from charlm.config import ModelConfig
from charlm.kernels import time_kernels
from charlm.machine import find_blas
from charlm.nn.language_model import LanguageModel


def test_work_is_repeated_for_so_long_and_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time takes two seconds of a clock that only the work moves."""
    now = [0.0]
    monkeypatch.setattr(speed, "perf_counter", lambda: now[0])

    def work() -> None:
        now[0] += 2.0

    assert speed.repeat(work, 7.0, fewest=1) == [2.0] * 4
    assert speed.repeat(work, 0.0, fewest=3, warm_up=5) == [2.0] * 3
    assert now == [2.0 * (1 + 4 + 5 + 3)]


def test_peak_counts_the_operations_of_a_product(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [0.5, 0.25, 1.0]
    monkeypatch.setattr(speed, "repeat", lambda *_: times)
    monkeypatch.setattr(speed, "PRODUCT_SECONDS", 100.0)
    monkeypatch.setattr(speed, "LARGEST", 64)
    peak = speed.measure_peak(1, 0.0)
    operations = 2e-9 * 64**3
    assert (peak.rows, peak.threads) == (64, 1)
    assert (peak.best, peak.median) == (operations / 0.25, operations / 0.5)


def test_slow_machines_multiply_smaller_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A product takes a second however small it is: the first one is not followed by a larger one."""
    monkeypatch.setattr(speed, "repeat", lambda *_: [1.0])
    assert speed.measure_peak(1, 0.0).rows == speed.LARGEST // 8


def test_threads_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "LARGEST", 64)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = find_blas().threads
        peaks = speed.measure_peaks(0.0)
        assert peaks.all_threads.threads == find_blas().threads == before
    assert peaks.one_thread.threads == (1 if before else None)
    assert peaks.others is None or peaks.others >= 0


def test_training_is_measured_by_its_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "repeat", lambda *_: [0.5])
    peak = speed.Peak(2048, 1, 1e6, 1e6)
    trained = speed.measure_training(2, 8, peak, 0.0)
    flops = training_flops(ModelConfig(65, layers=2, hidden=8), 64, 32)
    assert (trained.window, trained.batch) == (64, 32)
    assert trained.tokens_per_second == 64 * 32 / 0.5
    assert trained.gflops == pytest.approx(1e-9 * flops / 0.5)


def test_slow_machines_train_on_shorter_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "repeat", lambda *_: [0.5])
    windows = [speed.measure_training(1, 512, speed.Peak(256, 1, best, best), 0.0).window for best in (1e6, 20.0, 1e-9)]
    assert windows[0] == 64
    assert 1 < windows[1] < 64
    assert windows[2] == 1


def test_a_step_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is timed is no forward pass: every tensor of the model changes."""
    made: list[LanguageModel] = []
    initialize = LanguageModel.initialize

    def note(model: LanguageModel, seed: int) -> None:
        made.append(model)
        initialize(model, seed)

    monkeypatch.setattr(LanguageModel, "initialize", note)
    step = speed.training_step(ModelConfig(65, hidden=8, embedding=4), 4, 40)
    (model,) = made
    before = model.parameters.values.copy()
    step()
    for name, view in model.parameters.views.items():
        assert not np.array_equal(view, before[: view.size].reshape(view.shape)), name
    step()
    assert np.isfinite(model.parameters.values).all()


def test_kernels_take_turns_in_processes_of_their_own() -> None:
    """One that OpenBLAS does not have is tried once; the one in use is timed in each turn."""
    mine = find_blas().kernel
    timed = list(time_kernels([mine, "NoSuchKernel"], turns=2, seconds=0.0))
    assert [kernel for kernel, _ in timed] == [mine, "NoSuchKernel", mine]
    assert timed[1][1] is None
    # Where there is no OpenBLAS, there is none in use either.
    assert all((seconds is None) == (kernel != mine or mine == "unknown") for kernel, seconds in timed)
