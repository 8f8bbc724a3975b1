"""Texts that come in blocks: their tokens, their sizes, and where they lie."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.text.long import LongText, blocks_of_text, is_long, text_in_memory
from charlm.text.reading import normalise
from charlm.text.segment import LONGEST_RUN
from charlm.text.sizes import several_lines, sizes_of
from charlm.text.tokenizer import Tokenizer, find_level
from charlm.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

TOKENS = {
    "char": ["a", "b", " ", "'", "\n", "\u03c3"],
    "word": ["a", "ab", "\uffedb", "\n", "  ", "\uffed'"],
    "token": ["a", "ab", "ba"],
}
TEXTS = st.text("aabb  \n\r\t'\N{GREEK CAPITAL LETTER SIGMA}\N{GRINNING FACE}\ufeff\ud800", max_size=30)


def tokenizer(level: str, unit: str, lowercase: bool) -> Tokenizer:
    if level == "byte":
        return Tokenizer(level, unit, Vocabulary.of_bytes(np.ones(257, np.int64)))
    tokens = [each for each in TOKENS[level] if each != "\n" or unit != "line"]
    return Tokenizer(level, unit, Vocabulary.from_counts(tokens, np.ones(len(tokens), np.int64)), lowercase)


def cut_at(text: str, places: Sequence[int]) -> list[str]:
    """Blocks of a text, none of them empty."""
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[a:b] for a, b in pairwise(bounds) if b > a]


def check_blocks(level: str, unit: str, lowercase: bool, text: str, blocks: list[str]) -> None:
    """Ids and tokens are those of the whole text."""
    made = tokenizer(level, unit, lowercase)
    whole = made.encode_sentence(text)
    ids = list(made.encode_blocks(blocks))
    assert np.concatenate(ids).tolist() == whole.tolist()
    names = list(chain.from_iterable(made.cut_blocks(blocks)))
    cut = made.cut(text)
    # What closes a text that ends in no unit's end is no token of the text.
    closed = [*cut, "<EOS>"][: len(whole)]
    assert len(names) == len(whole)
    assert names == closed or (unit == "paragraph" and names[:-1] == cut[: len(names) - 1])


@pytest.mark.parametrize("level", ["char", "word", "token", "byte"])
@settings(deadline=None)
@given(data=st.data(), text=TEXTS, places=st.lists(st.integers(0, 100), max_size=4), lowercase=st.booleans())
def test_blocks_have_the_tokens_of_the_whole(
    level: str, data: st.DataObject, text: str, places: list[int], lowercase: bool
) -> None:
    unit = data.draw(st.sampled_from(find_level(level).units))
    check_blocks(level, unit, lowercase and level != "byte", text, cut_at(text, places))


@pytest.mark.parametrize("level", ["word", "token"])
@pytest.mark.parametrize("run", ["a", " ", "\n", "'"])
def test_runs_of_any_length_are_cut_alike(level: str, run: str) -> None:
    text = "ab" + run * (2 * LONGEST_RUN + 3) + "b"
    for unit in ("line", "paragraph", "file"):
        check_blocks(level, unit, False, text, [text[i : i + 50_001] for i in range(0, len(text), 50_001)])


@settings(deadline=None)
@given(data=st.one_of(TEXTS, st.binary(max_size=30)), size=st.integers(1, 9))
def test_a_text_on_the_disk_is_the_text(data: str | bytes, size: int) -> None:
    """However it is cut into blocks; bytes that are no text come as surrogates."""
    held = LongText(raw=isinstance(data, bytes))
    for start in range(0, len(data), size):
        held.append(data[start : start + size])
    shown = data if isinstance(data, str) else data.decode("utf-8", "surrogateescape")
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    assert held.length == len(data)
    assert b"".join(held.data(size)) == raw
    assert "".join(held.shown(size)) == shown
    assert held.beginning(size) == data[:size]
    for line_break in (False, True):
        assert sizes_of(held, line_break=line_break) == sizes_of(data, line_break=line_break)
    assert several_lines(held) == several_lines(data)
    for text in (held, data):
        blocks = list(blocks_of_text(text))
        if isinstance(data, str):
            assert "".join(map(str, blocks)) == normalise(data)
        else:
            assert b"".join(map(bytes, blocks)) == data  # type: ignore[arg-type] # of bytes there are only bytes
    assert text_in_memory(held) == data
    assert is_long(held)
