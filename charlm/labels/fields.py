r"""Rows of named fields as they come, such as pairs of sentences: from a table with tabs, or from JSON lines.

A table has as many columns in every line as in its first. Where that line holds the names of the fields it is a head,
and says in which columns they stand; otherwise they stand in the order in which they are asked for. A file is JSON
lines if its name ends in .jsonl, .ndjson or .json, a table if it ends in .tsv, and otherwise JSON lines if its first
line begins with a brace. Empty lines are left out.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain

from charlm.errors import InputError
from charlm.labels.records import JSON, form_by_name, json_object, looks_like_json, string_field
from charlm.labels.rows import place
from charlm.text.inputs import lines_of
from charlm.text.reading import Source, TextReader


@dataclass(frozen=True)
class Wanted:
    """Which fields to read.

    Attributes:
        fields: that every row has.
        group: another one; None for none.
        demanded: whether every row must have that, too.
        option: what tells the name of the group, for messages.
    """

    fields: tuple[str, ...]
    group: str | None = None
    demanded: bool = False
    option: str = "--group"

    @property
    def names(self) -> str:
        """The fields, in words."""
        return " and ".join(self.fields)


@dataclass(frozen=True)
class Row:
    """A row of a file.

    Attributes:
        where: its file and line, as messages call them.
        values: of the fields, in the order in which they were asked for.
        group: value of the group's field; None where the row has none.
    """

    where: str
    values: tuple[str, ...]
    group: str | None = None


def read_rows(source: Source, encoding: str, wanted: Wanted) -> Iterator[Row]:
    """Read the rows of a file one after another.

    Raises:
        InputError: it cannot be read or decoded, or a line is not of the file's form.
    """
    with closing(TextReader(source, encoding)) as reader:
        numbered = ((number, line) for number, line in enumerate(lines_of(reader, "\n"), 1) if line)
        first = next(numbered, None)
        if first is None:
            return
        lines = ((place(source.name, number), line) for number, line in chain([first], numbered))
        form = form_by_name(source) or (JSON if looks_like_json(first[1]) else None)
        yield from _json_rows(lines, wanted) if form == JSON else _table_rows(lines, wanted)


def _json_rows(lines: Iterator[tuple[str, str]], wanted: Wanted) -> Iterator[Row]:
    for where, line in lines:
        if not line.strip():
            continue
        record = json_object(where, line, wanted.names)
        values = tuple(string_field(where, record, each, f"a row needs {wanted.names}") for each in wanted.fields)
        group = None
        if wanted.group is not None and (wanted.demanded or wanted.group in record):
            group = string_field(where, record, wanted.group, f"name another with {wanted.option}")
        yield Row(where, values, group)


def _table_rows(lines: Iterator[tuple[str, str]], wanted: Wanted) -> Iterator[Row]:
    where, line = next(lines)
    first = line.split("\t")
    if set(wanted.fields) <= set(first):
        columns = [first.index(each) for each in wanted.fields]
        group = first.index(wanted.group) if wanted.group in first else None
        if group is None and wanted.demanded:
            raise InputError(f"{where}: the head names no column {wanted.group!r}; name another with {wanted.option}")
    else:
        columns = list(range(len(wanted.fields)))
        group = len(columns) if _has_group(where, first, wanted) else None
        lines = chain([(where, line)], lines)
    for each, text in lines:
        cells = text.split("\t")
        if len(cells) != len(first):
            raise InputError(
                f"{each}: {_counted(cells)}, while {where} has {len(first)}: every line needs as many, with a tab "
                "between them"
            )
        yield Row(each, tuple(cells[column] for column in columns), None if group is None else cells[group])


def _has_group(where: str, cells: Sequence[str], wanted: Wanted) -> bool:
    """Whether lines without a head hold a group, as the first of them shows.

    Raises:
        InputError: they have fewer columns than there must be, or more than can be told apart.
    """
    least = len(wanted.fields) + wanted.demanded
    most = len(wanted.fields) + (wanted.group is not None)
    if not least <= len(cells) <= most:
        more = f" and {'the group' if wanted.demanded else 'perhaps a group'}" if wanted.group is not None else ""
        raise InputError(
            f"{where}: {_counted(cells)}: a line needs {wanted.names}{more}, with a tab between them; or a first line "
            "that names the columns"
        )
    return len(cells) > len(wanted.fields)


def _counted(cells: Sequence[str]) -> str:
    return f"{len(cells)} field{'s' * (len(cells) > 1)}"
