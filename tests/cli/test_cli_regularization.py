"""Regularisation from the command line: every kind trains, is recorded, repeated and resumed; misfits are refused."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from cli_cases import QUICK, call, contents, names_text, one_message, prose_text, succeed
from safetensors.numpy import load_file
from tag_cases import TAGGER, write_columns
from test_cli_resume import STEPS, same_run, train_in_two

import charlm
from charlm.nn.registry import BLOCKS

KINDS = {
    "embedding": "--dropout-embedding 0.2",
    "input": "--dropout-input 0.3",
    "variational": "--dropout-input 0.3 --dropout 0.3 --dropout-kind variational",
    "output": "--dropout 0.1 --dropout-output 0.5 --layers 2",
    "recurrent": "--dropout-recurrent 0.4",
    "activation": "--activation-penalty 2",
    "slowness": "--slowness-penalty 1",
    "smoothing": "--label-smoothing 0.1",
}
ALL = (
    "--dropout-embedding 0.1 --dropout-input 0.2 --dropout-output 0.3 --dropout-recurrent 0.4 "
    "--dropout-kind variational --activation-penalty 2 --slowness-penalty 1 --label-smoothing 0.05"
)
CHOSEN = dict(
    zip(
        ALL.replace("--", "").split()[::2],
        [0.1, 0.2, 0.3, 0.4, "variational", 2.0, 1.0, 0.05],
        strict=True,
    )
)
OF_LABELS = ALL.replace("--activation-penalty 2 --slowness-penalty 1 ", "")


@pytest.fixture(autouse=True)
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list, a stream and a column file, where the commands run."""
    monkeypatch.chdir(tmp_path)
    Path("names.txt").write_text(names_text())
    Path("prose.txt").write_text(prose_text())
    write_columns(Path("columns.txt"))


def weights(folder: str) -> Any:
    return load_file(Path(folder) / "model.safetensors")["head.b_y"].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_the_weights_and_resumes_bit_for_bit(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = KINDS[kind].split()
    succeed("train", "names.txt", "--model", "once", *QUICK, "--steps", STEPS, *options)
    train_in_two(monkeypatch, Path("names.txt"), Path("twice"), STEPS // 2, *options)
    same_run(Path("once"), Path("twice"))
    depth = ("--layers", 2) if "--layers" in options else ()
    succeed("train", "names.txt", "--model", "plain", *QUICK, "--steps", STEPS, *depth)
    assert weights("once") != weights("plain")


@pytest.mark.parametrize("text", ["names.txt", "prose.txt"])
@pytest.mark.parametrize("options", ["--layers 2 --residual", "--tied --embedding 16", "--cell gru --level word"])
def test_all_of_it_resumes_bit_for_bit(text: str, options: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [*options.split(), *ALL.split()]
    succeed("train", text, "--model", "once", *QUICK, "--steps", STEPS, *arguments)
    train_in_two(monkeypatch, Path(text), Path("twice"), STEPS // 2, *arguments)
    same_run(Path("once"), Path("twice"))


@pytest.mark.parametrize("cell", BLOCKS)
def test_every_block_trains_with_it(cell: str) -> None:
    """But for DropConnect where there are no recurrent matrices."""
    options = ALL.split() if cell not in ("sru", "mingru") else ALL.replace("--dropout-recurrent 0.4 ", "").split()
    succeed("train", "names.txt", "--model", "m", *QUICK, "--steps", 2, "--cell", cell, *options)


def test_it_is_recorded_and_repeated() -> None:
    """In the folder's file of options and in what ``charlm info`` says, which both repeat the run."""
    succeed("train", "names.txt", "--model", "first", *QUICK, "--steps", 4, *ALL.split())
    found = tomllib.loads(Path("first/config.toml").read_text())
    assert {key: found[key] for key in CHOSEN} == CHOSEN
    succeed("train", "--config", "first/config.toml", "--model", "second", "--quiet")
    assert contents(Path("first"))["model.safetensors"] == contents(Path("second"))["model.safetensors"]
    info = succeed("info", "--model", "first", "--json").json
    for key, value in CHOSEN.items():
        assert f"--{key} {value}" in info["command"]
        assert info["record"]["train"][key.replace("-", "_")] == value
    assert len(succeed("history", "first", "second", "--json").objects) > 0


def test_only_trying_takes_them() -> None:
    before = contents(Path())
    succeed("train", "names.txt", "--dry-run", *QUICK, *ALL.split())
    assert contents(Path()) == before


def test_python_takes_them() -> None:
    options: dict[str, Any] = {key.replace("-", "_"): value for key, value in CHOSEN.items()}
    sizes: dict[str, Any] = {"hidden": 16, "embedding": 8, "window": 16, "batch": 4, "steps": 4}
    model = charlm.train("names.txt", **sizes, **options)
    succeed("train", "names.txt", "--model", "m", *QUICK, "--steps", 4, *ALL.split())
    assert model.score("bada").logprob == charlm.load("m").score("bada").logprob


def test_losses_that_are_told_are_plain() -> None:
    """Smoothing and penalties change what is descended, not what is told: the first step's loss is the same."""
    losses = []
    sizes: dict[str, Any] = {"hidden": 16, "window": 16, "batch": 4, "steps": 2}
    weighty = {"label_smoothing": 0.3, "activation_penalty": 5.0, "slowness_penalty": 5.0}
    for more in ({}, weighty):
        reports: list[Any] = []
        charlm.train("names.txt", report=reports.append, **{**sizes, **more})
        losses.append([report.loss for report in reports if hasattr(report, "norm")])
    assert losses[0][0] == losses[1][0]
    assert losses[0][1] != losses[1][1]


def test_taggers_take_those_that_fit() -> None:
    succeed("tag", "train", "columns.txt", "--model", "t", *TAGGER, "--steps", 3, "--chars", *OF_LABELS.split())
    again = succeed("info", "--model", "t").out.decode().splitlines()[-1]
    assert "--dropout-recurrent 0.4" in again
    assert "--label-smoothing 0.05" in again
    one_message(call("tag", "train", "columns.txt", "--slowness-penalty", 1), 2, "--slowness-penalty")


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        ("--dropout-embedding 1", ["--dropout-embedding is 1.0", "below 1"]),
        ("--dropout-input -0.1", ["--dropout-input is -0.1", "at least 0"]),
        ("--dropout-output 1", ["--dropout-output is 1.0", "below 1"]),
        ("--dropout-recurrent nan", ["--dropout-recurrent is nan"]),
        ("--dropout-kind gal", ["--dropout-kind 'gal'", "plain, variational"]),
        ("--activation-penalty -1", ["--activation-penalty is -1.0", "at least 0"]),
        ("--slowness-penalty inf", ["--slowness-penalty is inf"]),
        ("--label-smoothing 1", ["--label-smoothing is 1.0", "below 1"]),
        ("--dropout-recurrent 0.3 --cell sru", ["--dropout-recurrent", "sru", "--cell"]),
        ("--dropout-recurrent 0.3 --cell mingru", ["--dropout-recurrent", "mingru"]),
        ("--label-smoothing 0.1 --softmax adaptive", ["--label-smoothing", "--softmax full"]),
    ],
)
def test_what_makes_no_sense(options: str, mentioned: list[str]) -> None:
    before = contents(Path())
    one_message(call("train", "names.txt", "--model", "model", *options.split()), 2, *mentioned)
    assert contents(Path()) == before


@pytest.mark.parametrize("cell", ["sru", "mingru"])
def test_connections_of_a_model_to_start_from_without_any(cell: str) -> None:
    """Its block is known only from its file."""
    succeed("train", "names.txt", "--model", "base", *QUICK, "--steps", 2, "--cell", cell)
    ended = call("train", "names.txt", "--from", "base", "--model", "m", "--steps", 2, "--dropout-recurrent", 0.3)
    one_message(ended, 2, "--dropout-recurrent", cell)


def test_labels_judged_by_themselves_are_not_smoothed() -> None:
    ended = call("tag", "train", "columns.txt", *TAGGER, "--output", "sigmoid", "--label-smoothing", 0.1)
    one_message(ended, 2, "--label-smoothing", "--output softmax")


def test_it_cannot_change_when_a_run_goes_on() -> None:
    succeed("train", "names.txt", "--model", "m", *QUICK, "--steps", 2)
    one_message(call("train", "--resume", "--model", "m", "--dropout-recurrent", 0.2), 2, "--dropout-recurrent")
