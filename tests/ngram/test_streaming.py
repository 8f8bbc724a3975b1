"""Files of tensors that are written a block at a time: the bytes of those that are written at once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from charlm.errors import OutputError
from charlm.files import read_tensors
from charlm.seal import sealed_bytes, unsealed
from charlm.streaming import Stream, stream_of, write_sealed

METADATA = {"kind": "test", "text": 'é "quoted" \\ \n', "numbers": [1, 2.5, None]}
TENSORS: dict[str, np.ndarray] = {
    "b": np.arange(7, dtype=np.uint8),
    "a": np.arange(5, dtype=np.uint8),
    "c.2": np.arange(5, dtype=np.uint16),
    "c.10": np.arange(3, dtype=np.uint32),
    "d": np.linspace(-1, 1, 9, dtype=np.float32),
    "e": np.arange(-2, 2, dtype=np.int64),
    "f": np.zeros(0, np.float64),
    "g": np.array([1 << 63], np.uint64),
}


def in_parts(array: np.ndarray) -> Stream:
    return Stream(array.dtype, len(array), lambda: (array[begin : begin + 2] for begin in range(0, len(array), 2)))


@pytest.mark.parametrize("stream", [stream_of, in_parts])
def test_a_file_has_the_bytes_of_one_written_at_once(tmp_path: Path, stream: Callable[[np.ndarray], Stream]) -> None:
    write_sealed(tmp_path / "it", {name: stream(tensor) for name, tensor in TENSORS.items()}, METADATA)
    assert (tmp_path / "it").read_bytes() == sealed_bytes(TENSORS, METADATA)
    tensors, metadata = read_tensors(tmp_path / "it")
    assert unsealed(tmp_path / "it", tensors, metadata) == METADATA


def test_what_is_no_number_is_not_written(tmp_path: Path) -> None:
    """Even in the last block; what was there stays."""
    (tmp_path / "it").write_bytes(b"before")
    bad = np.array([0, 1, 2, 3, np.nan])
    with pytest.raises(OutputError, match="a holds NaN"):
        write_sealed(tmp_path / "it", {"a": in_parts(bad)}, {})
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("it", b"before")]
