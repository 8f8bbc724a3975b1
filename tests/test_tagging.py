"""Taggers from Python: the same results as the commands."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scripts import load_script

import charlm
from charlm.errors import InputError, ModelError, OutputError, UsageError
from charlm.labelling.judging import together
from charlm.labelling.tags import Sentence, SentenceTagger, cut_sentence
from charlm.training.reports import StepReport, ValidationReport

cases = load_script("tests/cli/tag_cases.py")
cli = load_script("tests/cli/cli_cases.py")
SMALL: Any = {"hidden": 8, "embedding": 8, "window": 16, "batch": 4, "min_count": 1, "dropout": 0.0, "lr": 0.02}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = cases.write_columns(tmp_path_factory.mktemp("tagging") / "names.conll")
    return path


@pytest.fixture(scope="module")
def tagger(corpus: Path) -> charlm.Tagger:
    return charlm.train_tagger(corpus, steps=120, **SMALL)


@pytest.fixture(scope="module")
def speller(corpus: Path) -> charlm.Tagger:
    return charlm.train_tagger(corpus, steps=60, chars=True, **SMALL)


def test_trains_as_the_command_does(corpus: Path, tmp_path: Path) -> None:
    reports: list[Any] = []
    mine = charlm.train_tagger([corpus], folder=tmp_path / "mine", report=reports.append, steps=9, **SMALL)
    options = [word for name, value in SMALL.items() for word in (f"--{name.replace('_', '-')}", value)]
    cli.succeed("tag", "train", corpus, "--model", tmp_path / "theirs", "--steps", 9, *options, "--quiet")
    assert sum(isinstance(report, StepReport) for report in reports) == 9
    assert any(isinstance(report, ValidationReport) for report in reports)
    ours, others = (tmp_path / name / "model.safetensors" for name in ("mine", "theirs"))
    assert ours.read_bytes() == others.read_bytes()
    mine.save(tmp_path / "saved.safetensors")
    assert (tmp_path / "saved.safetensors").read_bytes() == ours.read_bytes()
    with pytest.raises(OutputError):
        charlm.train_tagger(corpus, folder=tmp_path / "mine", steps=1)


def test_a_text_a_list_of_words_and_lists_of_them(tagger: charlm.Tagger) -> None:
    typed = tagger.tag("Rose Miller said.")
    assert typed.tokens == ("Rose", "Miller", "said", ".")
    assert typed.labels == ("B-PER", "I-PER", "O", "O")
    assert [(each.type, each.begin, each.end, each.text) for each in typed.entities] == [("PER", 0, 2, "Rose Miller")]
    assert tagger.tag(["Rose", "Miller", "said", "."]).labels == typed.labels
    several = tagger.tag([["Rose", "Miller", "said", "."], ["May", "bears", "fell", "."]])
    assert [each.labels for each in several] == [typed.labels, ("O", "O", "O", "O")]
    assert tagger.labels == ("O", "B-PER", "I-PER")
    assert not tagger.tag([])
    assert "3 labels" in repr(tagger)


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_a_text_without_words(text: str, tagger: charlm.Tagger) -> None:
    with pytest.raises(InputError, match="no word"):
        tagger.tag(text)


@pytest.mark.parametrize("words", [["Rose", ""], [[]], [["Rose"], []], [["Rose", 3]], ["Rose", ["said"]], [3]])
def test_what_is_no_sentence(words: Any, tagger: charlm.Tagger) -> None:
    with pytest.raises(UsageError, match="a sentence to tag"):
        tagger.tag(words)


@pytest.mark.parametrize("which", ["tagger", "speller"])
def test_a_sentence_is_tagged_the_same_in_any_company(which: str, request: pytest.FixtureRequest) -> None:
    """Labels are those of the sentence by itself, and probabilities but for rounding."""
    model = request.getfixturevalue(which)
    source = random.Random(3)  # noqa: S311 - no secret
    words = ["Rose", "Mark", "Miller", "was", "bears", "fell", ".", "new", "\u4e16", "x" * 90]
    many = [[source.choice(words) for _ in range(source.randint(1, 30))] for _ in range(200)]
    for sentence, got in zip(many, model.tag(many), strict=True):
        alone = model.tag(sentence)
        assert got.tokens == tuple(sentence)
        assert got.labels == alone.labels
        assert got.entities == alone.entities
        np.testing.assert_allclose(got.probabilities, alone.probabilities, rtol=1e-4)


def test_evaluation_is_that_of_the_command(tagger: charlm.Tagger, corpus: Path, tmp_path: Path) -> None:
    found = tagger.evaluate(corpus)
    tagger.save(tmp_path / "model.safetensors")
    said = cli.succeed("tag", "eval", corpus, "--json", "--model", tmp_path / "model.safetensors").json
    assert found.to_json() == said
    predicted = tagger.tag([[word for word, _ in sentence] for sentence in cases.sentences()])
    right = [
        p == t
        for got, each in zip(predicted, cases.sentences(), strict=True)
        for p, (_, t) in zip(got.labels, each, strict=True)
    ]
    assert found.accuracy == pytest.approx(np.mean(right))
    nats = [
        -np.log(p)
        for got, each in zip(predicted, cases.sentences(), strict=True)
        for p, label, (_, t) in zip(got.probabilities, got.labels, each, strict=True)
        if label == t
    ]
    if all(right):
        assert found.nats_per_label == pytest.approx(np.mean(nats), rel=1e-5)
    assert tagger.evaluate().tokens < found.tokens


def test_parts_together_are_the_whole(tagger: charlm.Tagger, tmp_path: Path) -> None:
    from charlm.labelling.judging import figures_of, judge_tags  # noqa: PLC0415 - beside what needs it
    from charlm.tagging import labelled_sentences  # noqa: PLC0415 - likewise
    from charlm.text.sources import find_texts  # noqa: PLC0415 - likewise

    files = [cases.write_columns(tmp_path / f"{seed}.conll", 20, seed) for seed in range(3)]
    parts = [judge_tags(tagger.trained, labelled_sentences(tagger.trained, find_texts([str(file)]))) for file in files]
    whole = figures_of(tagger.trained, together(parts)).to_json()
    other = tagger.evaluate(files).to_json()
    assert whole.pop("nats_per_label") == pytest.approx(other.pop("nats_per_label"), rel=1e-6)
    assert whole == other


def test_spelling_tells_unknown_words_apart(tmp_path: Path) -> None:
    """Without it all of them are one word."""
    source = random.Random(2)  # noqa: S311 - no secret

    def word(end: str) -> str:
        return "".join(source.choice("abcdefgh") for _ in range(5)) + end

    def data(number: int) -> str:
        return "\n".join(
            "".join(
                f"{word('son' if name else 'ed')}\t{'B-PER' if name else 'O'}\n"
                for name in (source.random() < 0.5 for _ in range(4))
            )
            for _ in range(number)
        )

    (tmp_path / "train.conll").write_text(data(150))
    (tmp_path / "held.conll").write_text(data(40))
    options = {**SMALL, "steps": 120}
    spelt, not_spelt = (
        charlm.train_tagger(tmp_path / "train.conll", chars=chars, **options) for chars in (True, False)
    )
    assert spelt.evaluate(tmp_path / "held.conll").accuracy > 0.98
    assert not_spelt.evaluate(tmp_path / "held.conll").accuracy < 0.8


def test_the_words_of_a_text_and_what_stands_between_them() -> None:
    sentence = cut_sentence('St. Paul\'s  "was"\n(here).')
    assert sentence.words == ("St", ".", "Paul's", '"', "was", '"', "(", "here", ")", ".")
    assert sentence.text(0, 3) == "St. Paul's"
    assert sentence.text(6, 10) == "(here)."
    assert sentence.text(3, 3) == ""
    assert Sentence(("a", ".")).text(0, 2) == "a ."
    assert cut_sentence("\uffed x\uffed").words == ("\uffed", "x", "\uffed")
    assert cut_sentence("\u4e16\u754c").text(0, 2) == "\u4e16\u754c"


def test_other_kinds_of_model_are_refused(tmp_path: Path, tagger: charlm.Tagger) -> None:
    tagger.save(tmp_path / "tagger.safetensors")
    with pytest.raises(ModelError, match="is a tagger"):
        charlm.load(tmp_path / "tagger.safetensors")
    model = charlm.train(text="abc def\n" * 200, steps=1, hidden=4)
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="is a language model, not a tagger"):
        charlm.load_tagger(tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="no model at"):
        charlm.load_tagger(tmp_path / "nothing")


def test_weights_too_large_for_figures_are_named(tagger: charlm.Tagger, tmp_path: Path) -> None:
    tagger.save(tmp_path / "model.safetensors")
    broken = charlm.load_tagger(tmp_path / "model.safetensors")
    for view in broken.trained.network.parameters.views.values():
        view[...] = 3e38
    with np.errstate(all="ignore"), pytest.raises(ModelError, match="not finite"):
        SentenceTagger.of(broken.trained).tag([Sentence(("Rose",))])
    with np.errstate(all="ignore"), pytest.raises(ModelError, match="not finite"):
        broken.evaluate()


def test_wrong_options(corpus: Path) -> None:
    with pytest.raises(UsageError, match="unknown option"):
        charlm.train_tagger(corpus, tied=True)  # type: ignore[call-arg]  # as was said
    with pytest.raises(UsageError, match="is no path"):
        charlm.train_tagger("Rose\tB-PER\n")
