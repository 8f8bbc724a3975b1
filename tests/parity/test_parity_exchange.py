"""PyTorch and ONNX Runtime themselves compute with exported models what charlm computes."""

import importlib.util
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from exchange_cases import EXPRESSIBLE, HIDDEN, KINDS, SHAPES, engine_steps, model_of, saved, tokens_of
from safetensors.torch import save_file

from charlm.checkpoint import TrainedModel, model_bytes
from charlm.errors import ModelError
from charlm.exchange.onnx_model import onnx_bytes
from charlm.exchange.pytorch import exported_files, import_state
from charlm.nn.arrays import Array
from charlm.scores import score_all

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"
MODELS: dict[str, dict[str, Any]] = {
    "one layer": {"layers": 1},
    "learned states": {"layers": 2, "initial": "learned"},
    "tied": {"layers": 1, "embedding": HIDDEN, "tied": True},
    "adaptive softmax": {"layers": 1, "hidden": 16, "softmax": "adaptive"},
}


def assert_close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)


def exported(model: TrainedModel, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in exported_files(model).items():
        (folder / name).write_bytes(data)
    return folder


def loaded(folder: Path) -> Any:
    """The module that the exported script loads."""
    spec = importlib.util.spec_from_file_location("load_model", folder / "load_model.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script.load()


def computed(module: Any, tokens: Any) -> tuple[Array, list[Array]]:
    """Log-probabilities [T, B, V] and the parts of the state [layers, B, H] of a module of PyTorch."""
    with torch.no_grad():
        found, after = module(torch.tensor(tokens))
    return found.numpy(), [part.numpy() for part in (after if isinstance(after, tuple) else (after,))]


@pytest.mark.parametrize("shape", MODELS)
@pytest.mark.parametrize("kind", EXPRESSIBLE)
def test_pytorch_computes_what_the_engine_does(kind: str, shape: str, tmp_path: Path) -> None:
    """Log-probabilities at every step, and the states after the last."""
    model = model_of(kind, **MODELS[shape])
    tokens = tokens_of(model.network)[:, :-1]  # the lanes that hold one text
    found, after = computed(loaded(exported(model, tmp_path)), tokens)
    expected, states = engine_steps(model.network, tokens)
    assert_close(found, expected)
    for part, theirs in zip(after, zip(*states[-1], strict=True), strict=True):
        assert_close(part, np.stack([layer.T for layer in theirs]))


@pytest.mark.parametrize(
    ("kind", "unit", "lowercase"),
    [("lstm", "line", False), ("gru with reset after", "paragraph", False), ("coupled-lstm", "file", True)],
)
def test_the_script_scores_texts_as_charlm_does(kind: str, unit: str, lowercase: bool, tmp_path: Path) -> None:
    """In every unit, with ends of it inside and behind, and with what the model does not know."""
    model = model_of(kind, layers=2, initial="learned", unit=unit, lowercase=lowercase)
    texts = ["ab", "", "a\n", "\n", "a\n\n", "a\n\n\nb", "\n\n\n\n", "a\r\nb\n", "\ufeffAB?\U0001f600Ä", "b" * 300]
    command = [sys.executable, str(exported(model, tmp_path) / "score_text.py"), *texts]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    found = [float(line.split()[0]) for line in done.stdout.splitlines()]
    expected = [score_all(model, [text])[0].logprob for text in texts]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_the_script_of_another_level_takes_ids(tmp_path: Path) -> None:
    model = model_of("rnn with activation tanh")
    as_words = replace(model, text=replace(model.text, level="word"))
    command = [sys.executable, str(exported(as_words, tmp_path) / "score_text.py"), "2", "3", "0"]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    expected = score_all(model, ["ab"])[0].logprob
    assert model.tokenizer.encode_sentence("ab").tolist() == [2, 3, 0]
    assert float(done.stdout) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", [kind for kind in EXPRESSIBLE if kind != "coupled-lstm"])
def test_what_pytorch_trained_comes_back(kind: str, tmp_path: Path) -> None:
    """All parameters, both biases among them, are moved by PyTorch, saved by it, and computed with by charlm."""
    model = model_of(kind, layers=2, initial="learned")
    module = loaded(exported(model, tmp_path))
    tokens = tokens_of(model.network)[:, :-1]
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
    module(torch.tensor(tokens))[0].square().mean().backward()
    optimizer.step()
    save_file(module.state_dict(), tmp_path / "tuned.safetensors")
    found = import_state(tmp_path / "tuned.safetensors", saved(model, tmp_path / "model.safetensors"))
    assert found.changed
    expected, _ = computed(module, tokens)
    mine, _ = engine_steps(found.model.network, tokens)
    assert_close(mine, expected)
    assert np.abs(np.array(mine) - np.array(engine_steps(model.network, tokens)[0])).max() > 1e-3


@pytest.mark.parametrize("kind", EXPRESSIBLE)
def test_what_pytorch_only_saved_is_the_same_model(kind: str, tmp_path: Path) -> None:
    model = model_of(kind, layers=2, initial="learned")
    save_file(loaded(exported(model, tmp_path)).state_dict(), tmp_path / "saved.safetensors")
    found = import_state(tmp_path / "saved.safetensors", saved(model, tmp_path / "model.safetensors"))
    assert model_bytes(found.model) == model_bytes(model)


def test_a_coupled_gate_that_pytorch_trained_is_no_longer_coupled(tmp_path: Path) -> None:
    model = model_of("coupled-lstm")
    module = loaded(exported(model, tmp_path))
    module(torch.tensor(tokens_of(model.network)))[0].sum().backward()
    torch.optim.SGD(module.parameters(), lr=0.5).step()
    save_file(module.state_dict(), tmp_path / "tuned.safetensors")
    with pytest.raises(ModelError, match="no longer 1 - i"):
        import_state(tmp_path / "tuned.safetensors", saved(model, tmp_path / "model.safetensors"))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_onnx_runtime_computes_what_the_engine_does(kind: str, shape: str) -> None:
    """Log-probabilities and states, step by step, beginnings of texts among them."""
    model = model_of(kind, **SHAPES[shape])
    session = onnxruntime.InferenceSession(onnx_bytes(model))
    tokens = tokens_of(model.network)
    names = [each.name for each in session.get_inputs()[1:]]
    states = {name: np.full((tokens.shape[1], HIDDEN), 1e3, np.float32) for name in names}
    expected, expected_states = engine_steps(model.network, tokens)
    for t, read in enumerate(tokens):
        found, *after = session.run(None, {"tokens": read, **states})
        assert_close(found, expected[t])
        flat = [part.T for state in expected_states[t] for part in state]
        for mine, theirs in zip(after, flat, strict=True):
            assert_close(mine, theirs)
        states = dict(zip(names, after, strict=True))


def test_onnx_runtime_refuses_a_token_beyond_the_vocabulary() -> None:
    model = model_of("mingru")
    session = onnxruntime.InferenceSession(onnx_bytes(model))
    given = {"tokens": np.array([len(model.tokenizer)]), "hidden_0": np.zeros((1, HIDDEN), np.float32)}
    with pytest.raises(Exception, match="out of data bounds"):  # its classes of errors have no public names
        session.run(None, given)


def test_the_python_of_the_recipe_runs_as_it_stands(tmp_path: Path) -> None:
    """Training further in PyTorch raises a text's probability, and ONNX Runtime's score is charlm's."""

    def run(*command: object) -> str:
        done = subprocess.run(
            [sys.executable, *map(str, command)], cwd=tmp_path, capture_output=True, check=True, encoding="utf-8"
        )
        return done.stdout

    def score(model: str) -> float:
        return float(run("-m", "charlm", "score", "--model", model, "Tyrannosaurus").splitlines()[1].split()[0])

    page = RECIPES.read_text(encoding="utf-8")
    section = page[page.index("## Exchange models with PyTorch and ONNX") :]
    torchs, onnxs = re.findall(r"^```python\n(.*?)^```$", section[: section.index("\n## ")], re.DOTALL | re.MULTILINE)
    corpus = RECIPES.parents[1] / "corpora" / "dinosaurs.txt"
    small = ("--hidden", 8, "--embedding", 4, "--steps", 5, "--quiet")
    run("-m", "charlm", "train", corpus, "--model", "m", *small)
    run("-m", "charlm", "export", "--model", "m", "--to", "pytorch", "dinosaurs-pytorch")
    run("-m", "charlm", "export", "--model", "m", "--to", "onnx", "dinosaurs.onnx")
    run("-c", torchs)
    run("-m", "charlm", "import", "tuned.safetensors", "--model", "tuned", "--like", "m")
    assert score("tuned") > score("m") + 0.1
    assert float(run("-c", onnxs)) == pytest.approx(score("m"), abs=1e-3)
