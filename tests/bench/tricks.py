"""What each trick of the engine brings, alone: `python tests/bench tricks`.

Both sides of a trick do the same work of one window in one process, and must come to the same numbers; they take turns,
so that a slow minute of the machine strikes both. Medians over the rounds. What a trick brings is held against a whole
training step.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from bench.backward_tricks import BACKWARD_TRICKS
from bench.loop_tricks import LOOP_TRICKS
from bench.report import number
from bench.trick import Pair, Sizes, Trick
from bench.window_tricks import WINDOW_TRICKS
from charlm.speed import training_step

TRICKS = LOOP_TRICKS + BACKWARD_TRICKS + WINDOW_TRICKS
ROUNDS, WARM_UP = 20, 2
CLEAR = 0.75
"""Share of the rounds that one side must win, or else the difference is called noise: of 20, chance alone gives it in 4
of 100 cases."""
LITTLE = 50_000
"""Bytes that are not worth a remark."""
LARGE = 10_000
"""Vocabulary from which on only those tricks are shown that depend on it."""
SIZES = (
    Sizes(65, embedding=128, layers=1, hidden=512, window=64, batch=64),
    Sizes(65, embedding=128, layers=1, hidden=128, window=50, batch=50),
    Sizes(LARGE, embedding=200, layers=2, hidden=200, window=35, batch=20),
)
HEAD = ("trick", "where", "ms a window with", "without", "gained ms", "share of a training step")


class Times(NamedTuple):
    """Milliseconds of both sides.

    Attributes:
        engine: median with the trick.
        plain: median without.
        won: share of the rounds in which the trick was faster.
    """

    engine: float
    plain: float
    won: float


def milliseconds(run: Callable[[], Any], prepare: Callable[[], None]) -> float:
    """How long a run takes, without what prepares it."""
    prepare()
    began = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - began)


def compare(pair: Pair, rounds: int) -> Times:
    """See that both sides come to the same, then have them take turns; which of them is first alternates.

    Raises:
        AssertionError: they do not come to the same.
    """
    pair.prepare()
    found = [np.array(each) for each in pair.engine()]  # copies: the sides may share their memory
    pair.prepare()
    pair.agree(found, pair.plain())
    sides: list[tuple[Callable[[], Any], list[float]]] = [(pair.engine, []), (pair.plain, [])]
    for turn in range(WARM_UP + rounds):
        for run, times in sides if turn % 2 == 0 else sides[::-1]:
            times.append(milliseconds(run, pair.prepare))
    engine, plain = (times[WARM_UP:] for _, times in sides)
    won = sum(ours < theirs for ours, theirs in zip(engine, plain, strict=True)) / rounds
    return Times(median(engine), median(plain), won)


def training_milliseconds(sizes: Sizes, rounds: int) -> float:
    """The median of a whole training step."""
    step = training_step(sizes.config, sizes.window, sizes.batch)
    return median([milliseconds(step, lambda: None) for _ in range(WARM_UP + rounds)][WARM_UP:])


def row(trick: Trick, pair: Pair, times: Times, step: float) -> str:
    """A line of the table; ``step`` is the training step's milliseconds."""
    gained = times.plain - times.engine
    remarks = [f"saves {pair.memory / 1e6:,.1f} MB"] if pair.memory > LITTLE else []
    if pair.tokens:
        rates = [f"{1e3 * pair.tokens / each:,.0f}" for each in (times.engine, times.plain)]
        remarks.append(f"{' against '.join(rates)} characters/s")
    name = f"{trick.name} ({'; '.join(remarks)})" if remarks else trick.name
    share = f"{100 * gained / step:.1f} %" if trick.trains else ""
    noise = "" if abs(times.won - 0.5) >= CLEAR - 0.5 else " (noise)"
    cells = [name, f"`{trick.where}`", number(times.engine), number(times.plain), number(gained) + noise, share]
    return f"| {' | '.join(cells)} |"


def table(sizes: Sizes, rounds: int) -> Iterator[str]:
    """Lines of Markdown, each as soon as it has been measured."""
    step = training_milliseconds(sizes, rounds)
    yield f"{sizes.label}; a training step takes {number(step)} ms, embedding {sizes.embedding}:"
    yield ""
    yield f"| {' | '.join(HEAD)} |"
    yield f"|{' --- |' * len(HEAD)}"
    for trick in TRICKS:
        if trick.head or sizes.vocabulary < LARGE:
            pair = trick.pair(sizes)
            yield row(trick, pair, compare(pair, rounds), step)
    yield ""


def main(words: Sequence[str], every_size: Sequence[Sizes] = SIZES) -> None:
    """Time all tricks at all sizes and print a table for each."""
    parser = argparse.ArgumentParser(prog="python tests/bench tricks", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each side (default {ROUNDS})")
    arguments = parser.parse_args(words)
    if arguments.rounds < 1:
        parser.error(f"--rounds is {arguments.rounds}: it must be at least 1")
    for sizes in every_size:
        for line in table(sizes, arguments.rounds):
            print(line, flush=True)
