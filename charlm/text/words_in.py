"""How many words a text has: what turns the cost of characters or of any tokens into that of words.

Words are runs of other than white space, and each end of a line counts as one, since a model of words predicts it too.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.text.store import blocks_of
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import EOS, MARK

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
    """Of tokens one after another."""
    table, found, after_space = _kinds(tokenizer), 0, True
    for block in blocks_of(ids):
        kinds = table[block]
        spaces = kinds == _SPACE
        before = np.append(after_space, spaces[:-1])
        # An <EOS> is a word by itself, and white space to what follows it.
        found += int(np.count_nonzero((kinds == _BEGINS) | ((kinds == _INSIDE) & before)))
        found += int(np.count_nonzero(block == EOS))
        after_space = bool(spaces[-1])
    return found


def _kinds(tokenizer: Tokenizer) -> NDArray[np.uint8]:
    vocabulary = tokenizer.vocabulary
    tokens = [vocabulary.token(index) for index in range(len(vocabulary))]
    if vocabulary.raw:
        tokens = [tokens[0], *(chr(byte) for byte in range(256))]
    kinds = np.full(len(tokens), _INSIDE, np.uint8)
    for index, token in enumerate(tokens):
        if token.isspace():
            kinds[index] = _SPACE
        elif tokenizer.level in ("word", "token") and not token.startswith(MARK):
            kinds[index] = _BEGINS
    kinds[EOS] = _SPACE
    return kinds
