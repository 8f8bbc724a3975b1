"""Lines of tables and of JSON: which of the two a file has, and the fields of an object."""

import json
from pathlib import Path
from typing import Any

from charlm.errors import InputError
from charlm.text.reading import COMPRESSIONS, Source

TABLE, JSON = "table", "JSON"
"""The forms."""
_FORMS = {".tsv": TABLE, ".jsonl": JSON, ".ndjson": JSON, ".json": JSON}


def form_by_name(source: Source) -> str | None:
    """The form that a file's name shows; None if it shows none."""
    path = Path(source.name)
    return _FORMS.get(Path(path.stem if path.suffix.lower() in COMPRESSIONS else path).suffix.lower())


def looks_like_json(line: str) -> bool:
    """Whether a file that begins with this line holds objects."""
    return line.lstrip().startswith("{")


def json_object(where: str, line: str, needed: str) -> dict[str, Any]:
    """The object that a line holds.

    Args:
        where: what a message calls the line.
        line: the text.
        needed: what the object must have, in words.

    Raises:
        InputError: It is not valid JSON, or no object.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        why = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise InputError(f"{where} is not valid JSON: {why}; each line needs an object of its own") from None
    if not isinstance(record, dict):
        raise InputError(f"{where} is {kind_of(record)}: each line needs an object with {needed}")
    return record


def string_field(where: str, record: dict[str, Any], field: str, advice: str) -> str:
    """A field of a JSON object.

    Args:
        where: what a message calls its place.
        record: the object.
        field: its name.
        advice: what to do where the object has none.

    Raises:
        InputError: It is missing, or no string.
    """
    if field not in record:
        there = ", ".join(map(repr, record)) or "nothing"
        raise InputError(f"{where}: the object has no field {field!r}, but {there}; {advice}")
    value = record[field]
    if not isinstance(value, str):
        raise InputError(f"{where}: the field {field!r} is {kind_of(value)}, and must be a string")
    return value


def kind_of(value: object) -> str:
    """What a JSON value is."""
    kinds = {dict: "an object", list: "a list", bool: "a truth value", type(None): "null", str: "a string"}
    return kinds.get(type(value), "a number")
