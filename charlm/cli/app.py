"""Running the command line, and what becomes of its errors."""

import contextlib
import os
import signal
import sys
from collections.abc import Collection
from contextvars import copy_context
from io import TextIOWrapper
from typing import Any, TextIO

import typer

from charlm.cli import ENDINGS, INTERRUPTED
from charlm.cli.commands import COMMANDS, application
from charlm.cli.console import ReaderGoneError, Stopped, flush, note
from charlm.errors import CharlmError, OutputError, UsageError

COMPLETING = "_CHARLM_COMPLETE"
"""What a shell sets in the environment to have a line completed, as typer has it."""


def run() -> None:
    """Run the command line; every error that a user can cause becomes one message and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        # What cannot be shown in the terminal's encoding must not end the program.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="surrogateescape" if stream.encoding == "utf-8" else "backslashreplace")
    message, status = outcome(sys.argv[1:] or ["--help"])
    # From here on a signal could only spoil the message.
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    if message:
        note(message)
    _let_go(sys.stdout)
    _let_go(sys.stderr)
    sys.exit(status)


def outcome(arguments: list[str]) -> tuple[str, int]:  # noqa: PLR0911 - one for each way to end
    """Run the command: what is left to say, and the exit status."""
    try:
        # In a context of its own, so that settings of NumPy's that a command changes end with it.
        command = application(_asked_for(arguments))
        status = copy_context().run(command, arguments, prog_name="charlm", standalone_mode=False)
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


def _asked_for(arguments: list[str]) -> Collection[str]:
    """The commands to load: the one that is named; all where a shell asks how a line may go on."""
    if COMPLETING in os.environ:
        return COMMANDS
    return [argument for argument in arguments if not argument.startswith("-")][:1]


def _misused(error: Any, first: str) -> str:
    command = f"charlm {first}" if first in COMMANDS else "charlm"
    if getattr(error, "ctx", None):
        # The subcommand too; where a value is missing there is no context.
        command = error.ctx.command_path
    return f"{error.format_message().rstrip('.')}. {command} --help shows what there is"


def _let_go(stream: TextIO) -> None:
    """Keep Python from complaining at exit of output that nobody can take any more."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
