"""Work in portions: many items that are small, few that are large, so that memory does not grow with their number."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

MOST_ITEMS = 2048
"""Enough that all lanes are busy nearly all the time."""
MOST_CHARACTERS = 1 << 21
"""Of all items of a portion."""
Item = TypeVar("Item")


def portions(
    items: Iterable[Item],
    length: Callable[[Item], int],
    most_items: int | None = None,
    most_characters: int | None = None,
) -> Iterator[list[Item]]:
    """Items in lists, in their order; none is empty.

    Args:
        items: read as they are needed; none is waited for behind the last of a portion that is full.
        length: characters of an item.
        most_items: of a portion; None for `MOST_ITEMS`.
        most_characters: of all items of a portion; one that is longer is a portion by itself. None for
            `MOST_CHARACTERS`.
    """
    most_items, most_characters = most_items or MOST_ITEMS, most_characters or MOST_CHARACTERS
    held: list[Item] = []
    characters = 0
    for item in items:
        size = length(item)
        if held and characters + size > most_characters:
            yield held
            held, characters = [], 0
        held.append(item)
        characters += size
        if len(held) == most_items:
            yield held
            held, characters = [], 0
    if held:
        yield held
