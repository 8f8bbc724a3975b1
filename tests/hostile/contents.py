"""What can become of what charlm writes into a file: metadata, weights, vocabulary, the numbers of a run.

Each mutation is a pure function (generator, contents) -> None that changes them in place; ``damaging`` leaves the
digest as it was, ``forging`` writes one that is right, as whoever changes a file on purpose does.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import load, save

from charlm.seal import DIGEST, contents_digest
from hostile.file_bytes import Mutation
from hostile.header import METADATA, NAMES, pick, split

KEY = "charlm"
_HUGE_NUMBER = "a number of five thousand digits"
_NUMBERS = (0, -1, 1, 2, 3, 65536, 2**31, 2**63, 10**12, 10**99, 0.5, -0.0, 1e-320, 1e300, True)
_WORDS = (
    "",
    "x",
    "..",
    "../../outside",
    "/dev/zero",
    "/etc/passwd",
    "-",
    "lstm",
    "byte",
    "word",
    "file",
    "utf-7",
    "hex",
)
_STRANGE = ("\0", "\n\n", "\x1b]0;title\x07", "\ud800", "\u202e", "--overwrite", "$(touch outside)", "y" * 100_000)
_OTHERS: tuple[Any, ...] = (
    None,
    [],
    {},
    [[]],
    {"": {}},
    ["-"] * 3,
    ["/dev/zero"],
    [None] * 10_000,
    {"reset": "after"},
    float("nan"),
)
EXTREMES: tuple[Any, ...] = (*_NUMBERS, *_WORDS, *_STRANGE, *_OTHERS, float("inf"), _HUGE_NUMBER)


class Contents(NamedTuple):
    """Tensors by name, and the JSON object that charlm wrote."""

    tensors: dict[str, Any]
    metadata: dict[str, Any]


Change = Callable[[np.random.Generator, Contents], None]


def opened(data: bytes) -> Contents:
    """The contents of a file, with nothing checked."""
    header, _ = split(data)
    tensors = {name: tensor.copy() for name, tensor in load(data).items()}
    return Contents(tensors, json.loads(json.loads(header)[METADATA][KEY]))


def written(contents: Contents) -> bytes:
    """A file with these contents, whatever they are."""
    text = json.dumps(contents.metadata).replace(json.dumps(_HUGE_NUMBER), "9" * 5000)
    return bytes(save({name: np.ascontiguousarray(tensor) for name, tensor in contents.tensors.items()}, {KEY: text}))


def sealed(contents: Contents) -> bytes:
    """The same with a digest that is right, where there was one; NaN and infinity are no hindrance."""
    rest = {key: value for key, value in contents.metadata.items() if key != DIGEST}
    if DIGEST not in contents.metadata:
        return written(contents)
    return written(Contents(contents.tensors, {**rest, DIGEST: contents_digest(contents.tensors, rest)}))


def damaging(change: Change) -> Mutation:
    """The mutation that changes contents and leaves the digest as it was."""
    return _changing(change, written)


def forging(change: Change) -> Mutation:
    """The mutation that changes contents and their digest."""
    return _changing(change, sealed)


def _changing(change: Change, write: Callable[[Contents], bytes]) -> Mutation:
    def mutation(source: np.random.Generator, data: bytes) -> bytes:
        contents = opened(data)
        change(source, contents)
        return write(contents)

    return mutation


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value: what holds it, and its key there."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from _places(inner)


def _place(source: np.random.Generator, contents: Contents) -> tuple[Any, Any]:
    return pick(source, [place for place in _places(contents.metadata) if place[1] != DIGEST])  # type: ignore[no-any-return]  # one of them


def extreme_value(source: np.random.Generator, contents: Contents) -> None:
    """Any value of the metadata becomes an extreme, or one of another type."""
    holder, key = _place(source, contents)
    holder[key] = pick(source, EXTREMES)


def nested_value(source: np.random.Generator, contents: Contents) -> None:
    """Any value of the metadata is nested deep."""
    holder, key = _place(source, contents)
    for _ in range(int(pick(source, (1, 10, 100, 400)))):
        holder[key] = {"a": holder[key]} if source.random() < 0.5 else [holder[key]]


def exchanged_values(source: np.random.Generator, contents: Contents) -> None:
    (first, key), (second, other) = _place(source, contents), _place(source, contents)
    first[key], second[other] = json.loads(json.dumps(second[other])), json.loads(json.dumps(first[key]))


def missing_key(source: np.random.Generator, contents: Contents) -> None:
    holder, key = _place(source, contents)
    del holder[key]


def added_key(source: np.random.Generator, contents: Contents) -> None:
    holder, _ = _place(source, contents)
    if isinstance(holder, dict):
        holder[pick(source, NAMES)] = pick(source, EXTREMES)
    else:
        holder.append(pick(source, EXTREMES))


def _named(source: np.random.Generator, contents: Contents, kinds: str) -> str:
    """A tensor of one of these kinds of types that is not empty."""
    tensors = contents.tensors
    return str(pick(source, [name for name in tensors if tensors[name].dtype.kind in kinds and tensors[name].size]))


def strange_weight(source: np.random.Generator, contents: Contents) -> None:
    """One weight, or all of a tensor, is NaN, infinite, denormal, huge, negative or nothing."""
    tensor = contents.tensors[_named(source, contents, "f")]
    value = pick(source, (np.nan, np.inf, -np.inf, 1e-40, -3.4e38, 3.4e38, 1e20, -1.0, 0.0))
    tensor.flat[slice(None) if source.random() < 0.5 else int(source.integers(tensor.size))] = value


def strange_integer(source: np.random.Generator, contents: Contents) -> None:
    """An offset, a count or a place is negative or far too large."""
    if not any(tensor.dtype.kind == "i" for tensor in contents.tensors.values()):
        extreme_value(source, contents)  # a state dict has its numbers among its metadata
        return
    tensor = contents.tensors[_named(source, contents, "i")]
    value = pick(source, (-1, -(2**63), 2**63 - 1, 2**40, 1, 0))
    tensor.flat[slice(None) if source.random() < 0.3 else int(source.integers(tensor.size))] = value


def reversed_order(source: np.random.Generator, contents: Contents) -> None:
    """Offsets fall, tokens are no UTF-8, weights stand in another order."""
    name = _named(source, contents, "fiu")
    contents.tensors[name] = contents.tensors[name].reshape(-1)[::-1].reshape(contents.tensors[name].shape).copy()


def strange_token(source: np.random.Generator, contents: Contents) -> None:
    """Bytes of the vocabulary are no UTF-8, a surrogate, or another token's."""
    data = contents.tensors.get("vocabulary.data")
    if data is None:  # a state dict has it among its metadata
        extreme_value(source, contents)
        return
    new = np.frombuffer(
        pick(source, (b"\xff", b"\x80", b"\xed\xa0\x80", b"aaa", b"\0\0", b"\x1b[2J", b"\n\n")), np.uint8
    )
    begin = int(source.integers(10, data.size - new.size))
    data[begin : begin + new.size] = new


def doubled_token(source: np.random.Generator, contents: Contents) -> None:
    """The vocabulary has a token twice."""
    if "vocabulary.data" not in contents.tensors:
        exchanged_values(source, contents)
        return
    data, offsets = contents.tensors["vocabulary.data"], contents.tensors["vocabulary.offsets"]
    data[offsets[-2] : offsets[-1]] = data[offsets[2]]


def cast(source: np.random.Generator, contents: Contents) -> None:
    """A tensor is of another type."""
    name = _named(source, contents, "fiu")
    with np.errstate(all="ignore"):
        contents.tensors[name] = contents.tensors[name].astype(pick(source, ("f8", "f2", "i4", "u1", "i8", "?")))


def resized(source: np.random.Generator, contents: Contents) -> None:
    """A tensor is longer, shorter, flat, empty, or has one axis more."""
    name = _named(source, contents, "fiu")
    tensor = contents.tensors[name]
    others = (tensor[:-1], np.concatenate((tensor, tensor[:1])), tensor.reshape(-1), tensor[:0], tensor[None])
    contents.tensors[name] = pick(source, others)


def removed_tensor(source: np.random.Generator, contents: Contents) -> None:
    del contents.tensors[_named(source, contents, "fiu")]


def added_tensor(source: np.random.Generator, contents: Contents) -> None:
    """A tensor more, whose name may be a path that leads out of the folder."""
    shape = pick(source, ((), (0,), (3, 3), (1,) * 30, (100_000,)))
    contents.tensors[pick(source, NAMES[:-1])] = np.ones(shape, pick(source, ("f4", "f8", "i8", "u1")))
