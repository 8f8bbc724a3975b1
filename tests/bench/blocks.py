"""What a training step of each block costs: `python tests/bench blocks`.

One layer of each kind in the registry, all of one size, in one process; they take turns, so that a slow minute of the
machine strikes all of them. Medians over the steps.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from statistics import median

from bench.charlm_engine import random_model
from charlm.config import ModelConfig
from charlm.nn.registry import every_kind
from charlm.speed import training_step

WARM_UP = 1
"""Steps of each turn that are not counted: their memory is cold."""
SIZES = {"vocabulary": 65, "embedding": 64, "hidden": 256, "window": 64, "batch": 32, "turns": 8, "steps": 5}


class Contestant:
    """A model of one kind and its training step."""

    def __init__(self, config: ModelConfig, window: int, batch: int) -> None:
        self.parameters = len(random_model(config).parameters)
        self.seconds: list[float] = []
        self._step: Callable[[], None] = training_step(config, window, batch)

    def turn(self, steps: int) -> None:
        """Train for some steps, and note what they took."""
        for step in range(WARM_UP + steps):
            began = time.perf_counter()
            self._step()
            if step >= WARM_UP:
                self.seconds.append(time.perf_counter() - began)


def table(contestants: dict[str, Contestant]) -> str:
    """Medians, and their ratios to the LSTM's, in Markdown."""
    medians = {name: median(each.seconds) for name, each in contestants.items()}
    lines = ["| block | parameters | ms | to the LSTM |", "| --- | --- | --- | --- |"]
    for name, each in contestants.items():
        ratio = medians[name] / medians["lstm"]
        lines.append(f"| {name} | {each.parameters:,} | {1e3 * medians[name]:.1f} | {ratio:.2f} |")
    return "\n".join(lines)


def main(words: Sequence[str]) -> None:
    """Time all kinds and print the table."""
    parser = argparse.ArgumentParser(prog="python tests/bench blocks", description=__doc__.partition("\n")[0])
    for name, size in SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=size)
    a = parser.parse_args(words)
    contestants = {}
    for cell, options in every_kind():
        config = ModelConfig(a.vocabulary, cell, options, hidden=a.hidden, embedding=a.embedding)
        contestants[" ".join([cell, *options.values()])] = Contestant(config, a.window, a.batch)
    for _ in range(a.turns):
        for contestant in contestants.values():
            contestant.turn(a.steps)
    print(table(contestants))
