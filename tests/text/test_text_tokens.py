"""The token level: what stands between white space, and a text that comes back with it normalised."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import ModelError
from charlm.text import segment, tokens
from charlm.text.corpus import encode_texts, prepare
from charlm.text.reading import file_source, normalise
from charlm.text.segment import completed
from charlm.text.sources import find_texts
from charlm.text.store import GrowingStore
from charlm.text.tokenizer import Tokenizer, find_level
from charlm.text.tokens import PieceIndexer
from charlm.text.vocabulary import Vocabulary

TEXTS = st.text(alphabet=st.sampled_from("ab\uffed<> \t\n\n\n  \x1c\xa0\u2028\r中\ud800")) | st.text()
UNITS = pytest.mark.parametrize("unit", ["line", "paragraph", "file"])
ENDS = {"line": "\n", "paragraph": "\n\n", "file": None}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens") / "text"


def cut(text: str, unit: str = "line") -> list[str]:
    return find_level("token").cut(unit, False, text)


def tokenizer_of(text: str, unit: str = "line") -> Tokenizer:
    types = sorted(set(text.split()) - {"<unk>", "<UNK>"})
    return Tokenizer("token", unit, Vocabulary.from_counts(types, np.ones(len(types), np.int64)))


def naive(text: str, unit: str) -> list[str]:
    """Units one after the other; their ends have a number for a name, as no token does."""
    end = ENDS[unit]
    first, *others = [text] if end is None else text.split(end)
    return first.split() + [token for other in others for token in ["0 end", *other.split()]]


@UNITS
@given(text=TEXTS)
def test_cuts_at_white_space(unit: str, text: str) -> None:
    assert cut(text, unit) == ["<EOS>" if token == "0 end" else token for token in naive(text, unit)]  # noqa: S105


@UNITS
@given(text=TEXTS)
def test_text_comes_back_with_its_white_space_normalised(unit: str, text: str) -> None:
    tokenizer, end = tokenizer_of(text, unit), ENDS[unit]
    normalised = (end or "").join(" ".join(part.split()) for part in ([text] if end is None else text.split(end)))
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == normalised
    assert tokenizer.encode(normalised).tolist() == ids.tolist()
    ended = tokenizer.encode_sentence(text)
    assert ended[-1] == tokenizer.eos_id
    assert ended[: len(ids)].tolist() == ids.tolist()
    assert len(ended) - len(ids) == (0 if end and completed(text, unit) == text else 1)


@UNITS
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_tokens_are_the_same_wherever_blocks_are_cut(
    unit: str, size: int, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "BLOCK_BYTES", size)
    monkeypatch.setattr(segment, "LONGEST_RUN", 4)

    def sliced(token: str) -> list[str]:
        return [token[start : start + 4] for start in range(0, len(token), 4)]

    @given(text=st.text(alphabet=st.sampled_from("aaab.é \n\t  \n\n\r")))
    def check(text: str) -> None:
        scratch.write_text(text, "utf-8", newline="")
        indexer = find_level("token").indexer(unit, False)
        assert isinstance(indexer, PieceIndexer)
        with GrowingStore() as store:
            indexer.index(file_source(scratch), "utf-8", store)
            names = ["0 end", "<UNK>", *indexer.types]
            found = [names[token] for token in store.finish()]
        text = normalise(text)
        expected = naive(completed(text, unit), unit) + (["0 end"] if unit == "file" else []) if text else []
        assert found == [part for token in expected for part in (sliced(token) if token != "0 end" else [token])]  # noqa: S105

    check()


def test_unknown_is_spelled_out() -> None:
    tokenizer = tokenizer_of("a b")
    ids = tokenizer.encode("a <unk> b <UNK> x <Unk>")
    assert ids.tolist() == [2, 1, 3, 1, 1, 1]
    assert tokenizer.decode(ids) == "a <unk> b <unk> <unk> <unk>"
    assert tokenizer.cut("a <unk> <UNK>\n<EOS>") == ["a", "<UNK>", "<UNK>", "<EOS>", "<EOS>"]
    assert tokenizer.unknown_in("a <unk> x <UNK> <Unk> x") == ["x", "<Unk>"]


def test_a_token_may_be_spelled_like_the_end() -> None:
    tokenizer = tokenizer_of("a <EOS>")
    assert tokenizer.encode("<EOS>\n").tolist() == [2, 0]
    assert tokenizer.decode(np.array([2, 0, 3])) == "<EOS>\na"


def test_corpora_that_hold_unknowns(tmp_path: Path) -> None:
    """They count in the vocabulary and as unknown, but as no type; they have five characters."""
    path = tmp_path / "text"
    path.write_text("the <unk> sat on\nthe <unk>\n" * 10)
    corpus = prepare(find_texts([path]), level="token", valid_fraction=0.1, independent_lines=False)
    assert corpus.types == 3
    assert corpus.dropped_types == 0
    assert corpus.train.unknown == corpus.tokenizer.vocabulary.counts[1] == 18
    assert corpus.train.characters == len("the <unk> sat on\nthe <unk>\n") * 9
    rare = prepare(find_texts([path]), level="token", valid_fraction=0.1, max_vocab=3, independent_lines=False)
    assert rare.dropped_types == 2
    assert rare.tokenizer.vocabulary.counts[:3].tolist() == [18, 36, 18]
    assert encode_texts(find_texts([path]), tokenizer=rare.tokenizer).unknown == 40


def test_lines_of_blanks_are_empty() -> None:
    tokenizer = tokenizer_of("a b")
    assert tokenizer.encode(" a\t b \n \t\n\n").tolist() == [2, 3, 0, 0, 0]
    assert tokenizer.encode_sentence("a\n ").tolist() == [2, 0, 0]
    assert tokenizer.decode(np.array([2, 3, 0, 0, 2])) == "a b\n\na"


def test_line_ends() -> None:
    assert [tokenizer_of("a", unit).line_end_id for unit in ENDS] == [0, 0, None]


@pytest.mark.parametrize(
    ("unit", "prompt", "trimmed"),
    [
        ("line", "a b \t", "a b"),
        ("line", "a\n  ", "a\n"),
        ("paragraph", "a\n", "a"),
        ("paragraph", "a\n\n\n", "a\n\n"),
        ("file", "a\n\n", "a"),
        ("line", "  ", ""),
    ],
)
def test_a_prompt_leaves_out_the_space_that_the_next_token_brings(unit: str, prompt: str, trimmed: str) -> None:
    tokenizer = tokenizer_of("a b", unit)
    assert tokenizer.trim_prompt(prompt) == trimmed
    assert tokenizer.encode_prompt(prompt).tolist() == tokenizer.encode(prompt).tolist()


@pytest.mark.parametrize("token", ["a b", "a\n", "\t", "<unk>", "<UNK>", "a\u2028b"])
def test_vocabularies_that_no_text_has(token: str) -> None:
    with pytest.raises(ModelError, match="the file is damaged"):
        Tokenizer("token", "line", Vocabulary.from_counts(["a", token], np.ones(2, np.int64)))
