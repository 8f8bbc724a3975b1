"""The word level: exact text, the same tokens wherever blocks are cut, and what words are in many scripts."""

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import ModelError
from charlm.text import segment, tokens, words
from charlm.text.reading import file_source, normalise
from charlm.text.segment import Portioner, completed, has_rare_spaces
from charlm.text.store import GrowingStore
from charlm.text.tokenizer import Tokenizer, find_level
from charlm.text.tokens import PieceIds, PieceIndexer
from charlm.text.vocabulary import MARK, Vocabulary

SPACES = " \t\n\r\x0b\x0c\x1c\x1f\x85\xa0\u3000\u2028"
NASTY = f"ab1.,'\u2019\"{MARK}_{SPACES}\u0301\u200d\u200c\ud800\udc80\ufe0f\u20e3\u05d0中カー👩🇩\ufffd\xad"
TEXTS = st.text(alphabet=st.sampled_from(NASTY + "   \n\n\n  aaab")) | st.text()
UNITS = pytest.mark.parametrize("unit", ["line", "paragraph", "file"])
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
FLAGS = "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7"
WALES = "\N{WAVING BLACK FLAG}" + "".join(chr(0xE0000 + ord(tag)) for tag in "gbwls") + "\U000e007f"
KEYS = "1\ufe0f\u20e32\ufe0f\u20e3"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("words") / "text"


@pytest.fixture
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut runs of more than 4 and take 6 characters together, so that both limits are met."""
    monkeypatch.setattr(segment, "LONGEST_RUN", 4)
    monkeypatch.setattr(words, "SMALL", 6)


def cut(text: str, unit: str = "line", *, lowercase: bool = False) -> list[str]:
    return find_level("word").cut(unit, lowercase, text)


def tokenizer_of(*texts: str, unit: str = "line", lowercase: bool = False) -> Tokenizer:
    types = sorted({token for text in texts for token in cut(text, unit, lowercase=lowercase)} - {"<EOS>"})
    return Tokenizer("word", unit, Vocabulary.from_counts(types, np.ones(len(types), np.int64)), lowercase)


def kind(character: str) -> str:
    return "break" if character == "\n" else "blank" if character.isspace() else "word"


def naive(text: str, unit: str) -> list[str]:
    """Tokens run by run; only what is cut from a run of other than white space is the level's own."""
    runs = [(of, "".join(run)) for of, run in groupby(text, kind)]
    found = []
    for place, (of, run) in enumerate(runs):
        around = [runs[other][0] if 0 <= other < len(runs) else "" for other in (place - 1, place + 1)]
        pieces = [run[start : start + segment.LONGEST_RUN] for start in range(0, len(run), segment.LONGEST_RUN)]
        if of == "word":
            parts = [token for piece in pieces for token in words._tokens_of(piece)]  # noqa: SLF001
            found += [parts[0], *(MARK + part for part in parts[1:])]
        elif of == "blank":
            found += [] if run == " " and around == ["word", "word"] else pieces
        else:
            ends = {"line": len(run), "paragraph": len(run) // 2, "file": 0}[unit]
            rest = {"line": 0, "paragraph": len(run) % 2, "file": len(run)}[unit]
            found += ["<EOS>"] * ends + ["\n"] * rest
    return found


@UNITS
@given(text=TEXTS)
def test_text_comes_back(unit: str, text: str) -> None:
    tokenizer = tokenizer_of(text, completed(text, unit), unit=unit)
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int64
    assert tokenizer.decode(ids) == text
    ended = tokenizer.encode_sentence(text)
    assert ended[-1] == tokenizer.eos_id
    assert tokenizer.decode(ended) == completed(text, unit)


@UNITS
@given(text=TEXTS)
def test_cuts_as_a_naive_one_does(unit: str, text: str) -> None:
    assert cut(text, unit) == naive(text, unit)


@UNITS
@pytest.mark.usefixtures("short_runs")
def test_limits_are_kept_as_a_naive_one_keeps_them(unit: str) -> None:
    @given(text=st.text(alphabet=st.sampled_from(f"aab. \n\t\u00a0{MARK}")))
    def check(text: str) -> None:
        assert cut(text, unit) == naive(text, unit)
        tokenizer = tokenizer_of(text, unit=unit)
        assert tokenizer.decode(tokenizer.encode(text)) == text

    check()


@given(text=TEXTS)
def test_runs_lose_nothing_and_every_token_stands_alone(text: str) -> None:
    for run in text.split():
        found = words._tokens_of(run)  # noqa: SLF001
        assert "".join(found) == run
        assert all(words._tokens_of(token) == [token] for token in found)  # noqa: SLF001
        assert all(token == MARK or MARK not in token for token in found)


def test_white_space_is_the_same_everywhere() -> None:
    everything = "".join(map(chr, range(0x110000)))
    spaces = {character for character in everything if character.isspace()}
    assert set(re.findall(r"\s", everything)) == spaces
    assert "".join(everything.split()) == "".join(character for character in everything if character not in spaces)
    assert all(has_rare_spaces("中" + space) for space in spaces - {" ", "\n"})
    assert not has_rare_spaces("".join(everything.split()) + " \n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He's in, at last.", "He's in +, at last +."),
        ("don't 'tis dogs' rock'n'roll 90's", "don't ' +tis dogs +' rock'n'roll 90 +' +s"),
        ("l\u2019e\u0301te\u0301 l'été", "l\u2019e\u0301te\u0301 l'été"),
        ("pi: 3.14, 1,000. v1.2", "pi +: 3.14 +, 1,000 +. v1.2"),
        ("a_b x=y+1 U.S. e-mail ...", "a_b x += +y ++ +1 U +. +S +. e +- +mail . +. +."),
        ('\u05e6\u05d4"\u05dc "\u05d0"', '\u05e6\u05d4"\u05dc " +\u05d0 +"'),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0645\u0631\u062d\u0628\u0627\u060c",
         "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0645\u0631\u062d\u0628\u0627 +\u060c"),
        ("soft\u00adhyphen \u00ad", "soft\u00adhyphen \u00ad"),
        ("\u0939\u093f\u0928\u094d\u0926\u0940", "\u0939\u093f\u0928\u094d\u0926\u0940"),
        ("\u0d28\u0d4d\u200d \u0d28\u200d", "\u0d28\u0d4d\u200d \u0d28 +\u200d"),
        ("我爱,2个", "我 +爱 +, +2 +个"),
        ("らーめん", "ら +ー +め +ん"),
        ("Tシャツ・カ\u3099ー ﾊﾞ", "T +シャツ +・ +カ\u3099ー ﾊﾞ"),
        ("\u0e2a\u0e27\u0e31 \u0ea5\u0eb2\u0ea7", "\u0e2a +\u0e27\u0e31 \u0ea5 +\u0eb2 +\u0ea7"),
        ("\u1797\u17b6\u179f \u1019\u103c\u1014\u103a", "\u1797\u17b6 +\u179f \u1019\u103c +\u1014\u103a"),
        ("한국어 텍스트", "한국어 텍스트"),
        (f"{FAMILY}\N{THUMBS UP SIGN}\U0001f3fd ok", f"{FAMILY} +\N{THUMBS UP SIGN}\U0001f3fd ok"),
        (f"{FLAGS}\U0001f1e9", f"{FLAGS[:2]} +{FLAGS[2:]} +\U0001f1e9"),
        (f"{WALES}! \u2764\ufe0f", f"{WALES} +! \u2764\ufe0f"),
        (f"{KEYS} #\ufe0f\u20e3 a{KEYS}12", f"{KEYS[:3]} +{KEYS[3:]} #\ufe0f\u20e3 a +{KEYS[:3]} +{KEYS[3:]} +12"),
        ("\u2139\ufe0fa \u0301a €\u0301", "\u2139\ufe0f +a \u0301a €\u0301"),
    ],
)  # fmt: skip
def test_words_of_many_scripts(text: str, expected: str) -> None:
    """Tokens have spaces between them here, and a plus sign for the mark."""
    assert cut(text) == [
        MARK + token[1:] if token[0] == "+" and len(token) > 1 else token for token in expected.split(" ")
    ]


def test_a_mark_in_the_text_needs_no_escape() -> None:
    text = f"{MARK} a{MARK}{MARK}b {MARK}c {MARK}\u0301"
    assert cut(text) == [
        MARK, "a", 2 * MARK, 2 * MARK, f"{MARK}b", MARK, f"{MARK}c", MARK, f"{MARK}\u0301",
    ]  # fmt: skip
    tokenizer = tokenizer_of(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize(
    ("unit", "text", "expected"),
    [
        ("line", " a  b \n\tc\u00a0d\n", [" ", "a", "  ", "b", " ", "<EOS>", "\t", "c", "\u00a0", "d", "<EOS>"]),
        ("line", "the cat\nthe hat", ["the", "cat", "<EOS>", "the", "hat"]),
        ("paragraph", "a\nb \n\n\n c", ["a", "\n", "b", " ", "<EOS>", "\n", " ", "c"]),
        ("file", "a\n\n  b", ["a", "\n", "\n", "  ", "b"]),
        ("line", " ", [" "]),
        ("line", "", []),
    ],
)
def test_white_space_that_is_a_token(unit: str, text: str, expected: list[str]) -> None:
    assert cut(text, unit) == expected


def index(path: Path, unit: str, *, lowercase: bool = False) -> list[str]:
    """A file's tokens as an indexer cuts them."""
    indexer = find_level("word").indexer(unit, lowercase)
    assert isinstance(indexer, PieceIndexer)
    with GrowingStore() as store:
        indexer.index(file_source(path), "utf-8", store)
        names = ["<EOS>", "<UNK>", *indexer.types]
        return [names[token] for token in store.finish()]


def ended(text: str, unit: str) -> list[str]:
    """The tokens of a file, its end included."""
    text = normalise(text)
    return [*naive(completed(text, unit), unit), *(["<EOS>"] if unit == "file" else [])] if text else []


@UNITS
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1 << 16])
@pytest.mark.usefixtures("short_runs")
def test_tokens_are_the_same_wherever_blocks_are_cut(
    unit: str, size: int, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "BLOCK_BYTES", size)

    @given(text=st.text(alphabet=st.sampled_from(f"aaab.é \n\t  \n\n\r{MARK}中")))
    def check(text: str) -> None:
        scratch.write_text(text, "utf-8", newline="")
        assert index(scratch, unit) == ended(text, unit)

    check()


@given(text=st.text(alphabet=st.sampled_from("aΣİ \n.'")), size=st.integers(1, 5))
def test_lower_case(scratch: Path, text: str, size: int) -> None:
    scratch.write_text(text, "utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "BLOCK_BYTES", size)
        assert index(scratch, "line", lowercase=True) == ended(text.lower(), "line")
    tokenizer = tokenizer_of(text, lowercase=True)
    assert tokenizer.decode(tokenizer.encode(text)) == text.lower()


@UNITS
@pytest.mark.parametrize("endless", ["x", " ", "\n", "\n ", "\t\n\n", "中"])
def test_endless_runs_need_little_memory(unit: str, endless: str) -> None:
    """What is held back, and what is cut at once, stays under a few runs."""
    portioner, block = Portioner(unit), endless * 600_000
    size = 0
    for _ in range(3):
        size += len(block)
        for portion in portioner.feed(block):
            size -= len(portion.text)
            assert len(portion.text) <= 3 * segment.LONGEST_RUN or "\n" in endless
        assert size <= 3 * segment.LONGEST_RUN


def test_kept_pieces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_PIECES", 3)
    monkeypatch.setattr(tokens, "LONGEST_PIECE", 4)
    ids = PieceIds(list, ord)
    for piece in ("a", "b", "ab", "ba", "aaaaa", "a"):
        assert np.frombuffer(ids[piece], np.intc).tolist() == list(map(ord, piece))
        assert len(ids) <= 3
    assert "aaaaa" not in ids


@pytest.mark.parametrize("limits", [(3, 100), (100, 3)])
def test_types_beyond_a_limit_are_unknown(
    limits: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, limit in zip(("MOST_TYPES", "MOST_CHARACTERS"), limits, strict=True):
        monkeypatch.setattr(tokens, name, limit)
    path = tmp_path / "text"
    path.write_text("a b c d a e\n")
    assert index(path, "line") == ["a", "b", "c", "<UNK>", "a", "<UNK>", "<EOS>"]


def test_unknown_tokens() -> None:
    tokenizer = tokenizer_of("a b, c")
    assert tokenizer.encode("a x, c").tolist() == [*tokenizer.encode("a"), 1, *tokenizer.encode("b, c")[1:]]
    assert tokenizer.decode(tokenizer.encode("a x, c.")) == "a \ufffd, c \ufffd"
    assert tokenizer.unknown_in("zz a, zz! y") == ["zz", f"{MARK}!", "y"]
    assert tokenizer.unknown_in("a  b") == ["  "]
    assert not tokenizer.unknown_in("b, a c")


def test_line_ends() -> None:
    assert tokenizer_of("a").line_end_id == 0
    paragraphs = tokenizer_of("a\nb", unit="paragraph")
    assert paragraphs.line_end_id == paragraphs.encode("\n")[0] > 1
    assert tokenizer_of("a", unit="paragraph").line_end_id == 0
    assert tokenizer_of("a", unit="file").line_end_id is None


@pytest.mark.parametrize(
    ("prompt", "trimmed"),
    [("the ", "the"), ("the  ", "the  "), ("the\t", "the\t"), (" ", " "), ("\n ", "\n "), ("the", "the"), ("", "")],
)
def test_a_prompt_leaves_out_the_space_that_the_next_word_brings(prompt: str, trimmed: str) -> None:
    tokenizer = tokenizer_of("the king", prompt)
    assert tokenizer.trim_prompt(prompt) == trimmed
    ids = tokenizer.encode_prompt(prompt)
    assert ids.tolist() == tokenizer.encode(trimmed).tolist()
    king = tokenizer.encode("king")
    after = int(ids[-1]) if ids.size else None
    continued = f"{trimmed} king" if trimmed[-1:] == "e" else f"{trimmed}king"
    assert trimmed + tokenizer.decode(king, after=after) == continued


def damaged_tokens() -> Sequence[tuple[str, str]]:
    anywhere = ["a b", " a", "a\u00a0", f"{MARK} ", f"{MARK}\t", "\n\n", " \n", "\na"]
    return [*(("file", token) for token in anywhere), ("line", "\n"), ("paragraph", "\n\n")]


@pytest.mark.parametrize(("unit", "token"), damaged_tokens())
def test_vocabularies_that_no_text_has(unit: str, token: str) -> None:
    vocabulary = Vocabulary.from_counts(["ok", "\t ", MARK, MARK + "x", token], np.ones(5, np.int64))
    with pytest.raises(ModelError, match="the file is damaged"):
        Tokenizer("word", unit, vocabulary)


def test_what_does_not_go_with_the_level() -> None:
    with pytest.raises(ModelError):
        Tokenizer("word", "line", Vocabulary.of_bytes(np.zeros(257, np.int64)))
    with pytest.raises(TypeError):
        tokenizer_of("a").encode(b"a")
    for outside in (-1, 3):
        with pytest.raises(IndexError):
            tokenizer_of("a").decode(np.array([outside]))
