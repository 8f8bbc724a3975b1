"""How fast this machine multiplies matrices and trains models, measured."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter, process_time

import numpy as np

from charlm.arithmetic import training_flops
from charlm.config import ModelConfig
from charlm.machine import busy_seconds
from charlm.nn.language_model import LanguageModel
from charlm.training.clipping import clip
from charlm.training.optimizers import make_optimizer

LARGEST = 2048
"""Rows of the matrices that the peak is measured with, where the machine is fast enough for it."""
PRODUCT_SECONDS = 0.5
"""A product that takes longer is not made larger."""
STEP_SECONDS = 0.5
"""A training step that would take longer at the peak is made shorter."""
FEWEST = 3
"""Repetitions that are timed at least."""
WARM_UP = 1
"""Steps that are not: their memory is cold, and threads are started."""
SIZES = ((2, 128), (1, 256), (1, 512))
"""Layers and units of the models that are trained."""
WINDOW, BATCH = 64, 32
_MODEL = ModelConfig(vocabulary=65)


@dataclass(frozen=True)
class Peak:
    """How fast float32 matrices are multiplied.

    Attributes:
        rows: of the square matrices.
        threads: of the BLAS; None where it does not say.
        best: GFLOP/s of the fastest product.
        median: GFLOP/s.
    """

    rows: int
    threads: int | None
    best: float
    median: float


@dataclass(frozen=True)
class Training:
    """How fast a model trains.

    Attributes:
        model: what it is.
        window: steps of a window.
        batch: lanes.
        seconds: median of a step.
        tokens_per_second: from that.
        gflops: arithmetic that the step needs, in GFLOP/s.
    """

    model: str
    window: int
    batch: int
    seconds: float
    tokens_per_second: float
    gflops: float


@dataclass(frozen=True)
class Peaks:
    """How fast products are with all threads, with one, and who else was at work meanwhile.

    Attributes:
        all_threads: as many as the BLAS has.
        one_thread: held to one.
        others: how many processors other processes used, on average; None where the system does not say.
    """

    all_threads: Peak
    one_thread: Peak
    others: float | None


def measure_peaks(seconds: float) -> Peaks:
    """Multiply square matrices for about so long, half of it on one thread."""
    before, mine, began = busy_seconds(), process_time(), perf_counter()
    all_threads, one_thread = measure_peak(None, seconds / 2), measure_peak(1, seconds / 2)
    after, mine, passed = busy_seconds(), process_time() - mine, perf_counter() - began
    others = None if before is None or after is None else max(0.0, (after - before - mine) / passed)
    return Peaks(all_threads, one_thread, others)


def measure_peak(threads: int | None, seconds: float) -> Peak:
    """Multiply square matrices for about so long.

    Args:
        threads: to hold the BLAS to; None for as many as it has.
        seconds: how long; a few products are made in any case, of smaller matrices where the machine is slow.
    """
    import threadpoolctl  # noqa: PLC0415 - only here and for the record of a run

    generator = np.random.Generator(np.random.PCG64(0))
    with threadpoolctl.threadpool_limits(threads, user_api="blas"):
        used = [each["num_threads"] for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"]
        rows, times = LARGEST // 16, [0.0]
        # A product of twice as many rows takes eight times as long.
        while rows < LARGEST and 8 * min(times) < PRODUCT_SECONDS:
            rows *= 2
            matrices = [generator.standard_normal((rows, rows), np.float32) for _ in range(3)]
            product = partial(np.matmul, *matrices[:2], out=matrices[2])
            times = repeat(product, 0.0, FEWEST)
        times = repeat(product, seconds, FEWEST)
    operations = 2e-9 * rows**3
    return Peak(rows, used[0] if used else None, operations / min(times), operations / statistics.median(times))


def measure_training(layers: int, hidden: int, peak: Peak, seconds: float) -> Training:
    """Train an LSTM on random tokens for about so long.

    Args:
        layers: of it.
        hidden: units of each.
        peak: of the machine; where it is low, windows are shorter.
        seconds: how long; a few steps are made in any case.
    """
    config, window = replace(_MODEL, layers=layers, hidden=hidden), WINDOW
    while window > 1 and training_flops(config, window, BATCH) > 1e9 * peak.best * STEP_SECONDS:
        window //= 2
    median = statistics.median(repeat(training_step(config, window, BATCH), seconds, FEWEST))
    flops = training_flops(config, window, BATCH)
    return Training(config.description, window, BATCH, median, window * BATCH / median, 1e-9 * flops / median)


def measure_step(seconds: float) -> float:
    """Median seconds of a training step of the model of the default size."""
    return statistics.median(repeat(training_step(_MODEL, WINDOW, BATCH), seconds, FEWEST))


def training_step(config: ModelConfig, window: int, batch: int) -> Callable[[], None]:
    """One training step as the trainer takes it, on random tokens: packing, loss and gradients, clipping, AdamW."""
    model = LanguageModel(config)
    model.initialize(0)
    optimizer = make_optimizer("adamw", model.parameters, 0.0)
    generator = np.random.Generator(np.random.PCG64(0))
    inputs, targets = generator.integers(config.vocabulary, size=(2, window, batch))
    work, starts = model.new_workspace(window, batch), np.zeros((window, batch), np.bool_)
    states = model.zero_states(batch)

    def step() -> None:
        nonlocal states
        model.pack(work)
        _, states, _ = model.loss_and_gradients(work, inputs, targets, starts, states)
        clip(model.parameters.gradient_values, 1.0)
        optimizer.update(1e-3)

    return step


def repeat(work: Callable[[], object], seconds: float, fewest: int, warm_up: int = WARM_UP) -> list[float]:
    """Do something again and again for so many seconds, ``fewest`` times at least: the seconds of each time.

    The first ``warm_up`` times are not counted.
    """
    for _ in range(warm_up):
        work()
    times: list[float] = []
    began = perf_counter()
    while len(times) < fewest or perf_counter() - began < seconds:
        before = perf_counter()
        work()
        times.append(perf_counter() - before)
    return times
