r"""The word level: words, numbers and punctuation, and enough of white space to get the text back exactly.

A space between two tokens goes without saying, unless the second one bears the joiner mark U+FFED in front, or
one of them is white space. So "He's in, at last" is "He's", "in", the mark and ",", "at", "last", and a word is the
same type at the beginning of a line as within it. Any other white space is a token: each line break that ends no
unit, and each run of other white space that is not a single space between two words.

A mark that stands in the text is a token by itself; alone it is never a mark, so it needs no escape.

What is cut from a run of other than white space depends on this run alone, and nothing is normalised:

-   Letters, marks, digits and "_" make words, with apostrophes between letters, "." and "," between digits, a
    quotation mark between Hebrew letters, and joiners and soft hyphens inside.
-   In writing without spaces each character is a token: Han, Hiragana, Thai, Lao, Khmer, Myanmar and their kin;
    but Katakana makes words.
-   An emoji, however many characters it has, is a token; so is any other character. Marks go with what they follow.
"""

import re
from collections.abc import Iterator

import regex  # type: ignore[import-untyped]

from charlm.text.segment import Portion, has_rare_spaces, last_word_start, set_breaks_apart, slices
from charlm.text.tokens import Cutter, piecewise_level
from charlm.text.vocabulary import MARK, REPLACEMENT

# How many characters to take together where some of the white space needs care.
SMALL = 1 << 12

# SA is the line-breaking class of the scripts of South East Asia that set no spaces between words.
_SINGLE = r"[\p{Han}\p{Hiragana}[\p{Line_Break=SA}--\p{M}]]"
_KATAKANA = r"[\p{Katakana}\u30FC\uFF70\uFF9E\uFF9F]"
_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}_]--{_SINGLE}--{_KATAKANA}--\p{{Extended_Pictographic}}]"
_KEYCAP = r"\uFE0F?\u20E3"  # marks, which make a digit an emoji
_LETTERS = rf"(?:[{_WORD}--[0-9]]++|[0-9](?!{_KEYCAP}))+"
_PICTURE = r"\p{Extended_Pictographic}[\p{M}\U0001F3FB-\U0001F3FF\U000E0020-\U000E007F]*"

_TOKEN = regex.compile(
    rf"""
    {_LETTERS} (?:
        (?:
            (?<=[\p{{L}}\p{{M}}]) ['\u2019\u05F3] (?=\p{{L}})
            | (?<=\p{{Nd}}) [.,\u066B\u066C] (?=\p{{Nd}})
            | (?<=[\p{{Hebrew}}&&[\p{{L}}\p{{M}}]]) ["\u05F4] (?=[\p{{Hebrew}}&&\p{{L}}])
            | [\u200C\u200D\u00AD]+
        ) {_LETTERS}
        | (?<=\p{{M}}) \u200D  # as letters of Malayalam end in older texts
    )*
    | {MARK}
    | \p{{Regional_Indicator}}{{2}}
    | {_PICTURE} (?: \u200D {_PICTURE} )*
    | {_SINGLE} \p{{M}}*
    | {_KATAKANA} [{_KATAKANA}\p{{M}}]*
    | . \p{{M}}*
    """,
    regex.VERSION1 | regex.VERBOSE | regex.DOTALL,
)

# Runs of other than white space, and runs of white space that are more than a space between two of these; by
# whether the text begins, and ends, with the portion.
_RUNS = {
    (begins, ends): re.compile(r"\S+|(?:\ ?[^\S ]|\ \ )\s*" + (r"|\A\ " if begins else "") + (r"|\ \Z" if ends else ""))
    for begins in (False, True)
    for ends in (False, True)
}


class WordCutter(Cutter):
    """Cuts a text as the word level does."""

    unknown = REPLACEMENT

    def __init__(self, unit: str) -> None:
        super().__init__(unit)
        self._spaces = re.compile(r"\n\n?|[^\n]+" if unit == "paragraph" else r"\n|[^\n]+")

    def pieces(self, portion: Portion) -> list[str]:
        """Runs of other than white space, and of white space that is more than implied."""
        # White space that needs care is rare in most texts: the care is for small parts around it.
        careless = not _has_space_tokens(portion)
        pieces: list[str] = []
        for part in [portion] if careless else _divided(portion):
            if careless or not _has_space_tokens(part):
                pieces += set_breaks_apart(part.text, self.unit).split(" ")
            else:
                pieces += _RUNS[part.begins, part.ends].findall(part.text)
        return pieces

    def cut(self, piece: str) -> list[str]:
        """The tokens of a run; all but the first bear the mark unless they are white space."""
        if piece.isspace():
            return [part for run in self._spaces.findall(piece) for part in slices(run)]
        tokens = [token for part in slices(piece) for token in _tokens_of(part)]
        return tokens[:1] + [MARK + token for token in tokens[1:]]

    def cut_joined(self, run: str) -> list[str]:
        """The tokens of a run, all with the mark."""
        return [MARK + token for token in _tokens_of(run)]

    def text_of(self, token: str) -> str:
        """The token without its mark."""
        return token[1:] if _is_marked(token) else token

    def is_parted(self, token: str) -> bool:
        """Whether it bears no mark and is no white space."""
        return not (_is_marked(token) or token.isspace())

    def may_be(self, token: str) -> bool:
        """Whether the token is either white space or holds none, and no line break is in it that is another token."""
        if token.isspace():
            return token not in self.fixed and (len(token) == 1 or "\n" not in token)
        return token.split() == [token]

    def trim_prompt(self, text: str) -> str:
        """The text without a single space at its end."""
        return text[:-1] if text[-1:] == " " and text[-2:-1].strip() else text


def _is_marked(token: str) -> bool:
    return token[0] == MARK and len(token) > 1


def _tokens_of(run: str) -> list[str]:
    if run.isascii() and run.isalnum():
        return [run]  # as the pattern would say, but sooner
    tokens: list[str] = _TOKEN.findall(run)
    return tokens


def _divided(portion: Portion) -> Iterator[Portion]:
    """A portion in parts of `SMALL` characters, more where it cannot be cut so soon.

    What the first part begins with says nothing of the others, but they begin with no space.
    """
    start, text = 0, portion.text
    while stop := last_word_start(text[start : start + SMALL]) if len(text) - start > SMALL else 0:
        yield Portion(text[start : start + stop], portion.begins, ends=False)
        start += stop
    yield Portion(text[start:], portion.begins, portion.ends)


def _has_space_tokens(portion: Portion) -> bool:
    """Whether a portion's white space is more than single spaces between words, and line breaks."""
    text = portion.text
    return (
        "  " in text
        or " \n" in text
        or "\n " in text
        or (portion.begins and text.startswith(" "))
        or (portion.ends and text.endswith(" "))
        or has_rare_spaces(text)
    )


WORD = piecewise_level("word", WordCutter)
