"""``charlm train --softmax adaptive``: rare tokens in clusters."""

from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, Trained, call, names_text, one_message, prose_text, succeed
from safetensors.numpy import load_file

from charlm.checkpoint import load_model


@pytest.fixture(scope="module")
def adaptive(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model of words."""
    folder = tmp_path_factory.mktemp("adaptive")
    (folder / "corpus.txt").write_text(prose_text(), encoding="utf-8")
    succeed(
        "train", folder / "corpus.txt", "--model", folder / "model", *QUICK, "--softmax", "adaptive", "--steps", 20
    )  # fmt: skip
    return Trained(folder / "model", folder / "corpus.txt")


def test_is_shown_with_its_parameters(adaptive: Trained) -> None:
    """And in the command that repeats the training."""
    size = len(load_model(adaptive.folder).tokenizer)
    told = succeed("info", "--model", adaptive.folder).out.decode()
    assert "lstm, adaptive softmax: " in told
    assert "head.tails.1.W_p" in told
    assert "--softmax adaptive" in told.splitlines()[-1]
    tensors = load_file(adaptive.file)
    rows = [len(tensors[f"head.{name}W_y"]) for name in ("", "tails.0.", "tails.1.")]
    assert sum(rows) == size + 2


def test_every_command_takes_it(adaptive: Trained, tmp_path: Path) -> None:
    """Scoring, listing and explaining find the same probabilities."""
    succeed("sample", "--model", adaptive.folder, "-n", 2, "--seed", 1)
    succeed("eval", "--model", adaptive.folder, adaptive.corpus)
    succeed("gradients", "--model", adaptive.folder, "river garden")
    words = "river"
    score = succeed("score", "--model", adaptive.folder, "--json", words).json["logprob"]
    steps = succeed("explain", "--model", adaptive.folder, words, "--json", "--top", 99).objects
    for step in steps:
        assert sum(each["probability"] for each in step["next"]) == pytest.approx(1, abs=1e-9)
    end = {each["token"]: each["probability"] for each in steps[-1]["next"]}["<EOS>"]
    assert np.log([*(step["probability"] for step in steps[:-1]), end]).sum() == pytest.approx(score, abs=1e-4)
    tuned = tmp_path / "tuned"
    options = ("--window", 16, "--batch", 4, "--steps", 2, "--quiet")
    succeed("train", adaptive.corpus, "--from", adaptive.folder, "--model", tuned, *options)
    assert load_model(tuned).network.config.softmax == "adaptive"
    succeed("export", "--model", adaptive.folder, "--to", "onnx", tmp_path / "model.onnx")


def test_pytorch_there_and_back(adaptive: Trained, tmp_path: Path) -> None:
    """The module is PyTorch's own."""
    out, back = tmp_path / "out", tmp_path / "back"
    succeed("export", "--model", adaptive.folder, "--to", "pytorch", out)
    assert "nn.AdaptiveLogSoftmaxWithLoss(16, " in (out / "load_model.py").read_text()
    succeed("import", out, "--model", back)
    assert (back / "model.safetensors").read_bytes() == adaptive.file.read_bytes()


def test_tokens_cannot_be_added(adaptive: Trained, tmp_path: Path) -> None:
    ended = call(
        "train", adaptive.corpus, "--from", adaptive.folder, "--extend-vocab", "--model", tmp_path / "m", "--steps", 1
    )
    one_message(ended, 2, "--extend-vocab", "adaptive softmax", "falling frequency")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        (("--softmax", "adaptive", "--hidden", 8), "--hidden of at least 16"),
        (("--softmax", "adaptive", "--tied"), "--tied needs --softmax full"),
        (("--softmax", "sampled"), "full, adaptive"),
        (("--softmax", "full", "--from", "model"), "--from takes --softmax from the model"),
    ],
)
def test_what_does_not_go_together(
    adaptive: Trained, tmp_path: Path, options: tuple[object, ...], mentioned: str
) -> None:
    one_message(call("train", adaptive.corpus, "--model", tmp_path / "m", *options), 2, mentioned)


@pytest.mark.parametrize(
    ("options", "found"),
    [((), "adaptive"), (("--softmax", "full"), "full"), (("--tied",), "full"), (("--hidden", 8), "full")],
)
def test_large_vocabularies_have_it_unless_told_otherwise(
    options: tuple[object, ...], found: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The choice is said; what is large is put down to the vocabulary of a small text here."""
    monkeypatch.setattr("charlm.training.defaults.ADAPTIVE_FROM", 10)
    (tmp_path / "corpus.txt").write_text(names_text(), encoding="utf-8")
    sizes = ("--window", 16, "--batch", 4, "--steps", 1)
    ended = succeed("train", tmp_path / "corpus.txt", "--model", tmp_path / "m", *sizes, *options)
    assert load_model(tmp_path / "m").network.config.softmax == found
    assert ("--softmax adaptive" in ended.err) == (found == "adaptive")
