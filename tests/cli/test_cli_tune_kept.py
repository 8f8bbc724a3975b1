"""What was tuned, in its file: where it stands, of which models it is, and that damage is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from adapting_cases import Models, tuned_models
from cli_cases import QUICK, Trained, call, contents, one_message, succeed

import charlm
from charlm.adapting.kept import file_beside, read_kept
from charlm.checkpoint import load_model
from charlm.errors import ModelError, UsageError
from charlm.files import read_tensors
from charlm.prediction.build import Beside, build
from charlm.prediction.walking import log_probabilities_of
from charlm.seal import sealed_bytes


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, wordy: Trained) -> Models:
    return tuned_models(tmp_path_factory.mktemp("tuned"), wordy)


@pytest.fixture
def own(models: Models, tmp_path: Path) -> Path:
    """A model with what was tuned for it, to be changed."""
    shutil.copytree(models.model, tmp_path / "own")
    return tmp_path / "own"


def test_a_model_in_one_file_has_its_own_beside_it(own: Path) -> None:
    """Two models of one folder do not share one."""
    for name in ("a", "b"):
        shutil.copy(own / "model.safetensors", own.parent / f"{name}.safetensors")
        succeed("tune", "-m", own.parent / f"{name}.safetensors", "--cache", 30, "--tokens", 100, "--quiet")
    assert (own.parent / "a.adaptation.safetensors").exists()
    assert (own.parent / "b.adaptation.safetensors").exists()
    succeed("tune", "-m", own / "model.safetensors", "--cache", 30, "--tokens", 100, "--quiet")
    assert read_kept(own, len(load_model(own).network.parameters)).adaptation.dynamic is None


def test_what_was_tuned_for_another_model_is_refused(own: Path, models: Models) -> None:
    """By every command that would use it, and told by info; a model that is mixed in counts where it is used."""
    shutil.copy(models.other / "model.safetensors", own / "model.safetensors")
    for words in (("score", "river", "--tuned"), ("eval", "--cache", 9), ("sample", "--dynamic", "rms")):
        one_message(call(*words, "-m", own), 4, "was tuned when", "was another model", "charlm tune")
    assert "was another model" in succeed("info", "-m", own).out.decode()
    assert "was another model" in succeed("info", "-m", own, "--json").json["tuned"]["error"]
    # Who gives every number needs nothing of it, and what is tuned anew replaces it.
    numbers = ("--cache", 9, "--cache-theta", 0.3, "--cache-share", 0.1)
    succeed("score", "river", "-m", own, *numbers)
    succeed("tune", "-m", own, "--cache", 9, "--tokens", 100, "--quiet")
    succeed("score", "river", "-m", own, "--tuned")


def test_a_model_mixed_in_must_be_the_one_tuned_with(own: Path, models: Models, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(models.other, other)
    words = ("--cache", 9, "--mix", other, "--tokens", 100, "--quiet")
    succeed("tune", "-m", own, *words)
    succeed("train", models.corpus, "--model", other, *QUICK, "--steps", 2, "--level", "word", "--overwrite")
    one_message(call("score", "river", "-m", own, "--tuned"), 4, f"{other} was another model")
    succeed("score", "river", "-m", own, "--cache", 9)
    shutil.rmtree(other)
    one_message(call("score", "river", "-m", own, "--tuned"), 4, "cannot be read")


def test_a_damaged_file_is_refused(own: Path) -> None:
    """Bits that have changed, and contents that whoever wrote them has sealed."""
    file = file_beside(own)
    good = file.read_bytes()
    tensors, metadata = read_tensors(file)
    del metadata["digest"]
    parameters = len(load_model(own).network.parameters)
    spoilt: list[dict[str, object]] = [
        {"adaptation": {**metadata["adaptation"], "dynamic": None}},
        {"adaptation": {**metadata["adaptation"], "cache": {"size": 0, "theta": 1, "share": 0.1}}},
        {"adaptation": []},
        {"about": {}},
        {"about": {**metadata["about"], "results": []}},
        {"about": {**metadata["about"], "results": [3]}},
        {"about": {**metadata["about"], "tokens": "many"}},
        {"others": {}},
        {"others": None},
        {"strange": 1},
        {"format": 99},
        {"kind": "language model"},
        {"model": 3},
    ]
    for change in spoilt:
        file.write_bytes(sealed_bytes(tensors, metadata | change))
        one_message(call("score", "river", "-m", own, "--tuned"), 4, str(file))
    for squares in (np.ones(3, np.float32), -np.ones(parameters, np.float32), np.ones(parameters, np.int64)):
        file.write_bytes(sealed_bytes({"mean_squares": squares}, metadata))
        one_message(call("score", "river", "-m", own, "--tuned"), 4, "mean squares")
    file.write_bytes(sealed_bytes({}, metadata))
    one_message(call("score", "river", "-m", own, "--tuned"), 4, "mean squares")
    place = len(good) - 7
    file.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
    one_message(call("score", "river", "-m", own, "--tuned"), 4, "damaged")
    file.write_bytes(good)
    succeed("score", "river", "-m", own, "--tuned")


def test_what_cannot_be_tuned_is_told(models: Models, names: Trained, tmp_path: Path) -> None:
    before = contents(names.folder)
    one_message(call("tune", "-m", names.folder), 2, "nothing to tune", "--dynamic", "--ngrams")
    one_message(call("tune", "-m", names.folder, "--cache", 9, "--tokens", 9), 2, "--tokens is 9", "at least 100")
    one_message(call("tune", "-m", names.folder, "--cache", 9, "--time", "soon"), 2, "--time", "90s")
    one_message(call("tune", "-m", names.folder, "--cache", 9, "--time", "0s"), 2, "--time")
    one_message(call("tune", "-m", names.folder, "--ngrams", models.counts), 2, "otherwise", "--level")
    one_message(call("tune", "nothing.txt", "-m", names.folder, "--cache", 9), 3, "nothing.txt")
    assert contents(names.folder) == before
    Path("labels.txt").write_text("sad\tgo away\nhappy\tcome in\n" * 30, encoding="utf-8")
    succeed("train", "labels.txt", "--labels", "--model", tmp_path / "labels", *QUICK, "--steps", 2)
    one_message(call("tune", "-m", tmp_path / "labels", "--cache", 9), 2, "without labels")
    with pytest.raises(UsageError, match="nothing to tune"):
        charlm.tune(names.folder)
    with pytest.raises(ModelError, match="no model at"):
        charlm.tune(tmp_path / "none", cache=9)


def test_a_built_predictor_is_that_of_the_file(models: Models) -> None:
    """What is kept is all that it takes."""
    model = load_model(models.model)
    tuned = read_kept(models.model, len(model.network.parameters))
    other, counts = load_model(models.other), charlm.load_ngrams(models.counts).trained
    predictor = build(model, tuned.adaptation, Beside(counts, (other,), tuned.mean_squares))
    ids = model.tokenizer.encode_sentence("river bridge")
    predictor.start()
    expected = charlm.load(models.model).adapted(tuned=True).score("river bridge").logprob
    assert float(log_probabilities_of(predictor, ids).sum()) == expected
