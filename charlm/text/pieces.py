"""What stands in a text for each of its tokens, so that a text can be shown token by token and stay as it is."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.text.level import to_utf8
from charlm.text.segment import UNIT_ENDS
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import EOS, MARK


def pieces_of_text(tokenizer: Tokenizer, text: str | bytes) -> list[str]:
    """The pieces of a text, as many as ``encode_sentence`` gives tokens; put together they are the text.

    White space that goes without saying belongs to the token behind it, what follows the last token to the <EOS>. A
    letter of several bytes stands whole at its first. Bytes that are no text come as lone surrogates.

    Args:
        tokenizer: whose tokens.
        text: normalised; as it is, whatever the tokenizer makes of it.
    """
    if tokenizer.level == "byte":
        return _pieces_of_bytes(text if isinstance(text, bytes) else to_utf8(text))
    assert isinstance(text, str)  # noqa: S101 - only the byte level takes bytes, which encoding has refused
    ids = tokenizer.encode_sentence(text).tolist()
    read, before = _lowered(text) if tokenizer.lowercase else (text, range(len(text) + 1))
    bounds, place = [0], 0
    end = UNIT_ENDS[tokenizer.unit]
    # The <EOS> that closes the text has no token among these where the text does not end a unit.
    for token, token_id in zip(tokenizer.cut(text)[: len(ids) - 1], ids, strict=False):
        place = read.find(end, place) + len(end) if token_id == EOS else _after(token, read, place, tokenizer.level)
        bounds.append(before[place])
    return [text[first:last] for first, last in pairwise([*bounds, len(text)])]


def pieces_of_ids(tokenizer: Tokenizer, ids: NDArray[np.integer[Any]]) -> list[str]:
    """The pieces of encoded text, one a token; put together they are what decoding gives.

    Args:
        tokenizer: whose ids.
        ids: [N].
    """
    if tokenizer.level == "byte":
        # An <EOS> stands for no byte: those between are decoded by themselves.
        parts = np.split(ids, np.flatnonzero(ids == EOS) + 1)
        ended = [_pieces_of_bytes(tokenizer.decode_bytes(part)) for part in parts]
        return [piece for part, pieces in zip(parts, ended, strict=True) for piece in pieces[: len(part)]]
    known: dict[tuple[int | None, int], str] = {}
    found, before = [], None
    for token in ids.tolist():
        if (before, token) not in known:
            known[before, token] = tokenizer.decode(np.array([token]), after=before)
        found.append(known[before, token])
        before = token
    return found


def _after(token: str, text: str, place: int, level: str) -> int:
    """Where a token ends that is the first from a place on; only white space may stand before it."""
    if level == "word":
        token = token[1:] if token[0] == MARK and len(token) > 1 else token
    if level != "char" and not token.isspace():
        while text[place].isspace():
            place += 1
    return place + len(token)


def _lowered(text: str) -> tuple[str, list[int]]:
    """A text in lower case, and for each place in it how many of the text's characters begin before it."""
    # A letter may become two, but what it becomes has one length wherever it stands.
    lengths = [len(character.lower()) for character in text]
    number = np.repeat(np.arange(1, len(text) + 1), lengths)
    return text.lower(), [0, *number.tolist()]


def _pieces_of_bytes(data: bytes) -> list[str]:
    """A piece for each byte and one for the <EOS> behind them."""
    found = []
    for character in data.decode("utf-8", "surrogateescape"):
        found += [character, *[""] * (len(to_utf8(character)) - 1)]
    return [*found, ""]
