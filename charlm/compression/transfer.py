"""Segments through an arithmetic coder, one way or the other: what is coded, and in which order."""

from collections.abc import Sequence

import numpy as np

from charlm.compression.adaptive import LONGEST, Cases, Literals, Strings, Symbols
from charlm.compression.basis import Basis
from charlm.compression.coder import Coder, DecodingError, cumulative_of
from charlm.compression.parsing import THE_END, Kind, Parser, Segment, Token, ends_in_space
from charlm.text.level import to_utf8
from charlm.text.vocabulary import EOS


class Transfer:
    """Codes the segments of a file one after another, or finds them.

    The model reads every token behind it was coded, one at a time, so that encoder and decoder compute the same
    products in the same order. Where lines are independent each begins from a start; else the first one does.

    Args:
        coder: an encoder or a decoder.
        basis: what both have in common; its predictor begins anew.
    """

    def __init__(self, coder: Coder, basis: Basis) -> None:
        self._coder = coder
        self._predictor = basis.predictor
        self._unknown = basis.tokenizer.unknown_id
        self._independent_lines = basis.independent_lines
        self._strings = Strings()
        self._literals = Literals(self._strings)
        self._cases = Cases() if basis.tokenizer.lowercase else None
        self._parser = Parser(basis.tokenizer, self._literals, independent_lines=basis.independent_lines)
        self._kinds = Symbols(len(Kind), len(Kind))
        self._kind = Kind.LINE  # of the segment before
        self._predictor.start()

    def write(self, data: bytes) -> None:
        """Code a segment."""
        self._code(self._parser.parse(data))

    def end(self) -> None:
        """Code that no segment follows."""
        self._code(THE_END)

    def read(self) -> bytes | None:
        """Find a segment; None where the file has ended.

        Raises:
            DecodingError: what is decoded was not coded so.
        """
        return self._code(None)

    def _code(self, given: Segment | None) -> bytes | None:
        wanted = None if given is None else given.kind
        self._kind = Kind(self._kinds.code(self._coder, self._kind, wanted))
        match self._kind:
            case Kind.END:
                return None
            case Kind.BLANK:
                if not self._independent_lines:
                    raise DecodingError("a blank line is a line like others here")
                return b"\n"
            case Kind.STRING:
                return self._strings.code(self._coder, None if given is None else given.data)
        text = self._text(None if given is None else given.tokens, closed=self._kind is Kind.OPEN)
        return text.replace(b"\n", b"\r\n") if self._kind is Kind.CRLF else text

    def _text(self, given: Sequence[Token] | None, *, closed: bool) -> bytes:
        """The tokens of a segment: until an <EOS> if it is closed by one, else until a piece ends in a line break."""
        if self._independent_lines:
            self._predictor.start(forget=False)
        pieces: list[str] = []
        size, after_space = 0, True
        while size <= LONGEST:
            wanted = None if given is None else given[len(pieces)]
            token = self._coder.code(
                cumulative_of(np.exp(self._predictor.log_probabilities())), None if wanted is None else wanted.id
            )
            self._predictor.read(token)
            if closed and token == EOS:
                return to_utf8("".join(pieces))
            piece = self._piece(token, None if wanted is None else wanted.piece, after_space=after_space)
            pieces.append(piece)
            if piece.endswith("\n"):
                return to_utf8("".join(pieces))
            # At the least a byte each, so that what was not coded so comes to an end.
            size += max(1, len(piece))
            after_space = ends_in_space(piece)
        raise DecodingError("a line is longer than any that is coded")

    def _piece(self, token: int, given: str | None, *, after_space: bool) -> str:
        if token == self._unknown:
            literal = self._literals.code(self._coder, None if given is None else to_utf8(given))
            return literal.decode("utf-8", "surrogateescape")
        shown = self._parser.piece(token, after_space=after_space)
        return shown if self._cases is None else self._cases.code(self._coder, shown, given)
