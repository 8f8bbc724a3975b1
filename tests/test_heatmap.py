"""The page of a text in colour: HTML that parses, holds the text exactly, and loads nothing."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from heatmap_cases import Parsed
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.cli.painting import Painter
from charlm.colours import SURPRISE, Scale
from charlm.heatmap import Page, Token, cells, render

SIGNED = Scale("value", -1, 1, 20, signed=True)
ODD = st.text(
    st.sampled_from("ab <>&\"'\n\r\t\0\x1b\x85\xa0é\u0301\u200d\u202e\u2028\u2066👩🔬🇩🇪नमسश्ש\ud800") | st.characters()
)


def page_of(*texts: list[Token], scale: Scale = SURPRISE) -> Page:
    return Page("A <title>", ["about & more"], scale, ["bits"], texts)


def cut_up(text: str, places: list[int]) -> list[Token]:
    """A text as tokens, cut at these places, some maybe empty."""
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [Token(text[a:b], k % 11, f"token {k} {text[a:b]}", (k % 11,)) for k, (a, b) in enumerate(pairwise(bounds))]


def in_html(text: str) -> str:
    """A text as far as HTML can hold it."""
    return re.sub("[\0\ud800-\udfff]", "\ufffd", text)


@settings(max_examples=150)
@given(text=ODD, places=st.lists(st.integers(0, 50)))
def test_any_text_stands_in_its_page_exactly(text: str, places: list[int]) -> None:
    """And each of its tokens once and in order."""
    tokens = [*cut_up(text, places), Token("", 3, "<EOS>", (3,), end=True)]
    page = render(page_of(tokens))
    parsed = Parsed(page.encode().decode())
    assert parsed.text == in_html(text)
    assert parsed.names == [token.name for token in tokens]
    assert "".join(parsed.cells) == parsed.text
    assert parsed.classes[-1].split()[-1] == "end"


def test_several_texts_have_line_breaks_between_them_and_means_beside() -> None:
    first, second = cut_up("one", [1]), cut_up("two\nlines", [2])
    page = Page("Title", [], SURPRISE, ["bits"], [first, second], means=[1.25, 7.5])
    parsed = Parsed(render(page))
    assert parsed.text == "one\ntwo\nlines"
    assert [value for name, value in parsed.attributes if name == "data-mean"] == ["1.25", "7.50"]


def test_nothing_in_a_text_becomes_part_of_the_page() -> None:
    text = "</script><script>alert(1)</script><b onclick='x'>&amp;</main>"
    token = Token(text, 1, text, (1.0,), ((text, 0.5),))
    page = render(Page(text, [text], SURPRISE, [text], [[token]], left_out=text))
    parsed = Parsed(page)
    assert parsed.text == text
    assert page.count("<script") == page.count("</script") == 2
    assert "<b onclick" not in page
    assert json.loads(parsed.data)["figures"] == [text]


def test_a_line_runs_where_its_letters_do() -> None:
    """Each by itself: one in Hebrew from right to left, the next from left to right."""
    parsed = Parsed(render(page_of(cut_up("\u05e9\u05dc\u05d5\u05dd\nabc", [4, 5]))))
    assert parsed.attributes.count(("dir", "auto")) == 2


def test_a_page_loads_nothing() -> None:
    page = render(page_of(cut_up("a text", [2])))
    assert not re.search(r"https?:|//[a-z]|\bsrc=|href|@import|url\(", page)
    assert "default-src 'none'" in page


def test_a_page_is_for_light_dark_and_paper() -> None:
    page = render(page_of(cut_up("a text", [2])))
    assert "@media screen and (prefers-color-scheme:dark)" in page
    assert "@media print" in page
    assert "print-color-adjust: exact" in page


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("ab", ["a", "b"]),
        ("e\u0301a", ["e\u0301", "a"]),
        ("👩\u200d🔬!", ["👩\u200d🔬", "!"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("שלום", list("שלום")),
    ],
)
def test_what_is_one_letter_is_one_cell(text: str, apart: list[str]) -> None:
    tokens = [Token(character, index, character) for index, character in enumerate(text)]
    assert ["".join(token.text for token in cell) for cell in cells(tokens)] == apart


def test_bytes_of_one_letter_share_a_cell_of_the_most_surprising() -> None:
    tokens = [Token("€", 1, "\\xe2"), Token("", 9, "\\x82"), Token("", 2, "\\xac"), Token("", 4, "<EOS>", end=True)]
    assert [len(cell) for cell in cells(tokens)] == [3, 1]
    parsed = Parsed(render(page_of(tokens)))
    assert [each.split()[0] for each in parsed.classes] == ["c18", "c8"]
    assert json.loads(parsed.data)["joined"] == {"0": 3}


@given(st.floats(-20, 20), st.floats(-20, 20))
def test_levels_are_monotone(first: float, second: float) -> None:
    for scale in (SURPRISE, SIGNED):
        low, high = sorted((first, second))
        assert 0 <= scale.level(low) <= scale.level(high) < scale.levels


def luminance(red: int, green: int, blue: int) -> float:
    """As WCAG has it."""
    parts = [part / 255 for part in (red, green, blue)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_colours_grow_steadily_and_can_be_read_on(dark: bool) -> None:
    """From paper to the strongest, by luminance; letters keep a contrast of 4.5 to 1."""
    ink = luminance(236, 238, 242) if dark else luminance(22, 24, 29)
    for scale in (SURPRISE, SIGNED):
        shades = [luminance(*colour) for colour in scale.colours(dark=dark)]
        arms = [shades[scale.plain :], shades[scale.plain :: -1]]
        for arm in arms:
            assert arm == sorted(arm, reverse=not dark)
        assert all((max(ink, shade) + 0.05) / (min(ink, shade) + 0.05) >= 4.5 for shade in shades)
        assert len(set(shades)) == len(shades)


def test_nothing_is_coloured_by_what_is_no_number() -> None:
    with pytest.raises(ValueError, match="NaN"):
        SURPRISE.level(float("nan"))
    assert (SURPRISE.level(float("inf")), SIGNED.level(float("-inf"))) == (20, 0)


@pytest.mark.parametrize("true_colour", [False, True])
@given(text=ODD, places=st.lists(st.integers(0, 50)))
@settings(max_examples=60)
def test_painted_text_commands_nothing_but_colours(true_colour: bool, text: str, places: list[int]) -> None:
    painted = Painter(SURPRISE, true_colour=true_colour).paint(cut_up(text, places))
    plain = re.sub(r"\x1b\[(0|38;5;16;48;5;\d+|38;2;0;0;0;48;2;\d+;\d+;\d+)m", "", painted)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069]", plain)
    assert plain.count("\n") == text.count("\n")
    # Where a line ends no colour goes on.
    for line in painted.split("\n"):
        assert line.count("\x1b[0m") * 2 == line.count("\x1b[")


def test_terminals_have_the_pages_colours() -> None:
    tokens = [Token("a", 0.2, "a"), Token("b", 9.9, "b"), Token("c", 9.9, "c"), Token("d", 50, "d")]
    colours = SURPRISE.colours(dark=False)
    strong, most = ("\x1b[38;2;0;0;0;48;2;{};{};{}m".format(*colours[level]) for level in (19, 20))
    assert Painter(SURPRISE, true_colour=True).paint(tokens) == f"a{strong}bc\x1b[0m{most}d\x1b[0m"
    assert Painter(SURPRISE, true_colour=False).paint(tokens[3:]) == "\x1b[38;5;16;48;5;203md\x1b[0m"
