"""``charlm export`` and ``charlm import``, and what is said when it cannot be done."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from cli_cases import QUICK, Ended, Trained, call, contents, names_text, one_message, succeed
from hostile.contents import Contents, sealed
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

PYTORCH_FILES = {"load_model.py", "score_text.py", "state.safetensors", "vocabulary.json"}


def exported(model: Trained, out: Path, *options: object) -> Ended:
    return succeed("export", "--model", model.folder, "--to", "pytorch", out, *options)


@pytest.fixture(scope="module")
def mingru(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model that no module of PyTorch computes."""
    folder = tmp_path_factory.mktemp("mingru")
    (folder / "corpus.txt").write_text(names_text(), encoding="utf-8")
    succeed(
        "train", folder / "corpus.txt", "--model", folder / "model", *QUICK, "--cell", "mingru", "--steps", 2
    )  # fmt: skip
    return Trained(folder / "model", folder / "corpus.txt")


def test_there_and_back_is_the_same_file(prose: Trained, octets: Trained, tmp_path: Path) -> None:
    """Two layers of characters, and bytes; nothing but notes is said."""
    for number, model in enumerate((prose, octets)):
        out, back = tmp_path / f"out-{number}" / "deep", tmp_path / f"back-{number}"
        ended = exported(model, out)
        assert set(contents(out)) == PYTORCH_FILES
        assert ended.out == b""
        assert str(out / "score_text.py") in ended.err
        ended = succeed("import", out, "--model", back)
        assert set(contents(back)) == {"model.safetensors"}
        assert (back / "model.safetensors").read_bytes() == model.file.read_bytes()
        assert "eval" not in ended.err


def test_an_imported_model_works_with_every_command(names: Trained, tmp_path: Path) -> None:
    """Its tensors were changed, and saved as PyTorch saves them."""
    exported(names, tmp_path / "out")
    tensors = load_file(tmp_path / "out" / "state.safetensors")
    tensors["head.bias"] += np.float32(0.5) * np.arange(len(tensors["head.bias"]), dtype=np.float32)
    save_file(tensors, tmp_path / "tuned.safetensors")
    imported = tmp_path / "imported"
    ended = succeed("import", tmp_path / "tuned.safetensors", "--model", imported, "--like", names.folder)
    assert "charlm eval" in ended.err
    record = succeed("info", "--model", imported, "--json").json["record"]
    assert record["valid_nats_per_token"] is None
    assert record["corpus"] == succeed("info", "--model", names.folder, "--json").json["record"]["corpus"]
    info = succeed("info", "--model", imported).out
    assert f"imported       {tmp_path / 'tuned.safetensors'}".encode() in info
    assert b"\nbefore it      charlm train " in info
    scores = [
        succeed("score", "--model", model, "--json", "bada").json["logprob"] for model in (imported, names.folder)
    ]
    assert abs(scores[0] - scores[1]) > 1
    succeed("sample", "--model", imported, "-n", 2, "--seed", 1)
    succeed("next", "--model", imported, "ba")
    succeed("eval", "--model", imported, names.corpus)
    tuned = ("--window", 16, "--batch", 4, "--steps", 2, "--quiet")
    succeed("train", names.corpus, "--from", imported, "--model", tmp_path / "further", *tuned)


def test_onnx(prose: Trained, tmp_path: Path) -> None:
    """A file that the checker of ONNX finds whole."""
    out = tmp_path / "deep" / "model.onnx"
    ended = succeed("export", "--model", prose.folder, "--to", "onnx", out)
    assert ended.out == b""
    assert str(out) in ended.err
    made = onnx.load_from_string(out.read_bytes())
    onnx.checker.check_model(made, full_check=True)
    assert [each.name for each in made.graph.input] == ["tokens", "hidden_0", "cell_0", "hidden_1", "cell_1"]


def test_what_pytorch_cannot_compute(mingru: Trained, tmp_path: Path) -> None:
    """The message says why, and nothing is written; ONNX takes it."""
    one_message(call("export", "--model", mingru.folder, "--to", "pytorch", tmp_path / "out"), 4, "linear", "--to onnx")
    assert not (tmp_path / "out").exists()
    succeed("export", "--model", mingru.folder, "--to", "onnx", tmp_path / "model.onnx")


def test_nothing_is_overwritten_unless_asked(names: Trained, prose: Trained, tmp_path: Path) -> None:
    out, file = tmp_path / "out", tmp_path / "model.onnx"
    exported(names, out)
    (out / "mine.txt").write_text("kept", encoding="utf-8")
    succeed("export", "--model", names.folder, "--to", "onnx", file)
    before = contents(tmp_path)
    one_message(call("export", "--model", prose.folder, "--to", "pytorch", out), 5, out, "--overwrite")
    one_message(call("export", "--model", prose.folder, "--to", "onnx", file), 5, file, "--overwrite")
    assert contents(tmp_path) == before
    exported(prose, out, "--overwrite")
    succeed("export", "--model", prose.folder, "--to", "onnx", file, "--overwrite")
    after = contents(tmp_path)
    same = {name for name in before if before[name] == after[name]}  # any model of characters is scored alike
    assert same == {str(Path("out", "mine.txt")), str(Path("out", "score_text.py"))}


def test_an_export_goes_to_a_place_of_its_own(names: Trained, tmp_path: Path) -> None:
    """Not into a run's folder, taken for the model to export; not into what is not empty; not to standard output."""
    before = contents(names.folder)
    for overwrite in ((), ("--overwrite",)):
        ended = call("export", "--to", "pytorch", names.folder, "--model", names.folder, *overwrite)
        one_message(ended, 5, names.folder, "--model")
    assert contents(names.folder) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    one_message(call("export", "--to", "pytorch", tmp_path / "mine", "--model", names.folder), 5, "not empty")
    file = tmp_path / "mine" / "notes.txt"
    one_message(call("export", "--to", "pytorch", file, "--model", names.folder), 5, file, "is a file")
    one_message(call("export", "--to", "onnx", "-", "--model", names.folder), 2, "standard output")
    assert set(contents(tmp_path / "mine")) == {"notes.txt"}


def test_what_a_file_says_of_itself_is_not_overruled(names: Trained, tmp_path: Path) -> None:
    """Tensors of the RNN with ReLU fit one with tanh; their file says better."""
    for activation in ("tanh", "relu"):
        options = (*QUICK, "--steps", 1, "--cell", "rnn", "--activation", activation)
        succeed("train", names.corpus, "--model", tmp_path / activation, *options)
    succeed("export", "--to", "pytorch", tmp_path / "out", "--model", tmp_path / "relu")
    ended = call("import", tmp_path / "out", "--like", tmp_path / "tanh", "--model", tmp_path / "back")
    one_message(ended, 4, "rnn, activation relu", "rnn, activation tanh", "leave out --like")
    succeed("import", tmp_path / "out", "--like", tmp_path / "relu", "--model", tmp_path / "back")


def test_a_model_is_not_overwritten_by_an_import(names: Trained, tmp_path: Path) -> None:
    """With --overwrite, what is left of the run that stood there goes too."""
    exported(names, tmp_path / "out")
    run = tmp_path / "run"
    succeed("train", names.corpus, "--model", run, *QUICK, "--steps", 2)
    before = contents(run)
    one_message(call("import", tmp_path / "out", "--model", run), 5, run, "--overwrite")
    assert contents(run) == before
    succeed("import", tmp_path / "out", "--model", run, "--overwrite")
    assert contents(run) == {"model.safetensors": names.file.read_bytes()}


def test_a_file_that_is_refused_leaves_nothing(names: Trained, tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(b"PK\x03\x04" + bytes(100))
    one_message(call("import", tmp_path / "state.pt", "--model", tmp_path / "new"), 4, "pickle", "save_file")
    one_message(call("import", names.file, "--model", tmp_path / "new"), 4, "already", "--model")
    one_message(call("import", tmp_path / "nothing", "--model", tmp_path / "new"), 4, "nothing")
    assert not (tmp_path / "new").exists()


def test_wrong_use(names: Trained, tmp_path: Path) -> None:
    one_message(call("export", "--model", names.folder, tmp_path / "out"), 2, "--to")
    one_message(call("export", "--model", names.folder, "--to", "onnx"), 2, "'out'")
    one_message(call("export", "--model", names.folder, "--to", "keras", tmp_path / "out"), 2, "pytorch, onnx")
    one_message(call("export", "--model", tmp_path / "none", "--to", "onnx", tmp_path / "out"), 4, "none")
    one_message(call("import", names.folder), 2, "--model")
    one_message(call("import", "--model", tmp_path / "new"), 2, "'state'")
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written(names: Trained, tmp_path: Path) -> None:
    """A file where a folder is needed, and a folder where a file is; no advice that does not apply."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    for where in (tmp_path / "file", tmp_path / "file" / "deep"):
        message = one_message(call("export", "--model", names.folder, "--to", "pytorch", where), 5, where)
        assert "--model" not in message
    one_message(call("export", "--model", names.folder, "--to", "onnx", tmp_path), 5, tmp_path, "is a folder")
    exported(names, tmp_path / "out")
    one_message(call("import", tmp_path / "out", "--model", tmp_path / "file"), 5, "file")
    assert set(contents(tmp_path)) == {"file", *(str(Path("out", name)) for name in PYTORCH_FILES)}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="may write anywhere")
def test_a_folder_that_is_read_only(names: Trained, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    for to, out in (("pytorch", tmp_path / "out"), ("onnx", tmp_path / "model.onnx")):
        one_message(call("export", "--model", names.folder, "--to", to, out), 5, out, "write elsewhere")


def test_without_the_package_onnx(names: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message says how to install it."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    ended = call("export", "--model", names.folder, "--to", "onnx", tmp_path / "model.onnx")
    one_message(ended, 2, "pip install 'charlm[onnx]'")
    assert list(tmp_path.iterdir()) == []


def test_a_state_dict_is_no_model(names: Trained, tmp_path: Path) -> None:
    """Whoever takes it for one is told what reads it."""
    exported(names, tmp_path / "out")
    one_message(call("sample", "--model", tmp_path / "out" / "state.safetensors"), 4, "charlm import")


def test_a_model_whose_tensors_are_of_another_cell(names: Trained, mingru: Trained, tmp_path: Path) -> None:
    """The message names what they fit, and nothing where it is not the shapes that are wrong."""

    def rewritten(model: Trained, damaged: bool = False, **changed: object) -> Path:
        with safe_open(model.file, framework="numpy") as opened:
            metadata = json.loads(opened.metadata()["charlm"])
        metadata["model"].update(changed)
        tensors = load_file(model.file)
        tensors["embedding"][0, 0] = np.nan if damaged else 0
        (tmp_path / "model.safetensors").write_bytes(sealed(Contents(tensors, metadata)))
        return tmp_path / "model.safetensors"

    path = rewritten(names, cell="gru", options={"reset": "before"})
    one_message(call("info", "--model", path), 4, "missing", "its tensors fit cell lstm")
    path = rewritten(mingru, cell="rnn", options={"activation": "relu"}, hidden=8)
    one_message(call("info", "--model", path), 4, "missing", "its tensors fit cell mingru, hidden 16")
    message = one_message(call("info", "--model", rewritten(names, damaged=True)), 4, "NaN")
    assert "fit cell" not in message
