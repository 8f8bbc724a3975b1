"""A state dict as a safetensors file that may come from anybody: what is in it, and all that is wrong with it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from charlm.errors import ModelError
from charlm.files import METADATA_KEY, TOO_LARGE, ask_for_memory, file_size, parse_metadata
from charlm.nn.arrays import Array

STATE_FILE = "state.safetensors"
FLOAT32 = "F32"
"""What the file format calls the one type that is read."""
_PICKLES = (b"PK\x03\x04", b"\x80")
"""How the files of torch.save begin: with a zip archive's mark, older ones with a pickle's."""
Shape = tuple[int, ...]


@dataclass(frozen=True)
class StateFile:
    """What a file holds.

    Attributes:
        path: where it is.
        specs: type and shape of every tensor, the type as the format calls it.
        tensors: those of them that are float32.
        metadata: the JSON object that charlm wrote, None where there is none.
    """

    path: Path
    specs: Mapping[str, tuple[str, Shape]]
    tensors: Mapping[str, Array]
    metadata: Any | None


def read_state(path: Path) -> StateFile:
    """Read a file, or the one in a folder that was exported.

    Raises:
        ModelError: there is no such file, it cannot be read, or it is of another kind.
    """
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - only commands that touch models pay for it

    file = path / STATE_FILE if os.path.isdir(path) else path  # noqa: PTH112 - Path.is_dir raises where it may not look
    try:
        size = file_size(file)
        with file.open("rb") as opened:
            beginning = opened.read(4)
    except OSError as error:
        raise ModelError(
            f"{file} cannot be read: {error.strerror or error}. Name the file of a state dict of PyTorch"
        ) from error
    try:
        with safe_open(file, framework="numpy") as opened:
            ask_for_memory(size)
            specs = {name: _spec(opened.get_slice(name)) for name in opened.keys()}  # noqa: SIM118 - no mapping
            tensors = {name: opened.get_tensor(name) for name, (kind, _) in specs.items() if kind == FLOAT32}
            metadata = (opened.metadata() or {}).get(METADATA_KEY)
    except MemoryError as error:
        raise ModelError(f"{file} is too large for the memory that there is: {TOO_LARGE}") from error
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(_why_not(file, beginning, error)) from error
    return StateFile(file, specs, tensors, None if metadata is None else parse_metadata(file, metadata))


def _spec(tensor: Any) -> tuple[str, Shape]:
    return tensor.get_dtype(), tuple(tensor.get_shape())


def _why_not(file: Path, beginning: bytes, error: Exception) -> str:
    if beginning.startswith(_PICKLES):
        return (
            f"{file} looks like a pickle, as torch.save writes them; opening one can run any code, so charlm does not. "
            "Where you trust it, load it in Python and write its state dict with "
            "safetensors.torch.save_file(model.state_dict(), 'state.safetensors'), then import that"
        )
    return f"{file} is no safetensors file or is damaged ({error}). Use another copy of it"


def misfits(state: StateFile, expected: Mapping[str, Shape]) -> list[str]:
    """Everything in which the tensors of a file are not those expected, which are float32 and finite."""
    specs, tensors = state.specs, state.tensors
    missing, extra = sorted(set(expected) - set(specs)), sorted(set(specs) - set(expected))
    both = [name for name in specs if name in expected]
    wrong = [f"{what}: {', '.join(names)}" for what, names in (("missing", missing), ("extra", extra)) if names]
    for name in both:
        kind, shape = specs[name]
        if (kind, shape) != (FLOAT32, expected[name]):
            wrong.append(f"{name} is {kind} {list(shape)}, expected {FLOAT32} {list(expected[name])}")
        elif not np.isfinite(tensors[name]).all():
            wrong.append(f"{name} holds NaN or infinity")
    if any(specs[name][0] != FLOAT32 for name in both):
        wrong.append("model.float() in PyTorch makes all of them F32")
    return wrong
