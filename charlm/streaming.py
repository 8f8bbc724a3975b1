"""Files of tensors that are never in memory as a whole: the same bytes as ``seal.sealed_bytes`` makes of them."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.files import METADATA_KEY, check_finite, metadata_text, replacing
from charlm.seal import DIGEST, ContentsDigest, check_header

_NAMES = {"u8": "U64", "i8": "I64", "f8": "F64", "f4": "F32", "u4": "U32", "u2": "U16", "u1": "U8"}
"""What safetensors calls types, in the order in which it writes them; those of one type follow by name."""
_ALIGNMENT = 8
"""The length of the header is a multiple of that, in bytes."""


class Stream(NamedTuple):
    """A tensor of one dimension that is made a block at a time.

    Attributes:
        dtype: of its elements.
        length: how many there are.
        blocks: makes all of them, an array after another.
    """

    dtype: np.dtype[Any]
    length: int
    blocks: Callable[[], Iterable[NDArray[Any]]]


def stream_of(array: NDArray[Any]) -> Stream:
    """An array [n] that is in memory."""
    return Stream(array.dtype, len(array), lambda: [array])


def write_sealed(path: Path, tensors: Mapping[str, Stream], metadata: Mapping[str, Any]) -> None:
    """Write tensors and a JSON object with their digest, whole or not at all.

    Raises:
        OutputError: a tensor holds NaN or infinity, the metadata are longer than would be read, or the file cannot be
            written.
    """
    digest = ContentsDigest(metadata)
    places, end = {}, 0
    for name in sorted(tensors, key=lambda name: (list(_NAMES).index(_code(tensors[name])), name)):
        places[name] = end
        end += tensors[name].length * tensors[name].dtype.itemsize

    def header(digest: str) -> bytes:
        about: dict[str, Any] = {"__metadata__": {METADATA_KEY: metadata_text({**metadata, DIGEST: digest})}}
        for name, place in places.items():
            dtype, length, _ = tensors[name]
            offsets = [place, place + length * dtype.itemsize]
            about[name] = {"dtype": _NAMES[_code(tensors[name])], "shape": [length], "data_offsets": offsets}
        text = json.dumps(about, separators=(",", ":")).encode()
        text = text.ljust(-(-len(text) // _ALIGNMENT) * _ALIGNMENT)
        return len(text).to_bytes(8, "little") + text

    # As long as it will be, with a digest that is not known before all is written.
    begin = len(header(digest.hex()))
    check_header(begin - 8)
    with replacing(path) as file:
        # The digest wants them by their names.
        for name in sorted(tensors):
            digest.begin(name, tensors[name].dtype, [tensors[name].length])
            file.seek(begin + places[name])
            for block in tensors[name].blocks():
                check_finite(name, block)
                digest.update(block)
                file.write(np.ascontiguousarray(block).data)
        file.seek(0)
        file.write(header(digest.hex()))


def _code(tensor: Stream) -> str:
    return tensor.dtype.str[1:]
