"""KenLM's side where n-gram models are compared: its Python module, called line by line."""

import math
import time
from typing import Any

import kenlm

from bench.held_out import FIRST, perplexities, read_lines
from bench.task import Task


def load(path: str) -> Any:
    """A model from an ARPA file, without a bar of progress."""
    config = kenlm.Config()
    config.show_progress = False
    return kenlm.Model(path, config)


def scoring(*, model: str, lines: str) -> Task:
    """``score``, the log-probability of each line; in tokens."""
    loaded, texts = load(model), read_lines(lines)

    def step() -> None:
        for text in texts:
            loaded.score(text, bos=True, eos=True)

    return _task(loaded, texts, step)


def full_scoring(*, model: str, lines: str) -> Task:
    """``full_scores``, what there is to say of each token of each line; in tokens."""
    loaded, texts = load(model), read_lines(lines)

    def step() -> None:
        for text in texts:
            list(loaded.full_scores(text, bos=True, eos=True))

    return _task(loaded, texts, step)


def loading(*, model: str) -> Task:
    """Reading an ARPA file."""

    def step() -> None:
        load(model)

    return Task(step)


def _task(loaded: Any, texts: list[str], step: Any) -> Task:
    began = time.perf_counter()
    step()
    first = time.perf_counter() - began
    tokens = [each for text in texts for each in loaded.full_scores(text, bos=True, eos=True)]
    figures = perplexities([log10 * math.log(10) for log10, _, _ in tokens], [strange for _, _, strange in tokens])
    return Task(step, len(tokens), figures={**figures, FIRST: first})
