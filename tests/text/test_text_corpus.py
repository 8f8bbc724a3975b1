"""The corpus: nothing lost and nothing in both parts; only training text builds the vocabulary."""

import contextlib
import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.errors import InputError, UsageError
from charlm.text import corpus as corpora
from charlm.text import lines, splitting, tokens
from charlm.text.corpus import Corpus, encode_texts
from charlm.text.indexing import index_texts
from charlm.text.lines import draw_lines
from charlm.text.reading import normalise
from charlm.text.segment import completed
from charlm.text.sources import find_texts
from charlm.text.store import blocks_of
from charlm.text.tokenizer import Tokenizer, find_level
from charlm.text.vocabulary import Vocabulary

PROSE = "It was a rather long line of prose, longer than any item of a list.\nAnd this is the next.\n\n" * 30
NAMES = "".join(f"name {chr(97 + index % 26)}{index}\n" for index in range(200))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus") / "text.txt"


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Walk ids in blocks of 7, so that every carry from block to block is met."""

    def few(ids: Any, size: int = 7) -> Any:
        return blocks_of(ids, size)

    monkeypatch.setattr(splitting, "blocks_of", few)
    monkeypatch.setattr(splitting, "BLOCK_IDS", 7)
    monkeypatch.setattr(lines._line_blocks, "__defaults__", (7,))  # noqa: SLF001


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def prepare(path: Path, *, valid_path: Path | None = None, **options: Any) -> Corpus:
    """``charlm.text.corpus.prepare`` of single files."""
    return corpora.prepare(
        find_texts([path]), valid_texts=None if valid_path is None else find_texts([valid_path]), **options
    )


def texts(corpus: Corpus) -> tuple[str, str]:
    return corpus.tokenizer.decode(corpus.train.ids), corpus.tokenizer.decode(corpus.valid.ids)


def test_stream_is_cut_at_a_line_start(tmp_path: Path) -> None:
    corpus = prepare(write(tmp_path / "t", PROSE), independent_lines=False)
    train, valid = texts(corpus)
    point = len(PROSE) - round(len(PROSE) * 0.1)
    assert train + valid == PROSE
    assert len(train) == PROSE.index("\n", point - 1) + 1
    assert corpus.train.characters == len(train)
    assert corpus.valid.bytes == len(valid.encode())
    assert corpus.valid.lines == valid.count("\n")
    assert corpus.digest == hashlib.sha256(PROSE.encode()).hexdigest()
    assert not corpus.independent_lines


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(("level", "unit"), [("char", "line"), ("char", "paragraph"), ("char", "file"), ("byte", None)])
@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5])
def test_streams_by_code_points_in_every_unit(tmp_path: Path, level: str, unit: str | None, fraction: float) -> None:
    text = "zwölf Boxkämpfer jagen Viktor\nquer über\n\nden großen 😀 Deich\nund nun\nEnde, das nicht umbricht" * 3
    path = write(tmp_path / "t", text)
    corpus = prepare(path, level=level, unit=unit, valid_fraction=fraction, independent_lines=False)
    train, valid = texts(corpus)
    point = len(text) - round(len(text) * fraction)
    line_start = text.find("\n", point - 1) + 1
    assert (train + valid).rstrip("\n") == text
    assert abs(len(train) - (line_start or point)) <= 2  # an end supplied counts too
    assert corpus.train.characters == len(train)
    assert corpus.train.bytes == len(train.encode())
    assert corpus.valid.ids[-1] == 0


LEVELS_AND_UNITS = [
    *((level, unit) for level in ("char", "word", "token") for unit in ("line", "paragraph", "file")),
    ("byte", "file"),
]


def tokenizer_of(text: str, level: str, unit: str) -> Tokenizer:
    """A tokenizer to which nothing in a text is unknown."""
    whole = normalise(completed(text, unit))
    types = sorted(set(find_level(level).cut(unit, False, whole)) - {"<EOS>", "<UNK>"})
    of_text = Vocabulary.from_counts(types, np.ones(len(types), np.int64))
    return Tokenizer(level, unit, Vocabulary.of_bytes(np.zeros(257, np.int64)) if level == "byte" else of_text)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(("level", "unit"), LEVELS_AND_UNITS[:-1])
def test_characters_and_bytes_are_those_of_the_parts(level: str, unit: str, scratch: Path) -> None:
    @given(
        text=st.text(alphabet=st.sampled_from("aé中.\uffed' \t\n\n  "), min_size=1),
        fraction=st.floats(0.1, 0.9),
        independent=st.booleans(),
    )
    def check(text: str, fraction: float, independent: bool) -> None:
        path, lines = write(scratch, text), independent and unit == "line"
        tokenizer = tokenizer_of(text, level, unit)
        parts = [encode_texts(find_texts([path]), tokenizer=tokenizer)]
        with contextlib.suppress(InputError):  # there may be too little text for two parts
            both = prepare(path, tokenizer=tokenizer, valid_fraction=fraction, independent_lines=lines)
            parts += [both.train, both.valid]
        for part in parts:
            decoded = tokenizer.decode(part.ids)
            assert part.characters == len(decoded)
            assert part.bytes == len(decoded.encode())
            assert not part.unknown

    check()


@pytest.mark.parametrize(("level", "unit"), LEVELS_AND_UNITS)
def test_streams_are_cut_near_the_same_point_at_every_level(level: str, unit: str, tmp_path: Path) -> None:
    corpus = prepare(write(tmp_path / "t", PROSE), level=level, unit=unit, valid_fraction=0.3, independent_lines=False)
    train, valid = texts(corpus)
    assert abs(len(valid) - 0.3 * len(PROSE)) < 2 * len(PROSE) / 30
    assert " ".join(f"{train} {valid}".split()) == " ".join(PROSE.split())
    # Paragraphs and files of tokens have no lines inside.
    assert corpus.tokenizer.line_end_id is None or corpus.train.ids[-1] in (0, corpus.tokenizer.line_end_id)
    assert corpus.valid.lines > 0


@pytest.mark.parametrize("level", ["word", "token"])
def test_a_word_that_becomes_unknown_keeps_its_characters(level: str, tmp_path: Path) -> None:
    corpus = prepare(write(tmp_path / "t", PROSE + "rare words\n" + PROSE), level=level, min_count=2)
    assert corpus.train.unknown == 2
    assert corpus.dropped_types == 2
    assert corpus.types == len(corpus.tokenizer)
    decoded = len(corpus.tokenizer.decode(corpus.train.ids))
    assert corpus.train.characters - decoded == len("rare words") - 2 * len({"word": "?", "token": "<unk>"}[level]) - 1


def test_more_types_than_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t", NAMES)
    assert not prepare(path, level="word").overflowed
    monkeypatch.setattr(tokens, "MOST_TYPES", 50)
    corpus = prepare(path, level="word")
    assert corpus.overflowed
    assert corpus.train.unknown == 180 - (corpus.types - 1) > 130
    assert not corpus.dropped_types
    assert corpus.tokenizer.vocabulary.counts[1] == corpus.train.unknown


@given(text=st.text(alphabet=st.sampled_from("ab.' \t\n\n"), min_size=1) | st.sampled_from([NAMES, PROSE]))
def test_lines_are_surveyed_alike_whatever_the_tokens(scratch: Path, text: str) -> None:
    def survey(level: str) -> lines.LineSurvey:
        indexer = find_level(level).indexer("line", False)
        ids, *_ = index_texts(indexer, find_texts([scratch]), "utf-8")
        return lines.survey_lines(ids, indexer.facts())

    write(scratch, text)
    assert survey("word") == survey("char")
    found = survey("token")
    write(scratch, "".join(" ".join(line.split()) + "\n" for line in completed(text, "line").split("\n")[:-1]))
    assert found == survey("char")


@settings(deadline=None)
@given(
    text=st.text(alphabet=st.sampled_from("ab \n\n"), min_size=1), repeats=st.integers(1, 20), size=st.integers(1, 9)
)
def test_what_is_no_list_shows_early_and_rightly(scratch: Path, text: str, repeats: int, size: int) -> None:
    """The survey that stops as soon as it may says the same as the one that goes on, whatever the blocks."""
    write(scratch, text * repeats + NAMES[: 13 * repeats])
    indexer = find_level("char").indexer("line", False)
    ids, *_ = index_texts(indexer, find_texts([scratch]), "utf-8")
    whole = lines.survey_lines(ids, indexer.facts())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines._line_blocks, "__defaults__", (size,))  # noqa: SLF001 - so that it may stop anywhere
        assert lines.is_list(ids, indexer.facts()) == (whole if lines.looks_like_list(whole) else None)


def test_prose_is_not_surveyed_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = 0
    blocks = lines._line_blocks  # noqa: SLF001 - what is looked at

    def counted(ids: Any) -> Any:
        nonlocal taken
        for block in blocks(ids, 7):
            taken += len(block)
            yield block

    monkeypatch.setattr(lines, "_line_blocks", counted)
    assert not prepare(write(tmp_path / "t", PROSE)).independent_lines
    assert 0 < taken < len(PROSE) / 4


def test_one_endless_line_is_cut_at_the_point(tmp_path: Path) -> None:
    text = "abcdefghij" * 10
    train, valid = texts(prepare(write(tmp_path / "t", text)))
    assert train == text[:90] or train == text[:91]
    assert train + valid == text + "\n"


@pytest.mark.parametrize("unit", ["line", "paragraph", "file"])
def test_small_blocks_change_nothing(tmp_path: Path, unit: str, request: pytest.FixtureRequest) -> None:
    path = write(tmp_path / "t", NAMES + PROSE)
    before = prepare(path, unit=unit, independent_lines=unit == "line")
    request.getfixturevalue("small_blocks")
    after = prepare(path, unit=unit, independent_lines=unit == "line")
    assert texts(before) == texts(after)


def test_lines_are_drawn_by_seed(tmp_path: Path) -> None:
    path = write(tmp_path / "t", NAMES + "\n \n" + "last one")
    corpus = prepare(path, seed=3)
    assert corpus.independent_lines
    assert corpus.detected
    assert corpus.blank_lines == 2
    train, valid = (text.splitlines() for text in texts(corpus))
    items = [*NAMES.splitlines(), "last one"]
    assert len(valid) == 20
    assert Counter(train) + Counter(valid) == Counter(items)
    assert valid == [item for item in items if item in set(valid)]
    assert texts(prepare(path, seed=3)) == texts(corpus)
    assert texts(prepare(path, seed=4)) != texts(corpus)
    assert corpus.valid.lines == 20


@given(count=st.integers(0, 200_000), fraction=st.floats(0.01, 0.99), seed=st.integers(0, 2**32))
def test_the_share_of_lines_is_exact(count: int, fraction: float, seed: int) -> None:
    assert int(draw_lines(count, fraction, seed).sum()) == round(count * fraction)


@given(text=st.text(alphabet=st.sampled_from("ab \n\r"), min_size=1), independent=st.booleans())
def test_nothing_is_lost(scratch: Path, text: str, independent: bool) -> None:
    path = write(scratch, text)
    tokenizer = Tokenizer("char", "line", Vocabulary.from_counts("ab \r", np.ones(4, np.int64)))
    try:
        corpus = prepare(path, independent_lines=independent, valid_fraction=0.4, tokenizer=tokenizer)
    except InputError:
        return
    whole = text.replace("\r\n", "\n")
    whole = whole if whole.endswith("\n") else whole + "\n"
    train, valid = texts(corpus)
    if independent:
        kept = [line for line in whole[:-1].split("\n") if line.strip()]
        assert Counter(train.split("\n")[:-1] + valid.split("\n")[:-1]) == Counter(kept)
    else:
        assert train + valid == whole


def test_only_training_text_builds_the_vocabulary(tmp_path: Path) -> None:
    path = write(tmp_path / "t", "abab\n" * 30)
    other = write(tmp_path / "v", "abz")
    corpus = prepare(path, valid_path=other)
    assert len(corpus.tokenizer) == 4
    assert corpus.valid.unknown == 1
    assert corpus.train.unknown == 0
    assert texts(corpus) == ("abab\n" * 30, "ab\ufffd\n")
    assert corpus.valid_digest == hashlib.sha256(b"abz").hexdigest()
    assert corpus.tokenizer.vocabulary.counts.tolist() == [30, 0, 60, 60]


def test_rare_types_become_unknown(tmp_path: Path) -> None:
    corpus = prepare(write(tmp_path / "t", PROSE + "éé" + PROSE), min_count=3)
    assert corpus.train.unknown == 2
    assert corpus.dropped_types == 1
    assert corpus.types == len(corpus.tokenizer) - 2 + 1
    assert len(prepare(tmp_path / "t", max_vocab=5).tokenizer) == 5


def test_a_given_tokenizer_is_used_as_it_is(tmp_path: Path) -> None:
    first = prepare(write(tmp_path / "t", PROSE), lowercase=True)
    second = prepare(write(tmp_path / "u", "It has ÿ\n" * 50), tokenizer=first.tokenizer)
    assert second.tokenizer is first.tokenizer
    assert second.train.unknown == second.train.lines
    part = encode_texts(find_texts([tmp_path / "u"]), tokenizer=first.tokenizer)
    assert first.tokenizer.decode(part.ids) == "it has \ufffd\n" * 50
    assert part.characters == 450


def test_more_than_256_types(tmp_path: Path) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 400))) * 3
    corpus = prepare(write(tmp_path / "t", text), unit="file")
    assert corpus.train.ids.dtype == np.uint16
    assert "".join(texts(corpus)) == text


def test_bytes_of_any_file(tmp_path: Path) -> None:
    data = bytes(range(256)) * 4 + b"\r\n\xef\xbb\xbf"
    corpus = prepare(write(tmp_path / "t", data), level="byte")
    decode = corpus.tokenizer.decode_bytes
    assert decode(corpus.train.ids) + decode(corpus.valid.ids) == data
    assert corpus.train.bytes + corpus.valid.bytes == len(data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NAMES, True),
        (PROSE, False),
        ("one\n" * 19, False),
        ("one two\n" * 20, True),
        ("one two three four five\n" * 30, False),
        ("x" * 40 + "\n" + "yes\n" * 30, True),
        (("x" * 41 + "\n" + "yes\n" * 10) * 5, False),
        ("yes\n" * 19 + "\n", True),
        ("yes\n\n" * 30, False),
    ],
)
@pytest.mark.parametrize("level", ["char", "word", "token"])
def test_lists_are_recognised(tmp_path: Path, text: str, expected: bool, level: str) -> None:
    assert prepare(write(tmp_path / "t", text), level=level).independent_lines is expected


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "is empty"),
        ("\ufeff", {}, "is empty"),
        ("aaaa", {}, "one repeated character"),
        ("aaaa\n", {}, "one repeated character"),
        ("\n\n\n", {}, "one repeated character"),
        ("ab", {"valid_fraction": 0.1}, "--valid FILE"),
        ("ab\ncd\n", {"independent_lines": True}, "--valid-fraction larger"),
        ("ab\ncd\n", {"independent_lines": True, "valid_fraction": 0.9}, "nothing to train on"),
        (" \n\n", {"independent_lines": True}, "only blank lines"),
        (" \n\n", {"independent_lines": True, "level": "word"}, "only blank lines"),
        (" \n\t\n", {"level": "token"}, "one repeated token"),
        ("so so so so\n", {"level": "word"}, "one repeated word"),
    ],
)
def test_texts_that_cannot_do(tmp_path: Path, text: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        prepare(write(tmp_path / "t", text), **options)


@pytest.mark.parametrize(
    "options",
    [
        {"valid_fraction": 0.0},
        {"valid_fraction": 1.0},
        {"valid_fraction": float("nan")},
        {"level": "letter"},
        {"unit": "page"},
        {"unit": "file", "independent_lines": True},
        {"level": "byte", "min_count": 2},
        {"level": "byte", "lowercase": True},
        {"level": "word", "max_vocab": 2},
        {"encoding": "no-such"},
        {"max_vocab": 2},
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        prepare(write(tmp_path / "t", PROSE), **options)
