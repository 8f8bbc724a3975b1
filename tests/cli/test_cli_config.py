"""Options from a TOML file, the file that repeats a run, and runs that are only tried."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from cli_cases import QUICK, call, contents, names_text, one_message, prose_text, succeed

from charlm.training.options import MEANINGS, flags

TEXTS = {"names.txt": names_text, "prose.txt": prose_text}


@pytest.fixture(autouse=True)
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list and a stream, where the commands run."""
    monkeypatch.chdir(tmp_path)
    for name, text in TEXTS.items():
        Path(name).write_text(text())


@pytest.mark.parametrize(
    "options",
    [
        "names.txt --steps 6",
        "prose.txt --epochs 0.5 --level word --max-vocab 12",
        "prose.txt names.txt --steps 5 --cell gru --reset after --layers 2 --residual --dropout 0.2",
        "prose.txt --steps 5 --valid names.txt --cell rnn --activation relu --optimizer sgd --lr 0.05",
        "names.txt --steps 6 --lowercase --valid-fraction 0.3 --no-independent-lines --seed 9",
        "prose.txt --steps 6 --unit paragraph --encoding latin-1 --initial learned --schedule linear",
        "prose.txt --steps 6 --level byte --softmax adaptive --eval-every 2 --patience 2",
        "prose.txt --steps 6 --tied --embedding 16 --weight-decay 0.3 --warmup 0.2 --clip 0.5 --min-count 3",
    ],
)
def test_the_file_of_a_run_repeats_it(options: str) -> None:
    succeed("train", *QUICK, *options.split(), "--model", "first")
    succeed("train", "--config", "first/config.toml", "--model", "second", "--quiet")
    assert contents(Path("first"))["model.safetensors"] == contents(Path("second"))["model.safetensors"]
    first, second = (tomllib.loads(Path(folder, "config.toml").read_text()) for folder in ("first", "second"))
    assert first == {**second, "model": "first"}


@pytest.mark.parametrize("extend", [(), ("--extend-vocab",)])
def test_the_file_of_a_run_that_started_from_a_model_repeats_it(extend: tuple[str, ...]) -> None:
    succeed("train", "names.txt", "--model", "base", *QUICK, "--steps", 3)
    succeed("train", "prose.txt", "--from", "base", *extend, "--model", "first", "--quiet", "--steps", 4)
    succeed("train", "--config", "first/config.toml", "--model", "second", "--quiet")
    assert contents(Path("first"))["model.safetensors"] == contents(Path("second"))["model.safetensors"]


def test_every_option_can_stand_in_a_file() -> None:
    """And is called there what it is called where it is typed."""
    said = call("train", "--config", write("nonsense = 1")).err
    assert all(flag[2:] in said for flag in flags(MEANINGS))


def write(text: str) -> str:
    """A file of options with this text."""
    Path("some.toml").write_text(text)
    return "some.toml"


def test_what_is_typed_goes_first() -> None:
    file = write('corpus = "names.txt"\nhidden = 16\nembedding = 8\nwindow = 16\nbatch = 4\nsteps = 900\nmodel = "a"')
    succeed("train", "--config", file, "--epochs", "0.1", "--hidden", 12, "--model", "b", "--quiet")
    found = tomllib.loads(Path("b/config.toml").read_text())
    assert (found["hidden"], found["embedding"], found["corpus"]) == (12, 8, ["names.txt"])
    assert found["steps"] < 900
    assert not Path("a").exists()


@pytest.mark.parametrize(
    ("text", "status", "mentioned"),
    [
        ("hidden = ", 3, ("some.toml", "no TOML", "hidden = 256")),
        ("hidden = 8\nhidden = 9", 3, ("some.toml", "no TOML")),
        ("hiden = 8", 2, ("some.toml", "unknown key 'hiden'")),
        ("valid_fraction = 0.1", 2, ("some.toml", "unknown key", "valid-fraction")),
        ('hidden = "8"', 2, ("some.toml", "--hidden", "must be int")),
        ("hidden = true", 2, ("some.toml", "--hidden")),
        ("lr = nan", 2, ("some.toml", "--lr")),
        ("[train]\nlr = 0.1", 2, ("some.toml", "unknown key 'train'")),
        ("hidden = -8", 2, ("some.toml", "--hidden", "at least 1")),
        ("steps = 5\ntime = 9", 2, ("some.toml", "--steps and --time")),
        ("corpus = 5", 2, ("some.toml", "corpus")),
        ("corpus = [1]", 2, ("some.toml", "corpus")),
        ("model = 5", 2, ("some.toml", "model")),
        ("lr = 1979-05-27", 2, ("some.toml", "--lr")),
        ("hidden = 8", 2, ("name a text",)),
    ],
)
def test_a_file_that_makes_no_sense(text: str, status: int, mentioned: tuple[str, ...]) -> None:
    one_message(call("train", "--config", write(text)), status, *mentioned)
    assert sorted(path.name for path in Path().iterdir()) == sorted([*TEXTS, "some.toml"])


def test_a_file_that_is_not_there() -> None:
    one_message(call("train", "names.txt", "--config", "no.toml"), 3, "no.toml", "--config")
    Path("latin.toml").write_bytes(b'corpus = "\xe4"')
    one_message(call("train", "--config", "latin.toml"), 3, "latin.toml", "no TOML")


@pytest.mark.parametrize("length", [("--steps", "40"), ("--time", "20s"), ("--time", "0.001s")])
def test_a_run_that_is_only_tried_writes_nothing(length: tuple[str, str]) -> None:
    ended = succeed("train", "names.txt", *QUICK[:-1], *length, "--dry-run")
    said: dict[str, Any] = dict(line.split(": ", 1) for line in ended.out.decode().splitlines())
    assert set(said) == {"parameters", "memory", "a step", "the run", "the folder"}
    assert "2," in said["parameters"]
    assert "40 steps" in said["the run"] or f"{length[1].replace('s', ' s')}, about" in said["the run"]
    assert said["the folder"] == "runs/names, not there yet"
    assert sorted(path.name for path in Path().iterdir()) == sorted(TEXTS)


def test_trying_says_that_the_folder_holds_a_run() -> None:
    succeed("train", "names.txt", "--model", "model", *QUICK, "--steps", 2)
    before = contents(Path("model"))
    ended = succeed("train", "names.txt", "--model", "model", *QUICK[:-1], "--steps", 9, "--dry-run")
    assert b"model, which holds a run already" in ended.out
    assert contents(Path("model")) == before
