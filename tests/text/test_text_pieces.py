"""What stands in a text for each of its tokens: all of it, in order, at every level."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.text.pieces import pieces_of_ids, pieces_of_text
from charlm.text.reading import normalise
from charlm.text.tokenizer import LEVELS, Tokenizer, find_level
from charlm.text.vocabulary import Vocabulary

WAYS = [
    (level, unit, lowercase)
    for level in LEVELS
    for unit in find_level(level).units
    for lowercase in (False, True)
    if not lowercase or find_level(level).lowercases
]
TEXTS = st.text(
    st.sampled_from("aBİß .\n\t\r\"'é\u0301\u200d😀中ไ\uffed<unk>EOS\u2029\x00") | st.characters(codec="utf-8")
)


def tokenizer_of(level: str, unit: str, lowercase: bool, known: str = "") -> Tokenizer:
    """A tokenizer that knows the tokens of a text."""
    if level == "byte":
        return Tokenizer(level, unit, Vocabulary.of_bytes(np.zeros(257, np.int64)))
    tokens = dict.fromkeys(find_level(level).cut(unit, lowercase, known))
    for special in ("<EOS>", "<UNK>"):
        tokens.pop(special, None)
    empty = Vocabulary.from_counts(list(tokens), np.ones(len(tokens), np.int64))
    return Tokenizer(level, unit, empty, lowercase)


@pytest.mark.parametrize(("level", "unit", "lowercase"), WAYS)
@settings(max_examples=40)
@given(text=TEXTS, known=st.booleans())
def test_pieces_are_the_text(level: str, unit: str, lowercase: bool, text: str, known: bool) -> None:
    text = normalise(text)
    tokenizer = tokenizer_of(level, unit, lowercase, text if known else "")
    pieces, ids = pieces_of_text(tokenizer, text), tokenizer.encode_sentence(text)
    assert "".join(pieces) == text
    assert len(pieces) == len(ids)
    encoded = pieces_of_ids(tokenizer, ids)
    assert "".join(encoded) == tokenizer.decode(ids)
    assert len(encoded) == len(ids)


@pytest.mark.parametrize(
    ("level", "unit", "text", "pieces"),
    [
        ("char", "line", "a\nb", ["a", "\n", "b", ""]),
        ("char", "line", "a\n", ["a", "\n"]),
        ("char", "paragraph", "a\n\n\nb\n", ["a", "\n\n", "\n", "b", "\n"]),
        ("char", "file", "a\n", ["a", "\n", ""]),
        ("byte", "file", "é!", ["é", "", "!", ""]),
        ("word", "line", "He's in,  at\n", ["He's", " in", ",", "  ", "at", "\n"]),
        ("word", "line", "Ab \uffed c", ["Ab", " \uffed", " c", ""]),
        ("token", "line", " a\t<unk>  <EOS> \nb ", [" a", "\t<unk>", "  <EOS>", " \n", "b", " "]),
    ],
)
def test_each_token_has_its_piece(level: str, unit: str, text: str, pieces: list[str]) -> None:
    for known in (text, ""):
        assert pieces_of_text(tokenizer_of(level, unit, False, known), text) == pieces


def test_a_letter_that_becomes_two_in_lower_case_stands_once() -> None:
    assert pieces_of_text(tokenizer_of("char", "line", True), "aİB") == ["a", "İ", "", "B", ""]
    assert pieces_of_text(tokenizer_of("word", "line", True), "Aİ b") == ["Aİ", " b", ""]


def test_bytes_that_are_no_text_come_back() -> None:
    tokenizer = tokenizer_of("byte", "file", False)
    data = b"a\xff\xe2\x82b"
    pieces = pieces_of_text(tokenizer, data)
    assert "".join(pieces).encode("utf-8", "surrogateescape") == data
    ids = np.concatenate([tokenizer.encode_sentence("é".encode()), tokenizer.encode_sentence(data)])
    assert pieces_of_ids(tokenizer, ids) == ["é", "", "", *pieces]
