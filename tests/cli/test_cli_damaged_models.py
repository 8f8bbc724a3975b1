"""Every way in which a model can be no model, for every command that reads one."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import Trained, call, one_message, succeed
from hostile.contents import Contents, sealed
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

Tensors = dict[str, Any]
Metadata = dict[str, Any]

COMMANDS: list[tuple[str, ...]] = [
    ("sample", "--length", "3"),
    ("score", "abc"),
    ("eval",),
    ("info",),
    ("info", "--json"),
]


def read(file: Path) -> tuple[Tensors, Metadata]:
    """Tensors and metadata of a model file, with nothing checked."""
    with safe_open(file, framework="numpy") as opened:
        return load_file(file), json.loads(opened.metadata()["charlm"])


def refused(model: Path, *mentioned: object) -> None:
    """Every command refuses a model in one message, without a word on standard output."""
    for command in COMMANDS:
        ended = call(*command, "--model", model)
        one_message(ended, 4, *mentioned)
        assert ended.out == b""


def test_missing(tmp_path: Path) -> None:
    refused(tmp_path / "nothing", "nothing", "charlm train", "--model")
    refused(tmp_path, "charlm train", "--model")


def test_none_at_all() -> None:
    """Without a model named and without any under runs/."""
    for command in COMMANDS:
        one_message(call(*command), 4, "runs/", "charlm train FILE", "--model")


def test_missing_model_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARLM_MODEL", "elsewhere")
    for command in COMMANDS:
        one_message(call(*command), 4, "elsewhere")


@pytest.mark.parametrize("share", [0, 1, 7, 8, 9, 50, 300, 1000, 0.5, 0.9, 0.999, -1])
def test_truncated(share: float, names: Trained, tmp_path: Path) -> None:
    data = names.file.read_bytes()
    cut = int(share * len(data)) if 0 < share < 1 else int(share)
    (tmp_path / "cut").write_bytes(data[:cut])
    refused(tmp_path / "cut", "cut", "damaged")


@pytest.mark.parametrize(
    "data",
    [
        b"hello\n" * 200,
        bytes(4096),
        b"\xff" * 4096,
        b"PK\x03\x04" + bytes(500),
        struct.pack("<Q", 10**18) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 8) + b'{"a": 1}',
        struct.pack("<Q", 9) + b"not json!",
        struct.pack("<Q", 58) + b'{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}' + bytes(4),
    ],
)
def test_garbage(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(data)
    refused(tmp_path / "garbage", "garbage")


def test_one_byte_too_many(names: Trained, tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(names.file.read_bytes() + b"\0")
    refused(tmp_path / "long", "damaged")


def test_flipped_bits_never_end_in_a_traceback(names: Trained, tmp_path: Path) -> None:
    """Whatever byte of the header is changed, the model is refused or read, and nothing else happens."""
    data = bytearray(names.file.read_bytes())
    end = 8 + struct.unpack("<Q", data[:8])[0]
    source = np.random.default_rng(3)
    for place in source.integers(0, end, 150):
        changed = data.copy()
        changed[place] ^= 1 << int(source.integers(8))
        (tmp_path / "flipped").write_bytes(changed)
        ended = call("info", "--model", tmp_path / "flipped")
        assert ended.status in (0, 4)
        if ended.status:
            one_message(ended, 4)


def test_somebody_elses_tensors(tmp_path: Path) -> None:
    save_file({"weight": np.zeros((3, 3), np.float32)}, tmp_path / "other.safetensors")
    refused(tmp_path / "other.safetensors", "not written by charlm")
    save_file({"weight": np.zeros(3, np.float32)}, tmp_path / "other.safetensors", {"format": "pt"})
    refused(tmp_path / "other.safetensors", "not written by charlm")


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "3", '"text"', "null", "[" * 100_000, "{}"])
def test_metadata_that_is_no_object(text: str, names: Trained, tmp_path: Path) -> None:
    save_file(load_file(names.file), tmp_path / "model", {"charlm": text})
    refused(tmp_path / "model", "model")


def test_the_state_of_a_run_is_no_model(names: Trained) -> None:
    refused(names.folder / "training.safetensors", "training.safetensors")


def _set(*path: str, to: Any) -> Callable[[Tensors, Metadata], None]:
    def change(tensors: Tensors, metadata: Metadata) -> None:
        del tensors
        place = metadata
        for key in path[:-1]:
            place = place[key]
        if to is _set:
            del place[path[-1]]
        else:
            place[path[-1]] = to

    return change


def _tensor(name: str, change: Callable[[Any], Any] | None) -> Callable[[Tensors, Metadata], None]:
    def changed(tensors: Tensors, metadata: Metadata) -> None:
        del metadata
        if change is None:
            del tensors[name]
        else:
            tensors[name] = change(tensors.get(name))

    return changed


def _nan(tensor: Any) -> Any:
    tensor.flat[5] = np.nan
    return tensor


def _infinite(tensor: Any) -> Any:
    tensor.flat[0] = -np.inf
    return tensor


@pytest.mark.parametrize(
    ("change", "mentioned"),
    [
        (_set("format", to=1), "format 1"),
        (_set("format", to="1"), "format"),
        (_set("format", to=_set), "format"),
        (_set("kind", to="spell checker"), "spell checker"),
        (_set("kind", to=_set), "no language model"),
        (_set("more", to=1), "more"),
        (_set("record", to=_set), "damaged"),
        (_set("record", to=[]), "record"),
        (_set("record", to={}), "record"),
        (_set("record", "corpus", to=None), "corpus"),
        (_set("record", "corpus", "paths", to=3), "paths"),
        (_set("record", "corpus", "paths", to=[3]), "paths"),
        (_set("record", "base", to=3), "base"),
        (_set("record", "base", to={}), "BaseRecord"),
        (_set("record", "corpus", "digest", to=_set), "digest"),
        (_set("record", "made_with", to="me"), "made_with"),
        (_set("record", "train", to={}), "TrainConfig"),
        (_set("record", "train", "window", to="wide"), "window"),
        (_set("record", "step", to="last"), "step"),
        (_set("record", "valid_nats_per_token", to="low"), "valid_nats_per_token"),
        (_set("model", to=3), "ModelConfig"),
        (_set("model", "hidden", to=_set), "ModelConfig"),
        (_set("model", "hidden", to=17), "expected"),
        (_set("model", "hidden", to=0), "hidden"),
        (_set("model", "hidden", to=16.0), "hidden"),
        (_set("model", "hidden", to=True), "hidden"),
        (_set("model", "layers", to=2), "missing"),
        (_set("model", "layers", to=10**9), "layers"),
        (_set("model", "cell", to="foo"), "foo"),
        (_set("model", "cell", to="gru"), "tensors"),
        (_set("model", "options", to={"reset": "after"}), "reset"),
        (_set("model", "options", to=None), "options"),
        (_set("model", "vocabulary", to=10**12), "expected"),
        (_set("model", "colour", to="red"), "colour"),
        (_set("text", to=None), "TextConfig"),
        (_set("text", "level", to="foo"), "foo"),
        (_set("text", "level", to="byte"), "byte"),
        (_set("text", "unit", to="foo"), "foo"),
        (_set("text", "lowercase", to="no"), "lowercase"),
        (_tensor("head.b_y", None), "missing: head.b_y"),
        (_tensor("extra", lambda _: np.zeros(3, np.float32)), "extra: extra"),
        (_tensor("head.b_y", lambda tensor: tensor[:-1]), "head.b_y"),
        (_tensor("layers.0.W_fa", lambda tensor: tensor.reshape(-1)), "layers.0.W_fa"),
        (_tensor("layers.0.W_fa", lambda tensor: tensor.astype(np.float64)), "float64"),
        (_tensor("layers.0.W_fa", lambda tensor: tensor.astype(np.float16)), "float16"),
        (_tensor("embedding", _nan), "embedding holds NaN"),
        (_tensor("layers.0.b_o", _infinite), "layers.0.b_o holds NaN or infinity"),
        (_tensor("vocabulary.data", None), "vocabulary.data"),
        (_tensor("vocabulary.data", lambda tensor: tensor[:-1]), "vocabulary"),
        (_tensor("vocabulary.offsets", lambda tensor: tensor[::-1].copy()), "vocabulary"),
        (_tensor("vocabulary.counts", lambda tensor: tensor - 10**6), "vocabulary"),
    ],
)
def test_wrong_inside(
    change: Callable[[Tensors, Metadata], None], mentioned: str, names: Trained, tmp_path: Path
) -> None:
    """A file that is whole, but whose contents do not go together."""
    tensors, metadata = read(names.file)
    change(tensors, metadata)
    (tmp_path / "wrong.safetensors").write_bytes(sealed(Contents(tensors, metadata)))
    refused(tmp_path / "wrong.safetensors", "wrong.safetensors", mentioned)


def test_the_untouched_file_is_read(names: Trained, tmp_path: Path) -> None:
    """What the tests above write differs from a model in nothing but what they change."""
    tensors, metadata = read(names.file)
    (tmp_path / "copy").write_bytes(sealed(Contents(tensors, metadata)))
    assert succeed("info", "--model", tmp_path / "copy").out == succeed("info", "--model", names.file).out
