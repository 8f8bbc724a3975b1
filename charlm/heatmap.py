"""Texts coloured by figures of their tokens: one page of HTML that needs nothing besides itself.

The page loads nothing, from nowhere, and its policy forbids it. The text stands in it as it is: what a browser copies
from it is what was given. A line break, the end of a text and characters of no width are shown by marks that are no
part of it.

Tokens that cannot be shown apart, such as the bytes of one letter or a letter and its accent, stand in one *cell*,
coloured by the most extreme of their figures; pointing at it shows each.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from typing import Any

import regex  # type: ignore[import-untyped]

from charlm.colours import DARK_PAPER, LIGHT_PAPER, Scale

MOST_TOKENS = 100_000
"""More tokens make a page that a browser shows with effort, and nobody reads."""
_CLUSTER = regex.compile(r"\X")
_HIDDEN = re.compile("[\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""What a browser shows nothing of; control characters it shows as boxes."""
_NO_HTML = re.compile("[\x00\ud800-\udfff]")
"""What cannot stand in a page: U+FFFD stands for it."""
_LONG_LINE = 1500
"""Tokens after which a line without an end goes on in a new block, at white space if there is some."""
_PLACES = 4
"""Significant digits of a probability, and decimals of other figures."""


@dataclass(frozen=True)
class Token:
    """A token as a page shows it.

    Attributes:
        text: what stands in the text for it; nothing where it is part of a letter that has been shown, or an end.
        value: what colours it.
        name: how it is called where it is pointed at.
        figures: further figures, as many as ``Page.figures`` names.
        others: what might have stood in its place, with probabilities.
        end: whether it is the end of a text, and is shown though nothing stands for it.
    """

    text: str
    value: float
    name: str
    figures: tuple[float, ...] = ()
    others: tuple[tuple[str, float], ...] = ()
    end: bool = False


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Attributes:
        title: its heading.
        about: lines under the heading.
        scale: the colours of the tokens' values.
        figures: names of the tokens' figures.
        texts: the tokens of each text; between texts stands a line break.
        means: a figure for the margin of each text, on the same scale; none where they are empty.
        left_out: what of the texts is not shown, in words; nothing where all is.
    """

    title: str
    about: Sequence[str]
    scale: Scale
    figures: Sequence[str]
    texts: Sequence[Sequence[Token]]
    means: Sequence[float] = ()
    left_out: str = ""


def cells(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Tokens in groups that can be shown apart from each other, in their order."""
    bounds = {found.end() for found in _CLUSTER.finditer("".join(token.text for token in tokens))} | {0}
    place, first = 0, 0
    for index, token in enumerate(tokens):
        if index > first and (token.end or (token.text and place in bounds)):
            yield tokens[first:index]
            first = index
        place += len(token.text)
    if tokens:
        yield tokens[first:]


def extreme(cell: Sequence[Token], scale: Scale) -> float:
    """The value that colours a cell: the one farthest from where there is no colour."""
    middle = scale.start(scale.plain)
    return max((token.value for token in cell), key=lambda value: abs(value - middle))


def render(page: Page) -> str:
    """The page as HTML, pure but for the characters of the texts; encode it as UTF-8.

    Raises:
        ValueError: a figure is not finite.
    """
    data = _Data()
    texts = "\n".join(_text(index, tokens, page, data) for index, tokens in enumerate(page.texts))
    about = "".join(f"<p>{_escaped(line)}</p>\n" for line in page.about)
    left_out = f'<p class="cut" role="note">{_escaped(page.left_out)}</p>\n' if page.left_out else ""
    shown = {"figures": list(page.figures), "names": list(data.names), "tokens": data.tokens, "joined": data.joined}
    # What stands in a script is read up to the first "</script": no "<" in it is written as such.
    script = json.dumps(shown, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_escaped(page.title)}</title>\n<style>\n{_asset('heatmap.css')}{_colour_rules(page.scale)}</style>\n"
        f"</head>\n<body>\n<header>\n<h1>{_escaped(page.title)}</h1>\n{about}{left_out}{_legend(page.scale)}</header>\n"
        f'<main tabindex="-1">{texts}</main>\n{left_out}'
        '<div id="card" role="status" hidden></div>\n'
        f'<script type="application/json" id="data">{script}</script>\n'
        f"<script>\n{_asset('heatmap.js')}</script>\n</body>\n</html>\n"
    )


class _Data:
    """What pointing at a token shows, as the page's script reads it: names once each, and lists of numbers."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.tokens: list[list[float]] = []
        self.joined: dict[int, int] = {}
        self._cells = 0

    def add(self, cell: Sequence[Token]) -> None:
        if len(cell) > 1:
            self.joined[self._cells] = len(cell)
        self._cells += 1
        for token in cell:
            pairs = ((self._name(name), float(f"{share:.{_PLACES}g}")) for name, share in token.others)
            figures = (round(figure, _PLACES) for figure in token.figures)
            self.tokens.append([self._name(token.name), *figures, *chain.from_iterable(pairs)])

    def _name(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names))


def _text(index: int, tokens: Sequence[Token], page: Page, data: _Data) -> str:
    """A text, each line a block of its own, since a browser takes far too long for a single large one."""
    margin, lines, spans = "", [], []
    if page.means:
        mean = page.means[index]
        margin = f' class="m c{page.scale.level(mean)}" data-mean="{mean:.2f}"'
    for cell in cells(tokens):
        data.add(cell)
        text = "".join(token.text for token in cell)
        names = [f"c{page.scale.level(extreme(cell, page.scale))}", *_marks(text)]
        spans.append(f'<i class="{" ".join(names)}">{_escaped(text)}</i>')
        if "\n" in text or len(spans) >= (_LONG_LINE if text.isspace() else 2 * _LONG_LINE):
            lines.append("".join(spans))
            spans = []
    lines += ["".join(spans)] if spans else []
    return f"<div{margin}>" + "".join(f'<p dir="auto">{line}</p>' for line in lines) + "</div>"


def _marks(text: str) -> Iterator[str]:
    """Classes of what needs a mark to be seen."""
    if not text:
        yield "end"
    elif "\n" in text:
        yield "break"
    elif _HIDDEN.search(text):
        yield "hidden"


def _escaped(text: str) -> str:
    """A text as HTML; a carriage return by its number, since a browser would take it for a line break."""
    return html.escape(_NO_HTML.sub("\ufffd", text), quote=False).replace("\r", "&#13;")


def _legend(scale: Scale) -> str:
    shown = range(scale.levels) if scale.signed else range(0, scale.levels, 2)
    swatches = "".join(f'<b class="c{level}" title="{_number(scale.start(level))}"></b>' for level in shown)
    low, high = _number(scale.low), _number(scale.high)
    ends = (low, high) if scale.signed else (low, f"{high} and more")
    return (
        f'<p class="legend" role="img" aria-label="colours from {ends[0]} to {ends[1]} {_escaped(scale.name)}">'
        f"{ends[0]} {swatches} {ends[1]} {_escaped(scale.name)}</p>\n"
    )


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def _colour_rules(scale: Scale) -> str:
    def rules(*, dark: bool) -> Iterable[str]:
        for level, colour in enumerate(scale.colours(dark=dark)):
            if level != scale.plain:
                # A text's figure has its colour in the margin, not behind the text.
                yield f"i.c{level},b.c{level},div.c{level}::before{{background:{colour.hex}}}"

    light, dark = ("".join(rules(dark=each)) for each in (False, True))
    papers = [f":root{{--paper:{paper.hex}}}" for paper in (LIGHT_PAPER, DARK_PAPER)]
    return f"{papers[0]}{light}\n@media screen and (prefers-color-scheme:dark){{{papers[1]}{dark}}}\n"


def _asset(name: str) -> Any:
    return files("charlm").joinpath(name).read_text(encoding="utf-8")
