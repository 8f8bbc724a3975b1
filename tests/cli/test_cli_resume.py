"""Runs that are stopped and continued: as if nothing had happened, to the last bit."""

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import QUICK, Ended, Trained, call, contents, names_text, one_message, prose_text, succeed
from hostile.contents import Contents, sealed
from safetensors import safe_open
from safetensors.numpy import load_file

from charlm.cli.console import Stopped
from charlm.cli.progress import Interrupt, View
from charlm.nn.registry import every_kind
from charlm.training.run import Run

STEPS = 12


def stopping(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Make the next training stop after so many steps, as Ctrl-C would."""

    def follow(run: Run[Any], interrupt: Interrupt, view: View, *, stop_at: int | None, quiet: bool) -> None:
        del interrupt, view, stop_at, quiet
        for _ in run.reports(lambda: run.trainer.progress.step >= step):
            pass
        if run.stopped:
            raise Stopped("stopped")

    monkeypatch.setattr("charlm.cli.runs.follow", follow)


def train_in_two(
    monkeypatch: pytest.MonkeyPatch, corpus: Path, folder: Path, stop: int, *options: object, steps: int = STEPS
) -> Ended:
    """Train to a step, stop, and go on to the end."""
    with monkeypatch.context() as patch:
        stopping(patch, stop)
        # Asked to stop after the last step, a run is at its end.
        status = call("train", corpus, "--model", folder, *QUICK, "--steps", steps, *options).status
        assert status == (130 if stop < steps else 0)
    return succeed("train", "--resume", "--model", folder, "--quiet")


def state_of(folder: Path) -> tuple[dict[str, Any], Any]:
    """Tensors and numbers of a run's state, but for the time it took and the size of the log."""
    file = folder / "training.safetensors"
    with safe_open(file, framework="numpy") as opened:
        numbers = json.loads(opened.metadata()["charlm"])
    del numbers["state"]["seconds"], numbers["state"]["validation_seconds"], numbers["log_bytes"], numbers["digest"]
    return load_file(file), numbers


def log_of(folder: Path) -> list[Any]:
    """The log's objects, but for the time that things took."""
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_bytes().splitlines()]
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]


def same_run(first: Path, second: Path) -> None:
    """Check that two runs are the same in model, state and log."""
    assert (first / "model.safetensors").read_bytes() == (second / "model.safetensors").read_bytes()
    (tensors, numbers), (others, other_numbers) = state_of(first), state_of(second)
    assert numbers == other_numbers
    assert tensors.keys() == others.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor, others[name], err_msg=name)
    assert log_of(first) == log_of(second)


TEXTS = {"names.txt": names_text, "prose.txt": prose_text}


@pytest.fixture
def corpora(tmp_path: Path) -> dict[str, Path]:
    """A list of independent lines, and a stream."""
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text())
    return {name: tmp_path / name for name in TEXTS}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    "options",
    [
        "--cell lstm --dropout 0.3",
        "--cell lstm --layers 2 --dropout 0",
        "--cell gru --dropout 0.3",
        "--cell gru --reset after",
        "--cell rnn --optimizer sgd --lr 0.1",
        "--cell gru --optimizer muon --lr 0.02",
        "--cell rnn --activation relu --optimizer rmsprop",
        "--level byte --optimizer sgd --dropout 0.5",
        "--min-count 50 --lowercase --schedule linear --warmup 0.3",
        "--optimizer rmsprop --schedule constant --weight-decay 0.5",
    ],
)
def test_stopping_and_resuming_changes_nothing(
    options: str, text: str, corpora: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 N steps are N steps, a stop, and N more: model, state and log."""
    arguments = options.split()
    succeed("train", corpora[text], "--model", "once", *QUICK, "--steps", STEPS, *arguments)
    train_in_two(monkeypatch, corpora[text], Path("twice"), STEPS // 2, *arguments)
    same_run(Path("once"), Path("twice"))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("kind", list(every_kind()), ids=str)
def test_every_block_goes_on_as_if_nothing_had_happened(
    kind: tuple[str, dict[str, str]], text: str, corpora: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, options = kind
    chosen = [word for name, value in options.items() for word in (f"--{name}", value)]
    arguments = ("--cell", cell, *chosen, "--layers", 2, "--dropout", 0.2, "--level", "word")
    succeed("train", corpora[text], "--model", "once", *QUICK, "--steps", STEPS, *arguments)
    train_in_two(monkeypatch, corpora[text], Path("twice"), 5, *arguments)
    same_run(Path("once"), Path("twice"))


@pytest.mark.parametrize("stop", range(1, 2 * STEPS + 1))
def test_stopping_after_any_step_changes_nothing(
    stop: int, corpora: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after a step that a validation is due behind, and after the last one."""
    options = ("--valid-fraction", 0.02)
    succeed("train", corpora["prose.txt"], "--model", "once", *QUICK, "--steps", 2 * STEPS, *options)
    assert len(log_of(Path("once"))) > 2
    train_in_two(monkeypatch, corpora["prose.txt"], Path("twice"), stop, *options, steps=2 * STEPS)
    same_run(Path("once"), Path("twice"))


def test_stopping_many_times_changes_nothing(corpora: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = corpora["names.txt"]
    succeed("train", corpus, "--model", "once", *QUICK, "--steps", 30)
    with monkeypatch.context() as patch:
        stopping(patch, 5)
        assert call("train", corpus, "--model", "often", *QUICK, "--steps", 30).status == 130
        for stop in (7, 14, 22):
            stopping(patch, stop)
            assert call("train", "--resume", "--model", "often", "--quiet").status == 130
    succeed("train", "--resume", "--model", "often", "--quiet")
    same_run(Path("once"), Path("often"))


def test_a_stopped_run_leaves_a_model(corpora: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where no validation was due yet: then the weights of the moment, which the stop has validated."""
    with monkeypatch.context() as patch:
        stopping(patch, 2)
        call("train", corpora["names.txt"], "--model", "model", *QUICK, "--steps", 1000)
    assert call("sample", "--model", "model").status == 0
    assert "step 2, validation " in succeed("info", "--model", "model").out.decode()


def test_the_log_is_cut_back_to_the_state(corpora: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was logged after the state was saved, by a process that was then killed, is not doubled."""
    corpus, folder = corpora["prose.txt"], Path("twice")
    succeed("train", corpus, "--model", "once", *QUICK, "--steps", STEPS)
    with monkeypatch.context() as patch:
        stopping(patch, 7)
        call("train", corpus, "--model", folder, *QUICK, "--steps", STEPS)
    with (folder / "log.jsonl").open("ab") as log:
        log.write(b'{"event": "validation", "step": 8}\n{"event": "valid')
    succeed("train", "--resume", "--model", folder, "--quiet")
    same_run(Path("once"), folder)


def test_resuming_a_finished_run_says_so(names: Trained, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(names.folder, folder)
    before = contents(folder)
    ended = succeed("train", "--resume", "--model", folder)
    assert "finished" in ended.err
    assert "nothing to continue" in ended.err
    assert "--steps" in ended.err
    assert contents(folder) == before


def test_resuming_nothing(tmp_path: Path) -> None:
    one_message(call("train", "--resume", "--model", tmp_path / "nothing"), 4, "nothing", "--resume")
    (tmp_path / "text.txt").write_text(names_text())
    one_message(call("train", "text.txt", "--resume"), 4, "runs/text", "no run to resume")
    one_message(call("train", "--resume"), 4, "no run under runs/", "--model")
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


@pytest.fixture
def stopped(corpora: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Trained:
    """A run that was stopped on the way."""
    with monkeypatch.context() as patch:
        stopping(patch, 7)
        call("train", corpora["names.txt"], "--model", "model", *QUICK, "--steps", STEPS)
    return Trained(Path("model"), corpora["names.txt"])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--seed 3", "another run"),
        ("--batch 8 --steps 99", "another run"),
        ("--from model", "another run"),
        ("--hidden 8 --layers 2", "its weights have their shape"),
        ("--reset after", "its weights have their shape"),
        ("--level byte", "its vocabulary"),
        ("--min-count 2", "its vocabulary"),
        ("--valid text.txt", "its vocabulary"),
        ("--no-independent-lines", "its vocabulary"),
        ("--time 5s", "counted in steps"),
        ("--steps 3", "7 steps already"),
        ("--steps 20 --epochs 3", "both give the length"),
        ("--lr 0", "--lr is 0"),
        ("--patience 0", "at least 1"),
        ("--overwrite", "leave out --overwrite"),
        ("--config x.toml --dry-run", "leave out --config, --dry-run"),
    ],
)
def test_resuming_with_what_cannot_change_is_refused(options: str, reason: str, stopped: Trained) -> None:
    before = contents(stopped.folder)
    one_message(call("train", "--resume", "--model", stopped.folder, *options.split()), 2, reason)
    assert contents(stopped.folder) == before


def test_resuming_with_a_changed_text_is_refused(stopped: Trained) -> None:
    before = contents(stopped.folder)
    stopped.corpus.write_text(names_text() + "more\n")
    one_message(call("train", "--resume", "--model", stopped.folder), 3, stopped.corpus, "changed", "--overwrite")
    assert contents(stopped.folder) == before


def test_resuming_without_the_text_names_it(stopped: Trained) -> None:
    moved = stopped.corpus.rename("moved.txt")
    one_message(call("train", "--resume", "--model", stopped.folder), 3, "no such file", stopped.corpus)
    succeed("train", moved, "--resume", "--model", stopped.folder, "--quiet")


def test_resuming_where_the_model_was_deleted_leaves_one_again(stopped: Trained) -> None:
    stopped.file.unlink()
    succeed("train", "--resume", "--model", stopped.folder, "--quiet")
    assert call("sample", "--model", stopped.folder).status == 0


def test_resuming_with_the_model_of_another_run_is_refused(stopped: Trained, names: Trained) -> None:
    """State and model of two runs do not mix."""
    model = stopped.folder / "model.safetensors"
    model.write_bytes((names.folder / "model.safetensors").read_bytes())
    one_message(call("train", "--resume", "--model", stopped.folder), 4, "another run", "--overwrite")


@pytest.mark.parametrize("share", [0, 5, 100, 0.5, 0.99])
def test_a_truncated_state(share: float, stopped: Trained) -> None:
    file = stopped.folder / "training.safetensors"
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data)) if 0 < share < 1 else int(share)])
    before = contents(stopped.folder)
    one_message(call("train", "--resume", "--model", stopped.folder), 4, "training.safetensors", "damaged")
    assert contents(stopped.folder) == before


def test_flipped_bits_in_a_state_never_end_in_a_traceback(stopped: Trained) -> None:
    file = stopped.folder / "training.safetensors"
    before = contents(stopped.folder)
    data = file.read_bytes()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    source = np.random.default_rng(4)
    for place in source.integers(0, end, 60):
        changed = bytearray(data)
        changed[place] ^= 1 << int(source.integers(8))
        for name, content in before.items():
            (stopped.folder / name).write_bytes(content)
        file.write_bytes(changed)
        assert call("train", "--resume", "--model", stopped.folder, "--quiet").status in (0, 4)


def _drop(key: str) -> Callable[[dict[str, Any], Any], None]:
    return lambda _, metadata: metadata["state"].pop(key)


def _put(key: str, value: Any) -> Callable[[dict[str, Any], Any], None]:
    return lambda _, metadata: metadata["state"].update({key: value})


def _nan(tensors: dict[str, Any], metadata: Any) -> None:
    del metadata
    tensors["embedding"][0, 0] = np.nan


@pytest.mark.parametrize(
    "change",
    [
        *(
            _drop(key)
            for key in (
                "run",
                "about",
                "progress",
                "plan",
                "generator",
                "updates",
                "seconds",
                "validation_seconds",
            )
        ),
        lambda _, metadata: metadata["state"]["progress"].pop("best_loss"),
        lambda _, metadata: metadata["state"]["progress"].pop("step"),
        lambda _, metadata: metadata["state"]["progress"].update(more=1),
        lambda _, metadata: metadata["state"]["progress"].update(lr_share="half"),
        _put("run", 3),
        _put("run", {"model": {}}),
        _put("about", []),
        _put("about", {"corpus": {}}),
        _put("plan", [1]),
        _put("generator", "none"),
        _put("seconds", "long"),
        lambda _, metadata: metadata.pop("state"),
        lambda _, metadata: metadata.update(format=99),
        lambda _, metadata: metadata.update(log_bytes="many"),
        lambda tensors, _: tensors.pop("place.lanes"),
        lambda tensors, _: tensors.update(more=np.zeros(3, np.float32)),
        lambda tensors, _: tensors.update({"head.b_y": tensors["head.b_y"][1:].copy()}),
        _nan,
    ],
)
def test_a_state_that_is_wrong_inside(change: Callable[[dict[str, Any], Any], None], stopped: Trained) -> None:
    file = stopped.folder / "training.safetensors"
    tensors = load_file(file)
    with safe_open(file, framework="numpy") as opened:
        metadata = json.loads(opened.metadata()["charlm"])
    change(tensors, metadata)
    file.write_bytes(sealed(Contents(tensors, metadata)))
    before = contents(stopped.folder)
    one_message(call("train", "--resume", "--model", stopped.folder, "--quiet"), 4)
    assert contents(stopped.folder) == before


@pytest.mark.parametrize("options", ["", "--cell gru", "--level byte", "--no-independent-lines --dropout 0.5"])
def test_a_seed_decides_everything(options: str, corpora: dict[str, Path]) -> None:
    """The same seed gives the same bytes, another seed others."""
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        arguments = (*QUICK, "--steps", 6, "--seed", seed, *options.split())
        succeed("train", corpora["names.txt"], "--model", folder, *arguments)
    first, second, third = ((Path(folder) / "model.safetensors").read_bytes() for folder in "abc")
    assert first == second
    assert first != third


def test_a_run_that_began_with_a_model(tmp_path: Path, names: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its vocabulary cannot be built from its corpus again; the state keeps it."""
    corpus = tmp_path / "other.txt"
    corpus.write_text(names_text(60) + "\u00c4\u00d6\n" * 20, encoding="utf-8")
    line = ["train", corpus, "--from", names.folder, "--extend-vocab", "--steps", STEPS, "--window", 16, "--batch", 4]
    succeed(*line, "--model", tmp_path / "whole", "--quiet")
    with monkeypatch.context() as patch:
        stopping(patch, 5)
        assert call(*line, "--model", tmp_path / "halves", "--quiet").status == 130
    succeed("train", "--resume", "--model", tmp_path / "halves", "--quiet")
    whole, halves = (contents(tmp_path / name) for name in ("whole", "halves"))
    assert whole["model.safetensors"] == halves["model.safetensors"]
    assert log_of(tmp_path / "whole") == log_of(tmp_path / "halves")
