"""Taggers that start from a language model."""

from pathlib import Path

import numpy as np
import pytest
from cli_cases import call, one_message, succeed
from tag_cases import TAGGER, sentences, write_columns
from test_cli_resume import same_run, stopping

import charlm

FAST = ("--window", "16", "--batch", "4", "--quiet", "--steps", "8")


@pytest.fixture(params=["token", "word"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A language model of the words of such sentences; at the word level the full stop is joined to its word."""
    between = "" if request.param == "word" else " "
    lines = [" ".join(word for word, _ in each[:-1]) + f"{between}.\n" for each in sentences(200)]
    (tmp_path / "text.txt").write_text("".join(lines), encoding="utf-8")
    sizes = ("--level", request.param, "--hidden", 8, "--embedding", 6, "--min-count", 1, "--independent-lines")
    succeed("train", "text.txt", "--model", "base", *sizes, "--window", 16, "--batch", 4, "--steps", 40, "--quiet")
    return tmp_path / "base"


def test_it_has_the_vocabulary_and_the_sizes_and_goes_on(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = write_columns(tmp_path / "names.conll")
    line = ("tag", "train", corpus, "--from", base, *FAST)
    said = succeed(*[word for word in line if word != "--quiet"], "--model", "once").err
    assert "from" in said
    tagger, model = charlm.load_tagger("once"), charlm.load(base)
    assert tagger.trained.vocabulary.ordinary_tokens() == model.vocabulary[2:]
    assert tagger.trained.network.config.embedding == 6
    assert tagger.evaluate(corpus).unknown == 0
    with monkeypatch.context() as patch:
        stopping(patch, 3)
        assert call(*line, "--model", "twice").status == 130
    succeed("tag", "train", "--resume", "--model", "twice", "--quiet")
    same_run(Path("once"), Path("twice"))
    succeed("tag", "train", "--config", "once/config.toml", "--model", "again", "--quiet")
    assert Path("again/model.safetensors").read_bytes() == Path("once/model.safetensors").read_bytes()
    assert f"began with     {base}" in succeed("info", "--model", "once").out.decode()


def test_it_begins_with_the_weights(base: Path, tmp_path: Path) -> None:
    """With hardly any learning they are still there."""
    corpus = write_columns(tmp_path / "names.conll")
    succeed("tag", "train", corpus, "--from", base, "--chars", *FAST, "--lr", 1e-9, "--model", "tagger")
    views = charlm.load_tagger("tagger").trained.network.parameters.views
    theirs = charlm.load(base).trained.network.parameters.views
    np.testing.assert_allclose(views["embedding"], theirs["embedding"], atol=1e-6)
    np.testing.assert_allclose(views["layers.0.forward.W_ca"], theirs["layers.0.W_ca"], atol=1e-6)


def test_what_does_not_go_with_it(base: Path, tmp_path: Path) -> None:
    corpus = write_columns(tmp_path / "names.conll")
    for option in (("--hidden", 9), ("--embedding", 9), ("--cell", "gru"), ("--lowercase",), ("--min-count", 2)):
        one_message(call("tag", "train", corpus, "--from", base, *option), 2, "--from", option[0])
    (tmp_path / "letters.txt").write_text("some letters and more of them\n" * 50, encoding="utf-8")
    succeed("train", "letters.txt", "--model", "letters", *TAGGER[:4], *FAST, "--level", "char")
    one_message(call("tag", "train", corpus, "--from", "letters"), 4, "char level", "--level word", "--chars")
    one_message(call("tag", "train", corpus, "--from", "nothing"), 4, "nothing")
