"""A model of words, another one, and counts of the same text, in a folder that tests may write to."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

from cli_cases import QUICK, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from cli_cases import Trained

TEXT = "river engine winter.\nbridge bridge letter.\n"


class Models(NamedTuple):
    """Paths of models of one text."""

    model: Path
    other: Path
    counts: Path
    corpus: Path


def make_models(folder: Path, trained: Trained) -> Models:
    """A copy of a model, one that was trained with another seed, and its n-grams."""
    shutil.copytree(trained.folder, folder / "model")
    succeed("train", trained.corpus, "--model", folder / "other", *QUICK, "--steps", 30, "--seed", 7, "--level", "word")
    succeed("ngram", "train", trained.corpus, "--model", folder / "counts", "--level", "word", "--order", 3)
    return Models(folder / "model", folder / "other", folder / "counts", trained.corpus)


def tuned_models(folder: Path, trained: Trained) -> Models:
    """The same, with everything tuned in no time."""
    models = make_models(folder, trained)
    succeed(
        *("tune", "--model", models.model, "--tokens", 150, "--quiet", "--time", "1s", "--dynamic", "rms"),
        *("--cache", 100, "--ngrams", models.counts, "--mix", models.other),
    )
    return models
