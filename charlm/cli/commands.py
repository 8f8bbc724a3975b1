"""The commands by name: the only list of them. What runs a command is loaded when that command is asked for."""

from collections.abc import Callable, Container
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer

from charlm.version import __version__


class Command(NamedTuple):
    """A command: ``module:name`` of what runs it, a function or a group of commands, and what it does."""

    function: str
    summary: str


_HERE = "charlm.cli"
COMMANDS: dict[str, Command] = {
    "train": Command(f"{_HERE}.train:train", "Train a model on a text."),
    "tag": Command(f"{_HERE}.tag:tag", "A label for each word of a sentence: train, apply, eval."),
    "classify": Command(f"{_HERE}.classify:classify", "A label for each text: train, apply, eval."),
    "sample": Command(f"{_HERE}.sample:sample", "Draw text from a model."),
    "score": Command(f"{_HERE}.score:score", "Log-probability of texts."),
    "rank": Command(f"{_HERE}.rank:rank", "Which of several texts is likeliest."),
    "which": Command(f"{_HERE}.which:which", "Which of several models most likely wrote a text."),
    "diff": Command(f"{_HERE}.diff:diff", "Where in a text two models disagree."),
    "next": Command(f"{_HERE}.next:likeliest", "Likeliest continuations of a text."),
    "explain": Command(f"{_HERE}.explain:explain", "Every gate of a unit with the numbers put in, step by step."),
    "neurons": Command(f"{_HERE}.neurons:neurons", "What single units do, and which of them follow a property."),
    "eval": Command(f"{_HERE}.evaluate:evaluate", "Cost of a text under a model."),
    "tune": Command(f"{_HERE}.tune:tune", "What adapts a model best to what it reads, chosen on a text."),
    "gradients": Command(f"{_HERE}.gradients:gradients", "How a prediction's gradient fades over the steps before it."),
    "history": Command(f"{_HERE}.history:history", "How runs went, side by side."),
    "ngram": Command(f"{_HERE}.ngram:ngram", "Counting models: the baseline that a network is to beat."),
    "vocab": Command(f"{_HERE}.vocab:vocabulary", "A vocabulary, what it covers, and how a text is cut."),
    "cache": Command(f"{_HERE}.cache:cached", "Token ids of large texts that are kept on the disk."),
    "compress": Command(f"{_HERE}.compress:compress", "A file in as few bytes as a model's probabilities allow."),
    "decompress": Command(f"{_HERE}.decompress:decompress", "What charlm compress was given, bit for bit."),
    "export": Command(f"{_HERE}.export:export", "A model for PyTorch or ONNX."),
    "import": Command(f"{_HERE}.import_:import_", "A model from a state dict of PyTorch."),
    "info": Command(f"{_HERE}.info:info", "What a model is and how it was made."),
    "doctor": Command(f"{_HERE}.doctor:doctor", "Whether this machine computes as fast as it can."),
}


def application(loaded: Container[str] = COMMANDS) -> typer.Typer:
    """The command line.

    Args:
        loaded: names of the commands that can be run and show their options. The others stand in the list of
            commands, which takes a name and a summary: reading all their options would be half of the start.
    """
    app = typer.Typer(
        name="charlm",
        help="Recurrent language models of characters and words: train, sample and score on a CPU.",
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name, command in COMMANDS.items():
        found = _load(command) if name in loaded else _only_listed
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, short_help=command.summary)
        else:
            app.command(name, short_help=command.summary)(found)
    return app


def group(help_: str) -> typer.Typer:
    """A command that has subcommands."""
    return typer.Typer(help=help_, rich_markup_mode=None)


def _load(command: Command) -> Callable[..., Any] | typer.Typer:
    module, name = command.function.split(":")
    found: Callable[..., Any] | typer.Typer = getattr(import_module(module), name)
    return found


def _only_listed() -> None:
    """Stand in for a command that is not the one asked for."""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"charlm {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    del version
