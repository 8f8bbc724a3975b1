"""How ``charlm classify apply`` writes what a classifier says of a text."""

import sys
from collections.abc import Iterator
from typing import Any

from charlm.cli.console import printable, visible
from charlm.cli.painting import RESET, in_colour
from charlm.labelling.classifying import Classified
from charlm.labelling.reasons import Contribution, Why
from charlm.labels.rows import WHOLE
from charlm.labels.unlabelled import Found

LONGEST = 2_000
"""Characters of a text that is shown."""
STRONG, WEAK = 0.5, 0.15
"""Shares of the largest contribution from which on one is shown in a strong colour, and in a weak one."""
_FOR, _AGAINST = 32, 31
_BAR = 15
"""Columns of the bar of the largest contribution."""
_NOUNS = {"word": "word", "token": "token", "char": "character", "byte": "byte"}


def json_of(each: Found, found: Classified, why: Why | None) -> dict[str, Any]:
    """What is said of a text, as a JSON object."""
    return {
        "text": each.text,
        **({"file": each.source} if each.source else {}),
        **({"line": each.line} if each.line != WHOLE else {}),
        "label": found.label,
        "probability": found.probability,
        "posterior": dict(found.posterior),
        "tokens": found.tokens,
        "unknown": found.unknown,
        **({"why": _why_json(why)} if why else {}),
    }


def _why_json(why: Why) -> dict[str, Any]:
    rows = [
        {
            "token": each.token,
            "contribution": each.contribution,
            "begin": each.begin,
            "end": each.end,
            "unknown": each.unknown,
        }
        for each in why.contributions
    ]
    return {"label": why.label, "probability": why.probability, "text": why.text, "contributions": rows}


def line_of(each: Found, found: Classified, *, everything: bool) -> str:
    """What is said of a text, on one line: label, probability and text with tabs between."""
    cells = [printable(found.label), f"{found.probability:.4f}"]
    if everything:
        sorted_ = sorted(found.posterior.items(), key=lambda pair: -pair[1])
        cells.append(" ".join(f"{printable(label)}={probability:.4f}" for label, probability in sorted_))
    shown = printable(each.source) if each.source and each.line == WHOLE else _text_on_a_line(each.text)
    return "\t".join([*cells, shown])


def _text_on_a_line(text: str) -> str:
    """A text as it is where it can be shown on a line, otherwise in quotes."""
    cut = text[:LONGEST]
    shown = cut if cut.isprintable() else visible(cut)
    return shown if len(text) <= LONGEST else f"{shown} ... ({len(text):,} characters)"


def why_lines(why: Why, level: str) -> Iterator[str]:
    """What each token did: the text in colours where a terminal shows them, a list elsewhere."""
    if in_colour(sys.stdout):
        yield f"    {_colored(why)}"
        return
    yield f"    what each {_NOUNS[level]} did for {printable(why.label)}:"
    largest = max((abs(each.contribution) for each in why.contributions), default=0.0)
    for each in why.contributions:
        strange = "  [unknown]" if each.unknown else ""
        yield f"    {each.contribution:+10.4f} {_bar(each.contribution, largest)}  {_spelt(each, why)}{strange}"


def _bar(value: float, largest: float) -> str:
    """A bar from the middle, to the left for what speaks against the label."""
    length = round(_BAR * abs(value) / largest) if largest else 0
    return f"{('-' * length if value < 0 else ''):>{_BAR}}|{('+' * length if value > 0 else ''):<{_BAR}}"


def _spelt(each: Contribution, why: Why) -> str:
    """A token as the text has it, or as the vocabulary calls it where the text has nothing to show."""
    return visible(why.text[each.begin : each.end]) if each.end > each.begin else printable(each.token)


def _colored(why: Why) -> str:
    """The text, what spoke for the label in green and what spoke against it in red."""
    largest = max((abs(each.contribution) for each in why.contributions), default=0.0) or 1.0
    shown, place = [], 0
    for each in why.contributions:
        between, itself = (printable(why.text[a:b]) for a, b in ((place, each.begin), (each.begin, each.end)))
        shown.append(between + _in_color(itself, each.contribution / largest))
        place = max(place, each.end)
    return "".join(shown)


def _in_color(text: str, share: float) -> str:
    if abs(share) < WEAK or not text:
        return text
    strong = "1;" if abs(share) >= STRONG else ""
    return f"\x1b[{strong}{_FOR if share > 0 else _AGAINST}m{text}{RESET}"
