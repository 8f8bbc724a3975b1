"""charlm's side where n-gram models are compared, and that of a recurrent network."""

import time
from pathlib import Path

import numpy as np

from bench.held_out import FIRST, perplexities, read_lines
from bench.task import Task
from charlm.checkpoint import load_model
from charlm.exchange.ngrams import import_arpa
from charlm.ngram.model import load_ngram
from charlm.scorer import Scorer
from charlm.scores import encode_text, score_all

TOGETHER = 4096
"""Lines that ``charlm score --file`` and ``charlm ngram score --file`` score at a time."""


def judging(*, model: str, lines: str) -> Task:
    """The log-probability of each line, and of each of its tokens; in tokens."""
    loaded, texts = load_ngram(Path(model)), read_lines(lines)
    began = time.perf_counter()
    found = loaded.judge_lines(texts)
    first = time.perf_counter() - began

    def step() -> None:
        _ = loaded.judge_lines(texts).totals

    figures = perplexities(found.log_probabilities, found.ids == loaded.tokenizer.unknown_id)
    return Task(step, found.ids.size, figures={**figures, FIRST: first})


def command(*, model: str, lines: str) -> Task:
    """What ``charlm ngram score --file`` computes of each line, characters and bytes included; in tokens."""
    return _scoring(load_ngram(Path(model)), lines)


def network(*, model: str, lines: str) -> Task:
    """What ``charlm score --file`` computes of each line with a recurrent network; in tokens."""
    return _scoring(load_model(Path(model)), lines)


def loading(*, model: str) -> Task:
    """Reading charlm's own file."""
    return Task(lambda: _ignore(load_ngram(Path(model))))


def loading_arpa(*, model: str, level: str) -> Task:
    """Reading an ARPA file."""
    return Task(lambda: _ignore(import_arpa(Path(model), level)))


def _scoring(model: Scorer, lines: str) -> Task:
    texts = read_lines(lines)
    began = time.perf_counter()
    encoded = [encode_text(model, text) for text in texts]
    nats, ids = np.concatenate(model.score_texts(encoded)), np.concatenate(encoded)
    first = time.perf_counter() - began

    def step() -> None:
        for begin in range(0, len(texts), TOGETHER):
            score_all(model, texts[begin : begin + TOGETHER])

    return Task(step, ids.size, figures={**perplexities(nats, ids == model.tokenizer.unknown_id), FIRST: first})


def _ignore(_: object) -> None:
    """What was loaded is let go."""
