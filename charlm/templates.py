r"""Templates: a text with alternatives in braces stands for all texts that a choice among them gives.

    the apple and {pear|pair|pare} salad        three texts
    {the cat|the cats} {was|were} full          four, the last choice changing first
    a {very |}good day                          an alternative may be empty

A brace of the text itself is written twice, or after a backslash: ``{{``, ``\{``. Inside braces only the backslash
will do, for ``|`` too. A backslash before anything else is a backslash.
"""

from collections.abc import Iterator
from itertools import product
from math import prod

from charlm.errors import UsageError

MOST_TEXTS = 10_000
"""Texts that a template may stand for."""
_ESCAPED = "{}|\\"


def expand(template: str) -> list[str]:
    """All texts that a template stands for, the last choice changing first.

    Raises:
        UsageError: braces do not match, or stand within braces; there is no choice, or there are too many texts.
    """
    choices = list(_choices(template))
    if all(len(choice) == 1 for choice in choices):
        raise UsageError("the template offers no choice: write alternatives in braces, as in: the {pear|pair} salad")
    number = prod(map(len, choices))
    if number > MOST_TEXTS:
        raise UsageError(
            f"the template stands for {number:,} texts, and at most {MOST_TEXTS:,} are ranked: take away braces or "
            "alternatives"
        )
    return ["".join(chosen) for chosen in product(*choices)]


def _choices(template: str) -> Iterator[list[str]]:
    """What stands outside braces, a list of one, and what stands inside, in turn."""
    text: list[str] = []
    at = 0
    while at < len(template):
        character, following = template[at], template[at + 1 : at + 2]
        if _is_escape(template, at) or (character in "{}" and following == character):
            text.append(following)
            at += 2
        elif character == "{":
            yield ["".join(text)]
            text = []
            alternatives, at = _group(template, at)
            yield alternatives
        elif character == "}":
            raise UsageError(f"the brace }} at character {at + 1} closes nothing: write }}}} for one in the text")
        else:
            text.append(character)
            at += 1
    yield ["".join(text)]


def _group(template: str, start: int) -> tuple[list[str], int]:
    """The alternatives in the braces that open at ``start``, and the place behind them."""
    alternatives = [""]
    at = start + 1
    while at < len(template):
        character = template[at]
        if _is_escape(template, at):
            alternatives[-1] += template[at + 1]
            at += 2
            continue
        if character == "{":
            raise UsageError(
                f"the brace {{ at character {at + 1} stands within braces, which cannot be nested: write each "
                "alternative out, or \\{ for a brace in the text"
            )
        if character == "}":
            if len(alternatives) == 1:
                raise UsageError(
                    f"the braces at character {start + 1} offer no choice: part alternatives by |, or write {{{{ "
                    "and }} for braces in the text"
                )
            return alternatives, at + 1
        if character == "|":
            alternatives.append("")
        else:
            alternatives[-1] += character
        at += 1
    raise UsageError(f"the brace {{ at character {start + 1} is never closed: add }}, or write {{{{ for a brace")


def _is_escape(template: str, at: int) -> bool:
    return template[at] == "\\" and template[at + 1 : at + 2] in tuple(_ESCAPED)
