"""What a level of tokens (characters, bytes, ...) has to provide; each level stands in its own file.

Reading a corpus takes two steps, since only the training part may build the vocabulary, and which part that
is shows at the end. An `Indexer` first gives each distinct token (a *type*) a provisional id in order of
first appearance; with the vocabulary built, a table of one entry a type turns provisional ids into final
ones. A `Codec` encodes and decodes short texts under a finished vocabulary.

White space is, at every level, what `str.isspace` says; so it is to `str.split` and to `re`, but not to `regex`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from charlm.text.flat import SURROGATES
from charlm.text.labelled import Through
from charlm.text.reading import Source
from charlm.text.segment import lowered
from charlm.text.store import GrowingStore
from charlm.text.vocabulary import EOS, SPECIAL_TOKENS, UNK, Vocabulary

Blocks = Iterable[str | bytes]
"""A text in blocks, none of them empty."""


@dataclass(frozen=True)
class TypeFacts:
    """What counting and splitting need to know of each type.

    Attributes:
        characters: int64 [types], code points.
        bytes: int64 [types], UTF-8 bytes.
        spaces: bool [types], whether it is white space; <EOS> counts as such.
        parted: bool [types], whether a space that is no token parts it from what stands before it, unless that
            is white space or nothing.
        line_ends: Provisional ids after which a new line begins.
        raw: Whether the types are bytes, which need not be text.
    """

    characters: NDArray[np.int64]
    bytes: NDArray[np.int64]
    spaces: NDArray[np.bool_]
    parted: NDArray[np.bool_]
    line_ends: tuple[int, ...]
    raw: bool = False

    @classmethod
    def of_texts(
        cls, texts: Sequence[str], line_ends: tuple[int, ...], parted: NDArray[np.bool_] | None = None
    ) -> Self:
        """Facts of types that stand for these texts, those of <EOS> and <UNK> being the first two."""
        return cls(
            characters=np.fromiter(map(len, texts), np.int64, len(texts)),
            bytes=np.fromiter((len(text.encode("utf-8", SURROGATES)) for text in texts), np.int64, len(texts)),
            spaces=np.array([True, *map(str.isspace, texts[1:])]),
            parted=np.zeros(len(texts), np.bool_) if parted is None else parted,
            line_ends=line_ends,
        )

    @property
    def sizes(self) -> NDArray[np.int64]:
        """What shares of a text are measured by, int64 [types]: code points, or bytes where they are no text.

        A type that may be parted from what stands before it counts as if it were.
        """
        return self.bytes if self.raw else self.characters + self.parted

    def gaps(self, ids: NDArray[np.integer[Any]], *, after_space: bool = True) -> NDArray[np.bool_]:
        """Where a space that is no token stands before a token, bool [ids].

        Args:
            ids: Provisional ids.
            after_space: Whether the first comes after white space or nothing.
        """
        return mark_gaps(ids, self.parted, self.spaces, after_space=after_space)


def mark_gaps(
    ids: NDArray[np.integer[Any]],
    parted: NDArray[np.bool_],
    spaces: NDArray[np.bool_],
    *,
    after_space: bool,
) -> NDArray[np.bool_]:
    """Where a space that is no token stands before a token, bool [ids]; `TypeFacts` says what the others are."""
    if not parted.any():
        return np.zeros(len(ids), np.bool_)
    gaps: NDArray[np.bool_] = parted[ids]
    gaps[:1] &= not after_space
    gaps[1:] &= ~spaces[ids[:-1]]
    return gaps


class Indexer(ABC):
    """Turns files into provisional ids: 0 is <EOS>, and but for bytes 1 is <UNK>.

    Attributes:
        overflowed: Whether there were more types than are told apart; the rest were read as <UNK>.
    """

    overflowed = False

    @abstractmethod
    def index(self, source: Source, encoding: str, store: GrowingStore, through: Through = iter) -> str:
        """Append a text's provisional ids, closed by an <EOS>, to `store`; nothing for an empty one.

        Args:
            source: What to read.
            encoding: Of the text.
            store: Takes the ids.
            through: What the blocks of the text pass through first, such as `LabelReader.strip`.

        Returns:
            The SHA-256 of the text's bytes, in hex.

        Raises:
            InputError: The text cannot be read or decoded.
        """

    @abstractmethod
    def facts(self) -> TypeFacts:
        """What is known of the types met so far."""

    @abstractmethod
    def vocabulary(self, counts: NDArray[np.int64], min_count: int, max_vocab: int | None) -> Vocabulary:
        """Build the vocabulary from the training text's counts, int64 [types]."""

    @abstractmethod
    def final_ids(self, vocabulary: Vocabulary) -> NDArray[np.int64]:
        """The table, int64 [types], from provisional to final ids."""


class TypeIndexer(Indexer):
    """An indexer whose types show only as it reads.

    Attributes:
        types: The types met so far but for <EOS> and <UNK>, in order of first appearance.
    """

    def __init__(self) -> None:
        self.types: list[str] = []

    def vocabulary(self, counts: NDArray[np.int64], min_count: int, max_vocab: int | None) -> Vocabulary:
        """Build the vocabulary from the training text's counts."""
        return Vocabulary.from_counts(
            self.types,
            counts[len(SPECIAL_TOKENS) :],
            min_count,
            max_vocab,
            eos_count=int(counts[EOS]),
            unknown_count=int(counts[UNK]),
        )

    def final_ids(self, vocabulary: Vocabulary) -> NDArray[np.int64]:
        """The table from provisional to final ids."""
        return np.concatenate([[EOS, UNK], vocabulary.ids_of(self.types)])


class Codec(ABC):
    """Encodes and decodes texts under one vocabulary; the methods are those of `Tokenizer`."""

    line_end_id: int | None

    @abstractmethod
    def encode(self, text: str | bytes, *, ended: bool) -> NDArray[np.int64]:
        """Ids of a text; with `ended`, closed by an <EOS> if it does not end in one."""

    @abstractmethod
    def encode_blocks(self, blocks: Blocks) -> Iterator[NDArray[np.integer[Any]]]:
        """Ids of a text that comes in blocks, closed by an <EOS> if it does not end in one."""

    @abstractmethod
    def decode(self, ids: NDArray[np.integer[Any]], after: int | None = None) -> str:
        """The text that the ids stand for."""

    def decode_bytes(self, ids: NDArray[np.integer[Any]], after: int | None = None) -> bytes:
        """The bytes that the ids stand for."""
        return to_utf8(self.decode(ids, after))

    def trim_prompt(self, text: str) -> str:
        """A prompt without the white space at its end that a next token would bring along."""
        return text


@dataclass(frozen=True)
class Level:
    """An entry of the registry of levels.

    Attributes:
        noun: What messages call a token.
        units: What may end in <EOS>; the first is the default.
        lowercases: Whether the level can turn text to lower case.
        indexer: Makes an indexer of (unit, lowercase).
        codec: Makes a codec of (unit, lowercase, vocabulary); raises ModelError if the vocabulary is not
            one of this level.
        cut: Cuts (unit, lowercase, text) into tokens, whatever the vocabulary; <EOS> comes as "<EOS>".
        cut_blocks: Likewise (unit, lowercase, blocks), block by block, as `Codec.encode_blocks` has the ids.
    """

    noun: str
    units: tuple[str, ...]
    lowercases: bool
    indexer: Callable[[str, bool], Indexer]
    codec: Callable[[str, bool, Vocabulary], Codec]
    cut: Callable[[str, bool, str | bytes], list[str]]
    cut_blocks: Callable[[str, bool, Blocks], Iterator[list[str]]]


def to_utf8(text: str) -> bytes:
    """UTF-8 of any str: undecodable bytes of a command line come back as they were, other surrogates pass."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return b"".join(map(_character_to_utf8, text))


def _character_to_utf8(character: str) -> bytes:
    escaped = "\udc80" <= character <= "\udcff"
    return character.encode("utf-8", "surrogateescape" if escaped else SURROGATES)


def checked_text(text: str | bytes, lowercase: bool) -> str:
    """A text for a level that takes no bytes, in lower case where asked.

    Raises:
        TypeError: It is bytes.
    """
    if isinstance(text, bytes):
        raise TypeError("only the byte level encodes bytes: decode the text first")
    return text.lower() if lowercase else text


def checked_blocks(blocks: Blocks, lowercase: bool) -> Iterator[str]:
    """Blocks as `checked_text` has a text.

    Raises:
        TypeError: They are bytes.
    """
    checked = (checked_text(block, lowercase=False) for block in blocks)
    return lowered(checked) if lowercase else checked


def check_range(ids: NDArray[np.integer[Any]], size: int) -> NDArray[np.int64]:
    """The ids as int64.

    Raises:
        IndexError: One of them is outside a vocabulary of `size` tokens.
    """
    if ids.size and not (ids.min() >= 0 and ids.max() < size):
        raise IndexError(f"ids from {ids.min()} to {ids.max()} go beyond the vocabulary of {size} tokens")
    return ids.astype(np.int64, copy=False)
