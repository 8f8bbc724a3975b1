"""Words are counted from ids as from the text."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.text.tokenizer import Tokenizer, find_level
from charlm.text.vocabulary import Vocabulary
from charlm.text.words_in import words_of_blocks, words_of_ids, words_of_text

texts = st.text(st.sampled_from("ab ,.'\t\n-1é"), max_size=40).map(lambda text: text.rstrip("\n") + "\n")


def tokenizer_for(level: str, text: str) -> Tokenizer:
    if level == "byte":
        return Tokenizer("byte", "file", Vocabulary.of_bytes(np.zeros(257, np.int64)))
    tokens = [token for token in dict.fromkeys(find_level(level).cut("line", False, text)) if token != "<EOS>"]  # noqa: S105 - no secret
    return Tokenizer(level, "line", Vocabulary.from_counts(tokens, np.ones(len(tokens), np.int64)))


@pytest.mark.parametrize("level", ["char", "word", "token"])
@given(text=texts)
def test_ids_have_the_words_of_their_text(level: str, text: str) -> None:
    tokenizer = tokenizer_for(level, text)
    assert words_of_ids(tokenizer.encode_sentence(text), tokenizer) == words_of_text(text)


def test_bytes_have_words_too() -> None:
    tokenizer = tokenizer_for("byte", "")
    # <EOS> ends the file, and counts as a line's end does.
    assert words_of_ids(tokenizer.encode_sentence("some  words\there"), tokenizer) == 3 + 1
    # As in the text, whose letters may hold bytes that are white space elsewhere.
    for text in ("some\nlines\n\nare à la\n", "and one is open\n\n\x1cend", "\n"):
        assert words_of_ids(tokenizer.encode_sentence(text), tokenizer) == words_of_text(text)


@given(text=texts)
@pytest.mark.parametrize("level", ["char", "word"])
def test_line_breaks_within_a_file_are_words_too(level: str, text: str) -> None:
    tokens = [each for each in dict.fromkeys(find_level(level).cut("file", False, text)) if each != "<EOS>"]
    tokenizer = Tokenizer(level, "file", Vocabulary.from_counts(tokens, np.ones(len(tokens), np.int64)))
    for given_ in (text, text.rstrip("\n")):
        assert words_of_ids(tokenizer.encode_sentence(given_), tokenizer) == words_of_text(given_)


@given(text=texts, places=st.lists(st.integers(0, 40), max_size=3))
def test_words_in_blocks_are_those_of_the_whole(text: str, places: list[int]) -> None:
    bounds = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    blocks = [text[first:last] for first, last in pairwise(bounds) if last > first]
    assert words_of_blocks(blocks) == words_of_text(text)
    assert words_of_blocks([]) == words_of_text("")


def test_blocks_do_not_cut_words(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "abba ab  a\nab\n"
    tokenizer = tokenizer_for("char", text)
    ids = tokenizer.encode_sentence(text)
    blocks = [ids[place : place + 2] for place in range(0, len(ids), 2)]
    monkeypatch.setattr("charlm.text.words_in.blocks_of", lambda _: iter(blocks))
    assert words_of_ids(ids, tokenizer) == words_of_text(text)


def test_a_missing_line_break_is_supplied() -> None:
    assert words_of_text("two words") == words_of_text("two words\n") == 3
