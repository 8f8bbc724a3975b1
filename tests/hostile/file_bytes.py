"""What can become of any file: pure functions (generator, bytes) -> bytes."""

import gzip
import io
import pickle
import zipfile
from collections.abc import Callable, Mapping

import numpy as np

Mutation = Callable[[np.random.Generator, bytes], bytes]


def _place(source: np.random.Generator, data: bytes) -> int:
    """A place in it; every second time among the first bytes, where the header is."""
    end = min(len(data), 4096) if source.random() < 0.5 else len(data)
    return int(source.integers(end))


def flipped_bit(source: np.random.Generator, data: bytes) -> bytes:
    changed = bytearray(data)
    changed[_place(source, data)] ^= 1 << int(source.integers(8))
    return bytes(changed)


def overwritten(source: np.random.Generator, data: bytes) -> bytes:
    """Some bytes in a row become random ones, or zeros as on a disk that was full."""
    begin, size = _place(source, data), int(source.integers(1, 600))
    new = bytes(size) if source.random() < 0.5 else source.bytes(size)
    return data[:begin] + new[: len(data) - begin] + data[begin + size :]


def truncated(source: np.random.Generator, data: bytes) -> bytes:
    return data[: _place(source, data)]


def extended(source: np.random.Generator, data: bytes) -> bytes:
    return data + source.bytes(int(source.integers(1, 5000)))


def removed(source: np.random.Generator, data: bytes) -> bytes:
    begin, size = _place(source, data), int(source.integers(1, 600))
    return data[:begin] + data[begin + size :]


def repeated(source: np.random.Generator, data: bytes) -> bytes:
    begin, size = _place(source, data), int(source.integers(1, 600))
    return data[: begin + size] + data[begin:]


def exchanged(source: np.random.Generator, data: bytes) -> bytes:
    """Two blocks have changed their places."""
    first, second = sorted(_place(source, data) for _ in range(2))
    size = int(source.integers(1, 512))
    second = max(second, first + size)
    end = second + size
    return data[:first] + data[second:end] + data[first + size : second] + data[first : first + size] + data[end:]


def tiny(source: np.random.Generator, data: bytes) -> bytes:
    """Nothing, or next to nothing."""
    return data[: int(source.integers(10))]


def _zipped(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("../../archive/data.pkl", data)
    return held.getvalue()


_FOREIGN: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zip": _zipped,
    "pickle": pickle.dumps,
    "ELF": lambda data: b"\x7fELF\x02\x01\x01" + data,
    "text": lambda data: b"once upon a time\n" * (1 + len(data) // 100),
    "JSON": lambda data: b'{"a": ' * (len(data) // 100),
    "ones": lambda data: b"\xff" * len(data),
    "zeros": lambda data: bytes(len(data)),
}


def foreign(source: np.random.Generator, data: bytes) -> bytes:
    """A file of another kind altogether."""
    return _FOREIGN[str(source.choice(list(_FOREIGN)))](data)


def noise(source: np.random.Generator, data: bytes) -> bytes:
    return source.bytes(len(data))
