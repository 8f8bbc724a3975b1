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

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from charlm.errors import InputError
from charlm.labels.records import json_object, string_field
from charlm.labels.rows import place


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
        record = json_object(where, line, "a label and a text" if self._labelled else "a text")
        label = string_field(where, record, self._fields.label, _says("--label-field")) if self._labelled else ""
        return Row(number, label, string_field(where, record, self._fields.text, _says("--text-field")))


def _says(option: str) -> str:
    return f"{option} says what it is called"
