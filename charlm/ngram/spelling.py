r"""Tokens as words of an ARPA file, which parts them by white space.

White space in a token is written as ``\x20`` and the like, and so is what would be read as such an escape, and the
first character of a token that looks like <s>, </s> or <unk>.
"""

import re

from charlm.ngram.arpa import END, START, UNKNOWN
from charlm.text.vocabulary import EOS, UNK, Vocabulary

_TO_ESCAPE = re.compile(r"\s|\\(?=x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def words_of(vocabulary: Vocabulary) -> list[str]:
    """How each token is written, and <s> behind them."""
    tokens = [vocabulary.token(index) for index in range(len(vocabulary))]
    words = [_escape(token) for token in tokens]
    words[EOS] = END
    if not vocabulary.raw:
        words[UNK] = UNKNOWN
    return [*words, START]


def tokens_of(words: list[str]) -> list[str]:
    """What words stand for."""
    return [_ESCAPED.sub(lambda match: chr(int(match[1] or match[2] or match[3], 16)), word) for word in words]


def _escape(token: str) -> str:
    if token in (START, END, UNKNOWN):
        return _code(token[0]) + token[1:]
    return _TO_ESCAPE.sub(lambda match: _code(match[0]), token)


def _code(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 1 << 8 else f"\\u{number:04x}" if number < 1 << 16 else f"\\U{number:08x}"
