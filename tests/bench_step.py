"""Times a whole training step of charlm against PyTorch's: ``make bench``, or ``python tests/bench_step.py --help``.

A step embeds, runs the recurrent layers and the softmax, goes back through them, clips to norm 1 and updates by
Adam. Both sides run in processes of their own, in turn, round by round; a row gives each side's median over the
rounds' medians, the ratio of the pairs, and the largest peak memory. Nothing else should run meanwhile.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

WARM_UP = 3
CASES = [  # cell, vocabulary, embedding, hidden, layers, window, batch
    ("lstm", 65, 128, 128, 2, 50, 50),
    ("lstm", 65, 128, 256, 1, 64, 64),
    ("lstm", 65, 128, 512, 1, 64, 64),
    ("lstm", 65, 512, 512, 1, 64, 64),
    ("gru-before", 65, 128, 512, 1, 64, 64),
    ("gru-after", 65, 128, 512, 1, 64, 64),
    ("rnn", 65, 128, 512, 1, 64, 64),
]
KERNELS = {
    "free": {},
    "avx2": {
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    },
}


def charlm_step(cell: str, sizes: list[int]) -> Callable[[], None]:
    """One training step of charlm, as the trainer takes it."""
    import numpy as np

    from charlm.config import ModelConfig
    from charlm.nn.language_model import LanguageModel
    from charlm.training.clipping import clip
    from charlm.training.optimizers import make_optimizer

    vocabulary, embedding, hidden, layers, window, batch = sizes
    name, _, reset = cell.partition("-")
    config = ModelConfig(vocabulary, name, {"reset": reset} if reset else {}, layers, hidden, embedding)
    model = LanguageModel(config)
    model.initialize(0)
    optimizer = make_optimizer("adamw", model.parameters, 0.0)
    generator = np.random.default_rng(0)
    inputs, targets = generator.integers(vocabulary, size=(2, window, batch))
    work, starts = model.new_workspace(window, batch), np.zeros((window, batch), np.bool_)
    states = model.zero_states(batch)

    def step() -> None:
        nonlocal states
        model.pack(work)
        _, states, _ = model.loss_and_gradients(work, inputs, targets, starts, states)
        clip(model.parameters.gradient_values, 1.0)
        optimizer.update(1e-3)

    return step


def torch_step(cell: str, sizes: list[int]) -> Callable[[], None]:
    """The same step with PyTorch's own modules."""
    import torch

    vocabulary, embedding, hidden, layers, window, batch = sizes
    torch.manual_seed(0)
    embed = torch.nn.Embedding(vocabulary, embedding)
    recurrent = getattr(torch.nn, cell.partition("-")[0].upper())(embedding, hidden, layers)
    head = torch.nn.Linear(hidden, vocabulary)
    parameters = [p for module in (embed, recurrent, head) for p in module.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    inputs, targets = torch.randint(vocabulary, (2, window, batch))
    state: Any = None

    def step() -> None:
        nonlocal state
        optimizer.zero_grad()
        output, after = recurrent(embed(inputs), state)
        loss: Any = torch.nn.functional.cross_entropy(head(output).flatten(0, 1), targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        state = tuple(s.detach() for s in after) if isinstance(after, tuple) else after.detach()

    return step


def work(engine: str, cell: str, sizes: list[int], steps: int) -> None:
    """In a process of its own: time steps, print their median in milliseconds and the peak memory in MB."""
    step = (charlm_step if engine == "charlm" else torch_step)(cell, sizes)
    times = []
    for _ in range(WARM_UP + steps):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    median = statistics.median(times[WARM_UP:]) * 1e3
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({"ms": median, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6}))


def run(engine: str, case: tuple[Any, ...], steps: int, kernels: dict[str, str]) -> dict[str, float]:
    """Run ``work`` in a process of its own."""
    command = [sys.executable, __file__, "--work", engine, *map(str, case), "--steps", str(steps)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")} | kernels
    found: dict[str, float] = json.loads(subprocess.check_output(command, env=environment))
    return found


def compare(case: tuple[Any, ...], rounds: int, steps: int, kernels: dict[str, str]) -> str:
    """One row of the table."""
    pairs = [(run("charlm", case, steps, kernels), run("torch", case, steps, kernels)) for _ in range(rounds)]
    ours, theirs = (statistics.median(pair[side]["ms"] for pair in pairs) for side in (0, 1))
    ratios = sorted(b["ms"] / a["ms"] for a, b in pairs)
    memory = [max(pair[side]["mb"] for pair in pairs) for side in (0, 1)]
    cell, vocabulary, embedding, hidden, layers, window, batch = case
    return (
        f"| {cell} | {vocabulary}, {embedding}, {layers} x {hidden}, {window} x {batch} | {ours:.1f} | {theirs:.1f} | "
        f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}) | {memory[0]:.0f} | {memory[1]:.0f} |"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--kernels", choices=KERNELS, nargs="+", default=list(KERNELS))
    parser.add_argument("--only", default="", help="cases that begin so, such as lstm or gru-after")
    parser.add_argument("--hidden", type=int, help="cases of this size only")
    parser.add_argument("--work", nargs=8, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        engine, cell, *sizes = arguments.work
        work(engine, cell, [int(size) for size in sizes], arguments.steps)
        return
    for kernels in arguments.kernels:
        print(f"\nKernels: {kernels}; {arguments.rounds} rounds of {arguments.steps} steps\n")
        print("| cell | vocabulary, embedding, layers, window | charlm ms | PyTorch ms | ratio | MB | MB |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for case in CASES:
            if case[0].startswith(arguments.only) and arguments.hidden in (None, case[3]):
                print(compare(case, arguments.rounds, arguments.steps, KERNELS[kernels]), flush=True)


if __name__ == "__main__":
    main()
