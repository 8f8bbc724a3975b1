"""Properties of a text's characters that the units of a model may follow: within quotes, how far in the line, ..."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import regex  # type: ignore[import-untyped]
from numpy.typing import NDArray

from charlm.errors import UsageError

PATIENCE = 20.0
"""Seconds after which a regular expression is given up: some would need more than there are."""


@dataclass(frozen=True)
class Property:
    """Something that is so of some characters of a text and not of others, or so much of each.

    Attributes:
        about: what it is, in words.
        measure: text -> float64, a value a character; of a flag 1 where it is so and 0 elsewhere.
        graded: whether it has more values than these two, of which only the order matters.
        whole: whether a token has it only where all of its characters do, rather than its last.
    """

    about: str
    measure: Callable[[str], NDArray[np.float64]]
    graded: bool = False
    whole: bool = False


def by_regex(pattern: str) -> Property:
    """Whether a match of a regular expression covers the character; ^ and $ stand for the ends of lines.

    Raises:
        UsageError: it is no regular expression.
    """
    try:
        compiled = regex.compile(pattern, regex.MULTILINE)
    except regex.error as error:
        raise UsageError(f"--find-regex is no regular expression: {error}") from error

    def measure(text: str) -> NDArray[np.float64]:
        values = np.zeros(len(text))
        try:
            for found in compiled.finditer(text, timeout=PATIENCE):
                values[found.start() : found.end()] = 1
        except TimeoutError:
            raise UsageError(
                f"--find-regex needs more than {PATIENCE:.0f} seconds for this text: simplify it"
            ) from None
        return values

    return Property("what the regular expression matches", measure, whole=True)


def of_tokens(of: Property, pieces: Sequence[str]) -> NDArray[np.float64]:
    """A property's value at each token of a text, [N].

    It is that of the token's last character, since a model knows no less when it has read it. A token that stands for
    nothing is as the one before it.

    Args:
        of: the property.
        pieces: what stands in the text for each token.
    """
    values = of.measure("".join(pieces))
    found, place, last = np.zeros(len(pieces)), 0, 0.0
    for index, piece in enumerate(pieces):
        begin = place + len(piece) - len(piece.lstrip() or piece)
        place += len(piece)
        if piece:
            last = float(values[begin:place].min() if of.whole else values[place - 1])
        found[index] = last
    return found


def _each(has: Callable[[str], bool]) -> Callable[[str], NDArray[np.float64]]:
    return lambda text: np.fromiter(map(has, text), np.float64, len(text))


def _in_quotes(text: str) -> NDArray[np.float64]:
    """Behind an opening quotation mark, this included; a paragraph begins outside."""
    values, inside = np.zeros(len(text)), False
    for index, character in enumerate(text):
        if character == '"':
            inside = not inside
        elif character in "\u201c\u201d":
            inside = character == "\u201c"
        elif character == "\n" and text[index - 1 : index] == "\n":
            inside = False
        values[index] = inside
    return values


def _depth(text: str) -> NDArray[np.float64]:
    """Brackets that are open, this one included, and closed later; brackets that have no partner do not count."""
    change, opened = np.zeros(len(text) + 1), []
    for found in re.finditer(r"[()\[\]{}]", text):
        index, character = found.start(), found[0]
        if character in "([{":
            opened.append(index)
        elif opened and text[opened[-1]] + character in ("()", "[]", "{}"):
            change[opened.pop()] += 1
            change[index] -= 1
    return np.cumsum(change[:-1])


def _in_brackets(text: str) -> NDArray[np.float64]:
    """Behind an opening bracket that is closed later, likewise."""
    return np.minimum(_depth(text), 1)


def _place(text: str) -> NDArray[np.float64]:
    """Characters since the beginning of the line, this one included; 0 at the line's end."""
    index = np.arange(1, len(text) + 1)
    ends = np.fromiter((character == "\n" for character in text), np.bool_, len(text))
    return (index - np.maximum.accumulate(np.where(ends, index, 0))).astype(np.float64)


def _indent(text: str) -> NDArray[np.float64]:
    """White space at the beginning of the line, as far as it has been read."""
    values, depth, begun = np.zeros(len(text)), 0, True
    for index, character in enumerate(text):
        if character == "\n":
            depth, begun = 0, True
        elif begun and character in " \t":
            depth += 1
        else:
            begun = False
        values[index] = depth
    return values


def _in_word(text: str) -> NDArray[np.float64]:
    values, place = np.zeros(len(text)), 0
    for index, character in enumerate(text):
        place = place + 1 if character.isalnum() else 0
        values[index] = place
    return values


PROPERTIES = {
    "quotes": Property("within quotation marks", _in_quotes),
    "brackets": Property("within brackets ( [ {", _in_brackets),
    "depth": Property("how deep within brackets ( [ {", _depth, graded=True),
    "digits": Property("a digit", _each(str.isdigit)),
    "spaces": Property("white space", _each(str.isspace)),
    "capitals": Property("a capital letter", _each(str.isupper)),
    "place": Property("how far in the line", _place, graded=True),
    "indent": Property("how far the line is indented", _indent, graded=True),
    "word": Property("how far in the word", _in_word, graded=True),
}


def find_property(name: str) -> Property:
    """The property of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in PROPERTIES:
        raise UsageError(f"--find {name}: there is no such property; choose from {', '.join(PROPERTIES)}")
    return PROPERTIES[name]
