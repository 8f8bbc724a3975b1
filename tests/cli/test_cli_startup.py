"""No command loads what it does not use, so that it answers at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_cases import Trained, environment, succeed

from charlm.cli.commands import COMMANDS

HEAVY = {"numpy", "safetensors", "threadpoolctl", "tqdm", "regex", "rich", "matplotlib", "onnx"}
PARTS = {
    "charlm.training",
    "charlm.exchange",
    "charlm.speed",
    "charlm.machine",
    "charlm.api",
    "charlm.loaded_model",
    "charlm.plots",
    "charlm.adapting",
    "charlm.prediction",
}
LEVELS = {"charlm.text.words", "charlm.text.tokens", "charlm.text.octets"}
READS = {"numpy", "safetensors"}
RUN = """
import os, sys
written = os.dup(1)
sys.stdout = open(os.devnull, "w")
from charlm.cli.app import outcome
ended = outcome(sys.argv[1:])
assert ended == ("", 0), ended
os.write(written, " ".join(sys.modules).encode())
"""


def loaded(*arguments: object) -> set[str]:
    """The modules that a command has loaded by its end, in a process of its own."""
    words = [sys.executable, "-c", RUN, *map(str, arguments)]
    ended = subprocess.run(words, env=environment(), capture_output=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr.decode()
    return set(ended.stdout.decode().split())


def foreign(modules: set[str], allowed: set[str]) -> set[str]:
    """What of the heavy packages and the parts of charlm was loaded, besides what is allowed."""
    return modules & ((HEAVY | PARTS | LEVELS) - allowed)


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["sample", "-n", "1", "--length", "1"], READS),
        (["score", "bodeku"], READS),
        (["next", "bo"], READS),
        (["rank", "bo", "ku"], READS),
        (["which", "{model}", "other={model}", "bo"], READS),
        (["diff", "{model}", "other={model}", "bo"], READS),
        (["explain", "bo"], READS),
        (["gradients", "bodekubodeku"], READS),
        (["eval", "{corpus}"], READS),
        (["vocab", "{model}"], READS),
        (["info"], READS | {"charlm.training", "charlm.adapting", "charlm.prediction"}),
        (["history", "{model}"], READS | {"charlm.training"}),
        (["export", "--to", "pytorch", "{new}"], READS | {"charlm.exchange"}),
        (["vocab", "{corpus}", "--level", "word"], {"numpy", "regex", "charlm.text.words", "charlm.text.tokens"}),
        (
            ["train", "{corpus}", "--steps", "1", "--hidden", "4", "--model", "{new}", "--level", "char"],
            READS | {"threadpoolctl", "tqdm", "charlm.training", "charlm.machine"},
        ),
    ],
)
def test_a_command_loads_what_it_uses(arguments: list[str], allowed: set[str], names: Trained, tmp_path: Path) -> None:
    places = {"corpus": names.corpus, "model": names.folder, "new": tmp_path / "new"}
    filled = [argument.format(**places) for argument in arguments]
    reads_model = arguments[0] not in ("vocab", "train", "history", "which", "diff")
    modules = loaded(*filled, *(["--model", names.folder] if reads_model else []))
    # The default settings, and whether a text is tokenised, are looked up in modules that load nothing.
    light = {"charlm.training", "charlm.text.tokens"} if arguments[0] in ("vocab", "train") else set()
    assert foreign(modules, allowed | light) == set()
    assert "numpy" in modules


def test_import_loads_what_it_uses(names: Trained, tmp_path: Path) -> None:
    succeed("export", "--model", names.folder, "--to", "pytorch", tmp_path / "exported")
    modules = loaded("import", tmp_path / "exported", "--model", tmp_path / "imported")
    # It writes a run's folder, and knows that from training.
    assert foreign(modules, READS | {"charlm.exchange", "charlm.training"}) == set()
    files = {f"charlm.training.{name}" for name in ("run_folder", "lock", "log", "together")}
    assert {name for name in modules if name.startswith("charlm.training.")} == files


def test_measuring_loads_no_files_and_no_texts() -> None:
    """Of what doctor uses, and so does the process that times a kernel."""
    code = "import sys, charlm.speed, charlm.diagnosis, charlm.kernels; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, check=True)
    modules = set(ended.stdout.decode().split())
    assert foreign(modules, {"numpy", "charlm.training", "charlm.speed", "charlm.machine"}) == set()
    assert "charlm.text" not in modules


def test_info_loads_of_training_only_the_names_of_options(names: Trained) -> None:
    modules = loaded("info", "--model", names.folder)
    of_training = {name for name in modules if name.startswith("charlm.training.")}
    assert of_training == {"charlm.training.again", "charlm.training.options"}


def test_a_command_loads_no_other_command(names: Trained) -> None:
    modules = loaded("info", "--model", names.folder)
    others = {command.function.split(":")[0] for name, command in COMMANDS.items() if name != "info"}
    assert modules & others == set()


def test_the_list_of_commands_loads_none_of_them() -> None:
    modules = loaded("--help")
    assert modules & {command.function.split(":")[0] for command in COMMANDS.values()} == set()
    assert foreign(modules, set()) == set()
    assert "charlm.config" not in modules


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_loads_its_options(name: str) -> None:
    """Those of training, and of blocks, stand in modules that are light."""
    assert foreign(loaded(name, "--help"), {"charlm.training"}) == set()


def test_a_shell_can_complete_options_of_every_command() -> None:
    """Then which command is meant stands in the environment."""
    line = "charlm sample --temp"
    asked = {"_CHARLM_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "2"}
    ended = subprocess.run(
        [sys.executable, "-m", "charlm"], env=environment(**asked), capture_output=True, check=False, timeout=60
    )
    assert ended.stdout.decode().split() == ["--temperature"], ended.stderr.decode() + os.linesep
