"""The texts that a command is given."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from charlm.cli.console import counted, note, visible
from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.samples import Prompt
    from charlm.text.sources import Texts


def note_file(text: str, meant: str) -> None:
    """Say of a text that is the name of a file how it is taken."""
    with suppress(OSError, ValueError):
        if "." in text and Path(text).is_file():
            note(f"{text} {meant}")


SHOWN = 3
"""Names of files left out that are shown."""
SHOWN_UNKNOWN = 10
"""Tokens of a prompt likewise."""


def find_texts(given: Sequence[str], encoding: str | None) -> "Texts":
    """The texts named on the command line; what is left out of a folder is said.

    Args:
        given: paths, folders, patterns, or "-".
        encoding: of the texts; None where their bytes are read.

    Raises:
        InputError: one of them is not there, or holds no text.
        UsageError: standard input is asked for, and is a terminal.
    """
    from charlm.text import sources  # noqa: PLC0415 - NumPy is loaded only when it is used

    if "-" in given and sys.stdin.isatty():
        raise UsageError("- stands for standard input, which is a terminal here: send a text through a pipe")
    texts = sources.find_texts(given, encoding=encoding, standard_input=lambda: sys.stdin.buffer)
    if texts.skipped:
        names = ", ".join(texts.skipped[:SHOWN]) + (", ..." if len(texts.skipped) > SHOWN else "")
        note(f"{texts.name}: {counted(len(texts.skipped), 'file')} left out, binary or empty: {names}")
    return texts


def note_unknown(*prompts: "Prompt") -> None:
    """Say which tokens of some prompts the model has never seen."""
    unknown = list(dict.fromkeys(token for prompt in prompts for token in prompt.unknown))
    if unknown:
        shown = ", ".join(map(visible, unknown[:SHOWN_UNKNOWN]))
        more = ", ..." if len(unknown) > SHOWN_UNKNOWN else ""
        note(f"the model does not know {shown}{more}: read as <UNK>")
