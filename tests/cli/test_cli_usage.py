"""Help, wrong usage, and the exit statuses of both."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from cli_cases import QUICK, call, environment, names_text, one_message, process

import charlm
from charlm.cli.commands import application

ROOT_COMMAND: Any = typer.main.get_command(application())
COMMANDS = sorted(ROOT_COMMAND.commands)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_command(flag: str) -> None:
    ended = process(flag)
    assert ended.status == 0
    assert ended.err == ""
    assert all(name in ended.out.decode() for name in COMMANDS)


def test_without_arguments_comes_the_help() -> None:
    assert process() == process("--help")


def test_version() -> None:
    ended = process("--version")
    assert (ended.status, ended.out.decode(), ended.err) == (0, f"charlm {charlm.__version__}\n", "")


def test_the_commands_are_the_documented_ones() -> None:
    reading = ["eval", "explain", "gradients", "history", "info", "neurons", "next", "rank", "sample", "score", "vocab"]
    groups = ["classify", "ngram", "tag"]
    files = ["compress", "decompress", "export", "import"]
    assert sorted([*reading, *groups, *files, "cache", "diff", "doctor", "train", "tune", "which"]) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    command = ROOT_COMMAND.commands[name]
    assert command.help
    assert command.short_help.endswith(".")
    for parameter in command.params:
        assert parameter.help, parameter.name
        assert parameter.help.endswith("."), parameter.name
    assert call(name, "-h").out == call(name, "--help").out


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help_does_not_wait_for_numpy(arguments: list[str]) -> None:
    """No help text imports what takes long to import."""
    script = (
        "import sys\n"
        "from charlm.cli.app import outcome\n"
        f"assert outcome({arguments!r}) == ('', 0)\n"
        "print(sorted({'numpy', 'tqdm', 'safetensors', 'regex'} & set(sys.modules)), file=sys.stderr)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, check=True)
    assert ended.stderr.decode().strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "mentioned"),
    [
        (["--foo"], ["--foo", "charlm --help"]),
        (["foo"], ["foo", "charlm --help"]),
        (["train", "--hiden", "3"], ["--hiden", "charlm train --help"]),
        (["train", "--hidden"], ["--hidden", "charlm train --help"]),
        (["train", "--hidden", "abc"], ["--hidden", "not a valid int", "charlm train --help"]),
        (["train", "--lr", "abc"], ["--lr", "charlm train --help"]),
        (["info", "--json=1"], ["--json", "charlm info --help"]),
        (["train"], ["charlm train FILE"]),
    ],
)
def test_wrong_usage_is_one_message(arguments: list[str], mentioned: list[str]) -> None:
    """What happened, and where help is: in one line, not in the pages of a usage text."""
    one_message(call(*arguments), 2, *mentioned)


def test_wrong_usage_in_a_process_of_its_own() -> None:
    ended = process("train", "--foo")
    one_message(ended, 2, "--foo")
    assert ended.out == b""


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        ("--hidden 0", ["--hidden is 0", "at least 1"]),
        ("--hidden 99999999", ["--hidden", "at most"]),
        ("--layers -1", ["--layers is -1", "at least 1"]),
        ("--embedding 0", ["--embedding"]),
        ("--lr nan", ["--lr is nan", "above 0"]),
        ("--lr inf", ["--lr is inf"]),
        ("--lr 0", ["--lr is 0"]),
        ("--clip inf", ["--clip"]),
        ("--cell foo", ["'foo'", "lstm, gru, rnn"]),
        ("--cell LSTM", ["'LSTM'", "lstm, gru, rnn"]),
        ("--reset after", ["reset", "gru", "lstm"]),
        ("--cell gru --reset foo", ["'foo'", "before, after"]),
        ("--cell gru --activation relu", ["activation", "rnn"]),
        ("--cell rnn --activation foo", ["tanh, relu"]),
        ("--optimizer foo", ["'foo'", "adamw, muon, sgd, rmsprop"]),
        ("--schedule foo", ["'foo'", "cosine, linear, constant"]),
        ("--level foo", ["'foo'", "char, byte"]),
        ("--unit foo", ["foo", "line, paragraph, file"]),
        ("--level byte --unit line", ["--unit line", "byte", "file"]),
        ("--level byte --lowercase", ["--lowercase", "byte"]),
        ("--level byte --min-count 2", ["--min-count", "byte"]),
        ("--unit file --independent-lines", ["--independent-lines", "--unit line"]),
        ("--time 0", ["--time is '0'", "90s"]),
        ("--time abc", ["--time is 'abc'", "90s"]),
        ("--time=-5s", ["--time"]),
        ("--time nan", ["--time"]),
        ("--epochs nan", ["--epochs is nan"]),
        ("--epochs 0", ["--epochs is 0"]),
        ("--epochs 1e300", ["--epochs", "at most"]),
        ("--steps 0", ["--steps is 0", "at least 1"]),
        ("--steps 99999999999999999999", ["--steps", "at most"]),
        ("--steps 3 --time 3s", ["--steps and --time", "leave out one"]),
        ("--steps 3 --epochs 3", ["--epochs and --steps", "leave out one"]),
        ("--residual", ["--residual", "--layers 2"]),
        ("--peephole standard", ["option of peephole-lstm, not of lstm", "choose peephole-lstm"]),
        ("--cell gru --peephole standard", ["option of peephole-lstm, not of gru"]),
        ("--initial random", ["initial state", "zero, learned"]),
        ("--valid-fraction 2", ["--valid-fraction is 2.0", "between 0 and 1"]),
        ("--valid-fraction 0", ["--valid-fraction"]),
        ("--valid-fraction nan", ["--valid-fraction"]),
        ("--batch 0", ["--batch is 0"]),
        ("--window 0", ["--window is 0"]),
        ("--dropout 1", ["--dropout is 1.0", "below 1"]),
        ("--dropout nan", ["--dropout"]),
        ("--weight-decay -1", ["--weight-decay"]),
        ("--warmup 1", ["--warmup"]),
        ("--seed -1", ["--seed is -1", "at least 0"]),
        ("--min-count 0", ["--min-count is 0"]),
        ("--max-vocab 2", ["--max-vocab is 2", "at least 3"]),
        ("--encoding foo", ["'foo'", "utf-8", "latin-1"]),
        ("--encoding hex", ["'hex'"]),
        ("--resume --config a.toml --dry-run", ["--resume", "--config", "--dry-run"]),
        ("--stop-at 0", ["--stop-at is 0", "at least 1"]),
        ("--eval-every 0", ["--eval-every is 0", "at least 1"]),
        ("--patience 0", ["--patience is 0", "at least 1"]),
        ("--resume --overwrite", ["--overwrite"]),
    ],
)
def test_options_that_make_no_sense(options: str, mentioned: list[str], tmp_path: Path) -> None:
    """The message names the option, what it was, and what it may be; nothing is written."""
    corpus = tmp_path / "text.txt"
    corpus.write_text(names_text())
    one_message(call("train", corpus, "--model", "model", *options.split()), 2, *mentioned)
    assert list(tmp_path.iterdir()) == [corpus]


def test_options_are_checked_before_the_folder(tmp_path: Path, names: Any) -> None:
    """A slip in an option is told as such, also where the folder holds a model already."""
    del tmp_path
    one_message(call("train", names.corpus, "--model", names.folder, "--hidden", 0), 2, "--hidden")


def test_a_model_too_large_for_the_memory(tmp_path: Path) -> None:
    corpus = tmp_path / "text.txt"
    corpus.write_text(names_text())
    resource = pytest.importorskip("resource")
    room = 3 << 30
    ended = process(
        "train", corpus, "--hidden", 60000, "--layers", 4, "--model", "model", cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (room, room)),
    )  # fmt: skip
    one_message(ended, 1, "out of memory", "--hidden")
    assert list(tmp_path.iterdir()) == [corpus]


def test_seeds_may_be_large(tmp_path: Path) -> None:
    corpus = tmp_path / "text.txt"
    corpus.write_text(names_text())
    assert call("train", corpus, "--model", "model", *QUICK, "--steps", 1, "--seed", 10**30).status == 0
