"""``charlm which``: the model that most likely wrote a text, priors, passages, labelled files, and wrong usage."""

import json
import math
import os
from pathlib import Path

import pytest
from cli_cases import QUICK, Trained, call, names_text, one_message, process, prose_text, succeed

EMOJI = "\N{GRINNING FACE}"


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of words of the prose."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "text.txt").write_text(prose_text(), encoding="utf-8")
    succeed("train", folder / "text.txt", "--level", "word", "--model", folder / "words", *QUICK, "--steps", 40)
    return folder / "words"


def three(names: Trained, prose: Trained, words: Path) -> list[str]:
    return [f"names={names.folder}", f"prose={prose.file}", str(words)]


def test_the_model_that_wrote_it_is_found(names: Trained, prose: Trained, words: Path) -> None:
    for text, best in (("badabomuteki", "names"), (prose_text(3), "words")):
        models = three(names, prose, words)
        found = succeed("which", *models, text, "--json").json
        assert found["best"] == best
        assert found["text"] == text
        assert found["models"][0]["model"] == best
        assert sum(each["posterior"] for each in found["models"]) == pytest.approx(1)
        assert {each["prior"] for each in found["models"]} == {1 / len(models)}
        for each in found["models"]:
            path = {"names": names.folder, "prose": prose.folder, "words": words}[each["model"]]
            if each["model"] == "names":
                lines = text.removesuffix("\n").split("\n")
                scores = succeed("score", "-m", path, "--json", "--", *lines).objects
            else:
                scores = succeed("score", "--whole", "-m", path, "--json", stdin=text.encode()).objects
            said = each["logprob"] - each["spelling"]
            assert said == pytest.approx(sum(score["logprob"] for score in scores), rel=1e-5)
            assert each["nats_per_character"] == pytest.approx(-each["logprob"] / found["characters"])


def test_the_table_says_what_the_json_says(names: Trained, prose: Trained, words: Path) -> None:
    models = three(names, prose, words)
    found = succeed("which", *models, "bada", "--json").json
    ended = succeed("which", *models, "bada")
    heading, *rows, last = ended.out.decode().splitlines()
    assert heading.split() == ["model", "prior", "posterior", "nats", "nats/char", "unknown", "tokens"]
    for row, each in zip(rows, found["models"], strict=True):
        cells = row.split()
        assert cells[0] == each["model"]
        assert float(cells[1]) == pytest.approx(1 / 3, abs=1e-4)
        assert float(cells[3]) == pytest.approx(each["logprob"], abs=1e-4)
    first, second = (each["model"] for each in found["models"][:2])
    assert last.startswith(f"likelihood of {first} to {second}: {found['log_ratio']:+.4f} nats, ")


def test_priors_shift_the_posterior(names: Trained, prose: Trained) -> None:
    models = (f"a={names.folder}", f"b={prose.folder}")
    found = succeed("which", *models, "bada", "--prior", "a=1,b=1e9", "--json").json
    logs = {each["model"]: each["logprob"] + math.log(each["prior"]) for each in found["models"]}
    assert found["best"] == max(logs, key=lambda name: logs[name])
    by_name = {each["model"]: each["posterior"] for each in found["models"]}
    assert by_name["a"] / by_name["b"] == pytest.approx(math.exp(logs["a"] - logs["b"]), rel=1e-6)
    assert "prior: a 0.2, b 0.8" in succeed("which", *models, "--prior", "b=4, a=1", "--lines", "bada").err
    for prior, mentioned in (
        ("a=1", "nothing of 'b'"),
        ("a=1,b=2,c=3", "'c'"),
        ("a=1,b=x", "--prior is"),
        ("a=1,a=2", "once"),
        ("a", "--prior is"),
        ("a=0,b=1", "a=0"),
        ("a=nan,b=1", "a=nan"),
    ):
        one_message(call("which", *models, "bada", "--prior", prior), 2, mentioned)


def test_lines_and_passages(names: Trained, prose: Trained) -> None:
    models = (f"names={names.folder}", f"prose={prose.folder}")
    Path("text.txt").write_text("bada\n\n" + prose_text(4), encoding="utf-8")
    data = Path("text.txt").read_bytes()
    expected = [line.decode() for line in data.removesuffix(b"\n").split(b"\n")]
    lines = succeed("which", *models, "--file", "text.txt", "--lines", "--json").objects
    assert [each["text"] for each in lines] == expected
    assert succeed("which", *models, "--lines", "--json", stdin=data).objects == lines
    for each in lines:
        alone = succeed("which", *models, "--json", "--", each["text"]).json
        assert each["log_ratio"] == pytest.approx(alone["log_ratio"], rel=1e-4, abs=1e-4)
    typed = succeed("which", *models, "--lines", "--json", "--", "a\u2028b\r\n\nc\n").objects
    assert [each["text"] for each in typed] == ["a\u2028b", "", "c"]
    pieces = succeed("which", *models, "-f", "text.txt", "--passages", 40, "--json").objects
    assert "".join(each["text"] for each in pieces) == data.decode()
    assert all(len(each["text"]) <= 40 for each in pieces)
    whole = succeed("which", *models, "-f", "text.txt", "--json").json
    assert whole["text"] == data.decode()
    assert succeed("which", *models, "--json", stdin=data).json == whole
    ended = succeed("which", *models, "-f", "text.txt", "--lines")
    assert len(ended.out.decode().splitlines()) == len(lines) + 1
    won = sum(each["best"] == "names" for each in lines)
    assert f"{len(lines)} texts: names {won}, prose {len(lines) - won}" in ended.err
    assert "prior: names 0.5, prose 0.5" in ended.err


def labelled(name: str) -> list[tuple[str, str]]:
    rows = [("names", line) for line in names_text(20).split()]
    rows += [("prose", line) for line in prose_text(20).splitlines() if line]
    lines = [
        json.dumps({"label": label, "text": text}) if name.endswith("jsonl") else f"{label}\t{text}"
        for label, text in rows
    ]
    Path(name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return rows


def test_a_labelled_file_gives_a_confusion_matrix(names: Trained, prose: Trained) -> None:
    models = (f"names={names.folder}", f"prose={prose.folder}")
    rows = labelled("texts.tsv")
    labelled("texts.jsonl")
    *objects, summary = succeed("which", *models, "--labelled", "texts.tsv", "--json").objects
    assert succeed("which", *models, "--labelled", "texts.jsonl", "--json").objects == [*objects, summary]
    assert [(each["label"], each["text"]) for each in objects] == rows
    counts = {(label, found): 0 for label in ("names", "prose") for found in ("names", "prose")}
    for each in objects:
        counts[each["label"], each["best"]] += 1
    assert {(a, b): n for a, row in summary["confusion"].items() for b, n in row.items()} == counts
    right = counts["names", "names"] + counts["prose", "prose"]
    assert (summary["texts"], summary["right"], summary["accuracy"]) == (len(rows), right, right / len(rows))
    assert summary["accuracy"] > 0.9
    table = succeed("which", *models, "--labelled", "texts.tsv").out.decode().splitlines()
    assert table[0].split() == ["written", "by", "as", "names", "as", "prose"]
    assert table[1].split() == ["names", str(counts["names", "names"]), str(counts["names", "prose"])]
    assert table[2].split() == ["prose", str(counts["prose", "names"]), str(counts["prose", "prose"])]
    assert table[3].startswith(f"right: {right} of {len(rows)} ({right / len(rows):.1%} +- ")


def test_a_row_of_the_table_is_who_wrote_it(names: Trained, prose: Trained) -> None:
    """A column is who was taken for that."""
    rows = [("prose", name) for name in names_text(3).split()] + [("prose", prose_text(1).strip())]
    Path("texts.tsv").write_text("".join(f"{label}\t{text}\n" for label, text in rows), encoding="utf-8")
    models = (f"names={names.folder}", f"prose={prose.folder}")
    table = succeed("which", *models, "--labelled", "texts.tsv").out.decode().splitlines()
    assert [line.split() for line in table[1:3]] == [["names", "0", "0"], ["prose", "3", "1"]]
    assert table[3].startswith("right: 1 of 4 (25.0% +- ")


def test_labelled_files_that_are_none(names: Trained, prose: Trained) -> None:
    models = (f"names={names.folder}", f"prose={prose.folder}")
    for name, text, mentioned in (
        ("a.tsv", "names\ta\nother\tb\n", "a.tsv, line 2: the label 'other' is none of the models: names, prose"),
        ("b.tsv", "names\ta\nprose\n", "b.tsv, line 2: 1 field"),
        ("c.tsv", "names\ta\tb\n", "c.tsv, line 1: 3 fields"),
        ("d.jsonl", '{"label": "names"}\n', "d.jsonl, line 1: the object has no field 'text'"),
        ("e.jsonl", '{"label": 1, "text": "a"}\n', "e.jsonl, line 1: the field 'label' is a number"),
    ):
        Path(name).write_text(text, encoding="utf-8")
        ended = call("which", *models, "--labelled", name)
        assert ended.status == 3
        assert mentioned in ended.err.splitlines()[-1]
        assert ended.out == b""
    Path("f.tsv").touch()
    assert "f.tsv is empty" in succeed("which", *models, "--labelled", "f.tsv").err


def test_names_of_models(names: Trained, prose: Trained, tmp_path: Path) -> None:
    copy = tmp_path / "one.safetensors"
    copy.write_bytes(names.file.read_bytes())
    (tmp_path / "a=b").mkdir()
    (tmp_path / "a=b" / "model.safetensors").write_bytes(names.file.read_bytes())
    found = succeed("which", copy, prose.folder, "a=b", f"x={prose.folder}", "a", "--json").json
    assert {each["model"] for each in found["models"]} == {"one", "model", "a=b", "x"}
    message = one_message(call("which", names.folder, prose.folder, "text"), 2, "two models are called 'model'")
    assert "NAME=PATH" in message


def test_unknown_tokens_are_spelt_and_said(names: Trained, prose: Trained, octets: Trained) -> None:
    models = (f"names={names.folder}", f"prose={prose.folder}", f"octets={octets.folder}")
    ended = succeed("which", *models, "b" + EMOJI, "--json")
    by_name = {each["model"]: each for each in ended.json["models"]}
    assert [by_name[name]["oov"] for name in ("names", "prose", "octets")] == [1, 1, 0]
    known = len(succeed("info", "--model", names.folder, "--json").json["vocabulary"]) - 2
    assert by_name["names"]["spelling"] == pytest.approx(-math.log(0x110000 - known))
    assert by_name["octets"]["spelling"] == 0
    score = succeed("score", "b" + EMOJI, "-m", names.folder, "--json").json["logprob"]
    assert by_name["names"]["logprob"] == pytest.approx(score + by_name["names"]["spelling"], rel=1e-5)
    assert "[unknown tokens]" in succeed("which", *models[:2], "--lines", "b" + EMOJI).out.decode()


def test_a_model_in_lower_case_makes_a_verdict_doubtful(names: Trained) -> None:
    """Only where it is the one found, and the text has capitals."""
    Path("text.txt").write_text(prose_text(), encoding="utf-8")
    succeed("train", "text.txt", "--lowercase", "--model", "lower", *QUICK, "--steps", 20)
    ended = succeed("which", "lower", f"names={names.folder}", "River Mountain")
    assert ended.out.decode().splitlines()[1].startswith("lower")
    assert "another may be likelier" in ended.err
    assert "another may be likelier" not in succeed("which", "lower", f"names={names.folder}", "river mountain").err


def test_strange_texts(names: Trained, prose: Trained, octets: Trained) -> None:
    models = (f"names={names.folder}", f"prose={prose.folder}", f"octets={octets.folder}")
    for text in ("", "\n", "a\0b", EMOJI, "\u05e9\u05dc\u05d5\u05dd", "\ud800", " ", "\x1b[31m", "a\r\nb"):
        assert succeed("which", *models, "--json", "--", text).json["text"] == text
        assert "\x1b" not in succeed("which", *models, "--lines", "--", text).out.decode("utf-8", "surrogateescape")
    Path("raw.bin").write_bytes(bytes(range(256)))
    found = succeed("which", f"a={octets.folder}", f"b={octets.folder}", "-f", "raw.bin", "--json").json
    assert found["log_ratio"] == 0
    assert found["text"].encode("utf-8", "surrogateescape") == bytes(range(256))
    refused = call("which", *models, "-f", "raw.bin")
    one_message(refused, 3, "raw.bin")
    Path("empty.txt").touch()
    ended = succeed("which", *models, "-f", "empty.txt", "--json")
    assert ended.json["characters"] == 1
    assert "empty.txt is empty" in ended.err


def test_wrong_usage(names: Trained, prose: Trained) -> None:
    models = (f"a={names.folder}", f"b={prose.folder}")
    for arguments, mentioned in (
        ((), "0 is named"),
        ((models[0],), "1 is named"),
        ((models[0], "text"), "1 is named; text is taken for the text, being no model"),
        ((*models, "--file", "x", "--labelled", "y"), "not both"),
        ((*models, "--labelled", "y", "--lines"), "labelled texts are taken whole"),
        ((*models, "--labelled", "y", "--passages", 3), "labelled texts are taken whole"),
        ((*models, "--passages", 0), "--passages is 0"),
        ((*models, "--passages", 3, "--lines"), "not both"),
    ):
        one_message(call("which", *arguments), 2, mentioned)
    one_message(call("which", models[0], "missing", "text"), 4, "missing")
    one_message(call("which", *models, "text", "--file", "x"), 4, "text")
    one_message(call("which", models[0], f"x={names.corpus}", "text"), 4, names.corpus)
    one_message(call("which", *models, "--file", "missing.txt"), 3, "missing.txt")


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_no_text_on_a_terminal(names: Trained, prose: Trained) -> None:
    import pty  # noqa: PLC0415 - only there is on POSIX

    master, slave = pty.openpty()
    try:
        one_message(process("which", f"a={names.folder}", prose.folder, stdin=slave), 2, "there is no text")
        one_message(process("diff", f"a={names.folder}", prose.folder, stdin=slave), 2, "there is no text")
    finally:
        os.close(master)
        os.close(slave)
