"""What the tests of labels share."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.labels.columns import Columns, read_columns
from charlm.labels.examples import Examples, read_examples
from charlm.text.sources import find_texts

Sentences = list[list[tuple[str, str]]]


def columns_in(path: Path, text: str, **options: Any) -> Columns:
    """The columns of a file with this text."""
    path.write_bytes(text.encode())
    return read_columns(find_texts([path]), **options)


def examples_in(path: Path, text: str, **options: Any) -> Examples:
    """The examples of a file with this text."""
    path.write_bytes(text.encode())
    return read_examples(find_texts([path]), **options)


def sentences_of(columns: Columns) -> Sentences:
    """The words and labels of each sentence."""
    assert columns.labels is not None
    pairs = list(zip(columns.words.strings(), columns.labels.strings(), strict=True))
    bounds = columns.starts.tolist()
    return [pairs[start:stop] for start, stop in pairwise(bounds)]


def coded(*sentences: str) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64]]:
    """The distinct labels, ids and starts of sentences whose labels stand between spaces."""
    labels = [label for sentence in sentences for label in sentence.split()]
    names = tuple(dict.fromkeys(labels))
    starts = np.cumsum([0, *(len(sentence.split()) for sentence in sentences)])
    return names, np.array([names.index(label) for label in labels], np.int64), starts
