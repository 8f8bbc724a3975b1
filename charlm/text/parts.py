"""The encoded parts of a text, and what is counted in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charlm.text.level import TypeFacts
from charlm.text.splitting import Split
from charlm.text.store import Extent, Ids, Stores, count_ids, growing_stores, look_up
from charlm.text.tokenizer import Tokenizer


@dataclass(frozen=True, eq=False)
class Part:
    """Encoded text, for training or for validation.

    Attributes:
        ids: uint8, uint16 or uint32 [tokens], read-only.
        characters: Code points of the text, spaces between words and line breaks behind <EOS> included.
        bytes: Its bytes in UTF-8, likewise.
        unknown: How many of the tokens are <UNK>.
        lines: Lines, one that the text breaks off in not included.
        labels: The label of each line, where they have some.
    """

    ids: Ids
    characters: int
    bytes: int
    unknown: int
    lines: int
    labels: Ids | None = None

    def __len__(self) -> int:
        return len(self.ids)


def count_types(split: Split, facts: TypeFacts) -> NDArray[np.int64]:
    """How often each type occurs in either part, int64 [2, types]."""
    types = len(facts.spaces)
    counts = np.zeros((2, types), np.int64)
    for pair in split():
        for part, block in enumerate(pair):
            counts[part] += count_ids(block, types)
    return counts


def encode_parts(
    split: Split,
    table: NDArray[np.int64],
    counts: NDArray[np.int64],
    facts: TypeFacts,
    tokenizer: Tokenizer,
    stores: Stores = growing_stores,
) -> tuple[Part, Part]:
    """Turn provisional ids into final ones by `table`, int64 [types], put them into stores, and sum up each part."""
    narrow = table.astype(np.min_scalar_type(int(table.max())))
    unknown = table == tokenizer.unknown_id
    with stores(*(_extent(table, count) for count in counts)) as (train, valid):
        gaps = (_GapCounter(facts), _GapCounter(facts))
        for pair in split():
            for store, counter, block in zip((train, valid), gaps, pair, strict=True):
                store.append(look_up(narrow, block))
                counter.add(block)
        first, second = (
            Part(
                ids=store.finish(),
                characters=int(count @ facts.characters) + counter.number,
                bytes=int(count @ facts.bytes) + counter.number,
                unknown=int(count[unknown].sum()),
                lines=int(count[list(facts.line_ends)].sum()),
            )
            for store, counter, count in zip((train, valid), gaps, counts, strict=True)
        )
    return first, second


def _extent(table: NDArray[np.int64], count: NDArray[np.int64]) -> Extent:
    """How large the ids of a part get that has so many of each type."""
    largest = int(table[count > 0].max(initial=0))
    return Extent(int(count.sum()), np.min_scalar_type(largest))


class _GapCounter:
    """Counts the spaces that stand between tokens without being one, block by block."""

    def __init__(self, facts: TypeFacts) -> None:
        self.number = 0
        self._facts = facts
        self._after_space = True

    def add(self, block: Ids) -> None:
        if block.size:
            self.number += int(np.count_nonzero(self._facts.gaps(block, after_space=self._after_space)))
            self._after_space = bool(self._facts.spaces[block[-1]])
