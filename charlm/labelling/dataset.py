"""Labelled texts as numbers, and batches of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from charlm.nn.arrays import Ids
from charlm.nn.text_lanes import Forms, TextLanes, pack_texts


class Spellings(NamedTuple):
    """The characters of distinct forms, one form behind another.

    Attributes:
        ids: [characters].
        starts: [forms + 1], where each begins, and the end.
    """

    ids: Ids
    starts: Ids


class Batch(NamedTuple):
    """Texts in lanes, and their targets: [T, B] of tokens or [N] of texts."""

    lanes: TextLanes
    targets: Ids


@dataclass(frozen=True, eq=False)
class Dataset:
    """Texts as ids.

    Attributes:
        ids: [tokens], one text behind another.
        starts: [texts + 1], where each begins, and the end.
        targets: labels, [tokens] or [texts]; -1 where there is none.
        forms: [tokens], which of the spellings each token has; None where spellings are not read.
        spellings: of the forms.
    """

    ids: Ids
    starts: Ids
    targets: Ids
    forms: Ids | None = None
    spellings: Spellings | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def per_token(self) -> bool:
        """Whether each token has a target, and not each text."""
        return len(self.targets) == len(self.ids) != len(self)

    @property
    def lengths(self) -> Ids:
        """[texts], tokens of each."""
        return np.diff(self.starts)

    def only(self, text: int) -> "Dataset":
        """One of the texts by itself, with its targets."""
        begin, end = self.starts[text], self.starts[text + 1]
        targets = self.targets[begin:end] if self.per_token else self.targets[text : text + 1]
        forms = None if self.forms is None else self.forms[begin:end]
        return Dataset(self.ids[begin:end], np.array([0, end - begin]), targets, forms, self.spellings)

    def batch(self, chosen: Sequence[int], lanes: int, *, per_token: bool) -> Batch:
        """These texts, in so many lanes at most."""
        bounds = [(int(self.starts[each]), int(self.starts[each + 1])) for each in chosen]
        packed = pack_texts([self.ids[begin:end] for begin, end in bounds], lanes)
        if self.forms is not None and self.spellings is not None:
            place = packed.lay_out([self.forms[begin:end] for begin, end in bounds])
            packed = TextLanes(packed.ids, packed.text, packed.begins, packed.ends, _forms(place, self.spellings))
        if per_token:
            return Batch(packed, packed.lay_out([self.targets[begin:end] for begin, end in bounds]))
        return Batch(packed, self.targets[np.asarray(chosen, np.int64)])


def _forms(place: Ids, spellings: Spellings) -> Forms:
    """Those of the spellings that stand in these places [T, B], each once."""
    distinct, among = np.unique(place, return_inverse=True)
    missing = int(distinct[0] < 0)
    starts = spellings.starts
    each = [spellings.ids[starts[form] : starts[form + 1]] for form in distinct[missing:].tolist()]
    return Forms(pack_texts(each, len(each)), among.reshape(place.shape) - missing)


def cut_batches(lengths: Ids, order: Ids, tokens: int) -> Iterator[list[int]]:
    """Texts in this order, as many at a time as have no more than so many tokens together, and one at least."""
    batch: list[int] = []
    taken = 0
    for text, length in zip(order.tolist(), lengths[order].tolist(), strict=True):
        if batch and taken + length > tokens:
            yield batch
            batch, taken = [], 0
        batch.append(text)
        taken += length
    if batch:
        yield batch
