r"""The char level: a token is a Unicode code point.

What ends in <EOS> is the *unit*:

    line        "\n" is <EOS>.
    paragraph   "\n\n" is <EOS>, runs of line breaks being paired from their left: three are <EOS> and
                "\n", four are two <EOS>. Any other "\n" is an ordinary character.
    file        <EOS> ends a file and stands for no text; "\n" is an ordinary character.

Decoding turns <EOS> back, so every text comes back exactly. A text that does not end in a unit's end is
completed: "a" becomes "a\n" (line) or "a\n\n" (paragraph, also from "a\n").
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.errors import ModelError
from charlm.text.level import Codec, Indexer, Level, TypeFacts, check_range, to_utf8
from charlm.text.reading import read_text
from charlm.text.store import GrowingStore
from charlm.text.vocabulary import EOS, SPECIAL_TOKENS, SURROGATES, UNK, Vocabulary

UNIT_ENDS = {"line": "\n", "paragraph": "\n\n", "file": ""}

NEWLINE = ord("\n")
REPLACEMENT = 0xFFFD
END = 0x110000  # stands for <EOS> among code points; the first number that is none
SYMBOLS = END + 1
UNSEEN = -1

Symbols = NDArray[np.uint32] | NDArray[np.uint8]

# How far back a place is sought where lower-casing may cut a text.
LONGEST_WORD = 1024


def code_points(text: str) -> Symbols:
    """The code points of a text, lone surrogates included: uint8 if all are ASCII, else uint32."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", SURROGATES), "<u4")


def lowered(blocks: Iterable[str]) -> Iterator[str]:
    """Blocks of text in lower case, the same wherever the blocks were cut.

    A capital sigma looks at its whole word; so the last, perhaps unfinished word waits for the next block.
    """
    held = ""
    for block in blocks:
        text = held + block
        cut = 1 + max(text.rfind(space, max(0, len(text) - LONGEST_WORD)) for space in " \n")
        if not cut and len(text) > LONGEST_WORD:
            cut = len(text)
        held = text[cut:]
        if cut:
            yield text[:cut].lower()
    if held:
        yield held.lower()


class Segmenter:
    """Cuts blocks of text into symbols, marking ends of units with `END`, wherever the blocks were cut."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._held = ""  # the odd line break at a block's end, whose twin may begin the next block
        self._ended = False

    def feed(self, text: str) -> Symbols:
        r"""Symbols of the next block; in lines, "\n" is left to the table that turns symbols into ids."""
        if self._unit != "paragraph":
            self._ended = text.endswith("\n") and self._unit == "line"
            return code_points(text)
        text = self._held + text
        self._held = "\n" if (len(text) - len(text.rstrip("\n"))) % 2 else ""
        text = text.removesuffix(self._held)
        self._ended = text.endswith("\n")
        return _pair_line_breaks(code_points(text))

    def flush(self) -> Symbols:
        """What was held back, with no unit's end added."""
        return code_points(self._held)

    def finish(self) -> Symbols:
        """The missing end of the last unit, if it is missing; a line break held back is completed to it."""
        return np.array([], np.uint8) if self._ended and not self._held else np.array([END], np.uint32)


def _pair_line_breaks(symbols: Symbols) -> Symbols:
    breaks = np.flatnonzero(symbols == NEWLINE)
    starts_run = np.append(True, np.diff(breaks) != 1)[: len(breaks)]
    order = np.arange(len(breaks))
    rank_in_run = order - np.maximum.accumulate(np.where(starts_run, order, 0))
    second = breaks[rank_in_run % 2 == 1]
    marked = symbols.astype(np.uint32)
    marked[second - 1] = END
    return np.delete(marked, second)


class CharIndexer(Indexer):
    """Gives each code point a provisional id, from 2 on, in order of first appearance."""

    def __init__(self, unit: str, lowercase: bool = False) -> None:
        self._unit = unit
        self._lowercase = lowercase
        self._types: list[str] = []
        self._table = np.full(SYMBOLS, UNSEEN, np.int32)
        self._table[END] = EOS
        if unit == "line":
            self._table[NEWLINE] = EOS

    def index(self, path: Path, encoding: str, store: GrowingStore) -> str:
        """Append a file's provisional ids; the end of its last unit is supplied where it is missing."""
        reader = read_text(path, encoding)
        segmenter = Segmenter(self._unit)
        empty = True
        for block in lowered(reader) if self._lowercase else reader:
            store.append(self._ids_of(segmenter.feed(block)))
            empty = empty and not block
        if not empty:
            store.append(self._ids_of(segmenter.finish()))
        return reader.digest

    def _ids_of(self, symbols: Symbols) -> NDArray[np.int32]:
        ids = np.take(self._table, symbols)
        if ids.size and ids.min() == UNSEEN:
            fresh, first = np.unique(symbols[ids == UNSEEN], return_index=True)
            fresh = fresh[np.argsort(first)]
            self._table[fresh] = np.arange(len(fresh)) + len(self._types) + len(SPECIAL_TOKENS)
            self._types.extend(map(chr, fresh.tolist()))
            ids = np.take(self._table, symbols)
        return ids

    def facts(self) -> TypeFacts:
        """Facts of the types met so far."""
        # No file holds an <UNK>; it counts as the one character that it stands for.
        texts = [UNIT_ENDS[self._unit], chr(REPLACEMENT), *self._types]
        newline = int(self._table[NEWLINE])
        return TypeFacts(
            characters=np.array([len(text) for text in texts]),
            bytes=np.array([len(text.encode("utf-8", SURROGATES)) for text in texts]),
            spaces=np.array([True, False, *(text.isspace() for text in self._types)]),
            line_ends=tuple({EOS, newline} - {UNSEEN}),
        )

    def vocabulary(self, counts: NDArray[np.int64], min_count: int, max_vocab: int | None) -> Vocabulary:
        """Build the vocabulary from the training text's counts."""
        return Vocabulary.from_counts(
            self._types, counts[len(SPECIAL_TOKENS) :], min_count, max_vocab, eos_count=int(counts[EOS])
        )

    def final_ids(self, vocabulary: Vocabulary) -> NDArray[np.int64]:
        """The table from provisional to final ids."""
        return np.concatenate([[EOS, UNK], vocabulary.ids_of(self._types)])


class CharCodec(Codec):
    """Code points to ids and back by look-up tables."""

    def __init__(self, unit: str, lowercase: bool, vocabulary: Vocabulary) -> None:
        tokens = [] if vocabulary.raw else vocabulary.ordinary_tokens()
        if vocabulary.raw or any(len(token) != 1 for token in tokens):
            raise ModelError(
                "the model's level is char, but its vocabulary holds other tokens: the file is damaged"
            )
        points = code_points("".join(tokens)).astype(np.uint32)
        self._unit = unit
        self._lowercase = lowercase
        self._points = np.concatenate([np.array([NEWLINE, REPLACEMENT], np.uint32), points])
        self._table = np.full(SYMBOLS, UNK, np.int32)
        self._table[points] = np.arange(len(points)) + len(SPECIAL_TOKENS)
        self._table[END] = EOS
        if unit == "line":
            self._table[NEWLINE] = EOS
        newline = int(self._table[NEWLINE])
        self.line_end_id = None if newline == UNK else newline

    def encode(self, text: str | bytes, *, ended: bool) -> NDArray[np.int64]:
        """Ids of a text; what is not in the vocabulary is <UNK>."""
        if isinstance(text, bytes):
            raise TypeError("the char level encodes str, not bytes: decode the text first")
        segmenter = Segmenter(self._unit)
        symbols = segmenter.feed(text.lower() if self._lowercase else text)
        rest = segmenter.finish() if ended else segmenter.flush()
        return np.take(self._table, np.concatenate([symbols, rest]) if rest.size else symbols).astype(
            np.int64
        )

    def decode(self, ids: NDArray[np.integer[Any]]) -> str:
        """The text; <EOS> is the unit's end, <UNK> is U+FFFD."""
        checked = check_range(ids, len(self._points))
        points = self._points[checked]
        width = len(UNIT_ENDS[self._unit])
        if width != 1:
            points = np.repeat(points, np.where(checked == EOS, width, 1))
        return points.astype("<u4").tobytes().decode("utf-32-le", SURROGATES)

    def decode_bytes(self, ids: NDArray[np.integer[Any]]) -> bytes:
        """The text in UTF-8."""
        return to_utf8(self.decode(ids))


CHAR = Level(units=tuple(UNIT_ENDS), lowercases=True, indexer=CharIndexer, codec=CharCodec)
