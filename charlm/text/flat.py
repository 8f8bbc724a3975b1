"""Many strings as two flat arrays with a count each, which a model file can hold."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.errors import ModelError

# Lone surrogates are no UTF-8, but a text may hold them; this keeps each as the three bytes it would have.
SURROGATES = "surrogatepass"


def flatten(strings: Sequence[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Strings one after another, uint8 [bytes], and where each begins and the last ends, int64 [strings + 1]."""
    offsets = np.zeros(len(strings) + 1, np.int64)
    np.cumsum([len(string) for string in strings], out=offsets[1:])
    return np.frombuffer(b"".join(strings), np.uint8), offsets


def unflatten(data: NDArray[np.uint8], offsets: NDArray[np.integer[Any]]) -> list[str]:
    """The strings again, from the first of the offsets on."""
    flat = data.tobytes()
    return [flat[start:stop].decode("utf-8", SURROGATES) for start, stop in pairwise(offsets.tolist())]


def check_arrays(
    data: NDArray[np.uint8],
    offsets: NDArray[np.integer[Any]],
    counts: NDArray[np.integer[Any]],
    *,
    least: int,
    what: str,
) -> None:
    """Check that arrays of a model file, which may be damaged, are of strings that are not empty, and of their counts.

    Args:
        data: Should be what `flatten` gives.
        offsets: Likewise.
        counts: Should be a number from 0 on for each string.
        least: So many strings there should be.
        what: What messages call them all.

    Raises:
        ModelError: They are not; the message says why.
    """
    for name, array, kinds in (("data", data, "u"), ("offsets", offsets, "iu"), ("counts", counts, "iu")):
        if array.ndim != 1 or array.dtype.kind not in kinds:
            raise damaged(what, f"{name} is {array.dtype} {list(array.shape)}, expected one row of integers")
    if data.dtype != np.uint8:
        raise damaged(what, f"data is {data.dtype}, expected uint8")
    if len(counts) < least or len(offsets) != len(counts) + 1:
        raise damaged(what, f"{len(offsets)} offsets do not belong to {len(counts)} counts")
    if offsets[0] != 0 or offsets[-1] != len(data) or not np.all(offsets[1:] > offsets[:-1]):
        raise damaged(what, f"offsets do not rise from 0 to {len(data)}, the size of the data")
    if counts.min() < 0 or counts.max() > np.iinfo(np.int64).max:
        raise damaged(what, "a count is negative or too large")


def check_strings(data: NDArray[np.uint8], offsets: NDArray[np.integer[Any]], *, noun: str, what: str) -> None:
    """Check that arrays which `check_arrays` has passed hold text, and no string twice.

    Args:
        data: As `flatten` gives it.
        offsets: Likewise.
        noun: What messages call one of the strings.
        what: What they call all of them.

    Raises:
        ModelError: They do not; the message says why.
    """
    # All valid together and none begun inside a character: then each one is valid by itself.
    starts_inside = data[offsets[:-1]] & 0xC0 == 0x80  # noqa: PLR2004 - the two bits that mark it
    try:
        data.tobytes().decode("utf-8", SURROGATES)
    except UnicodeDecodeError as error:
        raise damaged(what, f"its {noun}s are not valid UTF-8 at byte {error.start}") from None
    if starts_inside.any():
        raise damaged(what, f"{noun} {int(starts_inside.argmax())} begins inside a character")
    strings = unflatten(data, offsets)
    if len(set(strings)) != len(strings):
        raise damaged(what, f"it holds a {noun} twice")


def damaged(what: str, why: str) -> ModelError:
    """What to raise of a part of a model file that cannot be what it should."""
    return ModelError(f"the model's {what} is damaged: {why}; take the file from its origin again")
