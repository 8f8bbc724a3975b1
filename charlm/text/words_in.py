"""How many words a text has: what turns the cost of characters or of any tokens into that of words.

Words are runs of other than white space, and each end of a line counts as one, since a model of words predicts it too.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.text.segment import UNIT_ENDS
from charlm.text.store import blocks_of
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import EOS, MARK

_ASCII = 128
_INSIDE, _SPACE, _BEGINS = range(3)
"""A token goes on with a word, is white space, or begins a word whatever stands before it."""


def words_of_text(text: str) -> int:
    """Of a text; a missing last line break is supplied."""
    return len(text.split()) + text.count("\n") + (not text.endswith("\n"))


def words_of_blocks(blocks: Iterable[str]) -> int:
    """Of a text in blocks that are not empty, likewise."""
    found, before = 0, "\n"
    ended = False
    for block in blocks:
        goes_on = not (before.isspace() or block[0].isspace())
        found += len(block.split()) + block.count("\n") - goes_on
        before = block[-1]
        ended = before == "\n"
    return found + (not ended)


def words_of_ids(ids: NDArray[np.integer[Any]], tokenizer: Tokenizer) -> int:
    """Of tokens one after another; where <EOS> is no line break, it counts as one unless it comes behind one."""
    kinds_of, breaks_of = _kinds(tokenizer)
    found, after_space, after_break = 0, True, False
    for block in blocks_of(ids):
        kinds, breaks = kinds_of[block], breaks_of[block]
        spaces = kinds == _SPACE
        before = np.append(after_space, spaces[:-1])
        found += int(np.count_nonzero((kinds == _BEGINS) | ((kinds == _INSIDE) & before)))
        found += int(breaks.sum())
        if not breaks_of[EOS]:
            behind = np.append(after_break, breaks[:-1] > 0)
            found += int(np.count_nonzero((block == EOS) & ~behind))
        after_space, after_break = bool(spaces[-1]), bool(breaks[-1])
    return found


def _kinds(tokenizer: Tokenizer) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """What each token is to words, and how many line breaks are in it."""
    vocabulary = tokenizer.vocabulary
    tokens = [vocabulary.token(index) for index in range(len(vocabulary))]
    if vocabulary.raw:
        # A byte beyond ASCII is part of a character, which none of them shows to be white space.
        tokens = [tokens[EOS], *(chr(byte) if byte < _ASCII else "x" for byte in range(256))]
    tokens[EOS] = UNIT_ENDS[tokenizer.unit]
    kinds = np.full(len(tokens), _INSIDE, np.uint8)
    for index, token in enumerate(tokens):
        if token.isspace():
            kinds[index] = _SPACE
        elif tokenizer.level in ("word", "token") and not token.startswith(MARK):
            kinds[index] = _BEGINS
    # It is white space to what follows it.
    kinds[EOS] = _SPACE
    return kinds, np.array([token.count("\n") for token in tokens])
