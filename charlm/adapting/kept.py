"""What was tuned, in a file beside its model: ``adaptation.safetensors`` in the folder of ``model.safetensors``.

It holds what was chosen, on which text and what that brought, the mean squares of the gradients where weights are
changed by them, and the digests of all models that this is of: with others it is refused.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import MODEL_FILE
from charlm.config import Strict
from charlm.errors import ModelError
from charlm.files import Tensors, file_size, read_tensors, write_atomically
from charlm.nn.arrays import Array
from charlm.prediction.config import Adaptation
from charlm.seal import sealed_bytes, unsealed

KIND = "adaptation"
FORMAT = 1
FILE = "adaptation.safetensors"
_SQUARES = "mean_squares"
_KEYS = {"format", "kind", "model", "others", "adaptation", "about"}
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Result(Strict):
    """What a text costs with so much of the adaptation.

    Attributes:
        what: with what, in words.
        nats_per_token: the mean cost of a token.
    """

    what: str
    nats_per_token: float


@dataclass(frozen=True)
class Tuned:
    """What was tuned.

    Attributes:
        adaptation: the mechanisms and numbers that were chosen.
        text: what the text is called that they were chosen on.
        tokens: how many of its tokens.
        results: what these cost: the model as it was trained, then with one mechanism after another.
        mean_squares: [parameters], of the gradients; None where they are not needed.
        others: the paths of the models that are mixed in -> their digests; in a file alone.
    """

    adaptation: Adaptation
    text: str
    tokens: int
    results: tuple[Result, ...]
    mean_squares: Array | None = None
    others: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """All but the mean squares, as ``charlm tune --json`` and ``charlm info --json`` have it."""
        return {
            **self.adaptation.to_json(),
            "text": self.text,
            "tokens": self.tokens,
            "results": [each.to_json() for each in self.results],
        }


def file_beside(model: Path) -> Path:
    """Where what was tuned for a model is kept: in the run's folder, or beside the one file."""
    if os.path.isdir(model):  # noqa: PTH112 - Path.is_dir raises where it may not look
        return model / FILE
    return model.with_name(FILE if model.name == MODEL_FILE else f"{model.stem}.{FILE}")


def keep(model: Path, tuned: Tuned) -> Path:
    """Write what was tuned beside its model, in the place of what was before; where it stands is returned.

    Raises:
        OutputError: it cannot be written.
        ModelError: a model cannot be read.
    """
    about = tuned.to_json()
    metadata = {
        "format": FORMAT,
        "kind": KIND,
        "model": digest_of(model),
        "others": {path: digest_of(Path(path)) for path in named(tuned.adaptation)},
        "adaptation": tuned.adaptation.to_json(),
        "about": {key: about[key] for key in ("text", "tokens", "results")},
    }
    squares = {} if tuned.mean_squares is None else {_SQUARES: tuned.mean_squares}
    path = file_beside(model)
    write_atomically(path, sealed_bytes(squares, metadata), "Free some space, or tune a copy of the model elsewhere")
    return path


def named(how: Adaptation) -> list[str]:
    """The paths of the models that are mixed in."""
    return [*([how.ngrams.path] if how.ngrams else []), *(how.models.paths if how.models else [])]


def digest_of(model: Path) -> str:
    """SHA-256 in hex of a model's file.

    Raises:
        ModelError: it cannot be read.
    """
    file = model / MODEL_FILE if os.path.isdir(model) else model  # noqa: PTH112 - as above
    found = hashlib.sha256()
    try:
        file_size(file)
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                found.update(block)
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror or error}. Name another model") from error
    return found.hexdigest()


def is_kept(model: Path) -> bool:
    """Whether anything was tuned for a model at this path."""
    return os.path.isfile(file_beside(model))  # noqa: PTH113 - Path.is_file raises where it may not look


def read_kept(model: Path, parameters: int) -> Tuned:
    """What was tuned for a model.

    Args:
        model: its path.
        parameters: how many it has.

    Raises:
        ModelError: nothing was tuned, what was is damaged, or it was tuned for another model, or with another one.
    """
    path = file_beside(model)
    if not is_kept(model):
        raise ModelError(f"nothing was tuned for {model}: tune it with charlm tune --model {model}")
    tensors, metadata = read_tensors(path)
    if metadata.get("kind") != KIND or metadata.get("format") != FORMAT:
        raise ModelError(f"{path} is no adaptation that this charlm reads: tune the model again with charlm tune")
    metadata = unsealed(path, tensors, metadata)
    check_digests(path, {str(model): metadata.get("model", "")})
    try:
        return _from_file(metadata, tensors, parameters)
    except (KeyError, TypeError, ValueError, ModelError) as error:
        raise ModelError(f"{path} is damaged ({error}): tune the model again with charlm tune") from error


def check_digests(path: Path, digests: Mapping[str, str]) -> None:
    """Check that models are still those that something was tuned with.

    Args:
        path: where that is kept.
        digests: of each, by their paths.

    Raises:
        ModelError: one is another now.
    """
    for place, digest in digests.items():
        if digest_of(Path(place)) != digest:
            raise ModelError(
                f"{path} was tuned when {place} was another model: tune it again with charlm tune, or delete that file"
            )


def _from_file(metadata: Mapping[str, Any], tensors: Tensors, parameters: int) -> Tuned:
    """What a file says, which may come from anybody.

    Raises:
        KeyError, TypeError, ValueError, ModelError: it is not as ``keep`` writes it.
    """
    if set(metadata) != _KEYS:
        raise ValueError(f"its metadata has the keys {', '.join(sorted(metadata))}")
    how, about, others = Adaptation.from_json(metadata["adaptation"]), metadata["about"], metadata["others"]
    if set(others) != set(named(how)):
        raise ValueError("it names other models than it has digests of")
    squares = tensors.get(_SQUARES)
    rms = how.dynamic is not None and how.dynamic.method == "rms"
    if rms != (squares is not None):
        raise ValueError("it has mean squares where it needs none, or none where it needs some")
    if squares is not None and not _is_mean(squares, parameters):
        raise ValueError("its mean squares are none of this model's gradients")
    results = tuple(map(Result.from_json, about["results"]))
    if not isinstance(about["text"], str) or not isinstance(about["tokens"], int) or not results:
        raise TypeError("it does not say what it was tuned on")
    return Tuned(how, about["text"], about["tokens"], results, squares, others)


def _is_mean(squares: NDArray[Any], parameters: int) -> bool:
    """Whether these can be the mean squares of so many gradients."""
    return (
        squares.shape == (parameters,)
        and squares.dtype == np.float32
        and bool(np.isfinite(squares).all() and squares.min() >= 0)
    )
