"""What the model does not code costs what it should: little where it came before."""

import itertools

import pytest
from compression_cases import model

from charlm.compression.adaptive import Literals, Strings, has_capital
from charlm.compression.coder import Decoder, Encoder
from charlm.compression.parsing import Parser
from charlm.text.vocabulary import UNK


def coded(kind: type[Strings | Literals], texts: list[bytes]) -> bytes:
    """Texts one after another; they come back."""

    def new() -> Strings | Literals:
        return Literals(Strings()) if kind is Literals else Strings()

    encoder, there, back = Encoder(), new(), new()
    for text in texts:
        there.code(encoder, text)
    data = encoder.finish()
    left = iter(data)
    decoder = Decoder(lambda: next(left, None))
    assert [back.code(decoder, None) for _ in texts] == texts
    return data


def test_what_has_been_spelt_is_named_by_its_number() -> None:
    """Two known ones by turns take a bit each, and a little for what might be new."""
    known = [b"zyxwvut", b"abcdefg"]
    grown = len(coded(Literals, known * 100)) - len(coded(Literals, known))
    assert grown < 198 / 8 * 1.3


def test_a_literal_is_known_once_it_has_been_spelt() -> None:
    literals = Literals(Strings())
    assert b"x" not in literals
    literals.code(Encoder(), b"x")
    assert b"x" in literals


def test_a_byte_is_expected_by_the_two_before_it() -> None:
    """Where one byte before does not tell which follows, and two do, little is left to code."""
    pairs = b"".join(bytes([65 + a, 97 + b, 48 + (a + b) % 8]) for a, b in itertools.product(range(8), repeat=2))
    # The digit follows from both letters, the letters themselves from nothing: six bits a triple in a known order.
    free = 6 * len(pairs) / 3 / 8
    grown = len(coded(Strings, [pairs * 60])) - len(coded(Strings, [pairs * 30]))
    assert grown < 30 * free * 1.25


@pytest.mark.parametrize("small", ["a", "\xe9", "\u0434"])
def test_letters_with_a_capital_of_their_own(small: str) -> None:
    assert has_capital(small)


@pytest.mark.parametrize("small", ["A", "1", " ", "\xdf", "\u0131", "\u017f", "\u03c2"])
def test_letters_whose_capital_is_none_or_another_letters(small: str) -> None:
    """Its small letter would come back as that other one."""
    assert not has_capital(small)


@pytest.mark.parametrize("text", ["the\tcats sat\n", "\tthe cats\n", "the cats sat\n"])
def test_words_are_known_behind_any_white_space(text: str) -> None:
    """A space before a word goes without saying, but behind white space."""
    named = model("lower words")
    parser = Parser(named.trained.tokenizer, Literals(Strings()), independent_lines=False)
    tokens = parser.parse(text.encode()).tokens
    assert "".join(token.piece for token in tokens) == text
    assert UNK not in [token.id for token in tokens]
