"""Training as Python calls it: to the end, in a folder that is kept or in none."""

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from io import BytesIO
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from charlm.errors import UsageError
from charlm.text.reading import Source
from charlm.text.sources import Texts, find_texts
from charlm.training.reports import Report
from charlm.training.run import Run

LONGEST_PATH = 4096
"""Longer ones are texts, given in the wrong place."""
Paths = str | PathLike[str] | Sequence[str | PathLike[str]]
"""A path, a folder, a glob pattern, or several of them."""
ModelT = TypeVar("ModelT")


def train_to_the_end(
    begin: Callable[[Path, Callable[[], float]], Run[Any]],
    folder: str | PathLike[str] | None,
    report: Callable[[Report], None] | None,
    load: Callable[[Path], ModelT],
) -> ModelT:
    """Train a model.

    Args:
        begin: makes the run, given its folder and what tells the seconds since the call.
        folder: where to keep the run; None to keep nothing.
        report: called with every step and validation.
        load: reads the model from the run's folder.

    Raises:
        CharlmError: as the functions that are given, and where training cannot go on.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="charlm-") as scratch:
        kept = Path(scratch) / "run" if folder is None else Path(folder)
        run = begin(kept, lambda: time.perf_counter() - began)
        with closing(run.folder):
            run.claim()
            # What is not finite ends the run with an error of its own.
            with np.errstate(all="ignore"):
                for each in run.reports(lambda: False):
                    if report is not None:
                        report(each)
        return load(kept)


def texts_at(paths: Paths, encoding: str | None, advice: str = "name a file") -> Texts:
    """The texts at a path, or at several.

    Args:
        paths: which.
        encoding: of the texts; None where their bytes are read.
        advice: to whoever gives the text itself in place of a path.

    Raises:
        UsageError: it is no path but a text.
        InputError: one of them is not there, or holds no text.
    """
    names = [fspath(path) for path in ([paths] if isinstance(paths, str | PathLike) else paths)]
    for name in names:
        if len(name) > LONGEST_PATH or "\n" in name:
            raise UsageError(f"{name[:40]!r}... is no path: {advice}")
    return find_texts(names, encoding=encoding)


def texts_given(corpus: Paths | None, text: str | None, encoding: str | None) -> Texts:
    """The texts at a path, or the text itself.

    Args:
        corpus: path of a text, or several.
        text: the text itself, instead.
        encoding: of texts at a path; None where their bytes are read.

    Raises:
        UsageError: there is neither, or both, or one of another type.
        InputError: a path is not there, or holds no text.
    """
    if (corpus is None) == (text is None):
        raise UsageError("give either the path of a corpus or text=, the text itself")
    if text is not None:
        if not isinstance(text, str):
            raise UsageError(f"text= is {type(text).__name__}: it must be str, the text itself")
        data = text.encode()
        return Texts("the text", (Source("the text", lambda: BytesIO(data)),), given=(), rereadable=False)
    assert corpus is not None  # noqa: S101 - as was just found
    return texts_at(corpus, encoding, "give the text itself as text=")
