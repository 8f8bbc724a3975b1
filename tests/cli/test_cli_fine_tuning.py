"""``charlm train --from``: another text, the same vocabulary or an extended one."""

from pathlib import Path

import numpy as np
import pytest
from cli_cases import Trained, call, names_text, one_message, succeed

from charlm.checkpoint import TrainedModel, load_model

SHORT = ("--window", "16", "--batch", "4", "--quiet")


def other(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "other.txt"
    path.write_text(text, encoding="utf-8")
    return path


def tuned(tmp_path: Path, base: Trained, text: str, *options: object, steps: int = 1) -> TrainedModel:
    path = other(tmp_path, text)
    succeed("train", path, "--from", base.folder, "--model", tmp_path / "tuned", "--steps", steps, *SHORT, *options)
    return load_model(tmp_path / "tuned")


def test_begins_with_the_weights_of_the_model(tmp_path: Path, names: Trained) -> None:
    """A step so small that it changes nothing leaves what was there."""
    found = tuned(tmp_path, names, names_text(60).upper().lower(), "--lr", 1e-12, "--weight-decay", 0)
    base = load_model(names.folder)
    for name, view in base.network.parameters.views.items():
        np.testing.assert_allclose(found.network.parameters.views[name], view, atol=1e-8)
    assert found.tokenizer.vocabulary.token(5) == base.tokenizer.vocabulary.token(5)
    assert found.text.independent_lines
    assert found.record["base"] == {
        "path": str(names.folder), "digest": base.record["corpus"]["digest"], "extended": False,
    }  # fmt: skip


def test_unknown_characters_are_reported(tmp_path: Path, names: Trained) -> None:
    path = other(tmp_path, names_text(60) + "ÄÖ\nÄ\n" * 20)
    ended = succeed(
        "train", path, "--from", names.folder, "--model", tmp_path / "m", "--steps", 2, "--window", 8, "--batch", 2
    )
    assert "2 types the model does not know read as <UNK>, " in ended.err
    assert "% of the tokens (--extend-vocab adds them)" in ended.err
    assert f"from {names.folder}, " in ended.err
    assert len(load_model(tmp_path / "m").tokenizer) == len(load_model(names.folder).tokenizer)


def test_extended_vocabulary_keeps_the_ids(tmp_path: Path, names: Trained) -> None:
    text = names_text(60) + "ÖÄÄ\n" * 20
    found = tuned(tmp_path, names, text, "--extend-vocab", "--lr", 1e-12, "--weight-decay", 0)
    base = load_model(names.folder)
    size = len(base.tokenizer)
    tokens = [found.tokenizer.vocabulary.token(i) for i in range(len(found.tokenizer))]
    assert tokens[:size] == [base.tokenizer.vocabulary.token(i) for i in range(size)]
    assert tokens[size:] == ["Ä", "Ö"]
    for name, view in base.network.parameters.views.items():
        np.testing.assert_allclose(found.network.parameters.views[name][: len(view)], view, atol=1e-8)
    head = found.network.parameters.views["head.W_y"]
    np.testing.assert_allclose(head[size:], head[[1, 1]], atol=1e-8)
    assert found.network.parameters.views["embedding"][size:].any()
    assert not found.tokenizer.unknown_in("ÄÖ")
    before, after = base.tokenizer.vocabulary.counts, found.tokenizer.vocabulary.counts
    assert (after[:size] >= before).all()
    assert after[size] > after[size + 1] > 0


def test_extended_vocabulary_keeps_its_limits(tmp_path: Path, names: Trained) -> None:
    text = names_text(60) + "ÖÄÄ\n" * 20 + "Ü\n"
    found = tuned(tmp_path, names, text, "--extend-vocab", "--min-count", 3)
    assert found.tokenizer.unknown_in("ÄÖÜ") == ["Ü"]
    (tmp_path / "tuned" / "model.safetensors").unlink()
    limit = len(load_model(names.folder).tokenizer) + 1
    found = tuned(tmp_path, names, text, "--extend-vocab", "--max-vocab", limit, "--overwrite")
    assert found.tokenizer.unknown_in("ÄÖÜ") == ["Ö", "Ü"]


def test_learns_the_other_text(tmp_path: Path, names: Trained) -> None:
    text = "".join(f"{first}{second}qu\n" for first in "bdkl" for second in "aeiou") * 10
    path = other(tmp_path, text)
    before = succeed("eval", path, "--model", names.folder, "--json").json["nats_per_token"]
    tuned(tmp_path, names, text, "--extend-vocab", steps=60)
    after = succeed("eval", path, "--model", tmp_path / "tuned", "--json").json["nats_per_token"]
    assert after < before - 0.3


def test_byte_models_too(tmp_path: Path, octets: Trained) -> None:
    found = tuned(tmp_path, octets, "plain text\n" * 50)
    assert found.tokenizer.level == "byte"


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        (("--from", "{base}", "--hidden", 9), "--hidden"),
        (("--from", "{base}", "--level", "word", "--cell", "gru"), "--level, --cell"),
        (("--from", "{base}", "--min-count", 2), "--extend-vocab"),
        (("--extend-vocab",), "--from MODEL"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, names: Trained, options: tuple[object, ...], mentioned: str) -> None:
    words = [str(option).format(base=names.folder) for option in options]
    one_message(call("train", other(tmp_path, names_text()), "--model", tmp_path / "m", *words), 2, mentioned)
    assert not (tmp_path / "m").exists()


def test_no_model_to_start_from(tmp_path: Path) -> None:
    one_message(call("train", other(tmp_path, names_text()), "--from", tmp_path / "no"), 4, "no model at")


def test_info_tells_where_it_began(tmp_path: Path, names: Trained) -> None:
    tuned(tmp_path, names, names_text(60), "--extend-vocab")
    told = succeed("info", "--model", tmp_path / "tuned").out.decode()
    assert f"began with     {names.folder}" in told
    assert f"--from {names.folder}" in told
    assert "--extend-vocab" in told
    assert "--hidden" not in told
