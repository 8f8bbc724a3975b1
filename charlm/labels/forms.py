r"""The forms of files with labelled texts, line by line: a table with tabs, JSON lines, or plain lines.

=======  ==========================================================================================================
table    a line an example: the label, a tab, the text, which may hold more tabs. Where the first line of a file has
         the names of both fields between tabs it is a head, and says in which columns they stand
JSON     a line an example: an object with a field for the label and one for the text
lines    a line a text, all with one label, or with none
=======  ==========================================================================================================

A file is JSON lines if its name ends in .jsonl, .ndjson or .json, a table if it ends in .tsv, and otherwise JSON lines
if its first line that is not blank begins with a brace. Blank lines are left out of tables and JSON.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from charlm.errors import InputError
from charlm.labels.rows import place
from charlm.text.reading import COMPRESSIONS, Source

TABLE, JSON = "table", "JSON"
_FORMS = {".tsv": TABLE, ".jsonl": JSON, ".ndjson": JSON, ".json": JSON}


def form_by_name(source: Source) -> str | None:
    """The form that a file's name shows, None if it shows none."""
    path = Path(source.name)
    return _FORMS.get(Path(path.stem if path.suffix.lower() in COMPRESSIONS else path).suffix.lower())


@dataclass(frozen=True)
class Fields:
    """What the fields of an example are called, in JSON and in a table's head."""

    label: str = "label"
    text: str = "text"


USUAL_FIELDS = Fields()


class Row(NamedTuple):
    """A text and where it stood.

    Attributes:
        line: Counted from 1; `rows.WHOLE` where it is all that a file holds.
        label: Empty where no labels are read.
        text: As it stands there.
    """

    line: int
    label: str
    text: str


class Form(ABC):
    """How the lines of a file are read, one after another."""

    @abstractmethod
    def row(self, number: int, line: str) -> Row | None:
        """What a line holds; None if it holds no text.

        Raises:
            InputError: It is not of this form; the message names file and line.
        """


class Lines(Form):
    """A line a text, with one label for all."""

    def __init__(self, label: str = "") -> None:
        self._label = label

    def row(self, number: int, line: str) -> Row:
        """The line itself, be it blank."""
        return Row(number, self._label, line)


class Table(Form):
    """Columns with tabs between them."""

    def __init__(self, name: str, fields: Fields, *, labelled: bool) -> None:
        self._name = name
        self._fields = fields
        self._labelled = labelled
        self._head: list[str] | None = None
        self._begun = False

    def row(self, number: int, line: str) -> Row | None:
        """The cells that the head says; without one, what is before the first tab and what is behind it.

        Where no labels are read, a line without a tab is a text.
        """
        if not line.strip():
            return None
        cells = line.split("\t")
        if not self._begun:
            self._begun = True
            if is_head(cells, self._fields, labelled=self._labelled):
                self._head = cells
                return None
        if self._head is not None:
            return self._by_head(number, cells, self._head)
        label, tab, text = line.partition("\t")
        if tab:
            return Row(number, label, text)
        if self._labelled:
            where = place(self._name, number)
            raise InputError(f"{where}: there is no tab; each line needs a label, a tab and a text")
        return Row(number, "", line)

    def _by_head(self, number: int, cells: list[str], head: list[str]) -> Row:
        if len(cells) != len(head):
            where = place(self._name, number)
            raise InputError(f"{where}: {len(cells)} columns, and the file's head names {len(head)}")
        label = cells[head.index(self._fields.label)] if self._labelled else ""
        return Row(number, label, cells[head.index(self._fields.text)])


def is_head(cells: Collection[str], fields: Fields, *, labelled: bool) -> bool:
    """Whether these cells of a table's first line name its columns."""
    return fields.text in cells and (not labelled or fields.label in cells)


class JsonLines(Form):
    """An object a line."""

    def __init__(self, name: str, fields: Fields, *, labelled: bool) -> None:
        self._name = name
        self._fields = fields
        self._labelled = labelled

    def row(self, number: int, line: str) -> Row | None:
        """The fields of the object."""
        if not line.strip():
            return None
        where = place(self._name, number)
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            raise InputError(f"{where} is not valid JSON: {why}; each line needs an object of its own") from None
        if not isinstance(record, dict):
            needed = "a label and a text" if self._labelled else "a text"
            raise InputError(f"{where} is {_kind(record)}: each line needs an object with {needed}")
        label = _field(where, record, self._fields.label, "--label-field") if self._labelled else ""
        return Row(number, label, _field(where, record, self._fields.text, "--text-field"))


def begins_json(line: str) -> bool:
    """Whether the first line of a file whose name shows no form says that it is JSON."""
    return line.lstrip().startswith("{")


def _field(where: str, record: dict[str, Any], field: str, option: str) -> str:
    """A field of a JSON object.

    Raises:
        InputError: It is missing, or no string.
    """
    if field not in record:
        there = ", ".join(map(repr, record)) or "nothing"
        raise InputError(f"{where}: the object has no field {field!r}, but {there}; {option} says what it is called")
    value = record[field]
    if not isinstance(value, str):
        raise InputError(f"{where}: the field {field!r} is {_kind(value)}, and must be a string")
    return value


def _kind(value: object) -> str:
    """What a JSON value is."""
    kinds = {dict: "an object", list: "a list", bool: "a truth value", type(None): "null", str: "a string"}
    return kinds.get(type(value), "a number")
