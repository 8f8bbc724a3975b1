"""What each id stands for, as three flat arrays that a model file can hold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from charlm.errors import UsageError
from charlm.text.flat import SURROGATES, check_arrays, check_strings, damaged, flatten, unflatten

EOS = 0
"""Id of the token that ends a unit of text, at every level."""
UNK = 1
"""Id of the token that stands for everything unknown, at every level but byte."""

SPECIAL_TOKENS = ("<EOS>", "<UNK>")
BYTE_TOKENS = (b"<EOS>", *(bytes([value]) for value in range(256)))

# What messages about damage call it.
_WHAT = "vocabulary"

MARK = "\uffed"
"""Stands before a token of the word level that no space parts from the one before."""

REPLACEMENT = "\ufffd"
"""What stands for an <UNK> in a text, where nothing else was agreed upon."""


@dataclass(frozen=True, eq=False, repr=False)
class Vocabulary:
    """Tokens by id, and how often each occurred in training.

    Id 0 is <EOS>, id 1 is <UNK>, the rest stand by falling count, ties by code point. At the byte level there
    is no <UNK>: the id of byte b is b + 1.

    Attributes:
        data: uint8 [bytes], all tokens in UTF-8, one after another; the bytes themselves at the byte level.
        offsets: int64 [size + 1], where each token begins in `data`, and the end.
        counts: int64 [size], occurrences in the training text; that of <UNK> sums all that became <UNK>.
        raw: Whether this is the fixed vocabulary of the byte level.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    raw: bool = False

    def __len__(self) -> int:
        return len(self.counts)

    def __repr__(self) -> str:
        return f"<Vocabulary of {len(self)} tokens>"

    def token(self, token_id: int) -> str:
        r"""The token with this id, for showing it; a byte that is not ASCII shows as \xNN.

        Raises:
            IndexError: The id is not in the vocabulary.
        """
        if not 0 <= token_id < len(self):
            raise IndexError(f"id {token_id} is outside the vocabulary of {len(self)} tokens")
        data = self.data[self.offsets[token_id] : self.offsets[token_id + 1]].tobytes()
        return show_byte(data) if self.raw else data.decode("utf-8", SURROGATES)

    def ordinary_tokens(self) -> list[str]:
        """The tokens from id 2 on, that is without <EOS> and <UNK>; not at the byte level."""
        return unflatten(self.data, self.offsets[len(SPECIAL_TOKENS) :])

    def lookup(self) -> dict[str, int]:
        """The id of each ordinary token."""
        return {token: token_id for token_id, token in enumerate(self.ordinary_tokens(), start=len(SPECIAL_TOKENS))}

    def ids_of(self, tokens: Sequence[str]) -> NDArray[np.int64]:
        """Ids, int64 [len(tokens)], of ordinary tokens; <UNK> for those that are not in the vocabulary."""
        known = self.lookup()
        return np.fromiter((known.get(token, UNK) for token in tokens), np.int64, len(tokens))

    @classmethod
    def from_counts(
        cls,
        types: Sequence[str],
        counts: NDArray[np.int64],
        min_count: int = 1,
        max_vocab: int | None = None,
        *,
        eos_count: int = 0,
        unknown_count: int = 0,
    ) -> Self:
        """Build the vocabulary of a training text.

        Args:
            types: The distinct ordinary tokens.
            counts: int64 [len(types)], how often each occurs; types that never do are left out.
            min_count: Types that occur less often become <UNK>.
            max_vocab: The most tokens to have, <EOS> and <UNK> included; None for no limit.
            eos_count: How often <EOS> occurs.
            unknown_count: How often <UNK> occurs already.

        Raises:
            UsageError: `min_count` is under 1 or `max_vocab` under 3.
        """
        if min_count < 1:
            raise UsageError(f"--min-count is {min_count}: it must be at least 1")
        if max_vocab is not None and max_vocab < len(SPECIAL_TOKENS) + 1:
            raise UsageError(f"--max-vocab is {max_vocab}: it counts <EOS> and <UNK>, so it must be at least 3")
        frequent = np.flatnonzero(counts >= min_count).tolist()
        numbers = counts.tolist()
        by_rank = sorted(frequent, key=lambda index: (-numbers[index], types[index]))
        kept = by_rank if max_vocab is None else by_rank[: max_vocab - len(SPECIAL_TOKENS)]
        unknown_count += int(counts.sum() - counts[kept].sum())
        tokens = [token.encode("utf-8", SURROGATES) for token in (*SPECIAL_TOKENS, *(types[index] for index in kept))]
        return cls(*flatten(tokens), np.array([eos_count, unknown_count, *counts[kept].tolist()], np.int64))

    def extended(self, new: Self, max_vocab: int | None = None) -> Self:
        """This vocabulary with what another one has besides, at its end and in its order; the counts are added.

        Args:
            new: Where the tokens to add come from. What is unknown in it counts as unknown.
            max_vocab: The most tokens to have; those that are here already stay all the same. None for no limit.
        """
        if self.raw:
            return replace(self, counts=self.counts + new.counts)
        tokens = self.ordinary_tokens()
        both = dict.fromkeys([*tokens, *new.ordinary_tokens()])
        kept = list(both) if max_vocab is None else list(both)[: max(max_vocab - len(SPECIAL_TOKENS), len(tokens))]
        counts = np.zeros(len(kept) + len(SPECIAL_TOKENS), np.int64)
        counts[: len(self)] = self.counts
        mine = {token: index for index, token in enumerate(kept, len(SPECIAL_TOKENS))}
        where = [EOS, UNK, *(mine.get(token, UNK) for token in new.ordinary_tokens())]
        np.add.at(counts, where, new.counts)
        return type(self)(*flatten([token.encode("utf-8", SURROGATES) for token in (*SPECIAL_TOKENS, *kept)]), counts)

    @classmethod
    def of_bytes(cls, counts: NDArray[np.int64]) -> Self:
        """The fixed vocabulary of the byte level: <EOS> and the 256 bytes; `counts` is int64 [257]."""
        return cls(*flatten(BYTE_TOKENS), counts, raw=True)

    @classmethod
    def from_arrays(
        cls, data: NDArray[np.uint8], offsets: NDArray[np.integer[Any]], counts: NDArray[np.integer[Any]]
    ) -> Self:
        """Restore a vocabulary from the arrays of a model file, which may be damaged.

        Raises:
            ModelError: The arrays are not those of a vocabulary; the message says why.
        """
        check_arrays(data, offsets, counts, least=len(SPECIAL_TOKENS), what=_WHAT)
        vocabulary = cls(data, offsets.astype(np.int64), counts.astype(np.int64), _is_raw(data, offsets))
        if not vocabulary.raw:
            check_strings(data, offsets, noun="token", what=_WHAT)
            specials = (vocabulary.token(EOS), vocabulary.token(UNK))
            if specials != SPECIAL_TOKENS:
                raise damaged(_WHAT, f"its first tokens are {specials}, expected {SPECIAL_TOKENS}")
        return vocabulary


def show_byte(byte: bytes) -> str:
    r"""A byte as text: itself if it is ASCII, else \xNN; <EOS> as it is."""
    return byte.decode("utf-8", "backslashreplace")


def _is_raw(data: NDArray[np.uint8], offsets: NDArray[np.integer[Any]]) -> bool:
    raw_data, raw_offsets = flatten(BYTE_TOKENS)
    return np.array_equal(data, raw_data) and np.array_equal(offsets, raw_offsets)
