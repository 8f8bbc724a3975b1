"""Writing to the terminal: notes and errors to standard error, results to standard output."""

import json
import sys
from collections.abc import Mapping
from typing import Any


def note(message: str) -> None:
    """Tell the user something that is not the result."""
    print(f"charlm: {message}", file=sys.stderr, flush=True)


def result(text: str) -> None:
    """Write a line of the result."""
    sys.stdout.write(text + "\n")


def result_json(value: Mapping[str, Any]) -> None:
    """Write a line of the result as JSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True, allow_nan=False) + "\n")


def write_bytes(data: bytes) -> None:
    """Write a piece of the result at once, byte for byte."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def visible(token: str) -> str:
    r"""A token with white space and control characters made visible: "\n", " " in quotes."""
    return json.dumps(token, ensure_ascii=False)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: 1 line, 1,226 lines."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
