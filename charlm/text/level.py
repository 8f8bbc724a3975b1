"""What a level of tokens (characters, bytes, ...) has to provide; each level stands in its own file.

Reading a corpus takes two steps, since only the training part may build the vocabulary, and which part that
is shows at the end. An `Indexer` first gives each distinct token (a *type*) a provisional id in order of
first appearance; with the vocabulary built, a table of one entry a type turns provisional ids into final
ones. A `Codec` encodes and decodes short texts under a finished vocabulary.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.text.reading import Source
from charlm.text.store import GrowingStore
from charlm.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class TypeFacts:
    """What counting and splitting need to know of each type.

    Attributes:
        characters: int64 [types], code points.
        bytes: int64 [types], UTF-8 bytes.
        spaces: bool [types], whether it is white space; <EOS> counts as such.
        line_ends: Provisional ids after which a new line begins.
        raw: Whether the types are bytes, which need not be text.
    """

    characters: NDArray[np.int64]
    bytes: NDArray[np.int64]
    spaces: NDArray[np.bool_]
    line_ends: tuple[int, ...]
    raw: bool = False

    @property
    def sizes(self) -> NDArray[np.int64]:
        """What shares of a text are measured by, int64 [types]: code points, or bytes where they are no text."""
        return self.bytes if self.raw else self.characters


class Indexer(ABC):
    """Turns files into provisional ids; 0 is <EOS>, 1 (but for bytes) never occurs."""

    @abstractmethod
    def index(self, source: Source, encoding: str, store: GrowingStore) -> str:
        """Append a text's provisional ids, closed by an <EOS>, to `store`; nothing for an empty one.

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


class Codec(ABC):
    """Encodes and decodes texts under one vocabulary; the methods are those of `Tokenizer`."""

    line_end_id: int | None

    @abstractmethod
    def encode(self, text: str | bytes, *, ended: bool) -> NDArray[np.int64]:
        """Ids of a text; with `ended`, closed by an <EOS> if it does not end in one."""

    @abstractmethod
    def decode(self, ids: NDArray[np.integer[Any]]) -> str:
        """The text that the ids stand for."""

    @abstractmethod
    def decode_bytes(self, ids: NDArray[np.integer[Any]]) -> bytes:
        """The bytes that the ids stand for."""


@dataclass(frozen=True)
class Level:
    """An entry of the registry of levels.

    Attributes:
        units: What may end in <EOS>; the first is the default.
        lowercases: Whether the level can turn text to lower case.
        indexer: Makes an indexer of (unit, lowercase).
        codec: Makes a codec of (unit, lowercase, vocabulary); raises ModelError if the vocabulary is not
            one of this level.
    """

    units: tuple[str, ...]
    lowercases: bool
    indexer: Callable[[str, bool], Indexer]
    codec: Callable[[str, bool, Vocabulary], Codec]


def to_utf8(text: str) -> bytes:
    """UTF-8 of any str: undecodable bytes of a command line come back as they were, other surrogates pass."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def check_range(ids: NDArray[np.integer[Any]], size: int) -> NDArray[np.int64]:
    """The ids as int64.

    Raises:
        IndexError: One of them is outside a vocabulary of `size` tokens.
    """
    if ids.size and not (ids.min() >= 0 and ids.max() < size):
        raise IndexError(f"ids from {ids.min()} to {ids.max()} go beyond the vocabulary of {size} tokens")
    return ids.astype(np.int64, copy=False)
