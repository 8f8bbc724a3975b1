"""Text to ids and back under one vocabulary, and the registry of levels."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.errors import UsageError
from charlm.text.level import Blocks, Codec, Level
from charlm.text.vocabulary import EOS, SPECIAL_TOKENS, UNK, Vocabulary

_HERE = "charlm.text"
LEVELS: dict[str, str] = {
    "char": f"{_HERE}.characters:CHAR",
    "byte": f"{_HERE}.octets:BYTE",
    "word": f"{_HERE}.words:WORD",
    "token": f"{_HERE}.tokens:TOKEN",
}
"""Every level by its name, as ``module:name``; a new one is a file and an entry here. It is loaded when it is used."""


def find_level(name: str) -> Level:
    """The level of this name.

    Raises:
        UsageError: There is none.
    """
    if name not in LEVELS:
        raise UsageError(f"unknown level {name!r}: --level is one of {', '.join(LEVELS)}")
    module, entry = LEVELS[name].split(":")
    level: Level = getattr(import_module(module), entry)
    return level


def check_options(level: str, unit: str | None, lowercase: bool) -> str:
    """Check that a level can do what is asked of it.

    Returns:
        The unit, the level's default if it is None.

    Raises:
        UsageError: The level does not exist, does not have this unit, or cannot turn text to lower case.
    """
    found = find_level(level)
    if unit is not None and unit not in found.units:
        raise UsageError(f"--unit {unit} does not go with --level {level}: choose from {', '.join(found.units)}")
    if lowercase and not found.lowercases:
        raise UsageError(f"--lowercase does not go with --level {level}, which takes its input as it is")
    return unit or found.units[0]


def read_as(level: str, encoding: str) -> str | None:
    """The encoding that texts of a level are read in; None at the byte level, which decodes nothing."""
    return None if level == "byte" else encoding


@dataclass(frozen=True)
class Tokenizer:
    """Turns text into ids and back.

    Attributes:
        level: What a token is: a key of `LEVELS`.
        unit: What ends in <EOS>: "line", "paragraph" or "file".
        vocabulary: What each id stands for.
        lowercase: Whether text is turned to lower case before it is encoded.

    Raises:
        UsageError: Level, unit and lowercase do not go together.
        ModelError: The vocabulary is not one of this level.
    """

    level: str
    unit: str
    vocabulary: Vocabulary
    lowercase: bool = False
    _codec: Codec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_options(self.level, self.unit, self.lowercase)
        codec = find_level(self.level).codec(self.unit, self.lowercase, self.vocabulary)
        object.__setattr__(self, "_codec", codec)  # the one way to set a field of a frozen class

    def __len__(self) -> int:
        return len(self.vocabulary)

    @property
    def eos_id(self) -> int:
        """The id that ends a unit."""
        return EOS

    @property
    def has_unknown(self) -> bool:
        """Whether there is an <UNK>; at the byte level nothing can be unknown."""
        return not self.vocabulary.raw

    @property
    def unknown_id(self) -> int | None:
        """The id of <UNK>, None if there is none."""
        return UNK if self.has_unknown else None

    @property
    def line_end_id(self) -> int | None:
        """The id after which a new line of text begins; None if the vocabulary has none."""
        return self._codec.line_end_id

    def encode(self, text: str | bytes) -> NDArray[np.int64]:
        r"""Ids, int64 [tokens], of a text that is normalised already; no <EOS> is added.

        At the byte level a str is taken as its UTF-8. What is not in the vocabulary becomes <UNK>.

        Raises:
            TypeError: The text is bytes and the level is not byte.
        """
        return self._codec.encode(text, ended=False)

    def encode_sentence(self, text: str | bytes) -> NDArray[np.int64]:
        r"""Ids, int64 [tokens], of a text to be scored: as `encode`, and closed by one <EOS>.

        An end of the unit that the text has already is not doubled: in lines "abc\n" and "abc" are the same.
        """
        return self._codec.encode(text, ended=True)

    def encode_blocks(self, blocks: Blocks) -> Iterator[NDArray[np.integer[Any]]]:
        """Ids of a text to be scored that comes in blocks, as `encode_sentence` gives them of the whole.

        Args:
            blocks: Of normalised text, none of them empty; cut anywhere.

        Raises:
            TypeError: While iterating: they are bytes, and the level is not byte.
        """
        return self._codec.encode_blocks(blocks)

    def encode_prompt(self, text: str | bytes) -> NDArray[np.int64]:
        """Ids, int64 [tokens], of a text to go on from: as `encode`, of what `trim_prompt` leaves."""
        return self.encode(text if isinstance(text, bytes) else self.trim_prompt(text))

    def trim_prompt(self, text: str) -> str:
        """A text to go on from without the space at its end that its next token would bring along.

        So the text with what is decoded after it is exact. At the word level this is a single space behind a
        word, at the token level any white space; at other levels it is nothing.
        """
        return self._codec.trim_prompt(text)

    def decode(self, ids: NDArray[np.integer[Any]], after: int | None = None) -> str:
        """The text that ids stand for, exactly; <UNK> comes as U+FFFD, at the token level as "<unk>".

        Pieces of a text can be decoded one by one: ``decode(a + b) == decode(a) + decode(b, after=a[-1])``. At the
        byte level this holds only of `decode_bytes`, since a piece may begin inside a character.

        Args:
            ids: Any integers [tokens].
            after: The id that stands before them; None if they begin a unit.

        Raises:
            IndexError: An id is outside the vocabulary.
        """
        return self._codec.decode(ids, after)

    def decode_bytes(self, ids: NDArray[np.integer[Any]], after: int | None = None) -> bytes:
        """What to write to a file or pipe: the text in UTF-8; at the byte level the bytes, <EOS> being none.

        Raises:
            IndexError: An id is outside the vocabulary.
        """
        return self._codec.decode_bytes(ids, after)

    def cut(self, text: str | bytes) -> list[str]:
        """The tokens of a text as the vocabulary spells them, whether it holds them or not; as `encode` has them.

        <EOS> comes as "<EOS>", and what spells <UNK> at the token level as "<UNK>".

        Raises:
            TypeError: The text is bytes and the level is not byte.
        """
        return find_level(self.level).cut(self.unit, self.lowercase, text)

    def cut_blocks(self, blocks: Blocks) -> Iterator[list[str]]:
        """The tokens whose ids `encode_blocks` gives, as `cut` has them."""
        return find_level(self.level).cut_blocks(self.unit, self.lowercase, blocks)

    def unknown_in(self, text: str | bytes) -> list[str]:
        """The distinct tokens of a text that the vocabulary lacks, in order of first appearance."""
        if not self.has_unknown:
            return []
        tokens = zip(self.cut(text), self.encode(text).tolist(), strict=True)
        strange = dict.fromkeys(token for token, token_id in tokens if token_id == UNK)
        return [token for token in strange if token != SPECIAL_TOKENS[UNK]]
