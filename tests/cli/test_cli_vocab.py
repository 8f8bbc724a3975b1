"""``charlm vocab``: what a vocabulary holds and covers, and how a text is cut."""

from pathlib import Path

import pytest
from cli_cases import Trained, call, one_message, succeed

TEXT = "the cat, the dog.\nthe cat  sat\n"


@pytest.fixture(autouse=True)
def _text() -> None:
    Path("text.txt").write_text(TEXT, encoding="utf-8")


def test_counts_and_coverage() -> None:
    found = succeed("vocab", "text.txt", "--level", "word", "--json").json
    assert (found["level"], found["unit"]) == ("word", "line")
    assert (found["tokens"], found["types"], found["unknown"]) == (12, 7, 0)
    counts = {entry["token"]: entry["count"] for entry in found["vocabulary"]}
    assert counts == {"<EOS>": 2, "<UNK>": 0, "the": 3, "cat": 2, "dog": 1, "sat": 1, "  ": 1, "￭,": 1, "￭.": 1}
    assert found["size"] == 9
    rows = {row["option"]: (row["size"], row["unknown"]) for row in found["coverage"]}
    assert rows["--min-count 2"] == (4, 5)
    assert rows["--min-count 3"] == (3, 7)
    assert found["cut"] == ["the", "cat", "￭,", "the", "dog", "￭.", "<EOS>", "the", "cat", "  ", "sat", "<EOS>"]


def test_limits() -> None:
    found = succeed("vocab", "text.txt", "--level", "word", "--min-count", 2, "--json").json
    assert found["unknown"] == 5
    assert [entry["token"] for entry in found["vocabulary"]] == ["<EOS>", "<UNK>", "the", "cat"]
    found = succeed("vocab", "text.txt", "--level", "char", "--max-vocab", 5, "--json").json
    assert found["size"] == 5


def test_table() -> None:
    shown = succeed("vocab", "text.txt", "--min-count", 2, "-n", 3).out.decode()
    assert "12 tokens, 7 of them distinct" in shown
    assert "vocabulary of 4, 41.67% of the tokens are <UNK>" in shown
    assert "    ... 1 more token (-n shows more, --json all)" in shown
    assert "cut: the cat [￭,] the [dog] [￭.] <EOS> the cat [␣␣] [sat] <EOS>" in shown


def test_a_text_of_ones_own() -> None:
    shown = succeed("vocab", "text.txt", "--text", "don't panic").out.decode()
    assert "cut: [don't] [panic]" in shown
    assert succeed("vocab", "text.txt", "--level", "byte", "--text", "é", "--json").json["cut"] == ["\\xc3", "\\xa9"]


def test_several_texts_and_compressed_ones() -> None:
    Path("other.txt").write_text("a bird\n", encoding="utf-8")
    found = succeed("vocab", "text.txt", "other.txt", "--json").json
    assert found["tokens"] == 15


def test_of_a_model(names: Trained) -> None:
    found = succeed("vocab", names.folder, "--text", "ba?", "--json").json
    assert found["level"] == "char"
    assert found["cut"] == ["b", "a", "?"]
    assert sum(entry["count"] for entry in found["vocabulary"]) == found["tokens"]
    assert "cut: b a [?]" in succeed("vocab", names.file, "--text", "ba?").out.decode()
    one_message(call("vocab", names.folder, "--level", "word"), 2, "--level")


def test_of_a_text_under_a_model(names: Trained) -> None:
    """How much the model's vocabulary covers, and what it lacks, the most frequent first."""
    Path("other.txt").write_text("ba?\nb!?\n", encoding="utf-8")
    found = succeed("vocab", "other.txt", "--model", names.folder, "--json").json
    assert (found["tokens"], found["unknown"]) == (8, 3)
    assert found["unknown_tokens"] == [{"token": "?", "count": 2}, {"token": "!", "count": 1}]
    assert {each["token"]: each["count"] for each in found["vocabulary"]}["b"] == 2
    assert "unknown: ? (2), ! (1)" in succeed("vocab", "other.txt", "-m", names.folder).out.decode()


def test_nothing_to_show() -> None:
    one_message(call("vocab"), 4, "no language model")
    one_message(call("vocab", "nowhere.txt"), 3, "no such file")
    one_message(call("vocab", "text.txt", "--level", "words"), 2, "unknown level")
    one_message(call("vocab", "text.txt", "-n", -1), 2, "-n")
