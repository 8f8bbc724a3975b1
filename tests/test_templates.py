"""Templates: which texts they stand for, and what is refused."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import UsageError
from charlm.templates import MOST_TEXTS, expand


@pytest.mark.parametrize(
    ("template", "texts"),
    [
        ("the {pear|pair|pare} salad", ["the pear salad", "the pair salad", "the pare salad"]),
        ("{a|b}{c|d}", ["ac", "ad", "bc", "bd"]),
        ("a {very |}good day", ["a very good day", "a good day"]),
        ("{|}", ["", ""]),
        ("{a|a}", ["a", "a"]),
        ("{{x}} {a|b}", ["{x} a", "{x} b"]),
        ("{{{a|b}}}", ["{a}", "{b}"]),
        (r"\{x\} {a|b}", ["{x} a", "{x} b"]),
        (r"{a\|b|\{\}|\\}", ["a|b", "{}", "\\"]),
        (r"\n{a|b}\ ", [r"\na\ ", r"\nb\ "]),
        ("{a|b}\\", ["a\\", "b\\"]),
        ("a|b {c|d}", ["a|b c", "a|b d"]),
        ("{\U0001f600|\u05d0\u05d1|\ud800|\0}", ["\U0001f600", "\u05d0\u05d1", "\ud800", "\0"]),
    ],
)
def test_templates_stand_for_these_texts(template: str, texts: list[str]) -> None:
    assert expand(template) == texts


@pytest.mark.parametrize(
    ("template", "mentioned"),
    [
        ("", "offers no choice"),
        ("no braces", "offers no choice"),
        ("{{a|b}}", "offers no choice"),
        ("a {b}", "braces at character 3 offer no choice"),
        ("{}", "offer no choice"),
        ("{a|{b|c}}", "character 4 stands within braces, which cannot be nested"),
        ("x {a|b", "character 3 is never closed"),
        ("{a|b\\}", "never closed"),
        ("a} {b|c}", "character 2 closes nothing"),
        ("{a|b}}", "character 6 closes nothing"),
    ],
)
def test_what_is_no_template_is_refused(template: str, mentioned: str) -> None:
    with pytest.raises(UsageError, match=mentioned):
        expand(template)


def test_too_many_texts_are_counted_and_not_made() -> None:
    assert len(expand("{0|1|2|3|4|5|6|7|8|9}" * 4)) == MOST_TEXTS
    with pytest.raises(UsageError, match="100,000,000,000,000 texts"):
        expand("{0|1|2|3|4|5|6|7|8|9}" * 14)


def escaped(text: str) -> str:
    return "".join("\\" + each if each in "{}|\\" else each for each in text)


TEXT = st.text("a{}|\\ ", max_size=4)
CHOICE = st.lists(st.text("b{}|\\", max_size=3), min_size=2, max_size=3)


@given(st.lists(st.tuples(TEXT, CHOICE), min_size=1, max_size=4))
def test_whatever_is_escaped_comes_back(parts: list[tuple[str, list[str]]]) -> None:
    template = "".join(escaped(text) + "{" + "|".join(map(escaped, choice)) + "}" for text, choice in parts)
    expected = [
        "".join(text + chosen for (text, _), chosen in zip(parts, each, strict=True))
        for each in product(*(choice for _, choice in parts))
    ]
    assert expand(template) == expected
