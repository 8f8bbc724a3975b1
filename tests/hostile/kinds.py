"""Every kind of mutation in one table, and the cases that are drawn from it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hostile import contents, file_bytes, header
from hostile.file_bytes import Mutation


class Kind(NamedTuple):
    """A kind of mutation.

    Attributes:
        mutation: what it does.
        forged: whether the digest is made to fit, so that what is read may be another model.
    """

    mutation: Mutation
    forged: bool = False


_OF_BYTES: Sequence[Mutation] = (
    file_bytes.flipped_bit,
    file_bytes.overwritten,
    file_bytes.truncated,
    file_bytes.extended,
    file_bytes.removed,
    file_bytes.repeated,
    file_bytes.exchanged,
    file_bytes.tiny,
    file_bytes.foreign,
    file_bytes.noise,
    header.header_length,
    header.doubled_key,
    header.strange_json,
    header.enlarged,
)
_OF_HEADERS: Mapping[str, Mutation] = {
    "wrong_type": header.wrong_type,
    "wrong_shape": header.wrong_shape,
    "other_shape": header.other_shape,
    "wrong_place": header.wrong_place,
    "renamed": header.renamed,
    "exchanged_names": header.exchanged_names,
    "missing": header.missing,
    "added": header.added,
    "wrong_metadata": header.wrong_metadata,
}
_OF_CONTENTS: Sequence[contents.Change] = (
    contents.extreme_value,
    contents.nested_value,
    contents.exchanged_values,
    contents.missing_key,
    contents.added_key,
    contents.strange_weight,
    contents.strange_integer,
    contents.reversed_order,
    contents.strange_token,
    contents.doubled_token,
    contents.cast,
    contents.resized,
    contents.removed_tensor,
    contents.added_tensor,
)
KINDS: Mapping[str, Kind] = {
    **{mutation.__name__: Kind(mutation) for mutation in _OF_BYTES},
    **{name: Kind(mutation) for name, mutation in _OF_HEADERS.items()},
    **{f"{change.__name__}, damaged": Kind(contents.damaging(change)) for change in _OF_CONTENTS},
    **{f"{change.__name__}, forged": Kind(contents.forging(change), forged=True) for change in _OF_CONTENTS},
    # Most that can be wrong is in the values of the metadata: they have more cases.
    **{f"extreme_value, forged {n}": Kind(contents.forging(contents.extreme_value), forged=True) for n in range(2, 12)},
}


class Case(NamedTuple):
    """One mutated file.

    Attributes:
        kind: a key of ``KINDS``.
        forged: as its kind is.
        data: the file.
    """

    kind: str
    forged: bool
    data: bytes


def case(turn: int, source: np.random.Generator, data: bytes) -> Case:
    """A mutated file: the kinds take turns, and the generator decides the rest."""
    name = list(KINDS)[turn % len(KINDS)]
    return Case(name, KINDS[name].forged, KINDS[name].mutation(source, data))
