"""Labelled texts: three forms, how they are told apart, and what is refused where."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_cases import examples_in

from charlm.errors import InputError
from charlm.labels.examples import Examples, read_examples
from charlm.labels.forms import Fields
from charlm.text.sources import find_texts


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(**files: str) -> None:
    """Files, with two underscores for a slash and one for a dot in their names."""
    for name, text in files.items():
        path = Path(name.replace("__", "/").replace("_", "."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read(*given: str, **options: Any) -> Examples:
    """The examples in these files."""
    return read_examples(find_texts(given), **options)


def pairs(examples: Examples) -> list[tuple[str, str]]:
    """Each example's label and text."""
    return list(zip(examples.labels.strings(), examples.texts, strict=True))


def refusal(*given: str, **options: Any) -> str:
    """Why these files are refused."""
    with pytest.raises(InputError) as error:
        read(*given, **options)
    return str(error.value).replace("\\", "/")


EXPECTED = [("good", "not bad"), ("bad", "not good, \tat all")]
TABLE = "good\tnot bad\n\nbad\tnot good, \tat all\n"
JSON = "".join(json.dumps({"label": label, "n": 1, "text": text}) + "\n" for label, text in EXPECTED)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", TABLE),
        ("a.txt", TABLE),
        ("a", "\ufeff" + TABLE.replace("\n", "\r\n")),
        ("a.jsonl", JSON),
        ("a.ndjson", JSON),
        ("a.json", "\n" + JSON),
        ("a.txt", "\ufeff  " + JSON),
    ],
)
def test_tables_and_json_lines_are_told_apart(name: str, text: str) -> None:
    assert pairs(examples_in(Path(name), text)) == EXPECTED


def test_the_name_decides_before_the_content() -> None:
    assert pairs(examples_in(Path("a.tsv"), "{x}\tone\n")) == [("{x}", "one")]


def test_compressed_files_show_their_form_too() -> None:
    Path("a.jsonl.gz").write_bytes(gzip.compress(JSON.encode()))
    assert pairs(read("a.jsonl.gz")) == EXPECTED
    Path("a.tsv.GZ").write_bytes(gzip.compress(b"{x}\tone\n"))
    assert pairs(read("a.tsv.GZ")) == [("{x}", "one")]


def test_space_around_a_label_is_none_of_it() -> None:
    write(a_tsv=" good \t fine\n")
    assert pairs(read("a.tsv")) == [("good", " fine")]


def test_a_table_may_have_a_head() -> None:
    write(a_tsv="id\ttext\tlabel\n1\tnot bad\tgood\n2\tawful\tbad\n")
    assert pairs(read("a.tsv")) == [("good", "not bad"), ("bad", "awful")]
    write(b_tsv="sentence\tlabel\nfine\t1\n")
    assert pairs(read("b.tsv", fields=Fields(text="sentence"))) == [("1", "fine")]
    write(c_tsv="text\tnothing\n")
    assert pairs(read("c.tsv")) == [("text", "nothing")]


def test_json_fields_may_be_called_otherwise() -> None:
    write(a_jsonl='{"stars": "five", "body": "lovely"}\n')
    assert pairs(read("a.jsonl", fields=Fields("stars", "body"))) == [("five", "lovely")]


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1))
def test_json_gives_back_every_text(examples: list[tuple[str, str]]) -> None:
    kept = [(label.strip(), text) for label, text in examples if label.strip() and text.strip()]
    lines = "".join(json.dumps({"label": label, "text": text}) + "\n" for label, text in kept)
    if kept:
        assert pairs(examples_in(Path("a.jsonl"), lines)) == kept


def test_a_folder_a_label() -> None:
    write(d__pos__1_txt="good\nfilm\n", d__pos__more__2_txt="fine\r\n", d__neg__1="bad\n\npoor\n")
    examples = read("d")
    assert pairs(examples) == [("neg", "bad\n\npoor"), ("pos", "good\nfilm"), ("pos", "fine")]
    assert [Path(examples.where(each)).as_posix() for each in range(3)] == [
        "d/neg/1",
        "d/pos/1.txt",
        "d/pos/more/2.txt",
    ]
    lines = read("d", each_line=True)
    assert pairs(lines) == [("neg", "bad"), ("neg", "poor"), ("pos", "good"), ("pos", "film"), ("pos", "fine")]
    assert Path(lines.where(1)).as_posix() == "d/neg/1, line 3"


def test_the_current_folder_can_be_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    write(d__pos__1_txt="good", d__neg__1_txt="bad")
    monkeypatch.chdir("d")
    assert pairs(read(".")) == [("neg", "bad"), ("pos", "good")]


def test_what_stands_beside_the_folders_of_labels_is_left_out() -> None:
    write(d__pos__1_txt="good", d__neg__1_txt="bad", d__README="about", d___hidden__x="x")
    examples = read("d")
    assert pairs(examples) == [("neg", "bad"), ("pos", "good")]
    assert [Path(name).as_posix() for name in examples.skipped] == ["d/README"]


def test_a_folder_of_files_that_hold_labels() -> None:
    """They may stand in folders of their own, whose names are no labels then."""
    write(d__a_tsv="x\tone\n", d__b_txt="y\ttwo\n")
    assert pairs(read("d")) == [("x", "one"), ("y", "two")]
    write(e__old__a_tsv="x\tone\n", e__new__b_jsonl='{"label": "y", "text": "two"}')
    assert pairs(read("e")) == [("y", "two"), ("x", "one")]


def test_parts_keep_their_places() -> None:
    write(a_tsv=TABLE)
    part = read("a.tsv").part(np.array([False, True]))
    assert pairs(part) == EXPECTED[1:]
    assert part.where(0) == "a.tsv, line 3"
    assert len(part) == 1


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.tsv", "good\tfine\nbad\n", "a.tsv, line 2: there is no tab; each line needs a label, a tab and a text"),
        ("a.tsv", "good\tfine\n\n\tnone\n", "a.tsv, line 3: the label is empty"),
        ("a.tsv", "good\t \n", "a.tsv, line 1: the text is empty"),
        ("a.tsv", "label\ttext\ngood\ta\tb\n", "a.tsv, line 2: 3 columns, and the file's head names 2"),
        ("a.txt", "\n \n", "a.txt holds no text: name a file with a label, a tab and a text a line"),
        (
            "a.jsonl",
            '{"label": "a", "text": "b"}\n{"label": "a" "text"}\n',
            (
                "a.jsonl, line 2 is not valid JSON: Expecting ',' delimiter at column 15; "
                "each line needs an object of its own"
            ),
        ),
        ("a.jsonl", '["a", "b"]\n', "a.jsonl, line 1 is a list: each line needs an object with a label and a text"),
        (
            "a.jsonl",
            '{"class": "a", "text": "b"}\n',
            (
                "a.jsonl, line 1: the object has no field 'label', but 'class', 'text'; "
                "--label-field says what it is called"
            ),
        ),
        (
            "a.jsonl",
            '{"label": 1, "text": "b"}\n',
            "a.jsonl, line 1: the field 'label' is a number, and must be a string",
        ),
        (
            "a.jsonl",
            '{"label": "a", "text": null}\n',
            "a.jsonl, line 1: the field 'text' is null, and must be a string",
        ),
        ("a.jsonl", '{"label": "a", "text": ""}\n', "a.jsonl, line 1: the text is empty"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(name: str, text: str, why: str) -> None:
    Path(name).write_text(text, encoding="utf-8")
    assert refusal(name) == why


def test_deep_and_endless_json_is_refused_in_one_message() -> None:
    write(a_jsonl="[" * 100_000 + "\n", b_jsonl='{"label": ' + "9" * 10_000 + "}\n")
    assert refusal("a.jsonl").startswith("a.jsonl, line 1 is not valid JSON: ")
    assert refusal("b.jsonl").startswith("b.jsonl, line 1 is not valid JSON: ")


def test_an_empty_class_is_named() -> None:
    write(d__pos__1_txt="good", d__neg__1_txt="bad", d__mixed__empty="")
    assert refusal("d") == (
        "d/mixed holds no text, so that the label 'mixed' has no example: put texts into it, or take the folder away"
    )
    write(d__mixed__empty=" \n")
    assert refusal("d") == "d/mixed/empty: the text is empty"
