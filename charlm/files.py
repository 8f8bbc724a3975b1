"""Files written whole or not at all, and tensors in and out of them with everything checked."""

import contextlib
import json
import math
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from charlm.errors import ModelError, OutputError

Tensors = Mapping[str, NDArray[Any]]
Taken = TypeVar("Taken")

METADATA_KEY = "charlm"
"""One key only: the format does not keep the order of several, and the same model must be the same bytes."""


TEMPORARY = r"\.[0-9a-f]{16}"
"""How the name of a temporary file ends, as a regular expression."""
FREE_OR_MOVE = "Free some space or choose another folder with --model"
"""What to do where a model cannot be written."""


def write_atomically(path: Path, data: bytes, advice: str = FREE_OR_MOVE, *, called: Path | None = None) -> None:
    """Replace ``path`` by ``data``: written beside it, flushed to the disk, then renamed.

    Args:
        path: where to.
        data: the whole file.
        advice: what the message tells to do where that fails.
        called: what the message names instead of a ``path`` that means nothing to the user.

    Raises:
        OutputError: it cannot be written; what stood at ``path`` stands there still, and nothing else is left.
    """
    # Named before it is made, so that whatever strikes in between, it is known what to remove.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        raise OutputError(f"cannot write {called or path}: {error.strerror or error}. {advice}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the system can (Windows cannot): the file is whole all the same."""
    if hasattr(os, "O_DIRECTORY"):
        # Some file systems refuse it; the file has been written by then.
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def tensor_bytes(tensors: Tensors, metadata: Mapping[str, Any]) -> bytes:
    """Tensors and a JSON object as the bytes of a safetensors file; the same input gives the same bytes.

    Raises:
        OutputError: a tensor holds NaN or infinity; such a model is never written.
    """
    from safetensors.numpy import save  # noqa: PLC0415 - only commands that touch models pay for it

    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise OutputError(f"refusing to save: {name} holds NaN or infinity. The last good files are kept")
    text = json.dumps(metadata, sort_keys=True, ensure_ascii=True, allow_nan=False)
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    return bytes(save(contiguous, metadata={METADATA_KEY: text}))


def parse_json(text: str) -> Any:
    """JSON as charlm writes it: every number finite.

    Raises:
        ValueError: it is something else.
    """
    try:
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value


def read_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Tensors and the JSON object of a file that ``tensor_bytes`` made.

    Raises:
        ModelError: there is no such file, it is no such file, or it is damaged.
    """
    return _read(path, lambda file: {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 - no mapping


def read_metadata(path: Path) -> dict[str, Any]:
    """The JSON object alone, which is read in no time whatever the size of the tensors; otherwise as the above."""
    return _read(path, lambda _: None)[1]


def _read(path: Path, take: Callable[[Any], Taken]) -> tuple[Taken, dict[str, Any]]:
    """What ``take`` takes from the file while it is open, and its JSON object."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - as above

    if path.is_dir() or not path.exists():
        raise ModelError(f"no model at {path}: train one with charlm train, or name another with --model")
    try:
        path.open("rb").close()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}. Name another model with --model") from error
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = (file.metadata() or {}).get(METADATA_KEY)
            taken = take(file)
    # A type that NumPy lacks, such as an 8-bit float, is an AttributeError to safetensors.
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is not a model file or is damaged ({error}). Use another copy of it") from error
    if metadata is None:
        raise ModelError(f"{path} was not written by charlm: it lacks its metadata")
    try:
        parsed = parse_json(metadata)
    except ValueError as error:
        raise ModelError(f"{path} is damaged: its metadata is no JSON ({error})") from error
    if not isinstance(parsed, dict):
        raise ModelError(f"{path} is damaged: its metadata is no JSON object")
    return taken, parsed


def expect_tensors(path: Path, tensors: Tensors, expected: Mapping[str, tuple[tuple[int, ...], Any]]) -> None:
    """Check names, shapes, types and finiteness of tensors read from ``path``.

    Args:
        path: for the message.
        tensors: what was read.
        expected: name -> (shape, dtype).

    Raises:
        ModelError: something differs; all differences of the first kind found are listed.
    """
    missing, extra = sorted(set(expected) - set(tensors)), sorted(set(tensors) - set(expected))
    if missing or extra:
        parts = [f"{what}: {', '.join(names)}" for what, names in (("missing", missing), ("extra", extra)) if names]
        raise ModelError(f"{path} does not hold the tensors of its model; {'; '.join(parts)}")
    wrong = [
        f"{name} is {tensors[name].dtype} {list(tensors[name].shape)}, expected {np.dtype(kind)} {list(shape)}"
        for name, (shape, kind) in expected.items()
        if tensors[name].shape != shape or tensors[name].dtype != kind
    ]
    if wrong:
        raise ModelError(f"{path} has tensors that do not fit its model; {'; '.join(wrong)}")
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise ModelError(f"{path} is damaged: {name} holds NaN or infinity")
