"""Whole texts in lanes side by side, several behind one another in a lane, so that nearly nothing is padding.

    lane 0    t h e   c a t | a
    lane 1    d o g | a n d

A lane's texts follow one another without a gap; what is left of the lanes stands at their ends. Where texts begin
and end is written down: a network that reads forward starts anew at each beginning, one that reads backward at each
end, and so no text has any influence on another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heapreplace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.errors import InputError
from charlm.nn.arrays import Flags, Ids

NOBODY = -1
"""In the place of a token, a target or the number of a text: there is none."""


class Forms(NamedTuple):
    """The distinct forms (spellings) of the tokens of some lanes, each read once however often it occurs.

    Attributes:
        lanes: the forms, as texts of characters.
        place: [T, B], which of the forms a token has; -1 where no text is.
    """

    lanes: "TextLanes"
    place: Ids


@dataclass(frozen=True)
class TextLanes:
    """A batch of whole texts.

    Attributes:
        ids: [T, B], what is read; -1 where no text is.
        text: [T, B], which text of the batch, from 0, stands there; -1 where none does.
        begins: [T, B], True at the first token of a text.
        ends: [T, B], True at the last one.
        forms: the spellings of the tokens, where these are read too.
    """

    ids: Ids
    text: Ids
    begins: Flags
    ends: Flags
    forms: Forms | None = None

    @property
    def number(self) -> int:
        """How many texts there are."""
        return self.lengths.size

    @cached_property
    def order(self) -> Ids:
        """[tokens], where the tokens stand in the flattened [T * B], text by text and each from its beginning."""
        flat = self.text.reshape(-1)
        order = np.argsort(flat, kind="stable")
        return order[np.count_nonzero(flat < 0) :]

    @cached_property
    def lengths(self) -> Ids:
        """[N], tokens of each text."""
        return np.bincount(self.text[self.text >= 0])

    @cached_property
    def firsts(self) -> Ids:
        """[N], which of the tokens of all texts behind one another is the first of each."""
        return np.cumsum(self.lengths) - self.lengths

    def lay_out(self, values: Sequence[Ids]) -> Ids:
        """One number a token of each text, as [T, B]; -1 where no text is."""
        out = np.full(self.text.shape, NOBODY, np.int64)
        out.reshape(-1)[self.order] = np.concatenate([np.asarray(each, np.int64) for each in values])
        return out

    def take_out(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """The adjoint of ``lay_out`` for any numbers [..., T, B]: [..., length] of each text."""
        flat = values.reshape(*values.shape[:-2], -1)
        return np.split(flat[..., self.order], self.firsts[1:], axis=-1)


def pack_texts(texts: Sequence[Ids], batch: int) -> TextLanes:
    """Lay whole texts into lanes: the longest first, each into the lane that has the least.

    Args:
        texts: ids of each, one at least.
        batch: how many lanes at most. There are fewer where the longest text alone is longer than the others' share.

    Raises:
        InputError: a text has no tokens.
    """
    lengths = [len(text) for text in texts]
    if 0 in lengths:
        raise InputError(f"text {lengths.index(0) + 1} of {len(texts)} has no tokens: leave it out")
    longest, total = max(lengths), sum(lengths)
    wanted = max(1, min(batch, -(-total // longest)))
    lanes = [(0, lane) for lane in range(wanted)]
    heapify(lanes)
    places = np.empty((len(texts), 2), np.int64)
    for number in sorted(range(len(texts)), key=lambda number: -lengths[number]):
        filled, lane = lanes[0]
        places[number] = filled, lane
        heapreplace(lanes, (filled + lengths[number], lane))
    shape = max(filled for filled, _ in lanes), wanted
    ids, text = np.full(shape, NOBODY, np.int64), np.full(shape, NOBODY, np.int64)
    for number, (first, lane) in enumerate(places.tolist()):
        ids[first : first + lengths[number], lane] = texts[number]
        text[first : first + lengths[number], lane] = number
    begins, ends = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    begins[places[:, 0], places[:, 1]] = True
    ends[places[:, 0] + lengths - 1, places[:, 1]] = True
    return TextLanes(ids, text, begins, ends)
