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
    from charlm.text.reading import Source
    from charlm.text.sources import Texts


def note_file(text: str, meant: str) -> None:
    """Say of a text that is the name of a file how it is taken."""
    with suppress(OSError, ValueError):
        if "." in text and Path(text).is_file():
            note(f"{text} {meant}")


STANDARD_INPUT = "-"
TERMINAL = "- stands for standard input, which is a terminal here: send a text through a pipe"
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

    if STANDARD_INPUT in given and sys.stdin.isatty():
        raise UsageError(TERMINAL)
    texts = sources.find_texts(given, encoding=encoding, standard_input=lambda: sys.stdin.buffer)
    if texts.skipped:
        names = ", ".join(texts.skipped[:SHOWN]) + (", ..." if len(texts.skipped) > SHOWN else "")
        note(f"{texts.name}: {counted(len(texts.skipped), 'file')} left out, binary or empty: {names}")
    return texts


def source_of(file: Path | None) -> "Source":
    """The source that an option names: a file, or standard input, for which "-" stands as no name at all does.

    Raises:
        UsageError: "-" is given, and standard input is a terminal.
    """
    from charlm.text.reading import Source, file_source  # noqa: PLC0415 - NumPy is loaded only when it is used

    if file is not None and str(file) != STANDARD_INPUT:
        return file_source(file)
    if file is not None and sys.stdin.isatty():
        raise UsageError(TERMINAL)
    return Source(name_of(file), lambda: sys.stdin.buffer)


def name_of(file: Path | None) -> str:
    """What messages call that source."""
    return "standard input" if file is None or str(file) == STANDARD_INPUT else str(file)


def note_unknown(*prompts: "Prompt") -> None:
    """Say which tokens of some prompts the model has never seen."""
    unknown = list(dict.fromkeys(token for prompt in prompts for token in prompt.unknown))
    if unknown:
        shown = ", ".join(map(visible, unknown[:SHOWN_UNKNOWN]))
        more = ", ..." if len(unknown) > SHOWN_UNKNOWN else ""
        note(f"the model does not know {shown}{more}: read as <UNK>")
