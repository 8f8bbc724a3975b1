"""``charlm train --tied``: one matrix for the embedding and the softmax."""

import json
from pathlib import Path

import numpy as np
import pytest
from cli_cases import Trained, call, names_text, one_message, succeed
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from charlm.checkpoint import load_model

SIZES = ("--window", "16", "--batch", "4", "--quiet")


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model whose sizes were given once."""
    folder = tmp_path_factory.mktemp("tied")
    (folder / "corpus.txt").write_text(names_text(), encoding="utf-8")
    succeed(
        "train", folder / "corpus.txt", "--model", folder / "model", "--tied", "--hidden", 12, "--steps", 20, *SIZES
    )  # fmt: skip
    return Trained(folder / "model", folder / "corpus.txt")


def test_is_stored_once_and_shown(tied: Trained) -> None:
    """The embedding has the size of the layer, and the head no matrix of its own."""
    tensors = load_file(tied.file)
    assert tensors["embedding"].shape[1] == 12
    assert "head.W_y" not in tensors
    told = succeed("info", "--model", tied.folder).out.decode()
    assert "1 x 12, embedding 12" in told
    assert "lstm, tied: " in told
    again = told.splitlines()[-1]
    assert "--tied" in again
    assert succeed("info", "--model", tied.folder, "--json").json["model"]["tied"] is True


def test_every_command_takes_it(tied: Trained, tmp_path: Path) -> None:
    """Scoring and explaining compute the same, one in float32 by the engine, one from the equations."""
    succeed("sample", "--model", tied.folder, "-n", 2, "--seed", 1)
    succeed("next", "--model", tied.folder, "ba")
    score = succeed("score", "--model", tied.folder, "--json", "bada").json["logprob"]
    steps = succeed("explain", "--model", tied.folder, "bada", "--json", "--top", 99).objects
    end = {each["token"]: each["probability"] for each in steps[-1]["next"]}["<EOS>"]
    found = [*(step["probability"] for step in steps[:-1]), end]
    assert np.log(found).sum() == pytest.approx(score, abs=1e-4)
    succeed(
        "train", tied.corpus, "--from", tied.folder, "--model", tmp_path / "m", "--steps", 2, "--extend-vocab", *SIZES
    )  # fmt: skip
    assert load_model(tmp_path / "m").network.config.tied


def test_pytorch_there_and_back(tied: Trained, tmp_path: Path) -> None:
    """The state dict has both matrices, as the module does; once they differ, they are refused."""
    succeed("export", "--model", tied.folder, "--to", "pytorch", tmp_path / "out")
    state = tmp_path / "out" / "state.safetensors"
    tensors = load_file(state)
    np.testing.assert_array_equal(tensors["head.weight"], tensors["embedding.weight"])
    succeed("import", tmp_path / "out", "--model", tmp_path / "back")
    assert (tmp_path / "back" / "model.safetensors").read_bytes() == tied.file.read_bytes()
    tensors["head.weight"] += 1
    with safe_open(state, framework="numpy") as file:
        metadata = file.metadata()
    save_file(tensors, state, metadata)
    one_message(
        call("import", tmp_path / "out", "--model", tmp_path / "x"), 4, "embedding.weight and head.weight differ"
    )


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        (("--tied", "--hidden", 12, "--embedding", 8), "--embedding is 8 and --hidden 12"),
        (("--tied", "--from", "model"), "--from takes --tied from the model"),
    ],
)
def test_what_does_not_go_together(tied: Trained, tmp_path: Path, options: tuple[object, ...], mentioned: str) -> None:
    one_message(call("train", tied.corpus, "--model", tmp_path / "m", *options), 2, mentioned)


@pytest.mark.parametrize("format_", [4, 3])
def test_models_of_formats_before_are_read(format_: int, names: Trained, tmp_path: Path) -> None:
    """They lack what has been added since, and are what they were."""
    with safe_open(names.file, framework="numpy") as file:
        (key, text), = file.metadata().items()  # fmt: skip
    metadata = json.loads(text)
    metadata["format"] = format_
    del metadata["digest"]
    if format_ == 3:
        del metadata["model"]["tied"], metadata["model"]["softmax"]
    old = tmp_path / "old.safetensors"
    save_file(load_file(names.file), old, {key: json.dumps(metadata)})
    scores = [succeed("score", "--model", model, "--json", "bada").json for model in (old, names.folder)]
    assert scores[0] == scores[1]
