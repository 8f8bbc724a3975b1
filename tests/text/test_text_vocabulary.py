"""The vocabulary: order, limits, and no trust in arrays from a file."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from charlm.errors import ModelError, UsageError
from charlm.text.vocabulary import EOS, UNK, Vocabulary

TYPES = ["b", "a", "é", "\ud800", "😀", "z"]
COUNTS = np.array([3, 3, 9, 1, 2, 0])


def tokens(vocabulary: Vocabulary) -> list[str]:
    return [vocabulary.token(each) for each in range(len(vocabulary))]


def test_order_is_by_count_then_code_point() -> None:
    vocabulary = Vocabulary.from_counts(TYPES, COUNTS, eos_count=4)
    assert tokens(vocabulary) == ["<EOS>", "<UNK>", "é", "a", "b", "😀", "\ud800"]
    assert vocabulary.counts.tolist() == [4, 0, 9, 3, 3, 2, 1]
    assert (EOS, UNK) == (0, 1)


def test_limits_turn_types_into_unknown() -> None:
    rare = Vocabulary.from_counts(TYPES, COUNTS, min_count=3)
    assert tokens(rare)[2:] == ["é", "a", "b"]
    assert rare.counts[UNK] == 3
    small = Vocabulary.from_counts(TYPES, COUNTS, max_vocab=4, unknown_count=10)
    assert tokens(small)[2:] == ["é", "a"]
    assert small.counts[UNK] == 10 + 6


@pytest.mark.parametrize("limits", [{"min_count": 0}, {"max_vocab": 2}])
def test_limits_out_of_range(limits: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Vocabulary.from_counts(TYPES, COUNTS, **limits)


@pytest.mark.parametrize("vocabulary", [Vocabulary.from_counts(TYPES, COUNTS), Vocabulary.of_bytes(np.arange(257))])
def test_arrays_round_trip(vocabulary: Vocabulary) -> None:
    again = Vocabulary.from_arrays(vocabulary.data, vocabulary.offsets, vocabulary.counts)
    assert tokens(again) == tokens(vocabulary)
    assert again.raw == vocabulary.raw
    assert again.counts.tolist() == vocabulary.counts.tolist()


def arrays_of(*encoded: bytes) -> list[NDArray[Any]]:
    joined = [b"<EOS>", b"<UNK>", *encoded]
    offsets = np.cumsum([0, *map(len, joined)])
    return [np.frombuffer(b"".join(joined), np.uint8).copy(), offsets, np.ones(len(joined), np.int64)]


def damaged() -> dict[str, list[NDArray[Any]]]:
    data, offsets, counts = arrays_of(b"a", "é".encode())
    swapped = offsets.copy()
    swapped[2:4] = swapped[[3, 2]]
    inside = offsets.copy()
    inside[3] += 1
    return {
        "twice": arrays_of(b"a", b"a"),
        "not UTF-8": arrays_of(b"a", b"\xff"),
        "overlong": arrays_of(b"\xc0\x80"),
        "empty token": arrays_of(b"a", b""),
        "no specials": [data[10:], offsets[2:] - 10, counts[2:]],
        "not monotone": [data, swapped, counts],
        "inside a character": [data, inside, counts],
        "end short": [data, offsets[:-1], counts[:-1]],
        "data short": [data[:-1], offsets, counts],
        "first not 0": [data, offsets + np.eye(1, len(offsets), dtype=int)[0], counts],
        "sizes": [data, offsets, counts[:-1]],
        "negative count": [data, offsets, -counts],
        "huge count": [data, offsets, counts.astype(np.uint64) << np.uint64(63)],
        "float offsets": [data, offsets.astype(float), counts],
        "two axes": [data[None], offsets, counts],
        "wide data": [data.astype(np.uint16), offsets, counts],
        "nothing": [data[:0], offsets[:1], counts[:0]],
        "no offsets": [data[:0], offsets[:0], counts[:0]],
    }


@pytest.mark.parametrize("kind", damaged())
def test_damaged_arrays_are_refused(kind: str) -> None:
    with pytest.raises(ModelError, match="damaged"):
        Vocabulary.from_arrays(*damaged()[kind])


def test_no_token_beyond_the_end() -> None:
    vocabulary = Vocabulary.of_bytes(np.zeros(257, np.int64))
    assert vocabulary.token(1 + 0xFF) == "\\xff"
    for outside in (-1, 257):
        with pytest.raises(IndexError):
            vocabulary.token(outside)
