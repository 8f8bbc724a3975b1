"""Work in portions: many items that are small, few that are large, so that memory does not grow with their number."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

MOST_ITEMS = 2048
"""Enough that all lanes are busy nearly all the time."""
MOST_CHARACTERS = 1 << 21
"""Of all items of a portion but the last; a longer one is a portion by itself."""
Item = TypeVar("Item")


def portions(items: Iterable[Item], length: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Items in lists, in their order; none is empty.

    Args:
        items: read as they are needed.
        length: characters of an item.
    """
    held: list[Item] = []
    characters = 0
    for item in items:
        size = length(item)
        if held and (len(held) == MOST_ITEMS or characters + size > MOST_CHARACTERS):
            yield held
            held, characters = [], 0
        held.append(item)
        characters += size
    if held:
        yield held
