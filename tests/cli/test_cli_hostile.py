"""Files from strangers: whatever becomes of a file, it is refused in one message or it is what it was."""

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import QUICK, ROOT, Ended, Trained, call, contents, environment, names_text, one_message, succeed
from hostile.contents import Contents, opened, sealed, written
from hostile.kinds import KINDS, case
from hostile.reading import OTHER, READERS, REFUSED, SAME, judged

import charlm.seal
from charlm.errors import ModelError, OutputError
from charlm.files import MOST_HEADER
from charlm.seal import DIGEST, contents_digest, sealed_bytes

ROUNDS = {"model": 4, "training": 2, "state dict": 1}
"""How often each kind of mutation meets each kind of file."""
LINKS = pytest.mark.skipif(sys.platform == "win32", reason="there, links and pipes are others")


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One file of each kind: a model, a run's state, and a state dict."""
    folder = tmp_path_factory.mktemp("originals")
    (folder / "corpus.txt").write_text(names_text(60), encoding="utf-8")
    succeed("train", folder / "corpus.txt", "--model", folder / "model", *QUICK, "--steps", 3)
    succeed("export", "--model", folder / "model", "--to", "pytorch", folder / "exported")
    held = {path.name: path.read_bytes() for path in folder.rglob("*.safetensors")}
    return {of: held[name] for of, (name, _) in READERS.items()}


@pytest.fixture
def stopped(names: Trained, tmp_path: Path) -> Trained:
    """A folder with a run's files, its text elsewhere."""
    shutil.copytree(names.folder, tmp_path / "run")
    return Trained(tmp_path / "run", names.corpus)


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


@pytest.mark.parametrize("of", ["model", "training"])
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


def _forged(stopped: Trained, change: Callable[[Contents], object]) -> Ended:
    """What continuing says of a state that was changed along with its digest."""
    file = stopped.folder / "training.safetensors"
    held = opened(file.read_bytes())
    change(held)
    file.write_bytes(sealed(held))
    before = contents(stopped.folder)
    ended = call("train", "--resume", "--model", stopped.folder, "--quiet")
    assert contents(stopped.folder) == before
    return ended


def _state(name: str, value: Any) -> Callable[[Contents], None]:
    return lambda held: held.metadata["state"].update({name: value})


def _of_run(part: str, name: str, value: Any) -> Callable[[Contents], None]:
    return lambda held: held.metadata["state"]["run"][part].update({name: value})


def _lanes(row: int, value: int) -> Callable[[Contents], None]:
    return lambda held: held.tensors["place.lanes"].__setitem__((row, 0), value)


def _epoch(held: Contents) -> None:
    held.tensors["place.epoch"][:] = -1


@pytest.mark.parametrize(
    "change",
    [
        _state("step", -1),
        _state("step", 1e300),
        _state("step", "3"),
        _state("step", True),
        _state("updates", -1),
        _state("updates", 10**30),
        _state("validations", 0.5),
        _state("best_loss", "low"),
        _state("loss_sum", None),
        _state("seconds", -5),
        _state("validation_seconds", "long"),
        _state("plan", [0, 0.0, 1.0]),
        _state("plan", [0, 0.0, 2.0, 1.0]),
        _state("plan", "plan"),
        _state("generator", {"bit_generator": "MT19937"}),
        _state("about", {"corpus": {}, "made_with": {}, "base": None}),
        lambda held: held.metadata["state"]["generator"]["state"].update(state="9" * 90),
        lambda held: held.metadata["state"]["about"].update(base=3),
        lambda held: held.metadata["state"]["about"].pop("made_with"),
        _of_run("model", "hidden", 65536),
        _of_run("model", "vocabulary", 10**12),
        _of_run("model", "cell", "foo"),
        _of_run("model", "layers", 64),
        _of_run("train", "window", 10**12),
        _of_run("train", "batch", 10**12),
        _of_run("text", "encoding", "hex"),
        _of_run("text", "encoding", "no such encoding"),
        _of_run("text", "level", "foo"),
        _of_run("text", "valid_fraction", -3.5),
        _of_run("text", "most_validated", -1),
        _lanes(0, -1),
        _lanes(1, 10**12),
        _lanes(0, 10**12),
        _lanes(2, 10**12),
        _lanes(3, 7),
        _epoch,
    ],
)
def test_a_forged_state_is_refused(change: Callable[[Contents], object], stopped: Trained) -> None:
    """Before anything of the size that it claims is made, and before anything is written."""
    one_message(_forged(stopped, change), 4, "training.safetensors")


@LINKS
@pytest.mark.parametrize("part", ["paths", "valid_paths"])
def test_a_record_does_not_make_charlm_read_a_device(part: str, stopped: Trained) -> None:
    """It would be read for ever."""

    def change(held: Contents) -> None:
        held.metadata["state"]["about"]["corpus"].update({part: ["/dev/zero"]})

    one_message(_forged(stopped, change), 3, "cannot be read again")


@LINKS
def test_nothing_is_written_where_a_link_leads(stopped: Trained, tmp_path: Path) -> None:
    """A folder may hold links to the files of whoever continues its run."""
    treasure = tmp_path / "treasure"
    treasure.write_bytes(b"do not touch " * 1000)
    log = stopped.folder / "log.jsonl"
    log.unlink()
    log.symlink_to(treasure)
    held = opened((stopped.folder / "training.safetensors").read_bytes())
    held.metadata["log_bytes"] = 0
    (stopped.folder / "training.safetensors").write_bytes(sealed(held))
    one_message(call("train", "--resume", "--model", stopped.folder, "--quiet"), 5, "log.jsonl")
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "log.jsonl").symlink_to(treasure)
    one_message(call("train", stopped.corpus, "--model", tmp_path / "fresh", *QUICK, "--steps", 1), 5, "log.jsonl")
    assert treasure.read_bytes() == b"do not touch " * 1000


@LINKS
@pytest.mark.parametrize("name", ["model.safetensors", "training.safetensors", "log.jsonl"])
def test_a_pipe_is_not_waited_for(name: str, stopped: Trained) -> None:
    """Nobody may ever write into it."""
    file = stopped.folder / name
    file.unlink()
    os.mkfifo(file)
    one_message(call("train", "--resume", "--model", stopped.folder, "--quiet"), 5 if name == "log.jsonl" else 4, name)
    if name == "model.safetensors":
        one_message(call("info", "--model", stopped.folder), 4, name, "pipe")
        one_message(call("import", file, "--model", stopped.folder / "new"), 4, name, "pipe")


@LINKS
def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    for name, target in (("round", "round"), ("dangling", "nothing")):
        (tmp_path / name).symlink_to(tmp_path / target)
        one_message(call("info", "--model", tmp_path / name), 4, name)
        one_message(call("import", tmp_path / name, "--model", tmp_path / "new"), 4, name)
    one_message(call("info", "--model", "x" * 5000), 4, "xxx")


def test_a_folder_in_the_place_of_a_file(stopped: Trained) -> None:
    for name in ("training.safetensors", "model.safetensors"):
        (stopped.folder / name).unlink()
        (stopped.folder / name).mkdir()
        one_message(call("train", "--resume", "--model", stopped.folder, "--quiet"), 4, name)
    one_message(call("info", "--model", stopped.folder), 4, "model.safetensors")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to root")
@pytest.mark.parametrize("closed", ["", "model.safetensors"])
def test_what_may_not_be_read(closed: str, stopped: Trained) -> None:
    (stopped.folder / closed).chmod(0)
    try:
        one_message(call("info", "--model", stopped.folder), 4, "Permission denied")
        one_message(call("train", "--resume", "--model", stopped.folder), 4, "Permission denied")
    finally:
        (stopped.folder / closed).chmod(0o700)


def test_a_record_does_not_command_the_terminal(names: Trained, tmp_path: Path) -> None:
    """Neither what info shows nor a message holds a control character, or what no terminal can show."""
    held = opened(names.file.read_bytes())
    strange = "\x1b]0;title\x07 \x9b2J \u202e \ud800 \n"
    held.metadata["record"]["corpus"]["paths"] = [strange]
    held.metadata["record"]["made_with"][strange] = strange
    (tmp_path / "model").write_bytes(sealed(held))
    shown = succeed("info", "--model", tmp_path / "model").out.decode()
    assert "\\u001b]0;title\\u0007 \\u009b2J \\u202e \\ud800" in shown
    assert all(character.isprintable() for line in shown.splitlines() for character in line)
    assert json.loads(succeed("info", "--json", "--model", tmp_path / "model").out)["record"]["corpus"]["paths"] == [
        strange
    ]
    held.metadata[strange] = 3
    (tmp_path / "model").write_bytes(sealed(held))
    message = one_message(call("info", "--model", tmp_path / "model"), 4, "\\u001b]0;title")
    assert message.isprintable()


def test_a_message_has_an_end(names: Trained, tmp_path: Path) -> None:
    """However many names a file holds, and however long they are."""
    held = opened(names.file.read_bytes())
    held.metadata["x" * 100_000] = 3
    (tmp_path / "model").write_bytes(sealed(held))
    assert len(one_message(call("info", "--model", tmp_path / "model"), 4, "xxx ...")) < 5000


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


def test_a_model_is_read_in_little_memory(tmp_path: Path) -> None:
    """The file twice: mapped and copied, then copied into the model; gradients that nobody asks for take nothing."""
    resource = pytest.importorskip("resource")
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "import charlm.text.characters\n"
        "from charlm.checkpoint import load_model\n"
        "load_model(Path(sys.argv[1]))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "load_model(Path(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    del resource
    (tmp_path / "corpus.txt").write_text(names_text(60), encoding="utf-8")
    for name, hidden in (("small", 8), ("large", 1000)):
        # A minimal GRU has the fewest parameters to draw, and the layers are wide.
        sizes = ("--cell", "mingru", "--hidden", hidden, "--embedding", 2 * hidden, "--window", 8, "--batch", 1)
        succeed("train", tmp_path / "corpus.txt", "--model", tmp_path / name, *sizes, "--steps", 1, "--quiet")
    files = [tmp_path / name / "model.safetensors" for name in ("small", "large")]
    words = [sys.executable, "-c", code, *map(str, files)]
    grown = int(subprocess.run(words, env=environment(), capture_output=True, check=True, timeout=60).stdout)
    unit = 1 if sys.platform == "darwin" else 1024
    assert grown * unit < 2.2 * files[1].stat().st_size


def test_the_long_form(tmp_path: Path) -> None:
    """What make soak runs, with few files."""
    if sys.platform != "linux":
        pytest.skip("it needs limits that hold")
    words = [sys.executable, str(ROOT / "tests" / "hostile_soak.py"), "--count", "60", "--seed", "3"]
    ended = subprocess.run(words, env=environment(), cwd=tmp_path, capture_output=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout.decode() + ended.stderr.decode()
    assert b"60 files in" in ended.stdout
