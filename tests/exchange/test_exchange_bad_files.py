"""Whatever is no state dict of the model is refused in one message that says all that is wrong."""

import base64
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_cases import HIDDEN, model_of, saved
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from charlm.checkpoint import TrainedModel
from charlm.errors import ModelError
from charlm.exchange.pytorch import exported_files, import_state
from charlm.exchange.state_file import STATE_FILE


@pytest.fixture
def model() -> TrainedModel:
    """A model that PyTorch can compute."""
    return model_of("lstm", layers=2)


@pytest.fixture
def state(model: TrainedModel, tmp_path: Path) -> Path:
    """Its state dict."""
    path = tmp_path / STATE_FILE
    path.write_bytes(exported_files(model)[STATE_FILE])
    return path


def refused(path: Path, like: Path | None = None) -> str:
    """The message with which a file is refused."""
    with pytest.raises(ModelError) as caught:
        import_state(path, like)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    # The folder's name is the test's, which may hold the very words that the message should.
    return message.replace(str(path.parent), "")


def change(path: Path, **changed: Any) -> None:
    """Write a file anew with some tensors changed or, where None, left out, and the same metadata."""
    with safe_open(path, framework="numpy") as opened:
        metadata = opened.metadata()
    tensors = {**load_file(path), **changed}
    save_file({name: tensor for name, tensor in tensors.items() if tensor is not None}, path, metadata)


def change_metadata(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Write a file anew with its metadata edited."""
    with safe_open(path, framework="numpy") as opened:
        metadata = json.loads(opened.metadata()["charlm"])
    edit(metadata)
    save_file(load_file(path), path, {"charlm": json.dumps(metadata)})


def test_everything_that_is_wrong_is_listed_at_once(state: Path) -> None:
    tensors = load_file(state)
    nan = tensors["embedding.weight"].copy()
    nan[1, 1] = np.nan
    infinite = tensors["recurrent.weight_hh_l1"].copy()
    infinite[0, 0] = -np.inf
    changed = {
        "head.bias": None,
        "recurrent.bias_hh_l0": None,
        "lm_head.bias": np.zeros(3, np.float32),
        "head.weight": tensors["head.weight"][:-1],
        "recurrent.bias_ih_l1": tensors["recurrent.bias_ih_l1"].astype(np.float64),
        "recurrent.weight_ih_l0": tensors["recurrent.weight_ih_l0"].astype(np.float16),
        "embedding.weight": nan,
        "recurrent.weight_hh_l1": infinite,
    }
    change(state, **changed)
    message = refused(state)
    rows, (size, _) = 4 * HIDDEN, tensors["head.weight"].shape
    for part in (
        "missing: head.bias, recurrent.bias_hh_l0",
        "extra: lm_head.bias",
        f"head.weight is F32 [{size - 1}, {HIDDEN}], expected F32 [{size}, {HIDDEN}]",
        f"recurrent.bias_ih_l1 is F64 [{rows}], expected F32 [{rows}]",
        "recurrent.weight_ih_l0 is F16",
        "embedding.weight holds NaN or infinity",
        "recurrent.weight_hh_l1 holds NaN or infinity",
        "model.float()",
    ):
        assert part in message


@pytest.mark.parametrize(("kind", "size_of_one"), [("BF16", 2), ("F8_E5M2", 1)])
def test_a_type_that_numpy_does_not_know(kind: str, size_of_one: int, state: Path) -> None:
    """Models are often kept in bfloat16."""
    data = state.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["head.bias"]["dtype"] = kind
    begin, end = header["head.bias"]["data_offsets"]
    header["head.bias"]["shape"] = [(end - begin) // size_of_one]
    text = json.dumps(header).encode()
    state.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])
    assert f"head.bias is {kind}" in refused(state)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("gru with reset after", "its recurrent module is an nn.GRU, that of lstm an nn.LSTM"),
        ("rnn with activation tanh", "its recurrent module is an nn.RNN, that of lstm an nn.LSTM"),
    ],
)
def test_another_recurrent_module_is_named(kind: str, said: str, model: TrainedModel, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(exported_files(model_of(kind, layers=2))[STATE_FILE])
    message = refused(path, saved(model, tmp_path / "model.safetensors"))
    assert said in message
    assert "model.safetensors" in message


def test_the_module_is_not_named_where_it_is_the_right_one(state: Path) -> None:
    change(state, **{"head.bias": None})
    message = refused(state)
    assert "recurrent module" not in message
    assert "model.float()" not in message


def test_without_metadata_a_model_like_it_is_needed(state: Path) -> None:
    save_file(load_file(state), state)
    assert "--like" in refused(state)


def test_a_model_like_it_goes_before_the_metadata(model: TrainedModel, state: Path, tmp_path: Path) -> None:
    """What is asked for is done: the file's own record is not taken."""
    other = model_of("lstm", layers=2, seed=9, unit="file")
    change_metadata(state, lambda metadata: metadata.update(record="damaged"))
    with pytest.raises(ModelError):
        import_state(state, saved(other, tmp_path / "other.safetensors"))  # the vocabulary has one token more
    like = saved(model_of("lstm", layers=2, seed=9), tmp_path / "like.safetensors")
    found = import_state(state, like)
    assert found.changed
    np.testing.assert_array_equal(found.model.network.parameters.values, model.network.parameters.values)


def test_a_model_like_it_that_pytorch_cannot_compute(state: Path, tmp_path: Path) -> None:
    assert "candidate is linear" in refused(state, saved(model_of("mingru"), tmp_path / "model.safetensors"))


def test_a_model_is_no_state_dict(model: TrainedModel, tmp_path: Path) -> None:
    assert "--model" in refused(saved(model, tmp_path / "model.safetensors"))


class _Dangerous:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path.touch, (Path("opened"),)  # type: ignore[return-value]  # what a stranger's file would do


def _zipped(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("archive/data.pkl", data)
    return held.getvalue()


@pytest.mark.parametrize("wrap", [_zipped, bytes])
def test_a_pickle_is_never_opened(wrap: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: Any) -> None:
    """The message says how to convert it."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pt"
    path.write_bytes(wrap(pickle.dumps(_Dangerous())))
    message = refused(path)
    assert "pickle" in message
    assert "safetensors.torch.save_file(model.state_dict(), 'state.safetensors')" in message
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize("kept", [0, 3, 8, 100, -1])
def test_a_damaged_file(kept: int, state: Path) -> None:
    state.write_bytes(state.read_bytes()[:kept])
    assert "damaged" in refused(state)


def test_what_is_not_there(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "nothing.safetensors")
    (tmp_path / "empty").mkdir()
    assert "state.safetensors" in refused(tmp_path / "empty")


def _shortened(data: str, offsets: list[int], counts: list[int]) -> dict[str, Any]:
    """A vocabulary without its last token."""
    kept = base64.b64decode(data)[: offsets[-2]]
    return {"data": base64.b64encode(kept).decode(), "offsets": offsets[:-1], "counts": counts[:-1]}


@pytest.mark.parametrize(
    "edit",
    [
        lambda metadata: metadata.update(record={}),
        lambda metadata: metadata["model"].update(hidden="wide"),
        lambda metadata: metadata.update(vocabulary=_shortened(**metadata["vocabulary"])),
        lambda metadata: metadata["text"].update(level="byte"),
        lambda metadata: metadata["text"].update(level="foo"),
        lambda metadata: metadata.update(vocabulary=None),
        lambda metadata: metadata["vocabulary"].pop("data"),
        lambda metadata: metadata["vocabulary"].update(data="%%%"),
        lambda metadata: metadata["vocabulary"].update(data=3),
        lambda metadata: metadata["vocabulary"].update(offsets=["a"]),
        lambda metadata: metadata["vocabulary"].update(offsets=[[0], [1, 2]]),
        lambda metadata: metadata["vocabulary"].update(counts=[10**30]),
        lambda metadata: metadata["vocabulary"].update(counts=[]),
    ],
)
def test_damaged_metadata(edit: Callable[[dict[str, Any]], None], state: Path) -> None:
    change_metadata(state, edit)
    assert "metadata" in refused(state)
    assert "damaged" in refused(state)


@pytest.mark.parametrize(
    "edit",
    [
        lambda metadata: metadata.update(format=3),
        lambda metadata: metadata.update(kind="recipe"),
        lambda metadata: metadata.update(more=1),
        lambda metadata: metadata.pop("text"),
    ],
)
def test_metadata_of_another_version(edit: Callable[[dict[str, Any]], None], state: Path) -> None:
    change_metadata(state, edit)
    assert "--like" in refused(state)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_metadata_that_are_no_json(text: str, state: Path) -> None:
    save_file(load_file(state), state, {"charlm": text})
    assert "JSON" in refused(state)


@pytest.mark.parametrize("text", ["[1]", "null", "3"])
def test_metadata_that_are_no_object(text: str, state: Path) -> None:
    save_file(load_file(state), state, {"charlm": text})
    assert "--like" in refused(state)


@pytest.mark.parametrize("change", [{"cell": "foo"}, {"options": {"foo": "before"}}])
def test_metadata_that_name_a_block_that_does_not_exist(change: dict[str, Any], state: Path) -> None:
    change_metadata(state, lambda metadata: metadata["model"].update(change))
    assert "foo" in refused(state)
