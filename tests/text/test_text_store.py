"""The store: whatever the memory limit, all ids come back, in the smallest type."""

import errno
import tempfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import OutputError
from charlm.text.store import GrowingStore

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
