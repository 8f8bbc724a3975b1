"""What the sides read where n-gram models are compared: a model, as two files, and the lines to score."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.held_out import write_lines
from charlm.checkpoint import TrainedModel
from charlm.errors import UsageError
from charlm.lanes import line_bounds
from charlm.ngram.arpa import write_arpa
from charlm.ngram.model import NGramModel
from charlm.ngram.spelling import words_of
from charlm.ngram.storing import write_ngram
from charlm.text.corpus import Corpus
from charlm.text.sources import find_texts
from charlm.training.ngrams import count_texts

LEVELS = {"word": 5, "char": 6}
"""The levels that are compared, and the order of each."""
GRAMMAR = Path(__file__).resolve().parents[2] / "corpora" / "agreement.py"
SENTENCES = 20_000
"""Of the text that is written where none is given."""


class Files(NamedTuple):
    """What the sides read: the model as charlm's own file and in the ARPA format; the lines as text and as words."""

    own: str
    arpa: str
    text: str
    words: str


def grammar(folder: Path) -> Path:
    """A text that the project writes."""
    path = folder / "agreement.txt"
    command = [sys.executable, str(GRAMMAR), "--sentences", str(SENTENCES), "--seed", "1"]
    path.write_bytes(subprocess.check_output(command))
    return path


def counted(text: Path, level: str) -> tuple[NGramModel, Corpus]:
    """Count the training part of a text's lines, as ``charlm ngram train --independent-lines`` does."""
    options = {"level": level, "order": LEVELS[level], "independent_lines": True}
    return count_texts(lambda encoding: find_texts([str(text)], encoding=encoding), options)


def write_files(folder: Path, model: NGramModel, held_out: Corpus) -> Files:
    """Write what the sides read."""
    ids = np.asarray(held_out.valid.ids, np.int64)
    bounds = line_bounds(ids, model.line_end).tolist()
    words = words_of(model.tokenizer.vocabulary)
    lines = [ids[begin : end - 1] for begin, end in pairwise(bounds)]
    files = [folder / name for name in ("model.safetensors", "model.arpa", "text.json", "words.json")]
    write_ngram(model, files[0])
    arpa = "".join(write_arpa(model.trie, model.smoothed, words))
    files[1].write_bytes(arpa.encode("utf-8", "surrogatepass"))
    write_lines(files[2], [model.tokenizer.decode(line) for line in lines])
    write_lines(files[3], [" ".join(words[token] for token in line.tolist()) for line in lines])
    return Files(*map(str, files))


def check_network(network: TrainedModel, model: NGramModel) -> None:
    """Check that a network's figures compare with those of n-grams.

    Raises:
        UsageError: its vocabulary is not that of the same training text, or its lines are not texts of their own.
    """
    mine, others = network.tokenizer.vocabulary, model.tokenizer.vocabulary
    same = network.text.independent_lines and all(
        np.array_equal(getattr(mine, name), getattr(others, name)) for name in ("data", "offsets", "counts")
    )
    if not same:
        raise UsageError(
            "the network was trained on other lines: its vocabulary must be that of the same text. Train it by "
            f"charlm train TEXT --level {model.text.level} --independent-lines, without other options of the text"
        )
