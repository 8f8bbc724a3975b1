"""Files from strangers: whatever becomes of a file, it is refused in one message or it is what it was."""

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from class_cases import reviews, table
from cli_cases import QUICK, ROOT, Trained, call, environment, names_text, one_message, succeed
from hostile.contents import Contents, opened, written
from hostile.header import joined, split
from hostile.kinds import KINDS, case
from hostile.reading import OTHER, READERS, REFUSED, SAME, judged
from safetensors.numpy import save_file
from tag_cases import TAGGER, write_columns

import charlm.seal
from charlm.errors import ModelError, OutputError
from charlm.files import MOST_HEADER
from charlm.seal import DIGEST, contents_digest, sealed_bytes

LIMITED = """
import resource, sys
from pathlib import Path
from charlm.checkpoint import load_model
from charlm.errors import ModelError
from charlm.exchange.pytorch import import_state
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (600 << 20),) * 2)
refused = 0
for read in (load_model, import_state):
    try:
        read(Path(sys.argv[1]))
    except ModelError as error:
        refused += "too large for the memory" in str(error)
print(refused, "refused: too large for the memory")
"""
GROWN = """
import re, sys
from pathlib import Path
import charlm.text.characters
from charlm.checkpoint import load_model
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
load_model(Path(sys.argv[1]))
before = peak()
load_model(Path(sys.argv[2]))
print(peak() - before)
"""
ROUNDS = {"model": 4, "training": 2, "tagger": 2, "classifier": 2, "state dict": 1}
"""How often each kind of mutation meets each kind of file."""


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One file of each kind: a model, a run's state, a tagger, a classifier, and a state dict."""
    folder = tmp_path_factory.mktemp("originals")
    (folder / "corpus.txt").write_text(names_text(60), encoding="utf-8")
    succeed("train", folder / "corpus.txt", "--model", folder / "model", *QUICK, "--steps", 3)
    succeed("export", "--model", folder / "model", "--to", "pytorch", folder / "exported")
    words = write_columns(folder / "words.conll", 40)
    succeed("tag", "train", words, "--model", folder / "tagger", *TAGGER, "--chars", "--steps", 3)
    (folder / "reviews.tsv").write_text(table(reviews(60)), encoding="utf-8")
    succeed("classify", "train", folder / "reviews.tsv", "--model", folder / "classifier", *QUICK, "--steps", 3)
    folders = {"model": "model", "training": "model", "state dict": "exported"}
    return {of: (folder / folders.get(of, of) / name).read_bytes() for of, (name, _) in READERS.items()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of", ROUNDS)
def test_a_mutated_file_is_refused_or_what_it_was(
    of: str, kind: str, originals: dict[str, bytes], tmp_path: Path
) -> None:
    """With a digest that was made to fit it may be another model; a state dict is meant to be changed."""
    name, reader = READERS[of]
    path = tmp_path / name
    path.write_bytes(originals[of])
    original = reader(path)
    turn = list(KINDS).index(kind)
    for number in range(ROUNDS[of]):
        tried = case(turn, np.random.default_rng([7, turn, number]), originals[of])
        path.write_bytes(tried.data)
        allowed = {REFUSED, SAME, OTHER} if tried.forged or of == "state dict" else {REFUSED, SAME}
        assert judged(path, reader, original) in allowed, f"number {number}"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("of", ["model", "training", "tagger", "classifier"])
def test_every_flipped_bit_of_a_tensor_is_noticed(of: str, originals: dict[str, bytes], tmp_path: Path) -> None:
    """Such a file is whole, and its weights are finite: only the digest tells."""
    name, reader = READERS[of]
    data = originals[of]
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    source = np.random.default_rng(11)
    for place in source.integers(begin, len(data), 40):
        changed = bytearray(data)
        changed[place] ^= 1 << int(source.integers(8))
        (tmp_path / name).write_bytes(changed)
        with pytest.raises(ModelError, match="damaged"):
            reader(tmp_path / name)


def test_the_digest_is_of_everything(originals: dict[str, bytes]) -> None:
    """Of names, types, shapes, bytes and metadata, in whatever order they stand."""
    tensors = {"a": np.arange(6, dtype=np.int32).reshape(2, 3), "b": np.zeros((0, 2), np.float32)}
    digest = contents_digest(tensors, {"x": 1, "y": 2})
    assert digest == contents_digest(dict(reversed(tensors.items())), {"y": 2, "x": 1})
    a, b = tensors["a"], tensors["b"]
    others: list[dict[str, Any]] = [
        {"a": a, "c": b},
        {"a": a},
        {"a": a.reshape(3, 2), "b": b},
        {"a": a.view(np.float32), "b": b},
        {"a": a[:, ::-1], "b": b},
        {"a": a, "b": b.reshape(2, 0)},
    ]
    digests = {
        digest,
        contents_digest(tensors, {"x": 1, "y": 3}),
        *(contents_digest(each, {"x": 1, "y": 2}) for each in others),
    }
    assert len(digests) == len(others) + 2
    # What stands in files is what this function gives: another one would refuse every file there is.
    contents_ = opened(originals["model"])
    found = contents_.metadata.pop(DIGEST)
    assert found == contents_digest(contents_.tensors, contents_.metadata)


def test_a_file_without_its_digest_is_damaged(originals: dict[str, bytes], tmp_path: Path) -> None:
    tensors, metadata = opened(originals["model"])
    del metadata[DIGEST]
    (tmp_path / "model.safetensors").write_bytes(written(Contents(tensors, metadata)))
    one_message(call("info", "--model", tmp_path), 4, "model.safetensors", "digest")


def test_metadata_that_could_not_be_read_are_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of a million files may be longer than a header is read."""
    monkeypatch.setattr(charlm.seal, "MOST_HEADER", 1000)
    sealed_bytes({}, {"paths": ["x" * 500]})
    with pytest.raises(OutputError, match="name their folder"):
        sealed_bytes({}, {"paths": ["x" * 1000]})


def test_a_header_as_long_as_any_is_not_read(names: Trained, tmp_path: Path) -> None:
    data = names.file.read_bytes()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    for size, status in ((1000, 0), (MOST_HEADER, 4)):
        header = data[8:end] + b" " * size
        (tmp_path / "model").write_bytes(struct.pack("<Q", len(header)) + header + data[end:])
        assert call("info", "--model", tmp_path / "model").status == status


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, a process does not know its peak")
def test_a_model_is_read_in_little_memory(tmp_path: Path) -> None:
    """The file twice: mapped and copied, then copied into the model; gradients that nobody asks for take nothing."""
    (tmp_path / "corpus.txt").write_text(names_text(60), encoding="utf-8")
    for name, hidden in (("small", 8), ("large", 1000)):
        # A minimal GRU has the fewest parameters to draw, and the layers are wide.
        sizes = ("--cell", "mingru", "--hidden", hidden, "--embedding", 2 * hidden, "--window", 8, "--batch", 1)
        succeed("train", tmp_path / "corpus.txt", "--model", tmp_path / name, *sizes, "--steps", 1, "--quiet")
    files = [tmp_path / name / "model.safetensors" for name in ("small", "large")]
    words = [sys.executable, "-c", GROWN, *map(str, files)]
    grown = int(subprocess.run(words, env=environment(), capture_output=True, check=True, timeout=60).stdout)
    assert grown * 1024 < 2.2 * files[1].stat().st_size


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"format": 4, "format": 5}', "a key stands twice"),
        ('{"format": NaN}', "NaN is no number"),
        ('{"format": -Infinity}', "-Infinity is no number"),
        ('{"format": 1e999}', "1e999 is too large"),
        ('{"format": ' + "9" * 101 + "}", "a number of 101 digits"),
        ('{"format": ' + "[" * 20 + "]" * 20 + "}", "nested too deep"),
        ('{"format": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deep"),
    ],
)
def test_json_that_charlm_does_not_write(text: str, said: str, tmp_path: Path) -> None:
    """Readers of JSON do not agree on what it means, or it takes more room than it should."""
    for name, words in (("model", ("info", "--model")), ("state", ("import", "--model", tmp_path / "new"))):
        save_file({"a": np.zeros(3, np.float32)}, tmp_path / name, {"charlm": text})
        one_message(call(*words, tmp_path / name), 4, name, said)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, limits do not hold")
@pytest.mark.parametrize("megabytes", [400, 4000])
def test_a_file_that_is_larger_than_the_memory(megabytes: int, names: Trained, tmp_path: Path) -> None:
    """It takes no space itself: all but its beginning is a hole. Neither mapping it nor copying it may crash."""
    file, words = tmp_path / "huge", [sys.executable, "-c", LIMITED, str(tmp_path / "huge")]
    header, body = split(names.file.read_bytes())
    parsed, size = json.loads(header), megabytes << 20
    parsed["huge"] = {"dtype": "F32", "shape": [size // 4], "data_offsets": [len(body), len(body) + size]}
    data = joined(json.dumps(parsed).encode(), body)
    with file.open("wb") as opened_file:
        opened_file.write(data)
        opened_file.truncate(len(data) + size)
    ended = subprocess.run(words, env=environment(), capture_output=True, check=False, timeout=60)
    assert (ended.stdout.decode(), ended.stderr.decode()) == ("2 refused: too large for the memory\n", "")


def test_the_long_form(tmp_path: Path) -> None:
    """What make soak runs, with few files."""
    if sys.platform != "linux":
        pytest.skip("it needs limits that hold")
    words = [sys.executable, str(ROOT / "tests" / "hostile_soak.py"), "--count", "30", "--seed", "3"]
    ended = subprocess.run(words, env=environment(), cwd=tmp_path, capture_output=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout.decode() + ended.stderr.decode()
    assert b"30 files in" in ended.stdout
