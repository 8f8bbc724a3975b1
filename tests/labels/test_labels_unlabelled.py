"""Texts without labels: every form, every line in its place, and as soon as it has come."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from charlm.errors import InputError
from charlm.labels.forms import Fields
from charlm.labels.unlabelled import Found, read_texts
from charlm.text.inputs import line_groups, lines_of
from charlm.text.reading import Source
from charlm.text.sources import Texts, find_texts


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found_in(name: str, text: str, **options: Any) -> list[tuple[str, int]]:
    """The texts of a file, and their lines."""
    Path(name).write_bytes(text.encode())
    return [(each.text, each.line) for group in read_texts(find_texts([name]), **options) for each in group]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.txt", "one\n\ntwo\tthree\n", [("one", 1), ("", 2), ("two\tthree", 3)]),
        ("a.txt", "\n \none", [("", 1), (" ", 2), ("one", 3)]),
        ("a.txt", "\n\n", [("", 1), ("", 2)]),
        ("a.txt", "\ufeffone\r\ntwo\r\n", [("one", 1), ("two", 2)]),
        ("a.tsv", "x\tone\n\ny\ttwo\tthree\n", [("one", 1), ("two\tthree", 3)]),
        ("a.tsv", "one\ntwo\n", [("one", 1), ("two", 2)]),
        ("a.tsv", "text\none\n", [("one", 2)]),
        ("a.tsv", "id\ttext\tlabel\n1\tone\tx\n2\t\ty\n", [("one", 2), ("", 3)]),
        ("a.txt", "label\ttext\nx\tone\n", [("one", 2)]),
        ("a.txt", "\nknown\tone\nnew\ttwo\n", [("one", 2), ("two", 3)]),
        ("a.jsonl", '\n{"text": "one"}\n{"text": "", "label": 3}\n', [("one", 2), ("", 3)]),
        ("a.txt", '\n {"text": "a\\nb"}\n', [("a\nb", 2)]),
    ],
)
def test_every_form_is_recognised(name: str, text: str, expected: list[tuple[str, int]]) -> None:
    assert found_in(name, text, labels=("known",)) == expected


def test_a_file_of_a_folder_is_a_text() -> None:
    """But a table in it is one, and so are its lines where these are asked for."""
    for name, text in (("d/x/1.txt", "one\ntwo\n"), ("d/2.txt", "three"), ("d/3.tsv", "x\tfour\n")):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    texts = find_texts(["d"])
    whole = [each for group in read_texts(texts) for each in group]
    folder = Path("d")
    assert whole == [
        Found("three", str(folder / "2.txt"), 0),
        Found("four", str(folder / "3.tsv"), 1),
        Found("one\ntwo", str(folder / "x" / "1.txt"), 0),
    ]
    lines = [each.text for group in read_texts(texts, each_line=True) for each in group]
    assert lines == ["three", "four", "one", "two"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"text": 3}\n', "a.jsonl, line 1: the field 'text' is a number, and must be a string"),
        ('{"text": "a"}\n\n[1]\n', "a.jsonl, line 3 is a list: each line needs an object with a text"),
        ('{"body": "a"}\n', "a.jsonl, line 1: the object has no field 'text', but 'body'; --text-field says"),
        ("{", "a.jsonl, line 1 is not valid JSON"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, why: str) -> None:
    with pytest.raises(InputError) as error:
        found_in("a.jsonl", text)
    assert str(error.value).startswith(why)


def test_fields_may_be_called_otherwise() -> None:
    fields = Fields(label="stars", text="body")
    assert found_in("a.jsonl", json.dumps({"body": "one"}), fields=fields) == [("one", 1)]
    assert found_in("a.tsv", "body\tstars\none\t5\n", fields=fields) == [("one", 2)]


def test_what_a_pipe_has_brought_is_there_at_once() -> None:
    """No line waits for the next block."""
    read: list[int] = []

    class Pipe(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            del size
            read.append(1)
            return self.readline()

    source = Source("a pipe", lambda: Pipe(b"one\ntwo\nthree"))
    groups = read_texts(Texts("a pipe", (source,)))
    for number, text in enumerate(("one", "two"), start=1):
        assert [each.text for each in next(groups)] == [text]
        assert len(read) == number
    assert [each.text for group in groups for each in group] == ["three"]


def test_lines_come_together_with_the_block_that_completes_them() -> None:
    def blocks() -> Iterator[str]:
        yield from ("a\nb", "c", "\n\nd\n", "e")

    assert list(line_groups(blocks(), "\n")) == [["a"], ["bc", "", "d"], ["e"]]
    assert list(lines_of(blocks(), "\n")) == ["a", "bc", "", "d", "e"]
