"""Writing to the terminal: notes and errors to standard error, results to standard output."""

import contextlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from charlm.errors import NOT_FINITE, ModelError, OutputError

SHOWN_CHARACTERS = 2_000
"""Longer texts are cut in tables."""
MOST_SHOWN = 4000
"""Characters of one note; the names in a file may be of any length and number."""
_COMMANDING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udc7f\udd00-\udfff]")
"""Control characters, what turns the direction of writing, and surrogates that stand for no byte of a file's name."""


class ReaderGoneError(Exception):
    """The reader of the results has closed the pipe: there is nothing left to do, and nothing wrong."""


class Stopped(Exception):  # noqa: N818 - it is no error
    """The user has stopped the command; its text says how to go on."""


def note(message: str) -> None:
    """Tell the user something that is not the result, in one line."""
    shown = printable(message)
    aside(f"charlm: {shown if len(shown) <= MOST_SHOWN else shown[:MOST_SHOWN] + ' ...'}")


def aside(text: str) -> None:
    """Write lines to standard error; that nobody listens there stops nothing."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


@contextmanager
def _results() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as error:
        raise OutputError(
            f"cannot write to standard output: {error.strerror or error}. Free some space or send it elsewhere"
        ) from error


def result(text: str) -> None:
    """Write a line of the result.

    Raises:
        ReaderGoneError: nobody reads it.
        OutputError: it cannot be written.
    """
    with _results():
        sys.stdout.write(text + "\n")


def result_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write a line of the result as JSON; otherwise as ``result``.

    Raises:
        ModelError: a figure is not finite, which JSON has no word for.
    """
    try:
        text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    except ValueError as error:
        raise ModelError(NOT_FINITE) from error
    result(text)


def result_pieces(pieces: Iterable[str]) -> None:
    """Write a line of the result that comes in pieces; otherwise as ``result``."""
    for piece in pieces:
        with _results():
            sys.stdout.write(piece)
    result("")


def write_bytes(data: bytes) -> None:
    """Write a piece of the result at once, byte for byte; otherwise as ``result``."""
    with _results():
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def flush() -> None:
    """Write what is left of the results; otherwise as ``result``."""
    with _results():
        sys.stdout.flush()


def is_terminal() -> bool:
    """Whether a terminal shows the results."""
    return sys.stdout.isatty()


def printable(text: str) -> str:
    r"""A text with what would move a terminal's cursor, or no terminal can show, written as \uNNNN.

    Names and records in a model's file may come from anybody, and a terminal obeys what it is sent.
    """
    return _COMMANDING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def visible(token: str) -> str:
    r"""A token with white space and control characters made visible: "\n", " " in quotes."""
    return printable(json.dumps(token, ensure_ascii=False))


def shown_text(text: str) -> str:
    """A text on one line of a table: white space at its ends is made visible, and one that is too long is cut."""
    plain = bool(text) and text == text.strip() and text.isprintable()
    return shown_beginning(text[:SHOWN_CHARACTERS], len(text), plain=plain)


def shown_beginning(beginning: str, characters: int, *, plain: bool) -> str:
    """The beginning of a text of so many characters; ``plain``: the text can be shown as it is."""
    more = f" ... ({characters:,} characters)" if characters > len(beginning) else ""
    return (beginning if plain else visible(beginning)) + more


def duration(seconds: float) -> str:
    """A length of time in words: 40 s, 12 min, 3.5 h."""
    if seconds < 100:  # noqa: PLR2004 - two figures
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004 - likewise


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: 1 line, 1,226 lines."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
