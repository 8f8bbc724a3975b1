"""Ends of a sample that are found in its text, across tokens: so many lines, or one of several texts."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from charlm.nn.arrays import Ids
from charlm.sampling.constraints import Constraint
from charlm.text.tokenizer import Tokenizer

LINES, STOP = "lines", "stop"
"""Why a sample ended: it has so many lines; a text that ends it has come."""
KEPT_PIECES = 1 << 16
"""Tokens whose texts, behind other tokens, are remembered."""


class Read(NamedTuple):
    """What has been read of a sample.

    Attributes:
        before: its last token, or the prompt's; None where there is none.
        tail: the end of its text, as much as may belong to a text that is looked for.
        lines: line breaks so far.
        ended: why it ends, None where it goes on.
        excess: bytes of the last token that stand behind the place where the text ends.
    """

    before: int | None
    tail: bytes = b""
    lines: int = 0
    ended: str | None = None
    excess: int = 0


class TextStops(Constraint):
    """Ends a sample with a text or a line of what is drawn; the prompt does not count.

    Args:
        tokenizer: of the model.
        texts: each ends a sample, and belongs to it; UTF-8.
        lines: so many line breaks end it; None where they do not.
    """

    def __init__(self, tokenizer: Tokenizer, texts: Sequence[bytes] = (), lines: int | None = None) -> None:
        self._tokenizer = tokenizer
        self._texts = tuple(texts)
        self._lines = lines
        self._piece = lru_cache(KEPT_PIECES)(self._decoded)
        self._held = max(map(len, self._texts), default=1) - 1

    def begin(self, prompt: Ids) -> Read:
        """Nothing has been read."""
        return Read(int(prompt[-1]) if len(prompt) else None)

    def after(self, state: Read, token: int) -> Read:
        """What has been read with one more token."""
        piece = self._piece(token, state.before)
        text, lines = state.tail + piece, state.lines + piece.count(b"\n")
        ends = [(text.index(each) + len(each), STOP) for each in self._texts if each in text]
        if self._lines is not None and lines >= self._lines:
            ends.append((_line_end(text, self._lines - state.lines, len(state.tail)), LINES))
        tail = text[-self._held :] if self._held else b""
        if not ends:
            return Read(token, tail, lines)
        end, why = min(ends)
        return Read(token, tail, lines, why, len(text) - end)

    def _decoded(self, token: int, before: int | None) -> bytes:
        return self._tokenizer.decode_bytes(np.array([token]), after=before)

    def must_end(self, state: Read) -> str | None:
        """Why the sample ends here."""
        return state.ended


def _line_end(text: bytes, number: int, place: int) -> int:
    """Behind the so many-th line break from a place on."""
    for _ in range(number):
        place = text.index(b"\n", place) + 1
    return place
