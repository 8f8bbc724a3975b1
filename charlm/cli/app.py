"""The commands, and what becomes of their errors."""

import contextlib
import os
import signal
import sys
from io import TextIOWrapper
from typing import Annotated, Any, TextIO

import typer

from charlm.cli import INTERRUPTED, evaluate, explain, export, gradients, import_, info, sample, score, train, vocab
from charlm.cli import next as continuation
from charlm.cli.console import ReaderGoneError, Stopped, flush, note
from charlm.errors import CharlmError, OutputError, UsageError
from charlm.version import __version__

app = typer.Typer(
    name="charlm",
    help="Recurrent language models of characters and words: train, sample and score on a CPU.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command, summary in (
    ("train", train.train, "Train a model on a text."),
    ("sample", sample.sample, "Draw text from a model."),
    ("score", score.score, "Log-probability of texts."),
    ("next", continuation.likeliest, "Likeliest continuations of a text."),
    ("explain", explain.explain, "Every gate of a unit with the numbers put in, step by step."),
    ("eval", evaluate.evaluate, "Cost of a text under a model."),
    ("gradients", gradients.gradients, "How a prediction's gradient fades over the steps before it."),
    ("vocab", vocab.vocabulary, "A vocabulary, what it covers, and how a text is cut."),
    ("export", export.export, "A model for PyTorch or ONNX."),
    ("import", import_.import_, "A model from a state dict of PyTorch."),
    ("info", info.info, "What a model is and how it was made."),
):
    app.command(name, short_help=summary)(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"charlm {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    del version


def run() -> None:
    """Run the command line; every error that a user can cause becomes one message and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        # What cannot be shown in the terminal's encoding must not end the program.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="surrogateescape" if stream.encoding == "utf-8" else "backslashreplace")
    message, status = outcome(sys.argv[1:] or ["--help"])
    # From here on a Ctrl-C could only spoil the message.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if message:
        note(message)
    _let_go(sys.stdout)
    _let_go(sys.stderr)
    sys.exit(status)


def outcome(arguments: list[str]) -> tuple[str, int]:  # noqa: PLR0911 - one for each way to end
    """Run the command: what is left to say, and the exit status."""
    try:
        status = app(arguments, prog_name="charlm", standalone_mode=False)
        flush()
    except CharlmError as error:
        return str(error), error.exit_status
    except ReaderGoneError:
        return "", 0
    except Stopped as stopped:
        return str(stopped), INTERRUPTED
    except (KeyboardInterrupt, typer.Abort):
        return "interrupted", INTERRUPTED
    except MemoryError:
        return "out of memory: try a smaller --hidden, --batch or --window", 1
    except OSError as error:
        # Files are looked after where they are read and written; without a name it is a stream.
        if error.filename:
            return f"{error.filename} cannot be used: {error.strerror or error}", CharlmError.exit_status
        return f"cannot write to standard output: {error.strerror or error}", OutputError.exit_status
    except Exception as error:
        # What typer makes of wrong usage: the place of its class has changed with its versions.
        if not hasattr(error, "format_message"):
            raise
        return _misused(error, arguments[0]), UsageError.exit_status
    return ("interrupted" if status == INTERRUPTED else ""), status or 0


def _misused(error: Any, first: str) -> str:
    known = [command.name for command in app.registered_commands]
    command = f"charlm {first}" if first in known else "charlm"
    return f"{error.format_message().rstrip('.')}. {command} --help shows what there is"


def _let_go(stream: TextIO) -> None:
    """Keep Python from complaining at exit of output that nobody can take any more."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
