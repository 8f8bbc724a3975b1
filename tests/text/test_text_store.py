"""The store: whatever the memory limit, all ids come back, in the smallest type."""

import errno
import tempfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import OutputError
from charlm.text.store import GrowingStore, count_ids, look_up, passed_blocks

IDS = st.integers(0, 255) | st.integers(0, 70_000) | st.integers(0, 2**32 - 1)


@given(arrays=st.lists(st.lists(IDS, max_size=20), max_size=8), limit=st.sampled_from([0, 4, 40, 1 << 20]))
def test_everything_comes_back(arrays: list[list[int]], limit: int) -> None:
    everything = [each for array in arrays for each in array]
    with GrowingStore(limit) as store:
        for array in arrays:
            store.append(np.array(array, np.int64))
        ids = store.finish()
    assert ids.tolist() == everything
    assert ids.dtype.itemsize == np.min_scalar_type(max(everything, default=0)).itemsize
    assert ids.dtype.kind == "u"
    assert not ids.flags.writeable
    assert isinstance(ids, np.memmap) == (ids.nbytes > limit)


def test_full_disk_is_an_output_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with GrowingStore(0) as store, pytest.raises(OutputError, match="TMPDIR"):
        store.append(np.arange(3))


@given(ids=st.lists(st.integers(0, 255), max_size=20), types=st.integers(256, 300), wide=st.booleans())
def test_looking_up_is_indexing(ids: list[int], types: int, wide: bool) -> None:
    """Whatever the types of both."""
    kind: type[np.unsignedinteger[Any]] = np.uint16 if wide else np.uint8
    array = np.array(ids, kind)
    for dtype in (np.uint8, np.bool_, np.uint32):
        table = (np.arange(types) * 7 % 256).astype(dtype)
        found = look_up(table[: max(ids, default=0) + 1], array)
        assert found.dtype == dtype
        assert found.tolist() == table[array].tolist()


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_001])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_counting_in_pairs_is_counting(size: int, dtype: Any) -> None:
    ids = np.random.default_rng(size).integers(0, 200, size + 1).astype(dtype)
    for each in (ids[1:], ids[:-1]):  # where pairs begin at an odd address too
        for types in (220, 256, 257, 300):  # bytes and <EOS> are 257, of which a text may have the lower ones only
            assert count_ids(each, types).tolist() == np.bincount(each, minlength=types).tolist()


def test_blocks_of_a_mapped_file_are_those_of_the_array() -> None:
    """Also when they are read again, though their pages were given back."""
    ids = np.arange(5000, dtype=np.uint16)
    with GrowingStore(0) as store:
        store.append(ids)
        mapped = store.finish()
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate([block.copy() for block in passed_blocks(mapped, 999)]), ids)
