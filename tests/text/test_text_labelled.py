"""Texts with a label a line: the labels are read off, and stay with their lines whatever becomes of them."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.errors import InputError, UsageError
from charlm.text import lines
from charlm.text.corpus import Corpus, encode_texts, prepare, token_counts
from charlm.text.labelled import LONGEST_LABEL, MOST_LABELS, LabelReader
from charlm.text.parts import Part
from charlm.text.sources import Texts, find_texts
from charlm.text.store import GrowingStore
from charlm.text.tokenizer import Tokenizer

LABELS = ("low", "high", "no tone")
LINES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(LABELS), st.text("ab \t", max_size=6)).map("\t".join),
        st.text(" ", max_size=3),
    ),
    max_size=12,
)


def stripped(text: str, cuts: list[int], known: list[str] | None = None) -> tuple[str, list[str]]:
    """A text without its labels, and the label of each line, read in blocks."""
    bounds = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    reader = LabelReader(known)
    with GrowingStore() as store:
        blocks = [text[begin:end] for begin, end in pairwise(bounds)]
        found = "".join(reader.strip(blocks, "t.tsv", store))
        return found, [reader.names[label] if reader.names else "" for label in store.finish().tolist()]


@settings(deadline=None, max_examples=100)
@given(LINES, st.booleans(), st.lists(st.integers(1, 60), max_size=8))
def test_labels_are_read_off_wherever_blocks_are_cut(texts: list[str], closed: bool, cuts: list[int]) -> None:
    whole = "\n".join(texts) + "\n" * (closed and bool(texts))
    read = whole.removesuffix("\n").split("\n") if whole else []
    found, labels = stripped(whole, cuts)
    assert found == "".join(line.partition("\t")[2] + "\n" if line.strip() else "\n" for line in read)
    assert len(labels) == len(read)
    for line, label in zip(read, labels, strict=True):
        assert not line.strip() or label == line.partition("\t")[0]


@pytest.mark.parametrize("step", [1, 9, 10, 11, 12, 1000])
def test_a_head_is_no_text(step: int) -> None:
    """On the first line; anywhere else it is a text as any other, and so is one that goes on."""
    text = "label\ttext\nlabel\ttext\ngood\ttext\n"
    assert stripped(text, list(range(step, len(text), step)))[0] == "\ntext\ntext\n"
    assert stripped("label\ttexts\nb\ty\n", [step])[0] == "texts\ny\n"


@pytest.mark.parametrize("step", [1, 2, 1000])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\tx\nno tab here\n", "line 2: there is no tab"),
        ("a\tx\n\n \tno label\n", "line 3: the label before the tab is empty"),
        ("a\tx\nb\ty\nc", "line 3: there is no tab"),
        (f"a\tx\n{'long' * LONGEST_LABEL}\tx", "line 2: there is no tab"),
    ],
)
def test_a_line_without_a_label_is_named(text: str, said: str, step: int) -> None:
    with pytest.raises(InputError, match=f"t.tsv, {said}"):
        stripped(text, list(range(step, len(text), step)))


def test_a_label_that_training_never_saw_is_named() -> None:
    with pytest.raises(InputError, match=r"t.tsv, line 2: the label 'sad' never .* that did: calm, glad"):
        stripped("glad\tx\nsad\ty\n", [], ["calm", "glad"])


def test_a_first_column_that_is_no_label_is_noticed() -> None:
    with pytest.raises(InputError, match=rf"line {MOST_LABELS + 1}: more than 10,000 labels"):
        stripped("".join(f"{number}\tx\n" for number in range(MOST_LABELS + 1)), [])


def written(path: Path, *texts: tuple[str, str]) -> Path:
    path.write_text("".join(f"{label}\t{text}\n" for label, text in texts), encoding="utf-8")
    return path


def vowels(number: int) -> list[tuple[str, str]]:
    """Texts that show which label they have."""
    shares = ("a", "e", "e", "o", "o", "o")
    return [(shares[k % 6].upper(), shares[k % 6] * (1 + k % 5)) for k in range(number)]


def of_lines(part: Part, tokenizer: Tokenizer, names: tuple[str, ...]) -> list[tuple[str, str]]:
    texts = tokenizer.decode(part.ids).removesuffix("\n").split("\n") if len(part) else []
    assert part.labels is not None
    return [(names[label], text) for label, text in zip(part.labels.tolist(), texts, strict=True)]


def pairs(corpus: Corpus) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    train, valid = (of_lines(part, corpus.tokenizer, corpus.labels) for part in (corpus.train, corpus.valid))
    return train, valid


def read(path: Path, **options: Any) -> Corpus:
    return prepare(find_texts([path]), **{"labels": True, "seed": 3, **options})


@pytest.mark.parametrize("level", ["char", "word", "token"])
@pytest.mark.parametrize("fraction", [0.1, 0.4])
def test_each_line_keeps_its_label(
    tmp_path: Path, level: str, fraction: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In training and in validation, over many blocks, with blank lines between."""
    monkeypatch.setattr(lines._line_blocks, "__defaults__", (50,))  # noqa: SLF001 - as much in little
    given_lines = vowels(240)
    path = tmp_path / "t.tsv"
    path.write_text("".join(f"{label}\t{text}\n{' ' * (k % 3 == 0)}\n" for k, (label, text) in enumerate(given_lines)))
    corpus = read(path, level=level, valid_fraction=fraction)
    train, valid = pairs(corpus)
    assert len(valid) == 240 * fraction
    assert sorted(train + valid) == sorted(given_lines)
    assert all(label == text[0].upper() for label, text in train + valid)
    assert corpus.independent_lines
    assert not corpus.detected
    assert corpus.blank_lines == 240


def test_lines_are_drawn_as_those_of_an_unlabelled_list(tmp_path: Path) -> None:
    labelled = read(written(tmp_path / "t.tsv", *vowels(200)))
    (tmp_path / "t.txt").write_text("".join(f"{text}\n" for _, text in vowels(200)))
    plain = prepare(find_texts([tmp_path / "t.txt"]), independent_lines=True, seed=3)
    np.testing.assert_array_equal(labelled.valid.ids, plain.valid.ids)
    np.testing.assert_array_equal(labelled.train.ids, plain.train.ids)
    assert labelled.digest != plain.digest
    assert labelled.train.characters == plain.train.characters


def test_labels_stand_by_falling_count(tmp_path: Path) -> None:
    corpus = read(written(tmp_path / "t.tsv", *vowels(240)))
    assert corpus.labels == ("O", "E", "A")
    counts = {name: [label for label, _ in pairs(corpus)[0]].count(name) for name in corpus.labels}
    assert corpus.label_counts.tolist() == list(counts.values())


@pytest.mark.parametrize("seed", range(8))
def test_every_label_trains_however_rare_it_is(tmp_path: Path, seed: int) -> None:
    texts = [*vowels(20), ("rare", "u"), ("odd", "i")]
    corpus = read(written(tmp_path / "t.tsv", *texts), seed=seed, valid_fraction=0.5)
    train, valid = pairs(corpus)
    assert {label for label, _ in train} == {"A", "E", "O", "rare", "odd"}
    assert sorted(train + valid) == sorted(texts)


def test_labels_that_are_known_keep_their_order(tmp_path: Path) -> None:
    corpus = read(written(tmp_path / "t.tsv", *vowels(60)), known_labels=["none", "A", "E", "O"])
    assert corpus.labels == ("none", "A", "E", "O")
    assert corpus.label_counts[0] == 0
    assert all(label == text[0].upper() for part in pairs(corpus) for label, text in part)


def test_what_validates_may_be_a_file_of_its_own(tmp_path: Path) -> None:
    path, valid = written(tmp_path / "t.tsv", *vowels(60)), written(tmp_path / "v.tsv", ("A", "aa"), ("O", "o"))
    corpus = read(path, valid_texts=find_texts([valid]))
    assert pairs(corpus)[1] == [("A", "aa"), ("O", "o")]
    assert len(pairs(corpus)[0]) == 60
    written(valid, ("A", "aa"), ("U", "o"))
    with pytest.raises(InputError, match=r"v.tsv, line 2: the label 'U' never"):
        read(path, valid_texts=find_texts([valid]))


def test_several_files_are_one_text(tmp_path: Path) -> None:
    """The last line of the first is not closed, and has no text."""
    (tmp_path / "1.tsv").write_text("A\ta\nE\te\nA\t")
    written(tmp_path / "2.tsv", *vowels(30))
    corpus = prepare(find_texts([tmp_path / "1.tsv", tmp_path / "2.tsv"]), labels=True)
    train, valid = pairs(corpus)
    assert sorted(train + valid) == sorted([("A", "a"), ("E", "e"), *vowels(30)])
    assert corpus.blank_lines == 1


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([("A", "a")] * 30, "has a single label, 'A'"),
        ([("A", "a")], "has a single label, 'A'"),
        ([*vowels(30), ("U", "  ")], "no text to train on has the label 'U'"),
    ],
)
def test_labels_that_teach_nothing_are_refused(tmp_path: Path, texts: list[tuple[str, str]], said: str) -> None:
    texts = [*texts, ("A", "aaae")]
    with pytest.raises(InputError, match=f"t.tsv.*{said}|{said}"):
        read(written(tmp_path / "t.tsv", *texts))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"unit": "paragraph"}, "needs --unit line, but the unit is paragraph"),
        ({"level": "byte"}, "needs --unit line, but the unit is file"),
        ({"independent_lines": False}, "leave out --no-independent-lines"),
    ],
)
def test_labels_need_independent_lines(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(written(tmp_path / "t.tsv", *vowels(30)), **options)


def texts_in(tmp_path: Path) -> Texts:
    written(tmp_path / "1.tsv", ("A", "aa"), ("O", "o"))
    (tmp_path / "2.tsv").write_text("\nO\tooo\n\t\nE\te")
    return find_texts([tmp_path / "1.tsv", tmp_path / "2.tsv"])


def test_whole_texts_are_encoded_with_their_labels(tmp_path: Path) -> None:
    corpus = read(written(tmp_path / "t.tsv", *vowels(60)))
    options: Any = {"tokenizer": corpus.tokenizer, "independent_lines": True, "labels": corpus.labels}
    part = encode_texts(texts_in(tmp_path), **options)
    assert of_lines(part, corpus.tokenizer, corpus.labels) == [("A", "aa"), ("O", "o"), ("O", "ooo"), ("E", "e")]
    assert token_counts(texts_in(tmp_path), **options) == [5, 6]


def test_nothing_stays_open_when_a_line_is_refused(tmp_path: Path) -> None:
    """An open file would show as a warning, and those are errors."""
    path = tmp_path / "t.tsv"
    path.write_text("A\ta\nnone\n")
    for level in ("char", "word"):
        with pytest.raises(InputError):
            read(path, level=level)
