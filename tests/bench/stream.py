"""What a character of one stream costs at least: `python tests/bench stream`.

An LSTM's samples as charlm draws them, and by the same NumPy calls written out in one loop, with every array and view
made before it begins. Both draw the same tokens. What the second takes is what NumPy itself needs.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from statistics import median

import numpy as np

from bench.charlm_engine import model_config, random_model
from charlm.nn.activations import HALF
from charlm.nn.arrays import Array
from charlm.nn.language_model import LanguageModel
from charlm.nn.token_operand import TokenOperand
from charlm.sampling.config import SamplingConfig
from charlm.sampling.drawing import WHOLE
from charlm.sampling.stream import sample

SIZES = {"vocabulary": 65, "layers": 2, "hidden": 128, "embedding": 128, "length": 3000, "turns": 9}
SEED = (0, 0)


class Layer:
    """A layer's operand, and every view that a step of one lane needs."""

    def __init__(self, matrix: Array, hidden: int) -> None:
        column, gates = np.zeros((matrix.shape[1], 1), np.float32), np.zeros((4 * hidden, 1), np.float32)
        column[-1] = 1
        self.product, self.column, self.gates, self.sigmoids = matrix.dot, column, gates, gates[: 3 * hidden]
        self.f, self.u, self.o, self.candidate = np.split(gates, 4)
        self.h, self.x = column[:hidden], column[hidden:-1]
        self.driven = matrix[:, hidden]
        self.c, self.tanh_c = np.zeros((2, hidden, 1), np.float32)


def bare(model: LanguageModel) -> Iterator[int]:
    """The tokens of ``sample`` at temperature 1 without end, from an empty prompt, by NumPy calls alone."""
    operands = model.new_workspace(1, 1, keep=False).operands
    layers = [Layer(operand.products[0], model.config.hidden) for operand in operands]
    assert isinstance(operands[0], TokenOperand)
    tokens = np.concatenate(list(operands[0].tokens.values()), axis=1)
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(SEED)))
    W, b = model.parameters.views["head.W_y"], model.parameters.views["head.b_y"][:, None]
    logits, weights = np.empty((len(W), 1), np.float32), np.empty(len(W))
    column, half, tanh, multiply, add = logits[:, 0], HALF, np.tanh, np.multiply, np.add
    token, layers[0].x[...] = -1, 1
    above = [layer.x for layer in layers[1:]] + [np.empty((model.config.hidden, 1), np.float32)]
    while True:
        layers[0].driven[...] = tokens[token]
        for layer, following in zip(layers, above, strict=True):
            layer.product(layer.column, layer.gates)
            tanh(layer.gates, layer.gates)
            multiply(layer.sigmoids, half, layer.sigmoids)
            add(layer.sigmoids, half, layer.sigmoids)
            multiply(layer.u, layer.candidate, layer.tanh_c)
            multiply(layer.f, layer.c, layer.c)
            add(layer.c, layer.tanh_c, layer.c)
            tanh(layer.c, layer.tanh_c)
            multiply(layer.o, layer.tanh_c, layer.h)
            following[...] = layer.h
        W.dot(layers[-1].h, logits)
        add(logits, b, logits)
        weights[...] = column
        weights -= weights[weights.argmax()]
        np.exp(weights, weights)
        add.accumulate(weights, 0, None, weights)
        token = int(weights.searchsorted(generator.random() * (weights[-1] * WHOLE), "right"))
        yield token


def main(words: Sequence[str]) -> None:
    """Draw by turns, compare, and print the rates."""
    parser = argparse.ArgumentParser(prog="python tests/bench stream", description=__doc__.partition("\n")[0])
    for name, size in SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=size)
    a = parser.parse_args(words)
    model = random_model(model_config("lstm", a.vocabulary, a.embedding, a.hidden, a.layers))
    config = SamplingConfig(a.length)
    sides: dict[str, Callable[[], Iterator[int]]] = {
        "charlm": partial(sample, model, np.empty(0, np.int64), config, SEED),
        "its NumPy calls alone": partial(bare, model),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    drawn: dict[str, list[int]] = {}
    for _ in range(a.turns):
        for name, draw in sides.items():
            began = time.perf_counter()
            drawn[name] = list(islice(draw(), a.length))
            seconds[name].append((time.perf_counter() - began) / a.length)
    assert len({tuple(tokens) for tokens in drawn.values()}) == 1, "the two draw different tokens"
    print("| by | us a character | characters/s |\n| --- | --- | --- |")
    for name, each in seconds.items():
        print(f"| {name} | {1e6 * median(each):.1f} | {1 / median(each):,.0f} |")
