"""Which labels there are: labels <-> ids, and the arrays that a model file holds them in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from charlm.errors import InputError
from charlm.labels.rows import Coded
from charlm.labels.schemes import OUTSIDE, marks_entities
from charlm.text.flat import SURROGATES, check_arrays, check_strings, flatten, unflatten

SHOWN = 20
"""Labels that a message lists."""

_LEAST = 2  # one leaves nothing to tell apart
_WHAT = "label set"


@dataclass(frozen=True, eq=False, repr=False)
class LabelSet:
    """Labels by id, and how often each occurred in training.

    They stand by falling count, ties by code point; "O" stands first where labels mark entities.

    Attributes:
        names: By id.
        counts: int64 [labels], how often each occurs in the training data.
    """

    names: tuple[str, ...]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<LabelSet of {self}>"

    def __str__(self) -> str:
        """The labels, as messages list them."""
        shown = ", ".join(self.names[:SHOWN])
        return shown if len(self) <= SHOWN else f"{shown} and {len(self) - SHOWN} more"

    @property
    def entities(self) -> bool:
        """Whether the labels mark entities of several tokens."""
        return marks_entities(self.names)

    @classmethod
    def learn(cls, labels: Coded, name: str) -> Self:
        """The labels of training data.

        Args:
            labels: Of its tokens or texts.
            name: What messages call the data.

        Raises:
            InputError: There are fewer than two different ones.
        """
        counts = labels.counts().tolist()
        found = {label: count for label, count in zip(labels.types, counts, strict=True) if count}
        if len(found) < _LEAST:
            only = next(iter(found), None)
            what = "holds no label" if only is None else f"holds no label but {only!r}"
            raise InputError(f"{name} {what}: there is nothing to tell apart, so name data with at least two labels")
        entities = marks_entities(found)
        names = sorted(found, key=lambda label: (not (entities and label == OUTSIDE), -found[label], label))
        return cls(tuple(names), np.array([found[label] for label in names], np.int64))

    def ids_of(self, labels: Coded, where: Callable[[int], str]) -> NDArray[np.int32]:
        """Ids, int32 [n], of the labels of other data.

        Args:
            labels: Of its tokens or texts.
            where: What messages call the place of one.

        Raises:
            InputError: One is not in this set.
        """
        known = {label: index for index, label in enumerate(self.names)}
        ids = np.array([known.get(label, -1) for label in labels.types], np.int32)[labels.ids]
        strange = np.flatnonzero(ids < 0)
        if strange.size:
            first = int(strange[0])
            raise InputError(
                f"{where(first)}: the label {labels.types[labels.ids[first]]!r} did not occur in training; "
                f"the model knows {self}"
            )
        return ids

    def to_arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
        """What a model file holds of it.

        Returns:
            uint8 [bytes], the labels in UTF-8, one after another; int64 [labels + 1], where each begins, and the
            end; int64 [labels], their counts.
        """
        return *flatten([label.encode("utf-8", SURROGATES) for label in self.names]), self.counts

    @classmethod
    def from_arrays(
        cls, data: NDArray[np.uint8], offsets: NDArray[np.integer[Any]], counts: NDArray[np.integer[Any]]
    ) -> Self:
        """Restore it from the arrays of a model file, which may be damaged.

        Raises:
            ModelError: They are not those of a label set; the message says why.
        """
        check_arrays(data, offsets, counts, least=_LEAST, what=_WHAT)
        check_strings(data, offsets, noun="label", what=_WHAT)
        return cls(tuple(unflatten(data, offsets)), counts.astype(np.int64))
