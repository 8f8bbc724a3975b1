"""``charlm rank``: alternatives in order, templates, pairs by group, and input that is no such thing."""

import json
import math
import os
from pathlib import Path

import pytest
from cli_cases import Trained, call, names_text, one_message, process, prose_text, succeed

from charlm.cli.comparing import odds

EMOJI = "\N{GRINNING FACE}"


def test_the_likeliest_comes_first(names: Trained) -> None:
    texts = ["bbb", "banana", "nnnnn"]
    scores = {each["text"]: each["logprob"] for each in succeed("score", *texts, "-m", names.folder, "--json").objects}
    found = succeed("rank", *texts, "-m", names.folder, "--json").json
    assert [each["text"] for each in found] == sorted(texts, key=lambda text: -scores[text])
    total = sum(math.exp(value) for value in scores.values())
    for each in found:
        assert each["logprob"] == pytest.approx(scores[each["text"]], rel=1e-5)
        assert each["posterior"] == pytest.approx(math.exp(scores[each["text"]]) / total, rel=1e-4)
        assert each["odds"] == pytest.approx(math.exp(found[0]["logprob"] - each["logprob"]))
    lines = succeed("rank", *texts, "-m", names.folder).out.decode().splitlines()
    assert lines[0].split() == ["posterior", "odds", "against", "nats", "nats/token", "text"]
    for line, each in zip(lines[1:], found, strict=True):
        assert float(line.split()[0]) == pytest.approx(each["posterior"], abs=5e-5)
        assert line.split()[-1] == each["text"]
    assert lines[1].split()[1:4] == ["1", ":", "1"]


def test_the_order_may_be_that_of_a_mean(names: Trained) -> None:
    texts = ["bb", "banabana"]
    plain, token, char = (
        succeed("rank", *texts, "-m", names.folder, "--json", *options).json
        for options in ([], ["--normalise", "token"], ["--normalise", "char"])
    )
    assert [each["text"] for each in plain] == texts
    for found, key in ((token, "per_token"), (char, "per_character")):
        assert found[0][key] > found[1][key]
        assert [each["text"] for each in found] == texts[::-1]
        assert found[1]["odds"] < 1
    shown = succeed("rank", *texts, "-m", names.folder, "--normalise", "char").out.decode()
    assert "nats/char" in shown
    assert " 1 : " in shown.splitlines()[2]


def test_where_alternatives_come_from_makes_no_difference(names: Trained) -> None:
    Path("texts.txt").write_text("banana\n\nkiwi\n", encoding="utf-8")
    expected = succeed("rank", "banana", "", "kiwi", "-m", names.folder, "--json").out
    for arguments, stdin in (
        (("--template", "{banana||kiwi}"), b""),
        (("--alternatives", "texts.txt"), b""),
        ((), b"banana\r\n\r\nkiwi"),
    ):
        assert succeed("rank", *arguments, "-m", names.folder, "--json", stdin=stdin).out == expected


def test_a_template_gives_all_combinations(names: Trained) -> None:
    found = succeed("rank", "-t", r"{ba|be}{na|\{}", "-m", names.folder, "--json").json
    assert {each["text"] for each in found} == {"bana", "ba{", "bena", "be{"}
    one_message(call("rank", "-t", "{a|{b|c}}", "-m", names.folder), 2, "nested")
    one_message(call("rank", "-t", "plain", "-m", names.folder), 2, "offers no choice")
    one_message(call("rank", "-t", "{a|b}" * 14, "-m", names.folder), 2, "16,384 texts", "10,000")


def test_unknown_tokens_are_flagged(names: Trained) -> None:
    ended = succeed("rank", "banana", f"b{EMOJI}na", "Q", "-m", names.folder)
    assert "2 texts hold tokens the model does not know" in ended.err
    assert {line.split()[-3] for line in ended.out.decode().splitlines() if "[unknown tokens]" in line} == {
        f"b{EMOJI}na", "Q",
    }  # fmt: skip


def test_strange_texts_are_ranked(names: Trained, prose: Trained, octets: Trained) -> None:
    texts = ["", "a\0b", EMOJI, "\u05e9\u05dc\u05d5\u05dd", "\ud800", " a ", "a\tb", "\x1b[31m", "a" * 5000]
    for model in (names.folder, prose.folder, octets.folder):
        found = succeed("rank", *texts, "-m", model, "--json").json
        assert {each["text"] for each in found} == set(texts)
        shown = succeed("rank", *texts, "-m", model).out.decode("utf-8", "surrogateescape")
        assert len(shown.splitlines()) == len(texts) + 1
        assert "\x1b" not in shown
        assert r'"\ud800"' in shown
        assert "(5,000 characters)" in shown


def test_a_line_of_a_megabyte_is_ranked() -> None:
    # Under a model of tokens, to which it is few steps.
    Path("text.txt").write_text(prose_text(), encoding="utf-8")
    succeed("train", "text.txt", "--level", "token", "--hidden", 4, "--steps", 2, "-q", "--model", "tokens")
    Path("long.txt").write_text("river " * 40 + "x" * 1_000_000 + "\nriver\n", encoding="utf-8")
    found = succeed("rank", "-f", "long.txt", "-m", "tokens", "--json").json
    assert len(found[1]["text"]) > 1_000_000


def test_alternatives_that_are_none(names: Trained) -> None:
    for arguments, mentioned in (
        (("a", "--template", "{a|b}"), "one of them"),
        (("a", "--alternatives", names.corpus), "one of them"),
        (("--pairs", "x", "--alternatives", names.corpus), "one of them"),
        (("a", "b", "--group", "x"), "--group goes with --pairs"),
        (("--pairs", "x", "--normalise", "token"), "--normalise"),
        (("a", "b", "--normalise", "word"), "token, char"),
        (("a",), "nothing to choose among"),
        (("a", "a"), "nothing to choose among"),
        (("a\nb", "b"), "independent"),
        ((), "nothing to choose among"),
    ):
        one_message(call("rank", *arguments, "-m", names.folder), 2, mentioned)
    one_message(call("rank", "-f", "missing.txt", "-m", names.folder), 3, "missing.txt")
    assert "counts once" in succeed("rank", "a", "b", "a", "-m", names.folder).err


def write_pairs(name: str) -> list[tuple[str, str, str]]:
    words = names_text(60).split()
    pairs = [(word, word[::-1], f"kind {number % 3}") for number, word in enumerate(words)]
    rows = (
        [{"sentence_good": good, "sentence_bad": bad, "UID": kind, "field": "all"} for good, bad, kind in pairs]
        if name.endswith("jsonl")
        else ["\t".join(pair) for pair in pairs]
    )
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    Path(name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return pairs


def test_pairs_are_counted_by_group(names: Trained) -> None:
    pairs = write_pairs("pairs.jsonl")
    write_pairs("pairs.tsv")
    lines = succeed("rank", "--pairs", "pairs.jsonl", "-m", names.folder, "--json").objects
    assert succeed("rank", "--pairs", "pairs.tsv", "-m", names.folder, "--json").objects == lines
    *objects, summary = lines
    assert [(each["good"], each["bad"], each["group"]) for each in objects] == pairs
    scores = succeed("score", *(text for pair in pairs for text in pair[:2]), "-m", names.folder, "--json").objects
    points = []
    for each, good, bad in zip(objects, scores[::2], scores[1::2], strict=True):
        assert each["logprob_good"] == pytest.approx(good["logprob"], rel=1e-5)
        assert each["log_odds"] == pytest.approx(good["logprob"] - bad["logprob"], abs=1e-4)
        points.append(0.5 if good["text"] == bad["text"] else float(good["logprob"] > bad["logprob"]))
    assert [each["right"] for each in objects] == points
    assert summary["all"]["accuracy"] == pytest.approx(sum(points) / 60)
    assert list(summary["groups"]) == ["kind 0", "kind 1", "kind 2"]
    for number, found in enumerate(summary["groups"].values()):
        assert found["pairs"] == 20
        assert found["accuracy"] == pytest.approx(sum(points[number::3]) / 20)
    table = succeed("rank", "--pairs", "pairs.jsonl", "-m", names.folder).out.decode().splitlines()
    assert [line.split()[0] for line in table] == ["group", "kind", "kind", "kind", "all"]
    assert f"{summary['all']['accuracy']:.1%}" in table[-1].split()


def test_another_field_may_group_pairs(names: Trained) -> None:
    write_pairs("pairs.jsonl")
    *_, summary = succeed("rank", "--pairs", "pairs.jsonl", "--group", "field", "-m", names.folder, "--json").objects
    assert list(summary["groups"]) == ["all"]
    message = one_message(call("rank", "--pairs", "pairs.jsonl", "--group", "kind", "-m", names.folder), 3)
    assert "pairs.jsonl, line 1: the object has no field 'kind'" in message


def test_ties_are_said(names: Trained) -> None:
    Path("pairs.tsv").write_text(f"ba\tba\n{EMOJI}\t\u2603\nbanana\tzzzzzz\n", encoding="utf-8")
    ended = succeed("rank", "--pairs", "pairs.tsv", "-m", names.folder)
    assert "ties count as half: 2" in ended.err
    assert "2 pairs hold tokens the model does not know" in ended.err
    assert "66.7%" in ended.out.decode()
    assert len(ended.out.decode().splitlines()) == 2


def test_pairs_that_are_none(names: Trained) -> None:
    for name, text, mentioned in (
        ("a.tsv", "a\tb\nc\n", "a.tsv, line 2: 1 field"),
        ("b.tsv", "a\tb\tc\td\n", "b.tsv, line 1: 4 fields"),
        ("c.jsonl", '{"sentence_good": "a"}\n', "c.jsonl, line 1: the object has no field 'sentence_bad'"),
        ("d.jsonl", "[]\n", "d.jsonl, line 1 is a list"),
        ("e.jsonl", '{"sentence_good": "a", "sentence_bad": null}\n', "is null"),
        ("f.tsv", "a\0\tb\n", "NUL"),
    ):
        Path(name).write_text(text, encoding="utf-8")
        ended = call("rank", "--pairs", name, "-m", names.folder)
        one_message(ended, 3, mentioned)
        assert ended.out == b""
    Path("g.jsonl").write_text('{"sentence_good": "a\\nb", "sentence_bad": "b"}\n', encoding="utf-8")
    one_message(call("rank", "--pairs", "g.jsonl", "-m", names.folder), 2, "g.jsonl, line 1", "several lines")
    Path("h.tsv").touch()
    ended = succeed("rank", "--pairs", "h.tsv", "-m", names.folder)
    assert ended.out == b""
    assert "h.tsv is empty" in ended.err


def test_strange_sentences_are_judged(names: Trained) -> None:
    rows = [
        {"sentence_good": good, "sentence_bad": "", "UID": "\ud800\x1b"} for good in ("\0", EMOJI, "\ud800", "\u05e9")
    ]
    Path("pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert len(succeed("rank", "--pairs", "pairs.jsonl", "-m", names.folder, "--json").objects) == 5
    assert "\x1b" not in succeed("rank", "--pairs", "pairs.jsonl", "-m", names.folder).out.decode()


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_nothing_to_rank_on_a_terminal(names: Trained) -> None:
    import pty  # noqa: PLC0415 - only there is on POSIX

    master, slave = pty.openpty()
    try:
        one_message(process("rank", "-m", names.folder, stdin=slave), 2, "nothing to rank")
    finally:
        os.close(master)
        os.close(slave)


def test_a_model_of_another_kind(names: Trained) -> None:
    one_message(call("rank", "a", "b", "-m", names.corpus), 4, names.corpus)
    succeed("ngram", "train", names.corpus, "--model", "counts", "--quiet")
    for words in (
        ("rank", "a", "b", "-m", "counts"),
        ("score", "a", "-m", "counts"),
        ("neurons", "a", "--unit", "1.1", "-m", "counts"),
        ("which", "counts", names.folder, "a"),
        ("diff", names.folder, "counts", "a"),
    ):
        one_message(call(*words), 4, "counts", "is an n-gram model", "charlm ngram score")


def test_in_a_process_of_its_own(names: Trained) -> None:
    ended = process("rank", "banana", "kiwi", "-m", names.folder)
    assert ended.status == 0
    assert ended.out == succeed("rank", "banana", "kiwi", "-m", names.folder).out


def test_odds_are_said_in_three_figures() -> None:
    said = [odds(math.log(value)) for value in (1, 1.5, 12.34, 99.96, 735.2, 12345, 2e6, 1 / 1.5, 1 / 735.2, 1 / 2e6)]
    assert said == [
        "1 : 1", "1.5 : 1", "12.3 : 1", "100 : 1", "735 : 1", "12,345 : 1", "over 1,000,000 : 1",
        "1 : 1.5", "1 : 735", "1 : over 1,000,000",
    ]  # fmt: skip
