"""What can become of the header of a safetensors file: pure functions (generator, bytes) -> bytes.

The file is eight bytes that give the header's length, the header, a JSON object of dtype, shape and place of each
tensor, and the tensors' bytes. These functions leave the latter as they are.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from hostile.file_bytes import Mutation

Header = dict[str, Any]
METADATA = "__metadata__"
NAMES = (
    "../../outside",
    "/etc/passwd",
    "",
    "\0",
    "a\nb",
    "\x1b[2J",
    "layers.999999999.W",
    "x" * 70_000,
    "\u202e",
    METADATA,
)
SIZES = (0, 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, -1, -(2**63), 0.5, "4", None, [4])


def split(data: bytes) -> tuple[bytes, bytes]:
    """The header and the tensors' bytes."""
    end = 8 + int.from_bytes(data[:8], "little")
    return data[8:end], data[end:]


def joined(header: bytes, body: bytes) -> bytes:
    """A file of both."""
    return len(header).to_bytes(8, "little") + header + body


def pick(source: np.random.Generator, values: Any) -> Any:
    """One of the values, as it is."""
    values = list(values)
    return values[int(source.integers(len(values)))]


def _edited(edit: Callable[[np.random.Generator, Header], None]) -> Mutation:
    """The mutation that parses the header, edits it, and writes it down again."""

    def mutation(source: np.random.Generator, data: bytes) -> bytes:
        header, body = split(data)
        parsed = json.loads(header)
        edit(source, parsed)
        return joined(json.dumps(parsed).encode(), body)

    return mutation


def _tensor(source: np.random.Generator, header: Header) -> str:
    return str(pick(source, sorted(set(header) - {METADATA})))


def header_length(source: np.random.Generator, data: bytes) -> bytes:
    """The length of the header is wrong, and mostly far too large."""
    length = int.from_bytes(data[:8], "little")
    wrong = (0, 1, length - 1, length + 1, 2 * length, len(data) - 8, len(data), 2**31, 2**32, 2**63, 2**64 - 1)
    return int(pick(source, wrong)).to_bytes(8, "little") + data[8:]


@_edited
def wrong_type(source: np.random.Generator, header: Header) -> None:
    types = ("F64", "F16", "BF16", "F8_E4M3", "I64", "I32", "U8", "BOOL", "O", "", "object", None, 3)
    header[_tensor(source, header)]["dtype"] = pick(source, types)


@_edited
def wrong_shape(source: np.random.Generator, header: Header) -> None:
    """A size becomes huge, negative, so large that a product overflows, or nothing at all."""
    shape = header[_tensor(source, header)]["shape"]
    shape[int(source.integers(len(shape)))] = pick(source, SIZES)


@_edited
def other_shape(source: np.random.Generator, header: Header) -> None:
    """The same number of values in another shape, or one that is far off."""
    entry = header[_tensor(source, header)]
    shapes: tuple[Any, ...] = (
        [],
        [1, *entry["shape"]],
        entry["shape"][::-1],
        [2**32, 2**32],
        [1] * 5000,
        [-1, -4],
        None,
        "3",
        3,
    )
    entry["shape"] = pick(source, shapes)


@_edited
def wrong_place(source: np.random.Generator, header: Header) -> None:
    """The bytes of a tensor lie elsewhere: over another's, beyond the end, backwards, nowhere."""
    entry = header[_tensor(source, header)]
    begin, end = entry["data_offsets"]
    size = end - begin
    places = (
        [0, size],
        [begin + size, end + size],
        [end, begin],
        [begin, end + 4],
        [begin + 4, end],
        [2**63, 2**63 + size],
        [2**64 - size, 2**64],
        [-size, 0],
        [begin, 10**30],
        [begin],
        None,
    )
    entry["data_offsets"] = pick(source, places)


@_edited
def renamed(source: np.random.Generator, header: Header) -> None:
    """A tensor has another name, such as a path that leads out of the folder."""
    header[pick(source, NAMES)] = header.pop(_tensor(source, header))


@_edited
def exchanged_names(source: np.random.Generator, header: Header) -> None:
    first, second = _tensor(source, header), _tensor(source, header)
    header[first], header[second] = header[second], header[first]


@_edited
def missing(source: np.random.Generator, header: Header) -> None:
    del header[_tensor(source, header)]


@_edited
def added(source: np.random.Generator, header: Header) -> None:
    """Tensors without a single byte, of any name and number."""
    for number in range(int(pick(source, (1, 10, 10_000)))):
        header[f"{pick(source, NAMES[:6])}{number}"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}


@_edited
def wrong_metadata(source: np.random.Generator, header: Header) -> None:
    """The metadata are of another kind, or lack what charlm writes, or hold more."""
    text = header[METADATA]["charlm"]
    values: tuple[Any, ...] = (
        None,
        3,
        [],
        {},
        text,
        {"charlm": 3},
        {"charm": text},
        {"charlm": ""},
        {"charlm": "[" * 9999},
    )
    header[METADATA] = pick(source, (*values, {"charlm": text, "more": "of it"}))


def doubled_key(source: np.random.Generator, data: bytes) -> bytes:
    """A name stands twice in the header."""
    header, body = split(data)
    parsed = json.loads(header)
    name = pick(source, list(parsed))
    other = parsed[_tensor(source, parsed)] if name != METADATA else {"charlm": "{}"}
    return joined(header.rstrip()[:-1] + f", {json.dumps(name)}: {json.dumps(other)}}}".encode(), body)


def strange_json(source: np.random.Generator, data: bytes) -> bytes:
    """What stands in the place of a number is none, or the header is nested deep, or no object at all."""
    header, body = split(data)
    deep = b"[" * int(pick(source, (100, 100_000)))
    numbers = (b"NaN", b"Infinity", b"-0", b"1e999", b"9" * 5000, b"0x10", b"null", b"true", b'"0"', deep)
    changed = header.replace(b'_offsets":[0,', b'_offsets":[' + pick(source, numbers) + b",", 1)
    whole = (b"", b"{}", b"[]", b"null", b"\xff\xfe{}", b'{"a":' * 50_000, header[:-1], header.replace(b":", b"=", 1))
    return joined(changed if source.random() < 0.5 else pick(source, whole), body)


def enlarged(source: np.random.Generator, data: bytes) -> bytes:
    """The header is blown up with white space or with empty lists, up to more than is read."""
    header, body = split(data)
    size = int(pick(source, (1000, 1 << 20, 1 << 22)))
    empty = b', "x": {"dtype": "F32", "shape": [' + b"0," * (size // 2) + b'0], "data_offsets": [0, 0]}}'
    return joined(header + b" " * size if source.random() < 0.5 else header.rstrip()[:-1] + empty, body)
