"""Files written whole or not at all, and tensors in and out of them with everything checked."""

import contextlib
import errno
import json
import math
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Never, TypeVar

import numpy as np
from numpy.typing import NDArray

from charlm.errors import ModelError, OutputError

Tensors = Mapping[str, NDArray[Any]]
Taken = TypeVar("Taken")

METADATA_KEY = "charlm"
"""One key only: the format does not keep the order of several, and the same model must be the same bytes."""


TEMPORARY = r"\.[0-9a-f]{16}"
"""How the name of a temporary file ends, as a regular expression."""
MOST_HEADER = 1 << 22
"""Bytes that a model's or a state's header may have, which becomes up to twenty times as large in memory."""
_DEEPEST = 16
"""How deep the values of a JSON object may be nested; those that charlm writes are a quarter as deep."""
_MOST_DIGITS = 100
"""Digits of a whole number in JSON: any is a number of the field's, and none too large for a float."""

FREE_OR_MOVE = "Free some space or choose another folder with --model"
"""What to do where a model cannot be written."""


TOO_LARGE = "end other programs, or use a smaller model"
"""What to do where a model cannot be read."""


def write_atomically(path: Path, data: bytes, advice: str = FREE_OR_MOVE, *, called: Path | None = None) -> None:
    """Replace ``path`` by ``data``, as ``replacing`` does.

    Args:
        path: where to.
        data: the whole file.
        advice: what the message tells to do where that fails.
        called: what the message names instead of a ``path`` that means nothing to the user.

    Raises:
        OutputError: it cannot be written; what stood at ``path`` stands there still, and nothing else is left.
    """
    with replacing(path, advice, called=called) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: Path, advice: str = FREE_OR_MOVE, *, called: Path | None = None) -> Iterator[IO[bytes]]:
    """A file that replaces ``path`` at the end: written beside it, flushed to the disk, then renamed.

    Args:
        path: where to.
        advice: what the message tells to do where that fails.
        called: what the message names instead of a ``path`` that means nothing to the user.

    Raises:
        OutputError: it cannot be written; what stood at ``path`` stands there still, and nothing else is left.
    """
    # Named before it is made, so that whatever strikes in between, it is known what to remove.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            yield file
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
        check_finite(name, tensor)
    text = metadata_text(metadata)
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    return bytes(save(contiguous, metadata={METADATA_KEY: text}))


def check_finite(name: str, tensor: NDArray[Any]) -> None:
    """Check that a tensor can be saved.

    Raises:
        OutputError: it holds NaN or infinity; such a model is never written.
    """
    if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
        raise OutputError(f"refusing to save: {name} holds NaN or infinity. The last good files are kept")


def metadata_text(metadata: Mapping[str, Any]) -> str:
    """A JSON object as it stands in a file, in ASCII."""
    return json.dumps(metadata, sort_keys=True, ensure_ascii=True, allow_nan=False)


def file_size(path: Path) -> int:
    """Size in bytes of a file; nothing is opened, so that nothing is waited for.

    Raises:
        OSError: it is not there, or is a folder, or a pipe or a device, whose end may never come.
    """
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no file but a pipe or a device", str(path))
    return found.st_size


def ask_for_memory(size: int) -> None:
    """Ask for so many bytes and give them back untouched: safetensors panics, Rust's way to crash, where it gets none.

    Raises:
        MemoryError: there are not so many.
    """
    np.empty(size, np.uint8)


def _check_header(path: Path) -> int:
    """Compare what a file says of its header's length with the size of the file, before anything is made of it.

    Returns:
        The size of the file in bytes.

    Raises:
        OSError: it cannot be read.
        ValueError: the header is longer than the file, or than any that charlm writes.
    """
    size = file_size(path)
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > size - 8:
        raise ValueError(f"it has {size:,} bytes, and they begin with no length of a header")
    if length > MOST_HEADER:
        raise ValueError(f"its header has {length:,} bytes")
    return size


def parse_metadata(path: Path, text: str) -> Any:
    """The JSON value that stands in a file; otherwise as ``parse_json``.

    Raises:
        ModelError: it is something else.
    """
    try:
        return parse_json(text)
    except ValueError as error:
        raise ModelError(f"{path} is damaged: its metadata is no JSON that charlm writes ({error})") from error


def parse_json(text: str) -> Any:
    """JSON as charlm writes it, which may come from anybody.

    Raises:
        ValueError: it is no JSON, says a key twice, is nested too deep, or has a number that is not finite or too long.
    """
    try:
        value = json.loads(
            text, parse_int=_integer, parse_float=_finite, parse_constant=_no_number, object_pairs_hook=_object
        )
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    _check_depth(value, _DEEPEST)
    return value


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:_MOST_DIGITS]} is too large")
    return value


def _no_number(text: str) -> Never:
    raise ValueError(f"{text} is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _check_depth(value: Any, left: int) -> None:
    if not left:
        raise ValueError("it is nested too deep")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(inner, dict | list):
            _check_depth(inner, left - 1)


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

    try:
        size = _check_header(path)
        with safe_open(path, framework="numpy") as file:
            ask_for_memory(size)
            metadata = (file.metadata() or {}).get(METADATA_KEY)
            taken = take(file)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise ModelError(f"no model at {path}: train one with charlm train, or name another with --model") from error
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read: {error.strerror or error}. Name another model with --model"
        ) from error
    except MemoryError as error:
        raise ModelError(f"{path} is too large for the memory that there is: {TOO_LARGE}") from error
    # A type that NumPy lacks, such as an 8-bit float, is an AttributeError to safetensors.
    except (SafetensorError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is not a model file or is damaged ({error}). Use another copy of it") from error
    if metadata is None:
        raise ModelError(f"{path} was not written by charlm: it lacks its metadata")
    parsed = parse_metadata(path, metadata)
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
