"""Runs that train classifiers: stopped and continued, repeated, tried out, and interrupted."""

import json
from pathlib import Path

import pytest
from class_cases import reviews, table
from cli_cases import QUICK, call, contents, one_message, succeed
from test_cli_resume import same_run, stopping

STEPS = 12
CASES = [
    "",
    "--level char --dropout 0.3 --pooling last",
    "--class-weights balanced --cell gru --layers 2 --residual",
    "--class-weights good=5 --no-bidirectional --pooling mean --min-count 3 --lowercase",
    "--level byte --optimizer sgd --lr 0.1 --schedule linear",
    "--level token --output sigmoid --unit paragraph",
]


@pytest.fixture(autouse=True)
def corpus() -> Path:
    """Labelled texts."""
    path = Path("reviews.tsv")
    path.write_text(table(reviews(60)), encoding="utf-8")
    return path


def train_in_parts(monkeypatch: pytest.MonkeyPatch, stops: tuple[int, ...], *options: object) -> None:
    """Train into the folder "parts", stopped after each of these steps."""
    for number, stop in enumerate(stops):
        with monkeypatch.context() as patch:
            stopping(patch, stop)
            begin = ("reviews.tsv", "--model", "parts", *QUICK, "--steps", STEPS, *options)
            arguments = begin if number == 0 else ("--resume", "--model", "parts", "--quiet")
            assert call("classify", "train", *arguments).status == 130
    succeed("classify", "train", "--resume", "--model", "parts", "--quiet")


@pytest.mark.parametrize("options", CASES)
def test_stopping_and_resuming_changes_nothing(options: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Model, state and log, to the last byte, wherever in an epoch it stops."""
    succeed("classify", "train", "reviews.tsv", "--model", "once", *QUICK, "--steps", STEPS, *options.split())
    train_in_parts(monkeypatch, (1, 5, 6, 11), *options.split())
    same_run(Path("once"), Path("parts"))


@pytest.mark.parametrize("options", CASES)
def test_a_config_file_repeats_a_run(options: str) -> None:
    """Byte for byte, and so does the command that info prints."""
    succeed("classify", "train", "reviews.tsv", "--model", "first", *QUICK, "--steps", STEPS, *options.split())
    (file,) = Path("first").glob("*.toml")
    succeed("classify", "train", "--config", file, "--model", "second", "--quiet")
    model = Path("first", "model.safetensors").read_bytes()
    assert Path("second", "model.safetensors").read_bytes() == model
    command = succeed("info", "--model", "first", "--json").json["command"]
    assert command.startswith("charlm classify train reviews.tsv ")
    succeed(*command.split()[1:], "--model", "third", "--quiet")
    assert Path("third", "model.safetensors").read_bytes() == model


def test_the_seed_decides_the_bytes() -> None:
    models = []
    for number, seed in enumerate((3, 3, 4)):
        options = (*QUICK, "--steps", 3, "--seed", seed)
        succeed("classify", "train", "reviews.tsv", "--model", f"m{number}", *options)
        models.append(Path(f"m{number}", "model.safetensors").read_bytes())
    assert models[0] == models[1] != models[2]


def test_a_dry_run_writes_nothing() -> None:
    options = [each for each in QUICK if each != "--quiet"]
    ended = succeed("classify", "train", "reviews.tsv", "--dry-run", *options, "--epochs", 3)
    assert b"a step: " in ended.out
    assert list(Path().iterdir()) == [Path("reviews.tsv")]


def test_a_run_is_stopped_at_a_step_and_goes_on_longer() -> None:
    succeed("classify", "train", "reviews.tsv", "--model", "m", *QUICK, "--steps", STEPS, "--stop-at", 4)
    succeed("classify", "train", "--resume", "--model", "m", "--steps", 20, "--quiet")
    assert json.loads(Path("m", "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])["step"] == 20


def test_what_a_run_was_begun_with_cannot_change() -> None:
    succeed("classify", "train", "reviews.tsv", "--model", "m", *QUICK, "--steps", STEPS, "--stop-at", 4)
    for option in (("--class-weights", "balanced"), ("--pooling", "mean"), ("--hidden", 3)):
        ended = call("classify", "train", "--resume", "--model", "m", *option)
        one_message(ended, 2, option[0], "cannot change")
    Path("reviews.tsv").write_text(table(reviews(61)), encoding="utf-8")
    one_message(call("classify", "train", "--resume", "--model", "m"), 3, "has changed", "--overwrite")


def test_a_run_of_another_kind_is_not_continued() -> None:
    succeed("classify", "train", "reviews.tsv", "--model", "m", *QUICK, "--steps", STEPS, "--stop-at", 4)
    before = contents(Path("m"))
    assert "classif" in one_message(call("tag", "train", "--resume", "--model", "m"), 4, "m")
    one_message(call("train", "--resume", "--model", "m"), 4, "m")
    one_message(call("classify", "train", "reviews.tsv", "--model", "m"), 5, "m", "--overwrite")
    assert contents(Path("m")) == before


def test_a_run_begins_with_a_language_model() -> None:
    """With its words and sizes; the classifier knows how it began."""
    Path("text.txt").write_text("".join(f"{text}\n" for _, text in reviews(60)), encoding="utf-8")
    sizes = ("--level", "word", "--independent-lines", *QUICK)
    succeed("train", "text.txt", "--model", "language", *sizes, "--steps", 5)
    options = ("--window", 16, "--batch", 4, "--steps", STEPS, "--quiet")
    succeed("classify", "train", "reviews.tsv", "--from", "language", "--model", "m", *options)
    record = succeed("info", "--model", "m", "--json").json
    assert record["record"]["base"]["path"] == "language"
    vocabularies = [succeed("info", "--model", each, "--json").json["vocabulary"] for each in ("language", "m")]
    assert vocabularies[0] == vocabularies[1]
    assert succeed("classify", "apply", "--model", "m", "--why", "The song was bad.").out
    ended = call("classify", "train", "reviews.tsv", "--from", "language", "--hidden", 5, "--model", "n")
    one_message(ended, 2, "--from takes --hidden from the model")
    ended = call("classify", "train", "reviews.tsv", "--from", "m", "--model", "n")
    one_message(ended, 4, "m", "is a classifier, not a language model")
