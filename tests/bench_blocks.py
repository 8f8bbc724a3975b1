"""What a training step of each block costs: `python tests/bench_blocks.py`.

One layer of each kind in the registry, all of one size, in one process; they take turns, so that a slow minute of the
machine strikes all of them. Packing, forward, backward and AdamW are timed; medians over the steps.
"""

import argparse
import statistics
import time

import numpy as np

from charlm.config import ModelConfig
from charlm.nn.language_model import LanguageModel
from charlm.nn.registry import every_kind
from charlm.training.optimizers import AdamW

WARM_UP = 1
"""Steps of each turn that are not counted: their memory is cold."""


class Contestant:
    """A model of one kind, its workspace and its optimiser."""

    def __init__(self, cell: str, options: dict[str, str], arguments: argparse.Namespace) -> None:
        a = arguments
        self.model = LanguageModel(ModelConfig(a.vocabulary, cell, options, hidden=a.hidden, embedding=a.embedding))
        self.model.initialize(1)
        self.work = self.model.new_workspace(a.window, a.batch)
        self.optimizer = AdamW(self.model.parameters, 0.01)
        self.seconds: list[float] = []

    def turn(self, steps: int, inputs: np.ndarray, targets: np.ndarray, starts: np.ndarray) -> None:
        """Train for some steps, and note what they took."""
        states = self.model.initial_states(inputs.shape[1])
        for step in range(WARM_UP + steps):
            began = time.perf_counter()
            self.model.pack(self.work)
            self.model.loss_and_gradients(self.work, inputs, targets, starts, states)
            self.optimizer.update(1e-3)
            if step >= WARM_UP:
                self.seconds.append(time.perf_counter() - began)


def main() -> None:
    """Time all kinds and print the table."""
    parser = argparse.ArgumentParser(description="What a training step of each block costs.")
    sizes = {"vocabulary": 65, "embedding": 64, "hidden": 256, "window": 64, "batch": 32, "rounds": 8, "steps": 5}
    for name, size in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=size)
    arguments = parser.parse_args()
    generator = np.random.default_rng(0)
    inputs, targets = generator.integers(0, arguments.vocabulary, (2, arguments.window, arguments.batch))
    starts = np.zeros(inputs.shape, bool)
    starts[0] = True
    contestants = {f"{cell} {' '.join(o.values())}".strip(): Contestant(cell, o, arguments) for cell, o in every_kind()}
    for _ in range(arguments.rounds):
        for contestant in contestants.values():
            contestant.turn(arguments.steps, inputs, targets, starts)
    medians = {name: statistics.median(each.seconds) for name, each in contestants.items()}
    print("| block | parameters | ms | to the LSTM |\n| --- | --- | --- | --- |")
    for name, each in contestants.items():
        ratio = medians[name] / medians["lstm"]
        print(f"| {name} | {len(each.model.parameters):,} | {1e3 * medians[name]:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
