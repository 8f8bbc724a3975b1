"""``charlm neurons``: the table, JSON, the page, what is read, and what is refused."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from cli_cases import Trained, call, one_message, prose_text, succeed
from heatmap_cases import Parsed

import charlm


def test_table_and_json_say_the_same_of_the_own_validation_part(prose: Trained) -> None:
    table = succeed("neurons", "--model", prose.folder, "--find", "spaces", "-k", 3)
    assert "reading the validation part" in table.err
    assert "point-biserial correlation, units chosen on the first" in table.err
    found = succeed("neurons", "--model", prose.folder, "--find", "spaces", "-k", 3, "--json").json
    assert found["correlation"] == "point-biserial"
    rows = [line.split() for line in table.out.decode().splitlines()[1:]]
    assert [row[0] for row in rows] == [unit["unit"] for unit in found["units"]]
    for row, unit in zip(rows, found["units"], strict=True):
        assert [float(row[1]), float(row[2])] == pytest.approx([unit["first_half"], unit["second_half"]], abs=1e-4)
    firsts = [abs(unit["first_half"]) for unit in found["units"]]
    assert firsts == sorted(firsts, reverse=True)


def test_correlations_are_those_of_the_activations(prose: Trained) -> None:
    """Of a text, by the Python interface and NumPy."""
    Path("own.txt").write_text(prose_text(20), encoding="utf-8")
    text = prose_text(20)
    for what in ("hidden", "cell"):
        found = succeed(
            "neurons", "--file", "own.txt", "--model", prose.folder, "--find-regex", "e", "--what", what, "--json"
        )
        model = charlm.load(prose.folder)
        values = model.activations(text, part=what)
        flags = np.array([character == "e" for character in text], float)
        middle = len(text) // 2
        for unit in found.json["units"]:
            layer, number = map(int, unit["unit"].split("."))
            mine = values[layer - 1, :, number - 1]
            assert np.corrcoef(mine[:middle], flags[:middle])[0, 1] == pytest.approx(unit["first_half"], abs=1e-3)
            assert np.corrcoef(mine[middle:], flags[middle:])[0, 1] == pytest.approx(unit["second_half"], abs=1e-3)
        assert values.shape == (2, len(text), 16)


@pytest.mark.parametrize("name", ["place", "word"])
def test_what_has_an_order_is_ranked(names: Trained, name: str) -> None:
    ended = succeed("neurons", "--model", names.folder, "--find", name, "-k", 4)
    assert "Spearman correlation" in ended.err
    found = succeed("neurons", "--model", names.folder, "--find", name, "-k", 4, "--json").json
    assert found["correlation"] == "Spearman"
    # In names the place in the line is the place in the word, and at least 1: the mean says so.
    assert min(found["means"]) > 2
    assert len(found["units"]) == 4


def test_words_and_the_page_of_the_best_unit(tmp_path: Path) -> None:
    text = prose_text(40)
    model = charlm.train(
        text=text, level="word", hidden=8, embedding=4, window=8, batch=4, steps=5, folder=tmp_path / "run"
    )
    assert model.level == "word"
    ended = succeed("neurons", text, "--model", "run", "--find-regex", "river", "--html", "page.html")
    best = ended.out.decode().splitlines()[1].split()[0]
    parsed = Parsed(Path("page.html").read_text(encoding="utf-8"))
    assert parsed.text == text
    assert f"Unit {best}, and" in Path("page.html").read_text(encoding="utf-8")


def test_one_unit(prose: Trained) -> None:
    text = 'the "river"\nwas </b> 😀'
    table = succeed("neurons", text, "--model", prose.folder, "--unit", "2.3", "--html", "page.html").out.decode()
    rows = succeed("neurons", text, "--model", prose.folder, "--unit", "2.3", "--json").objects
    expected = charlm.load(prose.folder).activations(text)[1, :, 2]
    assert [row["value"] for row in rows[:-1]] == pytest.approx(expected.tolist(), abs=1e-6)
    assert "".join(row["text"] for row in rows) == text
    assert [float(line.split()[0]) for line in table.splitlines()[1:]] == pytest.approx(
        [row["value"] for row in rows], abs=1e-4
    )
    parsed = Parsed(Path("page.html").read_text(encoding="utf-8"))
    assert parsed.text == text
    assert len(parsed.names) == len(rows)


def test_a_cell_is_coloured_by_its_tanh_and_told_as_it_is(prose: Trained) -> None:
    of = ("neurons", "the river", "--model", prose.folder, "--unit", "1.2", "--what", "cell")
    rows = succeed(*of, "--json", "--html", "page.html").objects
    values = charlm.load(prose.folder).activations("the river", part="cell")[0, :, 1].tolist()
    assert [row["value"] for row in rows[:-1]] == pytest.approx(values, abs=1e-6)
    page = Parsed(Path("page.html").read_text(encoding="utf-8"))
    levels = [int(each.split()[0][1:]) for each in page.classes[:-1]]
    assert levels == [round(10 + 10 * math.tanh(value)) for value in values]


def test_colours(prose: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    ask = ("neurons", "the river", "--model", prose.folder, "--unit", "1.2", "--color")
    piped = succeed(*ask)
    assert b"\x1b" not in piped.out
    assert "no colours" in piped.err
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert re.sub(r"\x1b\[[0-9;]*m", "", succeed(*ask).out.decode()) == "the river\n"


def test_bytes_and_the_cap(octets: Trained) -> None:
    ended = succeed(
        "neurons", "--model", octets.folder, "--find", "digits", "--tokens", 600, "--file", octets.corpus, "--json"
    )
    assert ended.json["tokens"] == [300, 300]
    rows = succeed("neurons", "é!", "--model", octets.folder, "--unit", "1.1", "--json").objects
    assert [row["text"] for row in rows] == ["é", "", "!", ""]


def test_bad_input_is_one_message(prose: Trained) -> None:
    here = ("--model", prose.folder)
    one_message(call("neurons", "a", *here), 2, "--unit", "--find")
    one_message(call("neurons", "a", *here, "--unit", "1.1", "--find", "quotes"), 2, "give one of")
    one_message(call("neurons", "a", *here, "--unit", "3.1"), 2, "3.1", "layer from 1 to 2")
    one_message(call("neurons", "a", *here, "--unit", "1.17"), 2, "1.17", "unit from 1 to 16")
    one_message(call("neurons", "a", *here, "--find", "rhymes"), 2, "rhymes", "quotes, brackets")
    one_message(call("neurons", "a", *here, "--find-regex", "("), 2, "--find-regex")
    one_message(call("neurons", "", *here, "--find", "quotes"), 3, "empty")
    one_message(call("neurons", "no such thing", *here, "--find", "quotes"), 3, "nowhere, or everywhere")
    one_message(call("neurons", "a", "--file", "b", *here, "--find", "quotes"), 2, "not both")
    one_message(call("neurons", "--file", "nowhere.txt", *here, "--find", "quotes"), 3, "nowhere.txt")
    one_message(call("neurons", "a", *here, "--unit", "1.1", "--html", "page.txt"), 2, "--html")
    one_message(call("neurons", "a", *here, "--unit", "1.1", "--html", "nowhere/page.html"), 5, "nowhere")
    one_message(call("neurons", "a", *here, "--unit", "1.1", "--what", "gate"), 2, "hidden, cell")
    one_message(call("neurons", "a", *here, "--find", "spaces", "-k", 0), 2, "--best")
    one_message(call("neurons", "a", *here, "--find", "spaces", "--tokens", 1), 2, "--tokens")
    one_message(call("neurons", "a", *here, "--unit", "1.1", "--color", "--json"), 2, "--color")
    Path("empty.txt").write_text("")
    one_message(call("neurons", "--file", "empty.txt", *here, "--find", "quotes"), 3, "empty.txt", "empty")
    assert [path.name for path in Path().iterdir()] == ["empty.txt"]
