"""The commands, and what becomes of their errors."""

import contextlib
import os
import signal
import sys
from typing import Annotated

import typer

from charlm.cli import evaluate, info, sample, score, train
from charlm.errors import CharlmError

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells count it: 128 + SIGINT."""

app = typer.Typer(
    name="charlm",
    help="Character-level recurrent language models: train, sample and score on a CPU.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command in (
    ("train", train.train),
    ("sample", sample.sample),
    ("score", score.score),
    ("eval", evaluate.evaluate),
    ("info", info.info),
):
    app.command(name)(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        import charlm  # noqa: PLC0415 - its version is all that is needed

        typer.echo(f"charlm {charlm.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    del version


def main() -> None:
    """Run the command line; every error that a user can cause becomes one message and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        # What cannot be shown in the terminal's encoding must not end the program.
        stream.reconfigure(errors="surrogateescape" if stream.encoding == "utf-8" else "backslashreplace")  # type: ignore[union-attr]
    try:
        app(standalone_mode=True)
    except CharlmError as error:
        _fail(str(error), error.exit_status)
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        _quiet_exit()
    except MemoryError:
        _fail("out of memory: try a smaller --hidden, --batch or --window", 1)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        _fail(f"the system refused{where}: {error.strerror or error}", 1)


def _fail(message: str, status: int) -> None:
    # A second Ctrl-C while the message is written must not add a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    try:
        print(f"charlm: {message}", file=sys.stderr, flush=True)
    finally:
        os._exit(status) if status == INTERRUPTED else sys.exit(status)


def _quiet_exit() -> None:
    """The reader of our output has gone, which is no error; keep Python from complaining at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)
