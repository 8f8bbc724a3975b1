"""How labels mark entities of several tokens, and which tokens an entity is made of.

======  =============================================================================================
BIO     B- on an entity's first token, I- on the others, O outside (also called IOB2)
IOB1    I- on all of an entity's tokens; B- on the first where an entity of its type stands just before
BIOES   B- first, I- inside, E- last, S- on an entity of one token
BILOU   the same with L- for E- and U- for S-
plain   labels are labels, such as parts of speech, and mark no entities
======  =============================================================================================

What stands behind the hyphen is the entity's type. Labels that are B, I and O alone mark entities of a single type,
whose name is empty.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

OUTSIDE = "O"
"""The label of what belongs to no entity."""

PLAIN = "plain"
SCHEMES = ("BIO", "IOB1", "BIOES", "BILOU", PLAIN)

# Letters of a kind of label, by the scheme that has no others.
_LETTERS = {"BIO": "BI", "BIOES": "BIES", "BILOU": "BILU"}
_LABEL = re.compile(r"(?s:([BIESLU])-(.+))")
_UNTYPED = {"B", "I", OUTSIDE}

# What a label lets an entity do: to go on with the next token, or to come from the one before.
_GOES_ON, _COMES_ON = "BI", "IEL"


@dataclass(frozen=True, eq=False)
class Spans:
    """Entities, by where they begin.

    Attributes:
        types: The types there are, sorted.
        type_ids: int64 [entities], the type of each.
        begins: int64 [entities], its first token.
        ends: int64 [entities], the place behind its last one.
    """

    types: tuple[str, ...]
    type_ids: NDArray[np.int64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.begins)


def scheme_of(labels: Sequence[str], ids: NDArray[np.integer[Any]], starts: NDArray[np.integer[Any]]) -> str:
    """Which of `SCHEMES` labels follow.

    BIO and IOB1 have the same labels, so that only where they stand tells them apart: it is IOB1 where some entity
    begins with I-, and B- stands only where an entity of its type ends. Labels that contradict both are BIO, as are
    those that fit both.

    Args:
        labels: The distinct ones; those that do not occur do not count.
        ids: [tokens], the place of each token's label in `labels`.
        starts: [sentences + 1], where each sentence begins among the tokens, and the end.
    """
    found = _scheme_of_set(labels[each] for each in np.unique(ids).tolist())
    if found != "BIO":
        return found
    marks = _Marks.of(labels, ids)
    begins = marks.begins(starts)
    opens_with_inside = begins & (marks.letters == "I")
    says_begin = marks.letters == "B"
    follows_alike = marks.same_type() & ~_at(starts, len(ids))
    iob1 = opens_with_inside.any() and bool(follows_alike[says_begin].all())
    return "IOB1" if iob1 else "BIO"


def _scheme_of_set(labels: Iterable[str]) -> str:
    inside = set(labels) - {OUTSIDE}
    if inside and inside <= _UNTYPED:
        return "BIO" if "B" in inside else PLAIN
    matches = [_LABEL.fullmatch(label) for label in inside]
    if not inside or None in matches:
        return PLAIN
    letters = {match[1] for match in matches if match}
    return next((scheme for scheme, own in _LETTERS.items() if letters <= set(own)), PLAIN)


def marks_entities(labels: Iterable[str]) -> bool:
    """Whether labels of this set mark entities, whatever the scheme; plain ones do not."""
    return _scheme_of_set(labels) != PLAIN


def find_spans(labels: Sequence[str], ids: NDArray[np.integer[Any]], starts: NDArray[np.integer[Any]]) -> Spans:
    """The entities that labels mark, as the CoNLL-2000 shared task's `conlleval` reads them.

    One rule serves all schemes, and gives every sequence of labels a meaning, also those that no entities have:
    an entity goes on from one token to the next of its sentence if the first one's label begins with B or I, the
    second one's with I, E or L, and both have the same type. Where it does not go on it ends, and any label but O
    then begins another. So I- behind O begins an entity, and so does I- of another type; nothing is repaired.

    Args:
        labels: The distinct ones, for which `marks_entities` is true; others mark nothing.
        ids: [tokens], the place of each token's label in `labels`.
        starts: [sentences + 1], where each sentence begins among the tokens, and the end.
    """
    marks = _Marks.of(labels, ids)
    begins = marks.begins(starts)
    inside = marks.letters != OUTSIDE
    # Every entity's end stands before the next token that begins one, or that belongs to none, or at the end.
    ends = inside & np.append(begins | ~inside, True)[1:]
    first = np.flatnonzero(begins)
    return Spans(marks.types, marks.type_ids[first], first, np.flatnonzero(ends) + 1)


@dataclass(frozen=True, eq=False)
class _Marks:
    """What the labels of tokens say.

    Attributes:
        types: Sorted.
        letters: [tokens], what each begins with; "O" for what marks nothing.
        type_ids: int64 [tokens]; -1 where there is none.
    """

    types: tuple[str, ...]
    letters: NDArray[np.str_]
    type_ids: NDArray[np.int64]

    @classmethod
    def of(cls, labels: Sequence[str], ids: NDArray[np.integer[Any]]) -> "_Marks":
        pairs = [_parted(label) for label in labels]
        types = tuple(sorted({kind for letter, kind in pairs if letter != OUTSIDE}))
        letters = np.array([letter for letter, _ in pairs], "<U1")
        type_ids = np.array([-1 if letter == OUTSIDE else types.index(kind) for letter, kind in pairs], np.int64)
        return cls(types, letters[ids], type_ids[ids])

    def same_type(self) -> NDArray[np.bool_]:
        """Whether each token is of the same type as the one before; never the first."""
        same = _shifted(self.type_ids, -1) == self.type_ids
        alike: NDArray[np.bool_] = same & (self.type_ids >= 0)
        return alike

    def begins(self, starts: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Whether an entity begins with each token."""
        may_go_on = np.isin(_shifted(self.letters, OUTSIDE), list(_GOES_ON))
        comes_on = np.isin(self.letters, list(_COMES_ON))
        goes_on = may_go_on & comes_on & self.same_type() & ~_at(starts, len(self.letters))
        begins: NDArray[np.bool_] = (self.letters != OUTSIDE) & ~goes_on
        return begins


def _parted(label: str) -> tuple[str, str]:
    """A label's letter and the entity's type."""
    if label in _UNTYPED:
        return label, ""
    match = _LABEL.fullmatch(label)
    return (match[1], match[2]) if match else (OUTSIDE, "")


def _shifted(values: NDArray[Any], first: Any) -> NDArray[Any]:
    """What the token before each has, and `first` for the first one."""
    return np.concatenate([np.array([first], values.dtype), values])[:-1]


def _at(starts: NDArray[np.integer[Any]], tokens: int) -> NDArray[np.bool_]:
    """Whether a sentence begins at each token."""
    marked = np.zeros(tokens, np.bool_)
    marked[starts[:-1]] = True
    return marked
