"""``charlm info``, and which model a command means."""

import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_cases import QUICK, Trained, names_text, prose_text, succeed


def test_info_shows_what_the_model_is(prose: Trained) -> None:
    text = succeed("info", "--model", prose.folder).out.decode()
    for shown in (
        "lstm: 2 x 16",
        "embedding 8",
        "layers.1.W_fa",
        "char level",
        "<EOS>",
        "corpus.txt",
        "numpy",
        "again",
    ):
        assert shown in text
    assert all(line.isprintable() for line in text.splitlines())


def test_info_as_json(prose: Trained) -> None:
    found = succeed("info", "--model", prose.folder, "--json").json
    assert set(found) == {"model", "parameters", "text", "vocabulary", "record", "command"}
    assert found["model"]["hidden"] == 16
    assert found["text"]["level"] == "char"
    assert found["record"]["step"] == 40
    assert found["record"]["train"]["steps"] == 40
    assert len(found["vocabulary"]) == found["model"]["vocabulary"]
    assert sum(entry["count"] for entry in found["vocabulary"]) == found["record"]["corpus"]["train_tokens"]


def test_a_model_file_alone_is_enough(prose: Trained, tmp_path: Path) -> None:
    """The one file can be moved and renamed, and works as before."""
    shutil.copy(prose.file, tmp_path / "shared model")
    for command in (("info",), ("sample", "--seed", 1), ("score", "river")):
        assert (
            succeed(*command, "--model", tmp_path / "shared model").out
            == succeed(*command, "--model", prose.folder).out
        )


@pytest.mark.parametrize(
    "options",
    [
        "",
        "--cell gru --reset after --layers 2",
        "--cell rnn --activation relu --optimizer sgd --lr 0.123456789",
        "--level byte --optimizer rmsprop --schedule linear",
        "--min-count 30 --lowercase --unit paragraph --seed 7",
        "--max-vocab 9 --no-independent-lines --dropout 0.25 --warmup 0.5",
        "--valid more.txt --schedule constant --clip 0.1 --weight-decay 0",
        "--valid-fraction 0.37 --epochs 0.5",
        "--encoding latin-1",
    ],
)
@pytest.mark.parametrize("text", [names_text, prose_text])
def test_the_command_under_again_repeats_the_model(options: str, text: Callable[[], str], tmp_path: Path) -> None:
    """Run as it is printed, it gives the same file, byte for byte."""
    (tmp_path / "some text's.txt").write_text(text())
    (tmp_path / "more.txt").write_text(text()[-400:])
    sizes = [word for word in QUICK if word != "--quiet"]
    length = [] if "--epochs" in options else ["--steps", "8"]
    succeed("train", "some text's.txt", "--model", "first", *sizes, *length, *options.split())
    line = succeed("info", "--model", "first").out.decode().splitlines()[-1]
    name, command = line.split(maxsplit=1)
    assert name == "again"
    program, *arguments = shlex.split(command)
    assert program == "charlm"
    succeed(*arguments)
    assert Path("runs/some text's/model.safetensors").read_bytes() == Path("first/model.safetensors").read_bytes()
    assert succeed("info", "--json").json["command"] == command


def test_the_newest_model_is_meant_and_named(names: Trained, prose: Trained) -> None:
    for age, (name, model) in enumerate((("new", names), ("old", prose))):
        folder = Path("runs") / name
        folder.mkdir(parents=True)
        shutil.copy(model.file, folder)
        os.utime(folder / "model.safetensors", (10**9 - age, 10**9 - age))
    ended = succeed("info")
    assert ended.out == succeed("info", "--model", names.folder).out
    assert ended.err.startswith(f"charlm: using {Path('runs/new')}, the newest model")


def test_the_environment_names_a_model(names: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARLM_MODEL", str(names.folder))
    assert succeed("info") == succeed("info", "--model", names.folder)
