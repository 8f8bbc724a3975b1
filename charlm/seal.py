"""Files whose contents are digested as they are written, so that no damage to them goes unnoticed.

A flipped bit in a weight leaves a file that is whole and a model that is another. The digest is SHA-256 (FIPS 180-4)
over every tensor and all metadata; it stands in the metadata. It protects against damage: by disks, by transfers, by
other programs. It does not protect against forgery, since whoever changes a file on purpose can write its digest too.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.errors import ModelError, OutputError
from charlm.files import MOST_HEADER, Tensors, tensor_bytes

DIGEST = "digest"
"""The key of the digest among the metadata."""


class ContentsDigest:
    """SHA-256 of a file's contents, which are given a part at a time.

    Args:
        metadata: a JSON object, without its digest.
    """

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        self._digest = hashlib.sha256(json.dumps(metadata, sort_keys=True, ensure_ascii=True).encode())

    def begin(self, name: str, dtype: np.dtype[Any], shape: Sequence[int]) -> None:
        """Go on with the tensor that comes next in the order of their names."""
        # No line break can stand in a name's ASCII form, so that no two contents look alike.
        self._digest.update(f"\n{name!a} {dtype.str} {list(shape)}\n".encode())

    def update(self, data: NDArray[Any]) -> None:
        """Go on with elements of that tensor."""
        self._digest.update(np.ascontiguousarray(data).reshape(-1).view(np.uint8).data)

    def hex(self) -> str:
        """The digest of what was given."""
        return self._digest.hexdigest()


def contents_digest(tensors: Tensors, metadata: Mapping[str, Any]) -> str:
    """SHA-256 in hex of the metadata, and of name, type, shape and bytes of each tensor, in the order of their names.

    Args:
        tensors: arrays of any shape and type; none of them is copied.
        metadata: a JSON object, without its digest.
    """
    digest = ContentsDigest(metadata)
    for name in sorted(tensors):
        digest.begin(name, tensors[name].dtype, tensors[name].shape)
        digest.update(tensors[name])
    return digest.hex()


def sealed_bytes(tensors: Tensors, metadata: Mapping[str, Any]) -> bytes:
    """Tensors and a JSON object with their digest, as the bytes of a file; as ``tensor_bytes`` otherwise.

    Raises:
        OutputError: a tensor holds NaN or infinity, or the metadata are longer than would be read.
    """
    data = tensor_bytes(tensors, {**metadata, DIGEST: contents_digest(tensors, metadata)})
    check_header(int.from_bytes(data[:8], "little"))
    return data


def check_header(length: int) -> None:
    """Check the length in bytes of a header that is to be written.

    Raises:
        OutputError: it is longer than would be read.
    """
    if length > MOST_HEADER:
        raise OutputError("the names of the texts are too long to be kept with the model: name their folder instead")


def unsealed(path: Path, tensors: Tensors, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata without the digest, which is that of the contents.

    Args:
        path: for the message.
        tensors: all that the file holds.
        metadata: all that the file holds.

    Raises:
        ModelError: there is no digest, or it is that of other contents.
    """
    rest = {key: value for key, value in metadata.items() if key != DIGEST}
    if metadata.get(DIGEST) != contents_digest(tensors, rest):
        raise ModelError(f"{path} is damaged: its contents are not those that its digest is of. Use another copy of it")
    return rest
