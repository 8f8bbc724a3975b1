"""Labelled texts for classification: tables and JSON lines, whose forms `forms` describes, or a folder a label.

In a folder with a folder a label, each file somewhere below that is an example, or each of its lines.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from charlm.errors import InputError
from charlm.labels.forms import USUAL_FIELDS, Fields, Form, JsonLines, Lines, Row, Table
from charlm.labels.records import JSON, form_by_name, looks_like_json
from charlm.labels.rows import WHOLE, Coded, Coder, Origins, OriginsSoFar, place
from charlm.text.corpus import joint_digest
from charlm.text.inputs import lines_of
from charlm.text.reading import Source, TextReader, is_folder
from charlm.text.sources import Texts


@dataclass(frozen=True, eq=False, repr=False)
class Examples:
    """Texts with their labels.

    Attributes:
        name: What messages call all of them.
        digest: SHA-256 in hex of what was read; of the digests of its files where there are several.
        texts: Each of them; none is blank.
        labels: [texts].
        origins: Of the texts.
        skipped: Files that were left out, because they stand beside the folders of labels.
    """

    name: str
    digest: str
    texts: tuple[str, ...]
    labels: Coded
    origins: Origins
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    def where(self, example: int) -> str:
        """What a message calls the place of an example."""
        return self.origins.where(example)

    def part(self, chosen: NDArray[np.bool_]) -> "Examples":
        """The examples that are chosen, bool [texts]."""
        return Examples(
            name=self.name,
            digest=self.digest,
            texts=tuple(text for text, goes in zip(self.texts, chosen.tolist(), strict=True) if goes),
            labels=self.labels.part(chosen),
            origins=self.origins.part(chosen),
            skipped=self.skipped,
        )


def read_examples(
    texts: Texts,
    encoding: str = "utf-8",
    *,
    fields: Fields = USUAL_FIELDS,
    each_line: bool = False,
) -> Examples:
    """Read labelled texts, each file in the form that its name or its beginning shows.

    Args:
        texts: The files.
        encoding: That they are in.
        fields: Of a JSON object or in a table's head.
        each_line: Whether each line of a file in a label's folder is an example, instead of the file.

    Raises:
        InputError: A file cannot be read or decoded, a line is not of its file's form, a label or text is blank, a
            label's folder holds no text, or there is no example at all.
    """
    kept, skipped = _sort_out(texts)
    reading = _Reading(fields, each_line)
    digests = []
    for source, label in zip(texts.progress.read(tuple(kept)), kept.values(), strict=True):
        with closing(TextReader(source, encoding)) as reader:
            reading.read(source, lines_of(reader, "\n"), label)
        digests.append(reader.digest)
    return reading.examples(texts.name, joint_digest(digests), skipped)


def _sort_out(texts: Texts) -> tuple[dict[Source, str | None], tuple[str, ...]]:
    """What to read, each with its folder's label, None where the text holds labels; and the names of what not to read.

    Raises:
        InputError: A label's folder holds no text.
    """
    folders = [Path(name) for name in texts.given if is_folder(Path(name))]
    kept: dict[Source, str | None] = {}
    skipped = []
    for source in texts.sources:
        inside = inside_of(source, folders)
        if inside is None or form_by_name(source):
            kept[source] = None
        elif inside.parent != Path():
            kept[source] = inside.parts[0]
        else:
            skipped.append(source)
    labels = {label for label in kept.values() if label is not None}
    if not labels:  # without folders of labels the files are what holds them
        return dict.fromkeys(texts.sources), ()
    _check_folders(folders, labels)
    return kept, tuple(source.name for source in skipped)


def inside_of(source: Source, folders: list[Path]) -> Path | None:
    """A source's path below the one of these folders that it lies in."""
    path = source.path
    return next((path.relative_to(each) for each in folders if path and path.is_relative_to(each)), None)


def _check_folders(folders: list[Path], labels: set[str]) -> None:
    for folder in folders:
        for entry in sorted(folder.iterdir()):
            if is_folder(entry) and not entry.name.startswith(".") and entry.name not in labels:
                raise InputError(
                    f"{entry} holds no text, so that the label {entry.name!r} has no example: put texts into it, "
                    "or take the folder away"
                )


class _Reading:
    """What was read so far."""

    def __init__(self, fields: Fields, each_line: bool) -> None:
        self._fields = fields
        self._each_line = each_line
        self._texts: list[str] = []
        self._labels = Coder()
        self._origins = OriginsSoFar()

    def read(self, source: Source, lines: Iterator[str], label: str | None) -> None:
        """Add a file; `label` is that of its folder."""
        name = source.name
        self._origins.enter(name)
        for line, own, text in self._rows(source, lines, label):
            for what, value in (("label", own), ("text", text)):
                if not value.strip():
                    raise InputError(f"{name if line == WHOLE else place(name, line)}: the {what} is empty")
            self._texts.append(text)
            self._labels.append(own.strip())
            self._origins.append(line)

    def _rows(self, source: Source, lines: Iterator[str], label: str | None) -> Iterator[Row]:
        if label is not None and not self._each_line:
            return iter([Row(WHOLE, label, "\n".join(lines).strip("\n"))])
        numbered: Iterator[tuple[int, str]] = filter(lambda row: row[1].strip(), enumerate(lines, 1))
        first = next(numbered, None)
        if first is None:
            return iter([])
        form = self._form(source, first[1]) if label is None else Lines(label)
        rows = (form.row(number, line) for number, line in chain([first], numbered))
        return (row for row in rows if row is not None)

    def _form(self, source: Source, first: str) -> Form:
        if (form_by_name(source) or (JSON if looks_like_json(first) else None)) == JSON:
            return JsonLines(source.name, self._fields, labelled=True)
        return Table(source.name, self._fields, labelled=True)

    def examples(self, name: str, digest: str, skipped: tuple[str, ...]) -> Examples:
        """All that was read."""
        if not self._texts:
            raise InputError(f"{name} holds no text: name a file with a label, a tab and a text a line")
        return Examples(
            name=name,
            digest=digest,
            texts=tuple(self._texts),
            labels=self._labels.coded(),
            origins=self._origins.origins(),
            skipped=skipped,
        )
