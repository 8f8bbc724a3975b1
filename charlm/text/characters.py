r"""The char level: a token is a Unicode code point.

What ends in <EOS> is the *unit*:

    line        "\n" is <EOS>.
    paragraph   "\n\n" is <EOS>, runs of line breaks being paired from their left: three are <EOS> and
                "\n", four are two <EOS>. Any other "\n" is an ordinary character.
    file        <EOS> ends a file and stands for no text; "\n" is an ordinary character.

Decoding turns <EOS> back, so every text comes back exactly. A text that does not end in a unit's end is
completed: "a" becomes "a\n" (line) or "a\n\n" (paragraph, also from "a\n").
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.errors import ModelError
from charlm.text.flat import SURROGATES
from charlm.text.labelled import Through
from charlm.text.level import Blocks, Codec, Level, TypeFacts, TypeIndexer, check_range, checked_blocks, checked_text
from charlm.text.reading import Source, TextReader
from charlm.text.segment import END, NEWLINE, SYMBOLS, UNIT_ENDS, Segmenter, Symbols, code_points, lowered
from charlm.text.store import BYTES, GrowingStore, look_up
from charlm.text.vocabulary import EOS, REPLACEMENT, SPECIAL_TOKENS, UNK, Vocabulary

UNSEEN = -1
UNSEEN_BYTE = 255
"""The same as a byte."""
MOST_IN_BYTES = UNSEEN_BYTE - len(SPECIAL_TOKENS)
"""With fewer types than that, every id is a lower byte."""
LOOKUP_BLOCK = 1 << 16


class CharIndexer(TypeIndexer):
    """Gives each code point a provisional id, from 2 on, in order of first appearance."""

    def __init__(self, unit: str, lowercase: bool = False) -> None:
        super().__init__()
        self._unit = unit
        self._lowercase = lowercase
        self._table = np.full(SYMBOLS, UNSEEN, np.int32)
        self._table[END] = EOS
        if unit == "line":
            self._table[NEWLINE] = EOS

    def index(self, source: Source, encoding: str, store: GrowingStore, through: Through = iter) -> str:
        """Append a text's provisional ids; the end of its last unit is supplied where it is missing."""
        segmenter = Segmenter(self._unit)
        empty = True
        with closing(TextReader(source, encoding)) as reader:
            blocks = through(reader)
            for block in lowered(blocks) if self._lowercase else blocks:
                store.append(self._ids_of(segmenter.feed(block)))
                empty = empty and not block
            if not empty:
                store.append(self._ids_of(segmenter.finish()))
            return reader.digest

    def _ids_of(self, symbols: Symbols) -> NDArray[np.integer[Any]]:
        if symbols.dtype == np.uint8 and len(self.types) < MOST_IN_BYTES:
            # So nearly all blocks of nearly all texts: as bytes they are looked up several times as fast.
            narrow = look_up(self._table[:BYTES].astype(np.uint8), symbols)
            if not np.any(narrow == UNSEEN_BYTE):
                return narrow
        ids = np.take(self._table, symbols)
        if ids.size and ids.min() == UNSEEN:
            fresh, first = np.unique(symbols[ids == UNSEEN], return_index=True)
            fresh = fresh[np.argsort(first)]
            self._table[fresh] = np.arange(len(fresh)) + len(self.types) + len(SPECIAL_TOKENS)
            self.types.extend(map(chr, fresh.tolist()))
            ids = np.take(self._table, symbols)
        return ids

    def facts(self) -> TypeFacts:
        """Facts of the types met so far."""
        # No file holds an <UNK>; it counts as the one character that it stands for.
        newline = int(self._table[NEWLINE])
        return TypeFacts.of_texts(
            [UNIT_ENDS[self._unit], REPLACEMENT, *self.types], line_ends=tuple({EOS, newline} - {UNSEEN})
        )


class CharCodec(Codec):
    """Code points to ids and back by look-up tables."""

    def __init__(self, unit: str, lowercase: bool, vocabulary: Vocabulary) -> None:
        tokens = [] if vocabulary.raw else vocabulary.ordinary_tokens()
        if vocabulary.raw or any(len(token) != 1 for token in tokens):
            raise ModelError("the model's level is char, but its vocabulary holds other tokens: the file is damaged")
        points = code_points("".join(tokens)).astype(np.uint32)
        self._unit = unit
        self._lowercase = lowercase
        self._points = np.concatenate([np.array([NEWLINE, ord(REPLACEMENT)], np.uint32), points])
        self._table = np.full(SYMBOLS, UNK, np.int32)
        self._table[points] = np.arange(len(points)) + len(SPECIAL_TOKENS)
        self._table[END] = EOS
        if unit == "line":
            self._table[NEWLINE] = EOS
        newline = int(self._table[NEWLINE])
        self.line_end_id = None if newline == UNK else newline

    def encode(self, text: str | bytes, *, ended: bool) -> NDArray[np.int64]:
        """Ids of a text; what is not in the vocabulary is <UNK>."""
        segmenter = Segmenter(self._unit)
        symbols = segmenter.feed(checked_text(text, self._lowercase))
        rest = segmenter.finish() if ended else segmenter.flush()
        ids = np.empty(len(symbols) + len(rest), np.int64)
        # Looked up block by block, what NumPy needs in between stays in the processor's cache.
        for start in range(0, len(symbols), LOOKUP_BLOCK):
            block = symbols[start : start + LOOKUP_BLOCK]
            ids[start : start + len(block)] = np.take(self._table, block)
        ids[len(symbols) :] = self._table[rest]
        return ids

    def encode_blocks(self, blocks: Blocks) -> Iterator[NDArray[np.integer[Any]]]:
        """Ids of a text that comes in blocks."""
        return (self._table[symbols] for symbols in _symbols(self._unit, self._lowercase, blocks))

    def decode(self, ids: NDArray[np.integer[Any]], after: int | None = None) -> str:  # noqa: ARG002
        """The text, whatever it comes after; <EOS> is the unit's end, <UNK> is U+FFFD."""
        checked = check_range(ids, len(self._points))
        points = self._points[checked]
        width = len(UNIT_ENDS[self._unit])
        if width != 1:
            points = np.repeat(points, np.where(checked == EOS, width, 1))
        return points.astype("<u4").tobytes().decode("utf-32-le", SURROGATES)


def _symbols(unit: str, lowercase: bool, blocks: Blocks) -> Iterator[Symbols]:
    """The symbols of a text that comes in blocks, the end of its last unit supplied where it is missing."""
    segmenter = Segmenter(unit)
    for block in checked_blocks(blocks, lowercase):
        yield segmenter.feed(block)
    yield segmenter.finish()


def _cut(unit: str, lowercase: bool, text: str | bytes) -> list[str]:
    segmenter = Segmenter(unit)
    return [*_names(unit, segmenter.feed(checked_text(text, lowercase))), *_names(unit, segmenter.flush())]


def _cut_blocks(unit: str, lowercase: bool, blocks: Blocks) -> Iterator[list[str]]:
    return (_names(unit, symbols) for symbols in _symbols(unit, lowercase, blocks))


def _names(unit: str, symbols: Symbols) -> list[str]:
    ends = (END, NEWLINE) if unit == "line" else (END,)
    return [SPECIAL_TOKENS[EOS] if symbol in ends else chr(symbol) for symbol in symbols.tolist()]


CHAR = Level(
    noun="character",
    units=tuple(UNIT_ENDS),
    lowercases=True,
    indexer=CharIndexer,
    codec=CharCodec,
    cut=_cut,
    cut_blocks=_cut_blocks,
)
