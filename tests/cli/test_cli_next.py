"""``charlm next``: the likeliest continuations."""

from pathlib import Path

import pytest
from cli_cases import Trained, call, one_message, prose_text, succeed

from charlm.checkpoint import load_model
from charlm.continuations import continuations
from charlm.samples import read_prompt


def test_table_and_json_say_the_same(names: Trained) -> None:
    table = succeed("next", "ba", "--model", names.folder, "-n", 4).out.decode().splitlines()
    objects = succeed("next", "ba", "--model", names.folder, "-n", 4, "--json").objects
    assert len(objects) == 4
    assert table[0].split() == ["probability", "continuation"]
    for line, each in zip(table[1:], objects, strict=True):
        assert float(line.split()[0]) == pytest.approx(each["probability"], abs=5e-5)
        assert ("<EOS>" in line) == each["ends"]
    model = load_model(names.folder)
    found = continuations(model, read_prompt(model, "ba"), 4)
    assert [each["text"] for each in objects] == [each.text for each in found]


def test_unknown_prompts_are_said(names: Trained) -> None:
    ended = succeed("next", "b?!", "--model", names.folder)
    assert 'does not know "?", "!"' in ended.err


def test_at_the_beginning(prose: Trained, octets: Trained) -> None:
    assert succeed("next", "--model", prose.folder, "--json").objects
    assert succeed("next", "--model", octets.folder, "-n", 3, "--json").objects


def test_words_continue_with_words() -> None:
    Path("text.txt").write_text(prose_text(), encoding="utf-8")
    succeed("train", "text.txt", "--level", "word", "--min-count", 1, "--hidden", 16, "--steps", 30, "-q")
    found = succeed("next", "river ", "-n", 20, "--json").objects
    assert {each["text"] for each in found} >= {" river", " engine", ".", "\n"}
    assert sum(each["probability"] for each in found) <= 1


def test_wrong_numbers(names: Trained) -> None:
    one_message(call("next", "a", "-n", 0, "--model", names.folder), 2, "-n is 0")
    one_message(call("next", "a\nb", "--model", names.folder), 2, "independent")
