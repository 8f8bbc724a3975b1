"""``charlm classify``: train, apply and eval, from the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from class_cases import reviews, table
from cli_cases import QUICK, Running, Trained, call, contents, environment, names_text, one_message, succeed, words

import charlm
from charlm.cli.class_output import why_lines
from charlm.labelling.reasons import Contribution, Why

SMALL = (*QUICK, "--lr", "0.02", "--dropout", "0")


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A classifier that has learnt its task."""
    folder = tmp_path_factory.mktemp("classifier")
    corpus = folder / "reviews.tsv"
    corpus.write_text(table(reviews()), encoding="utf-8")
    succeed("classify", "train", corpus, "--model", folder / "model", *SMALL, "--epochs", 10)
    return Trained(folder / "model", corpus)


def apply(classifier: Trained, *arguments: object, stdin: bytes = b"") -> list[list[str]]:
    """The cells of each line that is written."""
    out = succeed("classify", "apply", "--model", classifier.folder, *arguments, stdin=stdin).out
    return [line.split("\t") for line in out.decode().splitlines()]


def test_texts_get_their_labels_and_probabilities(classifier: Trained) -> None:
    rows = apply(classifier, "The song was not bad.", "The song was bad.")
    assert [(row[0], row[2]) for row in rows] == [("good", "The song was not bad."), ("poor", "The song was bad.")]
    assert all(0.5 < float(row[1]) <= 1 for row in rows)


def test_the_command_says_what_python_says(classifier: Trained) -> None:
    texts = ["The song was not bad.", "", "bus \u202e\x1b[31m\0 \U0001f600", "\u05d0 bad"]
    found = charlm.load_classifier(classifier.folder).classify(texts)
    written = succeed("classify", "apply", "--model", classifier.folder, "--json", *texts).objects
    for one, row in zip(found, written, strict=True):
        assert row == {
            "text": one.text,
            "label": one.label,
            "probability": one.probability,
            "posterior": one.posterior,
            "tokens": one.tokens,
            "unknown": one.unknown,
        }


def test_all_shows_every_label_by_falling_probability(classifier: Trained) -> None:
    ((label, probability, every, _),) = apply(classifier, "--all", "The song was bad.")
    pairs = [pair.split("=") for pair in every.split()]
    assert pairs[0] == [label, probability]
    assert float(pairs[0][1]) + float(pairs[1][1]) == pytest.approx(1, abs=1e-3)


FORMS = {
    "a.txt": "The song was bad.\n\nThe song was not bad.\n",
    "a.tsv": "poor\tThe song was bad.\ngood\t\ngood\tThe song was not bad.\n",
    "labels.txt": "poor\tThe song was bad.\ngood\t\ngood\tThe song was not bad.\n",
    "head.tsv": "text\nThe song was bad.\n\nThe song was not bad.\n",
    "a.jsonl": '{"text": "The song was bad."}\n{"text": ""}\n{"n": 1, "text": "The song was not bad."}\n',
}


@pytest.mark.parametrize("name", FORMS)
def test_files_of_every_form_keep_their_order(name: str, classifier: Trained) -> None:
    Path(name).write_text(FORMS[name], encoding="utf-8")
    rows = succeed("classify", "apply", "--model", classifier.folder, "--json", "--file", name).objects
    texts = [row["text"] for row in rows]
    assert [text for text in texts if text] == ["The song was bad.", "The song was not bad."]
    assert ("" in texts) == (name != "head.tsv")
    assert [row["label"] for row in rows if row["text"]] == ["poor", "good"]
    assert {row["file"] for row in rows} == {name}
    assert [row["line"] for row in rows] == ([2, 4] if name == "head.tsv" else [1, 2, 3])


def test_a_folder_has_a_text_a_file_or_a_line(classifier: Trained) -> None:
    for name, text in (("1.txt", "The song was bad.\nThe song was bad."), ("2.txt", "The room was great.")):
        Path("texts").mkdir(exist_ok=True)
        Path("texts", name).write_text(text, encoding="utf-8")
    rows = apply(classifier, "--file", "texts")
    assert [(row[0], Path(row[2]).name) for row in rows] == [("poor", "1.txt"), ("good", "2.txt")]
    rows = apply(classifier, "--file", "texts", "--each-line")
    assert [row[0] for row in rows] == ["poor", "poor", "good"]


def test_texts_of_all_lengths_keep_their_order(classifier: Trained) -> None:
    """More than are labelled together, and a line that is longer than all others together."""
    pairs = [*reviews(1500, seed=2), ("poor", "The room was bad. " * 60_000), *reviews(50, seed=3)]
    assert len(pairs[1500][1]) > 1_000_000
    Path("many.tsv").write_text(table(pairs), encoding="utf-8")
    rows = apply(classifier, "--file", "many.tsv")
    assert len(rows) == len(pairs)
    for row, (_, text) in zip(rows, pairs, strict=True):
        assert row[2] == text or row[2].startswith(f"{text[:2000]} ... (")
    right = [row[0] == label for row, (label, _) in zip(rows, pairs, strict=True)]
    assert np.mean(right) > 0.95


@pytest.mark.parametrize("given", [[], ["-"], ["--file", "-"]])
def test_standard_input_is_read_line_by_line(given: list[str], classifier: Trained) -> None:
    lines = b"The song was bad.\r\nThe song was not bad."
    assert [row[0] for row in apply(classifier, *given, stdin=lines)] == ["poor", "good"]


@pytest.mark.skipif(os.name == "nt", reason="pipes are others there")
def test_what_comes_through_a_pipe_is_answered_at_once(classifier: Trained) -> None:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    command = words("classify", "apply", "--model", classifier.folder)
    with Running(command, env=environment(), **pipes) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for text, label in ((b"The song was bad.\n", b"poor"), (b"The song was not bad.\n", b"good")):
            running.stdin.write(text)
            running.stdin.flush()
            assert running.stdout.readline().split(b"\t")[0] == label
        running.stdin.close()
        assert running.stdout.read() == b""


def test_why_lists_what_each_word_did(classifier: Trained) -> None:
    ended = succeed("classify", "apply", "--model", classifier.folder, "--why", "The zyx was not bad.")
    _, title, *lines = ended.out.decode().splitlines()
    assert title.strip() == "what each word did for good:"
    assert [line.split("|")[1].strip(" +") for line in lines] == [
        '"The"', '"zyx"  [unknown]', '"was"', '"not"', '"bad"', '"."', "<EOS>",
    ]  # fmt: skip
    found = charlm.load_classifier(classifier.folder).why("The zyx was not bad.")
    for line, each in zip(lines, found.contributions, strict=True):
        assert float(line.split()[0]) == pytest.approx(each.contribution, abs=1e-4)
    written = succeed(
        "classify", "apply", "--model", classifier.folder, "--why", "--label", "poor", "--json", "Not bad."
    ).json["why"]
    assert (written["label"], written["text"]) == ("poor", "Not bad.")
    assert [written["text"][each["begin"] : each["end"]] for each in written["contributions"]] == [
        "Not",
        "bad",
        ".",
        "",
    ]


def test_why_colours_the_text_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Green for what speaks for the label, red for what speaks against it; what commands a terminal is shown."""
    contributions = [(2.0, 0, 3), (-1.5, 4, 7), (0.5, 8, 10), (0.1, 10, 11), (0.0, 11, 11)]
    why = Why("good", 0.9, "not bad a\x1b!", tuple(Contribution("t", *each, unknown=False) for each in contributions))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert list(why_lines(why, "word")) == [
        "    \x1b[1;32mnot\x1b[0m \x1b[1;31mbad\x1b[0m \x1b[32ma\\u001b\x1b[0m!",
    ]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in "".join(why_lines(why, "word"))


def test_eval_prints_what_python_counts(classifier: Trained) -> None:
    found = charlm.load_classifier(classifier.folder).evaluate(classifier.corpus, mistakes=3)
    written = succeed("classify", "eval", "--model", classifier.folder, classifier.corpus, "--json", "--errors", 3).json
    assert written == json.loads(json.dumps(found.to_json()))
    shown = succeed("classify", "eval", "--model", classifier.folder, classifier.corpus, "--errors", 3).out.decode()
    for said in (f"{found.accuracy:.2%}", f"{found.macro_f1:.2%}", f"{found.nats_per_text:.4f}", "300"):
        assert said in shown
    for mistake in found.mistakes:
        assert f"{mistake.where}: {mistake.label} was taken for {mistake.predicted}" in shown


def test_the_confusion_matrix_has_a_row_for_each_true_label(classifier: Trained) -> None:
    Path("a.tsv").write_text("good\tThe song was bad.\n" * 3 + "good\tThe song was not bad.\n", encoding="utf-8")
    lines = succeed("classify", "eval", "--model", classifier.folder, "a.tsv").out.decode().splitlines()
    titles = next(line for line in lines if line.startswith("true"))
    good = next(line for line in lines[lines.index(titles) :] if line.startswith("good"))
    counts = dict(zip(titles.split()[3:], good.split()[1:], strict=True))
    assert counts == {"good": "1", "poor": "3"}


def test_eval_without_a_file_judges_what_validated(classifier: Trained) -> None:
    ended = succeed("classify", "eval", "--model", classifier.folder, "--json")
    assert "evaluating the validation part of" in ended.err
    record = charlm.load_classifier(classifier.folder).trained.record
    assert ended.json["texts"] == 30
    assert ended.json["nats_per_text"] == pytest.approx(record["valid_nats_per_token"], rel=1e-6)


def test_eval_of_several_files_shows_each_and_all(classifier: Trained) -> None:
    for number, name in enumerate(("a.tsv", "b.tsv"), start=1):
        Path(name).write_text(table(reviews(10 * number, seed=number)), encoding="utf-8")
    ended = succeed("classify", "eval", "--model", classifier.folder, "a.tsv", "b.tsv", "--json")
    assert ended.json["texts"] == 30
    assert {name: each["texts"] for name, each in ended.json["files"].items()} == {"a.tsv": 10, "b.tsv": 20}
    shown = succeed("classify", "eval", "--model", classifier.folder, "a.tsv", "b.tsv").out.decode()
    assert "  a.tsv: accuracy " in shown


def test_eval_reads_fields_that_are_called_otherwise(classifier: Trained) -> None:
    Path("a.jsonl").write_text('{"stars": "good", "body": "The song was not bad."}\n', encoding="utf-8")
    fields = ("--label-field", "stars", "--text-field", "body")
    assert succeed("classify", "eval", "--model", classifier.folder, "a.jsonl", *fields, "--json").json["texts"] == 1
    one_message(
        call("classify", "eval", "--model", classifier.folder, "a.jsonl"), 3, "a.jsonl, line 1", "--label-field"
    )
    rows = apply(classifier, "--file", "a.jsonl", "--text-field", "body")
    assert rows[0][0] == "good"


def test_training_shows_texts_with_their_labels() -> None:
    Path("a.tsv").write_text(table(reviews()), encoding="utf-8")
    ended = succeed("classify", "train", "a.tsv", *(each for each in SMALL if each != "--quiet"), "--steps", 60)
    assert "2 labels: " in ended.err
    lines = [line for line in ended.err.splitlines() if line.startswith("    ")]
    assert len(lines) >= 2
    assert all(line.strip().startswith(("good 0.", "poor 0.", "good 1.", "poor 1.")) for line in lines)
    assert any("(it is " not in line for line in lines)
    assert b"nats a label" in ended.out
    # Without --model the newest classifier is meant, and a newer language model is none.
    Path("names.txt").write_text(names_text(), encoding="utf-8")
    succeed("train", "names.txt", *QUICK, "--steps", 2)
    assert "using runs/a, the newest classifier" in call("classify", "eval").err.replace("\\", "/")
    assert "using runs/names, the newest model" in call("sample", "--length", 1).err.replace("\\", "/")


def test_every_level_and_pooling_can_be_chosen() -> None:
    Path("a.tsv").write_text(table(reviews(80)), encoding="utf-8")
    for level in ("word", "char", "token", "byte"):
        for pooling in ("last", "mean", "max"):
            options = (*SMALL, "--steps", 2, "--level", level, "--pooling", pooling, "--overwrite")
            succeed("classify", "train", "a.tsv", "--model", "m", *options)
            assert succeed("classify", "eval", "--model", "m", "--json").json["texts"] == 8
            assert succeed("classify", "apply", "--model", "m", "--why", "not bad").out


def test_a_balanced_classifier_finds_more_of_what_is_rare() -> None:
    """With nothing to go by, an unweighted classifier says what is frequent; a balanced one is undecided."""
    said = ["we", "came", "by", "the", "film"]
    pairs = [("usual" if n % 8 else "rare", f"bus {said[n % len(said)]}") for n in range(240)]
    Path("a.tsv").write_text(table(pairs), encoding="utf-8")
    shares = {}
    for weights in ("none", "balanced", "rare=100"):
        options = (*SMALL, "--epochs", 4, "--class-weights", weights, "--overwrite")
        succeed("classify", "train", "a.tsv", "--model", "m", *options)
        shares[weights] = succeed("classify", "apply", "--model", "m", "--json", "bus we").json["posterior"]["rare"]
    assert shares["none"] < 0.3 < shares["balanced"] < 0.7 < shares["rare=100"]


def test_nothing_is_written_by_what_only_reads(classifier: Trained) -> None:
    before = contents(classifier.folder)
    apply(classifier, "--why", "bad")
    succeed("classify", "eval", "--model", classifier.folder)
    assert contents(classifier.folder) == before
