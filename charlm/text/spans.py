"""Where in a text its tokens end, so that tokens of unlike tokenizers can be laid side by side."""

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from charlm.text.level import to_utf8
from charlm.text.segment import UNIT_ENDS
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import EOS, MARK


def token_ends(tokenizer: Tokenizer, text: str, ids: NDArray[np.integer]) -> NDArray[np.int64]:
    """The end of each token of a text, counted in characters; white space before a token that is none is part of it.

    A token that ends within a character, such as a byte, ends with it.

    Args:
        tokenizer: what cut the text.
        text: normalised.
        ids: [tokens], of ``tokenizer.encode_sentence(text)``.

    Returns:
        int64 [tokens], which never falls. The last, of the <EOS>, is the number of characters and one more.
    """
    if tokenizer.level == "byte":
        sizes = [len(to_utf8(character)) for character in text]
        ends = np.repeat(np.arange(1, len(text) + 1), sizes)
    else:
        found = _ends(tokenizer, text.lower() if tokenizer.lowercase else text, ids)
        ends = _raised(text, found) if tokenizer.lowercase else found
    return np.append(ends[: len(ids) - 1], len(text) + 1)


def _ends(tokenizer: Tokenizer, text: str, ids: NDArray[np.integer]) -> NDArray[np.int64]:
    """Ends of all tokens but the last in a text that has the tokens' own case."""
    unit_end, mark = UNIT_ENDS[tokenizer.unit], _mark(tokenizer)
    ends = np.empty(max(0, len(ids) - 1), np.int64)
    place = 0
    for number, (token, token_id) in enumerate(zip(tokenizer.cut(text), ids[:-1].tolist(), strict=False)):
        ended = token_id == EOS
        ends[number] = place = (
            text.index(unit_end, place) + len(unit_end) if ended else _after(text, place, token, mark)
        )
    return ends


def _mark(tokenizer: Tokenizer) -> str | None:
    """What stands before a token that has no space before it, where tokens have such a mark."""
    return MARK if tokenizer.level == "word" else None


def _after(text: str, place: int, token: str, mark: str | None) -> int:
    """The place behind a token that is the next from a place on."""
    if not token.isspace():
        while text[place].isspace():
            place += 1
    return place + len(token) - (mark is not None and len(token) > 1 and token[0] == mark)


def _raised(text: str, ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places in a text of those in its lower case, where a few characters are two."""
    lengths = list(accumulate((len(character.lower()) for character in text), initial=0))
    return np.searchsorted(np.array(lengths), ends)
