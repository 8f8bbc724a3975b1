"""Texts without labels, as they come: plain lines, whole files, or the texts of tables and JSON lines.

Nothing is held but what one block of a file brings, so that files may be larger than memory, and what a pipe has
brought is there at once.
"""

from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from charlm.labels.forms import USUAL_FIELDS, Fields, Form, JsonLines, Lines, Table, is_head
from charlm.labels.records import JSON, TABLE, form_by_name, looks_like_json
from charlm.labels.rows import WHOLE
from charlm.text.inputs import line_groups
from charlm.text.reading import Source, TextReader, is_folder
from charlm.text.sources import Texts


class Found(NamedTuple):
    """A text and where it stood.

    Attributes:
        text: The text.
        source: Name of the file.
        line: Counted from 1; `rows.WHOLE` where the text is all that the file holds.
    """

    text: str
    source: str
    line: int


def read_texts(
    texts: Texts,
    encoding: str = "utf-8",
    *,
    fields: Fields = USUAL_FIELDS,
    each_line: bool = False,
    labels: Collection[str] = (),
) -> Iterator[list[Found]]:
    """The texts of files, as many at a time as have come.

    A file whose name or whose first line shows a table or JSON lines is read as such, labels or not; of any other
    file each line is a text, also one that is empty, and each file of a folder is one.

    Args:
        texts: The files.
        encoding: That they are in.
        fields: Of a JSON object or in a table's head.
        each_line: Whether each line of a file in a folder is a text, instead of the file.
        labels: Those that are known: a first line that has one of them before a tab is of a table.

    Raises:
        InputError: A file cannot be read or decoded, or a line is not of its file's form.
    """
    folders = [Path(name) for name in texts.given if is_folder(Path(name))]
    for source in texts.sources:
        whole = not each_line and any(source.path and source.path.is_relative_to(each) for each in folders)
        with closing(TextReader(source, encoding)) as reader:
            if whole and not form_by_name(source):
                yield [Found("".join(reader).strip("\n"), source.name, WHOLE)]
            else:
                yield from _by_line(source, line_groups(reader, "\n"), fields, labels)


def _by_line(
    source: Source, groups: Iterator[list[str]], fields: Fields, labels: Collection[str]
) -> Iterator[list[Found]]:
    form: Form | None = None
    held: list[tuple[int, str]] = []  # blank lines before the first that shows the form
    number = 0
    for group in groups:
        found: list[Found] = []
        for number, line in enumerate(group, number + 1):  # noqa: B020 - goes on counting
            held.append((number, line))
            if form is None and line.strip():
                form = _form(source, line, fields, labels)
            if form is not None:
                found += _found(source, form, held)
                held.clear()
        yield found
    yield _found(source, form or Lines(), held)


def _found(source: Source, form: Form, numbered: list[tuple[int, str]]) -> list[Found]:
    rows = (form.row(number, line) for number, line in numbered)
    return [Found(row.text, source.name, row.line) for row in rows if row is not None]


def _form(source: Source, first: str, fields: Fields, labels: Collection[str]) -> Form:
    form = form_by_name(source)
    cells = first.split("\t")
    if form == JSON or (form is None and looks_like_json(first)):
        return JsonLines(source.name, fields, labelled=False)
    if form == TABLE or (len(cells) > 1 and (cells[0].strip() in labels or is_head(cells, fields, labelled=True))):
        return Table(source.name, fields, labelled=False)
    return Lines()
