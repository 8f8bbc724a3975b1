"""The models that a command compares, each with a name."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from charlm.cli.find import load
from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.text.reading import Source

MODEL_FILE = "model.safetensors"
"""The same as in ``charlm.checkpoint``, which --help need not load."""


def is_model(given: str) -> bool:
    """Whether an argument names a model: a file, the folder of a run, or either behind a name and "="."""
    return any(map(_is_there, {given, given.partition("=")[2]}))


def _is_there(path: str) -> bool:
    # Not by Path, which raises where a name is too long or holds a NUL.
    try:
        return os.path.isfile(path) or os.path.isfile(os.path.join(path, MODEL_FILE))  # noqa: PTH113, PTH118 - as said
    except ValueError:
        return False


def load_named(arguments: Sequence[str]) -> "dict[str, TrainedModel]":
    """Load models, in their order, by their names: those of their folders, or what stands before "=".

    Raises:
        UsageError: two have one name, or one reads texts under labels.
        ModelError: one cannot be read.
    """
    models: dict[str, TrainedModel] = {}
    for given in arguments:
        name, path = _name_and_path(given)
        if name in models:
            raise UsageError(f"two models are called {name!r}: tell them apart by NAME=PATH, as in {name}2={path}")
        models[name] = load(path)
        if models[name].labels is not None:
            raise UsageError(
                f"{path} reads a text under one of {len(models[name].labels or ())} labels, so it is not one model but "
                "several: charlm score --posterior compares its labels"
            )
    return models


def _name_and_path(given: str) -> tuple[str, Path]:
    name, equals, path = given.partition("=")
    if equals and name and not _is_there(given):
        return name, Path(path)
    file = Path(given)
    if file.name == MODEL_FILE:
        file = file.absolute().parent
    return (file.stem if file.suffix == ".safetensors" else file.absolute().name) or given, Path(given)


def encoding_of(models: "Sequence[TrainedModel]", given: str | None) -> str | None:
    """The encoding to read a text in: the one that is given, or all of them were trained with; None for bytes."""
    from charlm.text.tokenizer import read_as  # noqa: PLC0415 - NumPy is loaded only when it is used

    found = {read_as(model.text.level, given or model.text.encoding) for model in models} - {None}
    return (found.pop() if len(found) == 1 else "utf-8") if found else None


def read_text(source: "Source", encoding: str | None) -> str:
    """All of a source; bytes that are no text come as surrogates, which the byte level turns back."""
    from charlm.text.inputs import read_whole  # noqa: PLC0415 - NumPy is loaded only when it is used

    return _decoded(read_whole(source, encoding))


def read_text_lines(source: "Source", encoding: str | None) -> Iterator[str]:
    """The lines of a source as they come, likewise."""
    from charlm.text.inputs import read_lines  # noqa: PLC0415 - NumPy is loaded only when it is used

    return map(_decoded, read_lines(source, encoding))


def _decoded(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "surrogateescape")
