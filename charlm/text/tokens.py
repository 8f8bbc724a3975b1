"""The token level, for texts that are tokenised already; and what it shares with the word level.

A token is what stands between white space. Only the ends of units (see `characters.py`) are kept besides, so
decoding gives back the text with its white space normalised: one space between tokens. A line of nothing but
white space is an empty line. "<unk>" and "<UNK>" are <UNK>, which decodes as "<unk>".

Both levels cut a text in two stages: at white space into *pieces*, then each piece, whatever stands around it,
into tokens. What a piece's tokens are is kept, so that most of a text costs one look-up a piece.
"""

import re
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from charlm.errors import ModelError
from charlm.text.labelled import Through
from charlm.text.level import (
    Blocks,
    Codec,
    Level,
    TypeFacts,
    TypeIndexer,
    check_range,
    checked_blocks,
    checked_text,
    mark_gaps,
)
from charlm.text.reading import Source, TextReader
from charlm.text.segment import (
    UNIT_ENDS,
    Portion,
    Portioner,
    completed,
    has_rare_spaces,
    lowered,
    portions_of,
    set_breaks_apart,
    slices,
)
from charlm.text.store import GrowingStore
from charlm.text.vocabulary import EOS, SPECIAL_TOKENS, UNK, Vocabulary

# A block's pieces are as many objects; those of a small block stay in the processor's cache.
BLOCK_BYTES = 1 << 16

# Bounds of memory: how many types are told apart, how many characters they have in all, how many pieces are
# kept, and the longest one of these.
MOST_TYPES = 1 << 21
MOST_CHARACTERS = 1 << 25
MOST_PIECES = 1 << 18
LONGEST_PIECE = 100


class Cutter(ABC):
    """How a level cuts portions of a text into tokens, and what these stand for.

    Attributes:
        unit: What ends in <EOS>.
        fixed: The ids of tokens that no vocabulary decides on.
        unknown: What <UNK> stands for.
    """

    unknown: ClassVar[str]

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.fixed: Mapping[str, int] = {UNIT_ENDS[unit]: EOS} if UNIT_ENDS[unit] else {}

    @abstractmethod
    def pieces(self, portion: Portion) -> list[str]:
        """The pieces of a portion that is not joined; empty ones mean nothing."""

    @abstractmethod
    def cut(self, piece: str) -> list[str]:
        """The tokens of a piece; of a whole run of white space or of anything else."""

    @abstractmethod
    def cut_joined(self, run: str) -> list[str]:
        """The tokens of a run that goes on with one that was cut for its length."""

    @abstractmethod
    def text_of(self, token: str) -> str:
        """What a token stands for, without the space that may part it from the one before."""

    @abstractmethod
    def is_parted(self, token: str) -> bool:
        """Whether a space that is no token parts a token from the one before, unless that is white space."""

    @abstractmethod
    def may_be(self, token: str) -> bool:
        """Whether a text could have this token."""

    @abstractmethod
    def trim_prompt(self, text: str) -> str:
        """The method of `Tokenizer`."""

    def tokens(self, portion: Portion) -> list[str]:
        """The tokens of a portion, as a level shows them."""
        if portion.joined:
            found = self.cut_joined(portion.text)
        else:
            found = [token for piece in self.pieces(portion) for token in self.cut(piece)]
        return [SPECIAL_TOKENS[self.fixed[token]] if token in self.fixed else token for token in found]


class TokenCutter(Cutter):
    """A token is a run of other than white space."""

    unknown = "<unk>"

    def __init__(self, unit: str) -> None:
        super().__init__(unit)
        self.fixed = {**self.fixed, self.unknown: UNK, self.unknown.upper(): UNK}
        self._pieces = re.compile(r"\S+|\n\n?" if unit == "paragraph" else r"\S+|\n")

    def pieces(self, portion: Portion) -> list[str]:
        """What stands between white space, and line breaks, whether they end a unit or not."""
        if has_rare_spaces(portion.text):
            found: list[str] = self._pieces.findall(portion.text)
            return found
        return set_breaks_apart(portion.text, self.unit).split(" ")

    def cut(self, piece: str) -> list[str]:
        """The piece itself, unless it is too long; no token where it is white space that ends no unit."""
        if piece.isspace():
            return [piece] if piece in self.fixed else []
        return slices(piece)

    def cut_joined(self, run: str) -> list[str]:
        """The run as a token; it does not show that it went on."""
        return [run]

    def text_of(self, token: str) -> str:
        """The token."""
        return token

    def is_parted(self, token: str) -> bool:  # noqa: ARG002
        """Every token is."""
        return True

    def may_be(self, token: str) -> bool:
        """Whether there is no white space in the token, and no id of its own for it."""
        return token.split() == [token] and token not in self.fixed

    def trim_prompt(self, text: str) -> str:
        """The text without the white space at its end, but for ends of units."""
        stop = 0
        for match in self._pieces.finditer(text):
            if self.cut(match[0]):
                stop = match.end()
        return text[:stop]


class PieceIds(dict[str, bytes]):
    """The ids of pieces, C ints as bytes, found when they are first asked for.

    Args:
        cut: Cuts a piece into tokens.
        id_of: The id of a token.
    """

    def __init__(self, cut: Callable[[str], list[str]], id_of: Callable[[str], int]) -> None:
        super().__init__()
        self._cut = cut
        self._id_of = id_of

    def __missing__(self, piece: str) -> bytes:
        packed = self.pack(self._cut(piece))
        if len(piece) <= LONGEST_PIECE:
            if len(self) >= MOST_PIECES:
                self.clear()
            self[piece] = packed
        return packed

    def pack(self, tokens: list[str]) -> bytes:
        """The ids of tokens."""
        return array("i", map(self._id_of, tokens)).tobytes()

    def ids_of(self, portion: Portion, cutter: Cutter) -> NDArray[np.intc]:
        """The ids of a portion's tokens, C ints [tokens]."""
        if portion.joined:
            return np.frombuffer(self.pack(cutter.cut_joined(portion.text)), np.intc)
        return np.frombuffer(b"".join(map(self.__getitem__, cutter.pieces(portion))), np.intc)


class PieceIndexer(TypeIndexer):
    """Gives each token a provisional id, from 2 on, in order of first appearance.

    Once there are `MOST_TYPES`, or `MOST_CHARACTERS` in them, a new one is <UNK>.
    """

    def __init__(self, cutter: Cutter, lowercase: bool) -> None:
        super().__init__()
        self._cutter = cutter
        self._lowercase = lowercase
        self._ids = dict(cutter.fixed)
        self._pieces = PieceIds(cutter.cut, self._id_of)
        self._characters = 0

    def index(self, source: Source, encoding: str, store: GrowingStore, through: Through = iter) -> str:
        """Append a text's provisional ids; the end of its last unit is supplied where it is missing."""
        portioner = Portioner(self._cutter.unit)
        empty = True
        with closing(TextReader(source, encoding, BLOCK_BYTES)) as reader:
            blocks = through(reader)
            for block in lowered(blocks) if self._lowercase else blocks:
                for portion in portioner.feed(block):
                    store.append(self._pieces.ids_of(portion, self._cutter))
                empty = False
            if not empty:
                for portion in portioner.finish():
                    store.append(self._pieces.ids_of(portion, self._cutter))
                if not UNIT_ENDS[self._cutter.unit]:
                    store.append(np.array([EOS]))
            return reader.digest

    def _id_of(self, token: str) -> int:
        found = self._ids.get(token)
        if found is not None:
            return found
        self._characters += len(token)
        if len(self.types) >= MOST_TYPES or self._characters > MOST_CHARACTERS:
            self.overflowed = True
            return UNK
        found = self._ids[token] = len(self.types) + len(SPECIAL_TOKENS)
        self.types.append(token)
        return found

    def facts(self) -> TypeFacts:
        """Facts of the types met so far."""
        cutter = self._cutter
        return TypeFacts.of_texts(
            [UNIT_ENDS[cutter.unit], cutter.unknown, *map(cutter.text_of, self.types)],
            line_ends=tuple({EOS, self._ids.get("\n", EOS)}),
            parted=np.array([False, True, *map(cutter.is_parted, self.types)]),
        )


class PieceCodec(Codec):
    """Tokens to ids and back under a vocabulary.

    Raises:
        ModelError: The vocabulary holds what no text could have as a token.
    """

    def __init__(self, cutter: Cutter, lowercase: bool, vocabulary: Vocabulary) -> None:
        tokens = [] if vocabulary.raw else vocabulary.ordinary_tokens()
        if vocabulary.raw or not all(map(cutter.may_be, tokens)):
            raise ModelError("the model's vocabulary holds what is no token at its level: the file is damaged")
        self._known = {**{token: index for index, token in enumerate(tokens, len(SPECIAL_TOKENS))}, **cutter.fixed}
        self._cutter = cutter
        self._lowercase = lowercase
        self._pieces = PieceIds(cutter.cut, self._id_of)
        self._texts = [UNIT_ENDS[cutter.unit], cutter.unknown, *map(cutter.text_of, tokens)]
        self._spaces = np.array([True, *map(str.isspace, self._texts[1:])])
        self._parted = np.array([False, True, *map(cutter.is_parted, tokens)])
        # Where an end of paragraph is the only line end that the vocabulary has, a line begins behind it.
        self.line_end_id = self._known.get("\n", EOS if UNIT_ENDS[cutter.unit] else None)

    def _id_of(self, token: str) -> int:
        return self._known.get(token, UNK)

    def encode(self, text: str | bytes, *, ended: bool) -> NDArray[np.int64]:
        """Ids of a text; what is not in the vocabulary is <UNK>."""
        whole = checked_text(text, self._lowercase)
        if ended:
            whole = completed(whole, self._cutter.unit)
        ids = self._pieces.ids_of(Portion(whole), self._cutter).astype(np.int64)
        return np.append(ids, EOS) if ended and not UNIT_ENDS[self._cutter.unit] else ids

    def encode_blocks(self, blocks: Blocks) -> Iterator[NDArray[np.integer[Any]]]:
        """Ids of a text that comes in blocks."""
        unit = self._cutter.unit
        for portion in portions_of(checked_blocks(blocks, self._lowercase), unit):
            yield self._pieces.ids_of(portion, self._cutter)
        if not UNIT_ENDS[unit]:
            yield np.array([EOS])

    def decode(self, ids: NDArray[np.integer[Any]], after: int | None = None) -> str:
        """The text, with a space before each token that it parts from the one before."""
        checked = check_range(ids, len(self._texts))
        after_space = after is None or bool(self._spaces[after])
        gaps = mark_gaps(checked, self._parted, self._spaces, after_space=after_space)
        pairs = zip(checked.tolist(), gaps.tolist(), strict=True)
        return "".join([" " + self._texts[index] if gap else self._texts[index] for index, gap in pairs])

    def trim_prompt(self, text: str) -> str:
        """A prompt without the space at its end that the next token brings along."""
        return self._cutter.trim_prompt(text)


def piecewise_level(noun: str, cutter: Callable[[str], Cutter]) -> Level:
    """The level that cuts units as this makes cutters for them."""

    def cut(unit: str, lowercase: bool, text: str | bytes) -> list[str]:
        return cutter(unit).tokens(Portion(checked_text(text, lowercase)))

    def cut_blocks(unit: str, lowercase: bool, blocks: Blocks) -> Iterator[list[str]]:
        cuts = cutter(unit)
        for portion in portions_of(checked_blocks(blocks, lowercase), unit):
            yield cuts.tokens(portion)
        if not UNIT_ENDS[unit]:
            yield [SPECIAL_TOKENS[EOS]]

    return Level(
        noun=noun,
        units=tuple(UNIT_ENDS),
        lowercases=True,
        indexer=lambda unit, lowercase: PieceIndexer(cutter(unit), lowercase),
        codec=lambda unit, lowercase, vocabulary: PieceCodec(cutter(unit), lowercase, vocabulary),
        cut=cut,
        cut_blocks=cut_blocks,
    )


TOKEN = piecewise_level("token", TokenCutter)
