"""Segments of a file as tokens of a model, such that what these stand for is the segment, byte for byte.

Whatever the tokenizer would not give back (an unknown character, a tab that it reads as a space, a capital
that `Cases` cannot tell) becomes an <UNK>, behind which its literal stands. A segment that would be little else than
literals is coded as a string, and the model does not read it.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from charlm.compression.adaptive import Literals, has_capital
from charlm.text.level import to_utf8
from charlm.text.pieces import pieces_of_text
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import EOS, UNK

_NEW, _KNOWN = 10, 4
"""Bytes of a segment for each literal in it, a new one or one that is known: with fewer, it is a string."""


class Kind(IntEnum):
    r"""What a segment is.

    LINE ends in "\n". CRLF is read as if it ended in "\n", and ends in "\r\n". OPEN ends in no line break: an <EOS>
    that stands for nothing closes it. BLANK is "\n" alone where lines are independent, which models do not read. STRING
    is any bytes. END is none: the file has ended.
    """

    LINE = 0
    CRLF = 1
    OPEN = 2
    BLANK = 3
    STRING = 4
    END = 5


class Token(NamedTuple):
    """A token's id, and what stands in the text for it; undecodable bytes are lone surrogates."""

    id: int
    piece: str


class Segment(NamedTuple):
    """A segment's kind, its bytes, and its tokens if it has some."""

    kind: Kind
    data: bytes
    tokens: Sequence[Token] = ()


THE_END = Segment(Kind.END, b"")


class Parser:
    """Turns segments into tokens of a model.

    Args:
        tokenizer: of the model.
        literals: that have been coded so far.
        independent_lines: whether the model reads each line by itself.
    """

    def __init__(self, tokenizer: Tokenizer, literals: Literals, *, independent_lines: bool) -> None:
        self.tokenizer = tokenizer
        self._literals = literals
        self._independent_lines = independent_lines
        self._pieces: dict[tuple[int, bool], str] = {}

    def piece(self, token: int, *, after_space: bool) -> str:
        """What a known token stands for, with the space before it that goes without saying."""
        key = (token, after_space)
        if key not in self._pieces:
            self._pieces[key] = self.tokenizer.decode(np.array([token]), after=None if after_space else UNK)
        return self._pieces[key]

    def parse(self, data: bytes) -> Segment:
        """A segment of a file."""
        if self._independent_lines and data == b"\n":
            return Segment(Kind.BLANK, data)
        kind, body = _kind_of(data, raw=not self.tokenizer.has_unknown)
        tokens = self._tokens(body)
        if tokens is None or self._are_literals(tokens, data):
            return Segment(Kind.STRING, data)
        return Segment(kind, data, [*tokens, Token(EOS, "")] if kind is Kind.OPEN else tokens)

    def _tokens(self, body: bytes) -> list[Token] | None:
        """Tokens whose pieces are the body; None where there are none, or a line break is within."""
        if not self.tokenizer.has_unknown:
            return [Token(token, self.piece(token, after_space=True)) for token in self.tokenizer.encode(body).tolist()]
        text = body.decode("utf-8", "surrogateescape")
        ids = self.tokenizer.encode(text).tolist()
        pieces = pieces_of_text(self.tokenizer, text)[: len(ids)]
        breaks = [place for place, piece in enumerate(pieces, 1) if piece.endswith("\n")]
        if "".join(pieces) != text or (breaks and breaks != [len(ids)]):
            return None
        return list(self._spelt(ids, pieces))

    def _spelt(self, ids: list[int], pieces: list[str]) -> Iterator[Token]:
        after_space = True
        for token, piece in zip(ids, pieces, strict=True):
            known = token != UNK and self._shows(self.piece(token, after_space=after_space), piece)
            yield Token(token if known else UNK, piece)
            after_space = ends_in_space(piece)

    def _shows(self, shown: str, piece: str) -> bool:
        if shown == piece or not self.tokenizer.lowercase or len(shown) != len(piece):
            return shown == piece
        return all(
            letter == small or (has_capital(small) and letter == small.upper())
            for small, letter in zip(shown, piece, strict=True)
        )

    def _are_literals(self, tokens: list[Token], data: bytes) -> bool:
        if not self.tokenizer.has_unknown:
            return False
        literals = [to_utf8(token.piece) for token in tokens if token.id == UNK]
        return sum(_KNOWN if literal in self._literals else _NEW for literal in literals) > len(data)


def ends_in_space(piece: str) -> bool:
    """Whether no space goes without saying behind this."""
    return piece[-1:].isspace()


def _kind_of(data: bytes, *, raw: bool) -> tuple[Kind, bytes]:
    """What a segment is, and what of it the model reads; ``raw``: it reads bytes as they are."""
    if data.endswith(b"\r\n") and not raw:
        return Kind.CRLF, data.replace(b"\r\n", b"\n")
    return (Kind.LINE if data.endswith(b"\n") else Kind.OPEN), data
