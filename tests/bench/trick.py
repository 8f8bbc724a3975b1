"""What a trick is: two ways to do the same work of one window, as the engine does it and without the trick."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.config import ModelConfig
from charlm.nn.arrays import Array
from charlm.nn.blocks.lstm import LSTM, LSTMTape
from charlm.nn.embedding import write_one_hot

ROUND_OFF = 2e-5
"""Most that two results differ by, as a share of the largest number: sums of float32 in another order."""

Result = Sequence[NDArray[Any]]
"""What a side has computed: views of its own memory, so that handing it over costs nothing."""


class Sizes(NamedTuple):
    """The LSTM and the window that arrays have the shapes of."""

    vocabulary: int
    embedding: int
    layers: int
    hidden: int
    window: int
    batch: int

    @property
    def label(self) -> str:
        """As it is said above a table."""
        return f"LSTM {self.layers} x {self.hidden}, vocabulary {self.vocabulary:,}, {self.window} x {self.batch}"

    @property
    def config(self) -> ModelConfig:
        """The model."""
        return ModelConfig(self.vocabulary, "lstm", {}, self.layers, self.hidden, self.embedding)

    def normal(self, *shape: int) -> Array:
        """Normally distributed numbers, the same every time."""
        return np.random.default_rng(0).standard_normal(shape, np.float32)

    def ids(self) -> NDArray[np.int64]:
        """Token ids [T, B]."""
        return np.random.default_rng(0).integers(self.vocabulary, size=(self.window, self.batch))


def agree(found: Result, expected: Result) -> None:
    """Both sides have the same numbers, to the round-off of float32.

    Raises:
        AssertionError: they have not.
    """
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=ROUND_OFF * float(np.abs(theirs).max()))


def _nothing() -> None:
    pass


class Pair(NamedTuple):
    """The two sides of a trick.

    Attributes:
        engine: does the work with the trick.
        plain: does it without.
        prepare: puts back, untimed, what a side has overwritten; run before each.
        agree: asserts that both results are the same.
        memory: bytes that the trick saves.
        tokens: that are drawn or scored, where speed is said by them.
    """

    engine: Callable[[], Result]
    plain: Callable[[], Result]
    prepare: Callable[[], None] = _nothing
    agree: Callable[[Result, Result], None] = agree
    memory: int = 0
    tokens: int = 0


class Trick(NamedTuple):
    """A trick and where it stands.

    Attributes:
        name: what is done, and instead of what.
        where: file below ``charlm``.
        pair: makes its two sides.
        trains: whether it is part of a training step.
        head: whether it depends on the vocabulary, so that a large one is of interest.
    """

    name: str
    where: str
    pair: Callable[[Sizes], Pair]
    trains: bool = True
    head: bool = False


class LayerWindow:
    """What one LSTM layer on one-hot rows has at hand in a window: its block, operand and tape, with made-up numbers.

    Attributes:
        block: the layer.
        operand: [4H, H + V + 1] and [H, 4H], of the size that weights have.
        tape: as forward leaves it.
        d_output: [T, H, B].
    """

    def __init__(self, s: Sizes) -> None:
        H, T, B = s.hidden, s.window, s.batch
        self.block = LSTM(s.embedding, H)
        self.operand = self.block.new_operand(s.vocabulary, np.float32)
        product = self.operand.products[0]
        product[...] = s.normal(*product.shape) / np.sqrt(H)
        self.tape: LSTMTape = self.block.new_tape(s.vocabulary, T, B, np.float32)
        self.tape.hidden[...] = np.tanh(s.normal(T + 1, H, B))
        write_one_hot(self.tape.x, s.ids())
        self.tape.gates[...] = np.tanh(s.normal(T, 4 * H, B))
        np.abs(self.tape.gates[:, : 3 * H], out=self.tape.gates[:, : 3 * H])
        self.tape.cells[...] = s.normal(T + 1, H, B)
        np.tanh(self.tape.cells[1:], out=self.tape.tanh_cells)
        self.d_output = s.normal(T, H, B)
