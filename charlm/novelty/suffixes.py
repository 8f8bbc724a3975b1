"""The suffixes of a text in order, by prefix doubling (Manber and Myers 1993).

Suffixes are first sorted by so many of their tokens as fit into one number. Those that are alike so far are then
sorted by the places of the suffixes that begin behind what has been compared, which doubles it. Only suffixes that
are still alike are looked at again (Larsson and Sadakane 2007): in most texts hardly any after 32 characters.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BITS = 63
"""Bits of a number that tokens are packed into; numbers of 64 would be negative."""


def suffix_array(ids: NDArray[np.integer[Any]]) -> NDArray[np.uint32]:
    """Where the suffixes of a text begin, in their order; a suffix stands before those that begin with it.

    Args:
        ids: [N], not negative, N below 2^31.

    Returns:
        uint32 [N].
    """
    keys, compared = _packed(ids)
    order = np.argsort(keys)
    place = np.empty(len(ids), np.int32)
    _settle(order, keys[order], np.arange(len(ids)), place)
    del keys
    alike = _alike(order, place)
    while alike.size:
        members = order[alike]
        behind = members + compared
        inside = behind < len(ids)
        second = np.zeros(len(members), np.int64)
        second[inside] = place[behind[inside]] + 1
        second |= place[members].astype(np.int64) << 32
        sorting = np.argsort(second)
        order[alike] = members[sorting]
        _settle(order[alike], second[sorting], alike, place)
        alike = alike[_alike(order[alike], place)]
        compared *= 2
    return order.astype(np.uint32)


def _packed(ids: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], int]:
    """The first tokens of every suffix as one number each, int64 [N], and how many tokens these are."""
    # What stands behind the end is 0, and less than any token.
    bits = max(1, int(ids.max(initial=0)) + 1).bit_length()
    number = max(1, _BITS // bits)
    keys = np.zeros(len(ids), np.int64)
    for shift in range(number):
        keys <<= bits
        keys[: max(0, len(ids) - shift)] += ids[shift:].astype(np.int64) + 1
    return keys, number


def _settle(
    members: NDArray[np.int64], keys: NDArray[np.int64], slots: NDArray[np.int64], place: NDArray[np.int32]
) -> None:
    """Give suffixes their places: the slot of the first of those that have the same key, the keys being in order."""
    first = np.ones(len(keys), np.bool_)
    first[1:] = keys[1:] != keys[:-1]
    place[members] = slots[np.maximum.accumulate(np.where(first, np.arange(len(keys)), 0))]


def _alike(members: NDArray[np.int64], place: NDArray[np.int32]) -> NDArray[np.int64]:
    """Which of suffixes that stand in order share their place with a neighbour."""
    places = place[members]
    same = places[1:] == places[:-1]
    alike = np.zeros(len(places), np.bool_)
    alike[1:] |= same
    alike[:-1] |= same
    return np.flatnonzero(alike)
