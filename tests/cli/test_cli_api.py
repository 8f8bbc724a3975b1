"""The Python interface: the same results as the commands, arrays batch-first, NumPy only when it is used."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import QUICK, environment, names_text, prose_text, succeed

import charlm
from charlm.api import Model
from charlm.errors import InputError, OutputError, UsageError
from charlm.training.reports import StepReport, ValidationReport

SMALL: Any = {"hidden": 16, "embedding": 8, "window": 16, "batch": 4, "steps": 40}


@pytest.fixture(scope="module")
def model() -> Model:
    return charlm.train(text=names_text(), **SMALL)


@pytest.fixture(scope="module")
def prose() -> Model:
    return charlm.train(text=prose_text(), level="word", min_count=1, **SMALL)


def test_importing_loads_no_numpy() -> None:
    code = "import sys, charlm; assert 'numpy' not in sys.modules; charlm.load; assert 'numpy' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment())


def test_trains_as_the_command_does(tmp_path: Path) -> None:
    """Same corpus, same options: the same weights."""
    (tmp_path / "names.txt").write_text(names_text(), encoding="utf-8")
    reports: list[Any] = []
    trained = charlm.train(tmp_path / "names.txt", folder=tmp_path / "mine", report=reports.append, **SMALL)
    succeed("train", tmp_path / "names.txt", "--model", tmp_path / "theirs", "--steps", 40, *QUICK)
    theirs = charlm.load(tmp_path / "theirs")
    for name, view in trained.trained.network.parameters.views.items():
        np.testing.assert_array_equal(view, theirs.trained.network.parameters.views[name])
    assert sum(isinstance(report, StepReport) for report in reports) == 40
    assert any(isinstance(report, ValidationReport) for report in reports)
    assert (tmp_path / "mine" / "log.jsonl").exists()


def test_samples_are_those_of_the_command(tmp_path: Path, model: Model) -> None:
    model.save(tmp_path / "model.safetensors")
    texts = model.sample(5, prompt="ba", temperature=0.7, seed=3)
    command = succeed("sample", "--model", tmp_path / "model.safetensors", "-p", "ba", "-t", 0.7, "--seed", 3, "-n", 5)
    assert "".join(texts) == command.out.decode()
    assert model.sample(5, prompt="ba", temperature=0.7, seed=3) == texts


def test_scores_are_those_of_the_chain_rule(model: Model) -> None:
    """A score is the sum of the log-probabilities of its tokens, each given the ones before."""
    texts = ["bada", "", "xyz"]
    scores = model.score(texts)
    assert [score.text for score in scores] == texts
    for text, score in zip(texts, scores, strict=True):
        ids = model.encode(text)
        logprobs = model.log_probabilities([ids])[0]
        assert logprobs.shape == (len(ids) + 1, len(model.trained.tokenizer))
        np.testing.assert_allclose(np.exp(logprobs).sum(axis=1), 1, rtol=1e-6)
        total = sum(logprobs[t, token] for t, token in enumerate([*ids, 0]))
        assert score.logprob == pytest.approx(total, rel=1e-5)
        assert model.score(text).logprob == pytest.approx(score.logprob, rel=1e-5)
    per_token = model.score("bada", per_token=True).per_token
    assert per_token is not None
    assert len(per_token) == 5


def test_rows_of_a_batch_do_not_mix(model: Model) -> None:
    rows = np.array([model.encode("bada"), model.encode("kilo")])
    both = model.log_probabilities(rows)
    for row, out in zip(rows, both, strict=True):
        np.testing.assert_allclose(model.log_probabilities([row])[0], out, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("ids", "error"), [([1, 2], ValueError), ([[99]], IndexError), ([[-1]], IndexError)])
def test_bad_ids(model: Model, ids: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        model.log_probabilities(ids)


def test_evaluates_texts_paths_and_its_own_part(tmp_path: Path, model: Model) -> None:
    text = names_text(30)
    (tmp_path / "other.txt").write_text(text, encoding="utf-8")
    assert model.evaluate(text=text) == model.evaluate(tmp_path / "other.txt")
    with pytest.raises(InputError, match="name the text"):
        model.evaluate()
    with pytest.raises(UsageError, match="either"):
        model.evaluate(tmp_path / "other.txt", text=text)
    (tmp_path / "names.txt").write_text(names_text(), encoding="utf-8")
    kept = charlm.train(tmp_path / "names.txt", **SMALL)
    assert kept.evaluate().nats_per_token == pytest.approx(kept.trained.record["valid_nats_per_token"], rel=1e-6)


def test_decoding_is_the_way_back(prose: Model) -> None:
    text = "river mountain engine.\ngarden  letter"
    known = prose.decode(prose.encode("river mountain engine.\ngarden"))
    assert known == "river mountain engine.\ngarden"
    assert isinstance(prose.decode(prose.encode(text)), str)


def test_next_words(prose: Model) -> None:
    found = prose.next("river", 5)
    assert len(found) == 5
    assert [each.probability for each in found] == sorted((each.probability for each in found), reverse=True)
    assert all(each.text.startswith((" ", ".", "\n")) for each in found)


def test_what_is_wrong_is_said(tmp_path: Path, model: Model) -> None:
    with pytest.raises(UsageError, match="unknown option 'hiden'"):
        charlm.train(text="abc", hiden=3)  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="either"):
        charlm.train()
    with pytest.raises(InputError, match="no such file"):
        charlm.train(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="number is 0"):
        model.sample(0)
    charlm.train(text=names_text(), folder=tmp_path / "run", **SMALL)
    with pytest.raises(OutputError, match="holds a model already"):
        charlm.train(text=names_text(), folder=tmp_path / "run", **SMALL)
    charlm.train(text=names_text(), folder=tmp_path / "run", overwrite=True, **SMALL)


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        ({"steps": 1.5}, "--steps is 1.5: it must be int"),
        ({"hidden": "64"}, "--hidden is '64'"),
        ({"dropout": None}, "--dropout is None"),
        ({"lowercase": 1}, "--lowercase is 1"),
        ({"layers": True}, "--layers is True"),
        ({"level": "words"}, "unknown level 'words'"),
    ],
)
def test_wrong_types_are_named(options: Any, mentioned: str) -> None:
    with pytest.raises(UsageError, match=re.escape(mentioned)):
        charlm.train(text=names_text(), **options)


def test_a_text_in_the_place_of_a_path() -> None:
    for text in ("a\nb", "x" * 5000):
        with pytest.raises(UsageError, match="text="):
            charlm.train(text)
    with pytest.raises(UsageError, match="text= is bytes"):
        charlm.train(text=b"abc")  # type: ignore[arg-type]


def test_everything_can_be_found(model: Model) -> None:
    assert {"Model", "Options", "Score", "load", "train"} <= set(dir(charlm))
    assert charlm.Score.__name__ == "Score"
    assert model.level == "char"
    assert model.vocabulary[:2] == ["<EOS>", "<UNK>"]
    assert len(model.vocabulary) == len(model.trained.tokenizer)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    charlm.train(text=names_text(), **SMALL)
    assert not list(tmp_path.iterdir())


def test_it_says_what_it_is(model: Model) -> None:
    assert repr(model) == f"<charlm.Model lstm 1 x 16, {len(model.trained.tokenizer)} tokens at char level>"


def test_unknown_attribute() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        charlm.nothing  # noqa: B018
