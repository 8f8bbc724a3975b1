"""Where the time of a training step goes: `python tests/bench profile`.

Each part is timed where the engine calls it. What the time loops do besides their products is what is left of them when
the same products are timed by themselves.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from bench.charlm_engine import model_config, product
from charlm.arithmetic import training_flops
from charlm.nn.block import Operand, Tape
from charlm.nn.columns import Columns
from charlm.nn.language_model import LanguageModel
from charlm.speed import repeat, training_step
from charlm.training import clipping, optimizers

SIZES = {"vocabulary": 65, "layers": 1, "hidden": 256, "embedding": 256, "window": 64, "batch": 64, "steps": 30}
FEWEST = 10
LOOPS = ("forward", "backward")


class Parts:
    """Seconds of each part in each step."""

    def __init__(self) -> None:
        self.steps: list[dict[str, float]] = [{}]

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose time counts for a part."""

        def wrapped(*arguments: Any, **more: Any) -> Any:
            began = time.perf_counter()
            result = function(*arguments, **more)
            self.steps[-1][name] = self.steps[-1].get(name, 0.0) + time.perf_counter() - began
            return result

        return wrapped

    def watch(self, owner: Any, function: str, name: str) -> None:
        """Have the calls of a function of a class or module counted."""
        setattr(owner, function, self.timed(name, getattr(owner, function)))


def step_products(operand: Operand, tape: Tape) -> tuple[Callable[[], None], Callable[[], None]]:
    """The products of the time loops of a plain LSTM or RNN by themselves, forward and backward."""
    (matrix,), out = operand.products, tape.d_gates
    hidden = operand.recurrent_back @ out[0]

    def forward() -> None:
        for t in range(len(out)):
            matrix.dot(tape.inputs[t], out[t])

    def backward() -> None:
        for t in reversed(range(len(out))):
            operand.recurrent_back.dot(out[t], hidden)

    return forward, backward


def profile(cell: str, sizes: dict[str, int]) -> list[tuple[str, float]]:
    """The parts of a step in milliseconds, medians over steps, and the whole first."""
    steps = sizes.pop("steps")
    window, batch = sizes.pop("window"), sizes.pop("batch")
    config = model_config(cell, sizes["vocabulary"], sizes["embedding"], sizes["hidden"], sizes["layers"])
    whole = median(repeat(training_step(config, window, batch), 0.0, steps))
    parts, model = Parts(), LanguageModel(config)
    block = type(model.stack.blocks[0])
    for name in LOOPS:
        parts.watch(block, name, f"time loop {name}")
    parts.watch(block, "weight_gradient", "gradient of the weights")
    parts.watch(block, "input_gradient", "gradient of the input")
    parts.watch(block, "unpack_gradient", "packing and unpacking")
    parts.watch(block, "pack", "packing and unpacking")
    parts.watch(Columns, "window", "copies into columns")
    parts.watch(type(model.head), "loss_and_gradients", "softmax head")
    parts.watch(optimizers.Optimizer, "update", "optimiser and clipping")
    parts.watch(clipping, "global_norm", "optimiser and clipping")
    step = training_step(config, window, batch)
    step()
    for _ in range(steps):
        parts.steps.append({})
        step()
    found = {name: median(each[name] for each in parts.steps[1:]) for name in parts.steps[-1]}
    found["the rest: copies between head and stack, starts, one-hot rows"] = whole - sum(found.values())
    if cell in ("lstm", "rnn"):
        _split_loops(found, model, window, batch)
    best = product()
    peak = best.amount / min(repeat(best.step, 0.0, FEWEST))
    least = training_flops(config, window, batch) / 1e9 / peak
    rows = sorted(found.items(), key=lambda row: -row[1])
    return [("whole step", whole), *rows, (f"its arithmetic at {peak:.0f} GFLOP/s", least)]


def _split_loops(found: dict[str, float], model: LanguageModel, window: int, batch: int) -> None:
    """Replace the loops by their products and what they do element by element."""
    work = model.new_workspace(window, batch)
    for tape in work.tape.layers:
        tape.inputs[...] = tape.d_gates[...] = 0.5
    pairs = [step_products(*each) for each in zip(work.operands, work.tape.layers, strict=True)]
    for name, functions in zip(LOOPS, zip(*pairs, strict=True), strict=True):
        alone = sum(median(repeat(function, 0.0, FEWEST)) for function in functions)
        found[f"products of the loop {name}"] = alone
        found[f"element by element {name}"] = found.pop(f"time loop {name}") - alone


def main(words: Sequence[str]) -> None:
    """Time the parts and print the table."""
    parser = argparse.ArgumentParser(prog="python tests/bench profile", description=__doc__.partition("\n")[0])
    parser.add_argument("cell", nargs="?", default="lstm", help="lstm, gru-before, gru-after, rnn, ...")
    for name, size in SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=size)
    arguments = vars(parser.parse_args(words))
    cell = arguments.pop("cell")
    print("| part | ms | share |")
    print("| --- | --- | --- |")
    rows = profile(cell, arguments)
    for name, seconds in rows:
        print(f"| {name} | {1e3 * seconds:.1f} | {seconds / rows[0][1]:.0%} |")
