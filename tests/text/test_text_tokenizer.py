"""The tokenizer: exact round trips, equality with a naive encoder, units and their ends."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import ModelError, UsageError
from charlm.text import characters
from charlm.text.characters import CharIndexer
from charlm.text.reading import file_source
from charlm.text.segment import Segmenter, lowered
from charlm.text.store import GrowingStore
from charlm.text.tokenizer import LEVELS, Tokenizer, find_level
from charlm.text.vocabulary import Vocabulary

NASTY = "aé\u0301😀\x00\u202eא中\ud800\udc80\udfff\n\r\ufeff\u2028 "
TEXTS = st.text(alphabet=st.sampled_from(NASTY + "\n\n\n")) | st.text()
UNITS = pytest.mark.parametrize("unit", ["line", "paragraph", "file"])
UNIT_NAMES = st.sampled_from(["line", "paragraph", "file"])


def char_tokenizer(text: str, unit: str = "line") -> Tokenizer:
    types = sorted(set(text) - ({"\n"} if unit == "line" else set()))
    return Tokenizer("char", unit, Vocabulary.from_counts(types, np.ones(len(types), np.int64)))


def byte_tokenizer() -> Tokenizer:
    return Tokenizer("byte", "file", Vocabulary.of_bytes(np.zeros(257, np.int64)))


@UNITS
@given(text=TEXTS)
def test_text_comes_back(unit: str, text: str) -> None:
    tokenizer = char_tokenizer(text + "\n", unit)
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int64
    assert tokenizer.decode(ids) == text
    assert isinstance(tokenizer.decode_bytes(ids), bytes)
    ended = tokenizer.encode_sentence(text)
    assert ended[-1] == tokenizer.eos_id
    assert tokenizer.decode(ended).startswith(text)


def naive(tokenizer: Tokenizer, text: str) -> list[int]:
    """One character after the other."""
    known = {token: index for index, token in enumerate(tokenizer.vocabulary.ordinary_tokens(), start=2)}
    end = {"line": "\n", "paragraph": "\n\n", "file": None}[tokenizer.unit]
    ids, place = [], 0
    while place < len(text):
        if end is not None and text.startswith(end, place):
            ids.append(0)
            place += len(end)
        else:
            ids.append(known.get(text[place], 1))
            place += 1
    return ids


@UNITS
@given(text=TEXTS, known=st.text(alphabet=st.sampled_from(NASTY)))
def test_encoding_equals_the_naive_one(unit: str, text: str, known: str) -> None:
    tokenizer = char_tokenizer(known, unit)
    assert tokenizer.encode(text).tolist() == naive(tokenizer, text)


@UNITS
@given(blocks=st.lists(st.text(alphabet=st.sampled_from("a\n\n")), max_size=6))
def test_segments_alike_wherever_blocks_are_cut(unit: str, blocks: list[str]) -> None:
    whole, pieces = Segmenter(unit), Segmenter(unit)
    text = "".join(blocks)
    expected = [*whole.feed(text).tolist(), *whole.finish().tolist()]
    found = [symbol for block in blocks if block for symbol in pieces.feed(block).tolist()]
    assert found + pieces.finish().tolist() == expected


@given(blocks=st.lists(st.text(alphabet=st.sampled_from("aΣΔİ\n .'")), max_size=6))
def test_lower_case_alike_wherever_blocks_are_cut(blocks: list[str]) -> None:
    assert "".join(lowered(blocks)) == "".join(blocks).lower()


def test_long_words_are_cut_rather_than_kept() -> None:
    blocks = list(lowered(["A" * 3000, "B", "\nC"]))
    assert [len(block) for block in blocks] == [3000, 2, 1]


@pytest.mark.parametrize(
    ("unit", "text", "expected"),
    [
        ("line", "", "\n"),
        ("line", "abc", "abc\n"),
        ("line", "abc\n", "abc\n"),
        ("line", "abc\n\n", "abc\n\n"),
        ("paragraph", "abc\n", "abc\n\n"),
        ("paragraph", "abc\n\n", "abc\n\n"),
        ("paragraph", "a\n\n\nb", "a\n\n\nb\n\n"),
        ("paragraph", "\n\n\n", "\n\n\n\n"),
        ("file", "abc\n", "abc\n"),
    ],
)
def test_a_sentence_gets_one_end(unit: str, text: str, expected: str) -> None:
    tokenizer = char_tokenizer("abc\n", unit)
    ids = tokenizer.encode_sentence(text)
    assert ids[-1] == 0
    assert tokenizer.decode(ids) == expected


@given(data=st.binary())
def test_bytes_come_back(data: bytes) -> None:
    tokenizer = byte_tokenizer()
    ids = tokenizer.encode(data)
    assert ids.tolist() == [byte + 1 for byte in data]
    assert tokenizer.decode_bytes(tokenizer.encode_sentence(data)) == data
    assert tokenizer.encode(tokenizer.decode(ids)).tolist() == ids.tolist()


def test_byte_level_takes_any_str() -> None:
    tokenizer = byte_tokenizer()
    assert tokenizer.decode_bytes(tokenizer.encode("é\udcff")) == b"\xc3\xa9\xff"
    assert tokenizer.decode_bytes(tokenizer.encode("\ud800")) == b"\xed\xa0\x80"
    assert tokenizer.decode_bytes(tokenizer.encode("\ud800é\udcff")) == b"\xed\xa0\x80\xc3\xa9\xff"


@given(text=TEXTS, place=st.integers(0, 20), level=st.sampled_from(["char", "word", "token"]), unit=UNIT_NAMES)
def test_pieces_decode_to_the_whole(text: str, place: int, level: str, unit: str) -> None:
    """However a row of ids is divided, if each part is told what it comes after."""
    types = sorted(set(find_level(level).cut(unit, False, text)) - {"<EOS>", "<UNK>"})
    tokenizer = Tokenizer(level, unit, Vocabulary.from_counts(types, np.ones(len(types), np.int64)))
    ids = np.append(tokenizer.encode(text), [1, 0, 1])
    first, second = ids[:place], ids[place:]
    after = int(first[-1]) if first.size else None
    assert tokenizer.decode(first) + tokenizer.decode(second, after=after) == tokenizer.decode(ids)
    both = tokenizer.decode_bytes(first), tokenizer.decode_bytes(second, after=after)
    assert b"".join(both) == tokenizer.decode_bytes(ids)


@given(data=st.binary(), place=st.integers(0, 20))
def test_pieces_of_bytes_decode_to_the_whole(data: bytes, place: int) -> None:
    tokenizer = byte_tokenizer()
    ids = tokenizer.encode(data)
    after = int(ids[place - 1]) if 0 < place <= len(ids) else None
    assert tokenizer.decode_bytes(ids[:place]) + tokenizer.decode_bytes(ids[place:], after=after) == data


@given(text=TEXTS, level=st.sampled_from(list(LEVELS)), unit=UNIT_NAMES)
def test_a_text_is_cut_as_it_is_encoded(text: str, level: str, unit: str) -> None:
    unit = "file" if level == "byte" else unit
    tokens = find_level(level).cut(unit, False, text)
    known = {token for token in tokens if token not in {"<EOS>", "<UNK>"}}
    vocabulary = Vocabulary.from_counts(sorted(known), np.ones(len(known), np.int64))
    tokenizer = byte_tokenizer() if level == "byte" else Tokenizer(level, unit, vocabulary)
    assert tokenizer.cut(text) == tokens
    assert [tokenizer.vocabulary.token(int(token)) for token in tokenizer.encode(text)] == tokens
    assert not tokenizer.unknown_in(text)


def test_cutting_shows_every_character_and_byte() -> None:
    assert char_tokenizer("ab").cut("aé\nb") == ["a", "é", "<EOS>", "b"]
    assert char_tokenizer("ab", "paragraph").cut("a\n\n\n") == ["a", "<EOS>", "\n"]
    assert char_tokenizer("ab", "file").cut("\n") == ["\n"]
    assert byte_tokenizer().cut("aé\n") == byte_tokenizer().cut("aé\n".encode()) == ["a", "\\xc3", "\\xa9", "\n"]
    lowering = Tokenizer("char", "line", char_tokenizer("ab").vocabulary, lowercase=True)
    assert lowering.cut("AB") == ["a", "b"]


def test_what_a_vocabulary_lacks() -> None:
    assert char_tokenizer("ab").unknown_in("xaybx\n") == ["x", "y"]
    assert byte_tokenizer().unknown_in("xyz") == []
    lowering = Tokenizer("char", "line", char_tokenizer("ab").vocabulary, lowercase=True)
    assert lowering.unknown_in("AXB") == ["x"]


@pytest.mark.parametrize("prompt", ["ab ", "ab\n", " ", ""])
def test_a_prompt_is_encoded_whole_where_spaces_are_tokens(prompt: str) -> None:
    for tokenizer in (char_tokenizer("ab "), byte_tokenizer()):
        assert tokenizer.trim_prompt(prompt) == prompt
        assert tokenizer.encode_prompt(prompt).tolist() == tokenizer.encode(prompt).tolist()
    assert byte_tokenizer().encode_prompt(b"a ").tolist() == [98, 33]


def test_unknown_characters() -> None:
    tokenizer = char_tokenizer("ab")
    ids = tokenizer.encode("axb")
    assert ids.tolist() == [2, 1, 3]
    assert tokenizer.decode(ids) == "a\ufffdb"
    assert tokenizer.has_unknown
    assert tokenizer.unknown_id == 1
    assert byte_tokenizer().unknown_id is None


def test_line_ends() -> None:
    assert char_tokenizer("a").line_end_id == 0
    assert char_tokenizer("a\n", "file").line_end_id == 2
    assert char_tokenizer("a", "paragraph").line_end_id is None
    assert byte_tokenizer().line_end_id == 11


def test_lowercase_tokenizer_lowers_what_it_encodes() -> None:
    vocabulary = char_tokenizer("ab").vocabulary
    assert Tokenizer("char", "line", vocabulary, lowercase=True).encode("AB").tolist() == [2, 3]


def test_what_does_not_go_together() -> None:
    char, byte = char_tokenizer("ab").vocabulary, byte_tokenizer().vocabulary
    with pytest.raises(UsageError, match="char, byte, word, token"):
        Tokenizer("letter", "line", char)
    with pytest.raises(UsageError, match="choose from file"):
        Tokenizer("byte", "line", byte)
    with pytest.raises(UsageError, match="--lowercase"):
        Tokenizer("byte", "file", byte, lowercase=True)
    with pytest.raises(ModelError):
        Tokenizer("byte", "file", char)
    with pytest.raises(ModelError):
        Tokenizer("char", "line", byte)
    with pytest.raises(ModelError):
        Tokenizer("char", "line", Vocabulary.from_counts(["ab"], np.ones(1, np.int64)))
    with pytest.raises(TypeError):
        char_tokenizer("ab").encode(b"ab")
    for outside in (-1, 4):
        with pytest.raises(IndexError):
            char_tokenizer("ab").decode(np.array([outside]))


def test_provisional_ids_follow_first_appearance(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("zaéz\n", "utf-8", newline="\n")
    indexer = CharIndexer("file")
    with GrowingStore() as store:
        indexer.index(file_source(tmp_path / "text"), "utf-8", store)
        assert store.finish().tolist() == [2, 3, 4, 2, 5, 0]
    facts = indexer.facts()
    assert facts.characters.tolist() == [0, 1, 1, 1, 1, 1]
    assert facts.bytes[2:].tolist() == [1, 1, 2, 1]
    assert not facts.parted.any()
    assert facts.line_ends == (0, 5)


@UNITS
def test_looking_up_in_blocks_changes_nothing(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(characters, "LOOKUP_BLOCK", 3)
    tokenizer = char_tokenizer("abé\n", unit)
    for text in ("", "abé", "aé\n\nbxa\n", "a\n\n\n"):
        assert tokenizer.encode(text).tolist() == naive(tokenizer, text)
        assert tokenizer.decode(tokenizer.encode_sentence(text)).startswith(text.replace("x", "\ufffd"))
