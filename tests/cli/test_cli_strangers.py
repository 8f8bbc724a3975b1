"""Folders from strangers: states that were forged, links, pipes, and texts that would command the terminal."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_cases import QUICK, Ended, Trained, call, contents, one_message, succeed
from hostile.contents import Contents, opened, sealed

LINKS = pytest.mark.skipif(sys.platform == "win32", reason="there, links and pipes are others")


@pytest.fixture
def stopped(names: Trained, tmp_path: Path) -> Trained:
    """A folder with a run's files, its text elsewhere."""
    shutil.copytree(names.folder, tmp_path / "run")
    return Trained(tmp_path / "run", names.corpus)


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


def _progress(name: str, value: Any) -> Callable[[Contents], None]:
    return lambda held: held.metadata["state"]["progress"].update({name: value})


def _of_run(part: str, name: str, value: Any) -> Callable[[Contents], None]:
    return lambda held: held.metadata["state"]["run"][part].update({name: value})


def _lanes(row: int, value: int) -> Callable[[Contents], None]:
    return lambda held: held.tensors["place.lanes"].__setitem__((row, 0), value)


def _epoch(held: Contents) -> None:
    held.tensors["place.epoch"][:] = -1


@pytest.mark.parametrize(
    "change",
    [
        _progress("step", -1),
        _progress("step", 1e300),
        _progress("step", "3"),
        _progress("step", True),
        _state("updates", -1),
        _state("updates", 10**30),
        _progress("validations", 0.5),
        _progress("best_loss", "low"),
        _progress("loss_sum", None),
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
        lambda held: held.tensors["place.epoch"].__setitem__(1, 2**63 - 1),
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
    succeed("train", stopped.corpus, "--model", tmp_path / "fresh", *QUICK, "--steps", 1)
    assert not (tmp_path / "fresh" / "log.jsonl").is_symlink()
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
        file = stopped.folder / name
        data = file.read_bytes()
        file.unlink()
        file.mkdir()
        one_message(call("train", "--resume", "--model", stopped.folder, "--quiet"), 4, name)
        if name == "training.safetensors":
            file.rmdir()
            file.write_bytes(data)
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
