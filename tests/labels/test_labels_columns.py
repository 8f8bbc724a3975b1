"""CoNLL column files: what is read, what is left out, and what is refused where."""

import gzip
import io
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_cases import Sentences, columns_in, sentences_of

from charlm.errors import InputError
from charlm.labels.columns import Columns, read_columns, sentence_text
from charlm.text.reading import Source
from charlm.text.sources import Texts, find_texts

CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER
"""
EU = [[("EU", "B-ORG"), ("rejects", "O")], [("Peter", "B-PER"), ("Blackburn", "I-PER")]]

# Whatever is neither a separator nor a line break; a lone "\r" is left out since "\r\n" is one.
CELL = st.text(st.characters(exclude_characters="\t\n\r \0", exclude_categories=["Cs"]), min_size=1, max_size=4)
SENTENCE = st.lists(st.tuples(CELL, CELL), min_size=1, max_size=4)


def read(*texts: str, labelled: bool = True) -> Columns:
    """The columns of texts that no file holds."""
    sources = tuple(Source(f"{place}.txt", partial(io.BytesIO, text.encode())) for place, text in enumerate(texts))
    return read_columns(Texts("texts", sources), labelled=labelled)


def refusal(*texts: str, labelled: bool = True) -> str:
    """Why these texts are refused."""
    with pytest.raises(InputError) as error:
        read(*texts, labelled=labelled)
    return str(error.value)


@given(st.lists(SENTENCE, min_size=1, max_size=4))
def test_what_is_written_is_read_again(sentences: Sentences) -> None:
    written = [sentence_text(*zip(*sentence, strict=True)) for sentence in sentences]
    first_words = [sentence[0][0] for sentence in sentences]
    if "-DOCSTART-" not in first_words and not any(word.startswith("\ufeff") for word in first_words):
        assert sentences_of(read("".join(written))) == sentences


@given(
    st.lists(SENTENCE, min_size=1, max_size=4), st.sampled_from(["\t", "\t\t", " \t "]), st.sampled_from(["\n", "\r\n"])
)
def test_separators_and_line_ends_do_not_matter(sentences: Sentences, between: str, end: str) -> None:
    lines = [f"{between.join(pair)} {end}" for sentence in sentences for pair in [*sentence, ("", "")]]
    tidy = "".join(sentence_text(*zip(*sentence, strict=True)) for sentence in sentences)
    assert sentences_of(read("".join(lines))) == sentences_of(read(tidy))


def test_a_file_with_four_columns() -> None:
    """The first and the last count; the line before a document is none."""
    columns = read(CONLL_2003)
    assert sentences_of(columns) == EU
    assert columns.lengths.tolist() == [2, 2]
    assert len(columns) == 2


@pytest.mark.parametrize("text", ["\ufeff" + CONLL_2003, CONLL_2003.replace("\n", "\r\n"), CONLL_2003 + "\n\n \t\n"])
def test_marks_line_ends_and_blank_lines_change_nothing(text: str) -> None:
    assert sentences_of(read(text)) == EU


def test_a_document_ends_a_sentence_without_a_blank_line() -> None:
    assert sentences_of(read("a X\n-DOCSTART- -X-\nb Y\n")) == [[("a", "X")], [("b", "Y")]]


def test_words_may_hold_spaces_where_tabs_part_columns() -> None:
    assert sentences_of(read("Việt Nam\tB-LOC\nno break\u00a0here\tO\n")) == [
        [("Việt Nam", "B-LOC"), ("no break\u00a0here", "O")]
    ]


def test_comments_stand_before_sentences() -> None:
    text = "# newdoc id = 3\n# text = a b c\na X\n\n#\n# a 1\nb Y\n# text = c\n"
    with pytest.raises(InputError, match="line 8 has 4 columns"):
        read(text)
    assert sentences_of(read(text.replace("# text = c\n", ""))) == [[("a", "X")], [("b", "Y")]]


@pytest.mark.parametrize("before", ["", "a O\n\n"])
def test_a_hash_can_be_a_word(before: str) -> None:
    """A line with as many columns as the others is a token, also where comments could stand."""
    expected = [[("#", "O"), ("1", "B")]]
    assert sentences_of(read(before + "# O\n1 B\n"))[-1:] == expected
    assert sentences_of(read(before + "# id = 7\n# O\n1 B\n"))[-1:] == expected
    assert sentences_of(read("# X\tO\n1\tB\n")) == [[("# X", "O"), ("1", "B")]]


def test_a_file_of_words_alone() -> None:
    columns = read("# text = a b\na\nb\n\nc\n", labelled=False)
    assert columns.labels is None
    assert columns.words.strings() == ["a", "b", "c"]
    assert columns.lengths.tolist() == [2, 1]
    both = read("a O\n", "b\n", labelled=False)
    assert both.labels is None
    assert both.words.strings() == ["a", "b"]
    labelled = read("a X\n", labelled=False)
    assert labelled.labels is not None
    assert labelled.labels.strings() == ["X"]


def test_several_files_one_after_another() -> None:
    """Each may have columns of its own number, and ends its last sentence."""
    columns = read("a X", "b 1 Y\nc 2 Z\n")
    assert sentences_of(columns) == [[("a", "X")], [("b", "Y"), ("c", "Z")]]
    assert [columns.where(token) for token in range(3)] == ["0.txt, line 1", "1.txt, line 1", "1.txt, line 2"]


def test_each_token_knows_its_line() -> None:
    columns = read("# id = 1\na X\nb Y\n\n\n-DOCSTART- X\n\nc Z\n")
    assert [columns.where(token) for token in range(3)] == [f"0.txt, line {line}" for line in (2, 3, 8)]
    second = columns.part(np.array([False, True]))
    assert second.where(0) == "0.txt, line 8"


def test_parts_are_of_whole_sentences() -> None:
    columns = read("a X\nb Y\n\nc Z\n\nd X\n")
    part = columns.part(np.array([True, False, True]))
    assert sentences_of(part) == [[("a", "X"), ("b", "Y")], [("d", "X")]]
    assert part.words.types == columns.words.types
    assert part.words.counts().tolist() == [1, 1, 0, 1]
    assert len(columns.part(np.zeros(3, np.bool_))) == 0


def test_compressed_files_folders_and_encodings(tmp_path: Path) -> None:
    (tmp_path / "a.conll.gz").write_bytes(gzip.compress("é X\n".encode("latin-1")))
    (tmp_path / "b.conll").write_bytes("ü Y\n".encode("latin-1"))
    columns = read_columns(find_texts([tmp_path], encoding="latin-1"), "latin-1")
    assert sentences_of(columns) == [[("é", "X")], [("ü", "Y")]]


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    first = columns_in(tmp_path / "a", "a X\n")
    assert first.digest == columns_in(tmp_path / "b", "a X\n").digest
    assert first.digest != columns_in(tmp_path / "c", "a Y\n").digest


def test_unequal_columns_name_both_lines() -> None:
    assert refusal("a N X\n\nb Y\n") == (
        "0.txt, line 3 has 2 columns, and line 1 has 3: all lines of a file need the same number, "
        "the word first and the label last"
    )
    assert "1.txt, line 2 has 1 column, and line 1 has 2" in refusal("a N X\n", "b Y\nc\n")
    assert "line 4 has 1 column" in refusal("a X\n\n# text = b\nb\n")


def test_words_without_labels_are_refused_where_labels_are_needed() -> None:
    assert refusal("\na\n") == (
        "0.txt, line 2: 'a' stands alone; each line needs a word and its label, with a tab or spaces between them"
    )


@pytest.mark.parametrize("text", ["", "\n \n", "-DOCSTART- O\n", "# only a comment\n"])
def test_a_file_without_tokens_is_refused(text: str) -> None:
    assert refusal(text) == "texts holds no token: name a file with a word and its label a line"


def test_what_cannot_be_decoded_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_bytes(b"\xff X\n")
    with pytest.raises(InputError, match="is not valid utf-8"):
        read_columns(find_texts([path]))
