r"""CoNLL column files: a token a line, a blank line between sentences.

The first column is the word, the last its label. Columns stand apart by tabs where a line has one, and by spaces
elsewhere; several in a row count as one. So words may hold spaces in files with tabs. All lines of a file have the same
number of columns. Left out are:

-   lines whose first column is ``-DOCSTART-``, which CoNLL-2003 puts before each document; they end a sentence, too;
-   comments, as CoNLL-U has them: lines that begin with ``#`` and a space, or hold nothing else, before the first
    token of a sentence. A line that has as many columns as the tokens have is a token, since "#" is a word as well.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.errors import InputError
from charlm.labels.rows import Coded, Coder, Origins, OriginsSoFar, place
from charlm.text.corpus import joint_digest
from charlm.text.inputs import lines_of
from charlm.text.reading import TextReader
from charlm.text.sources import Texts

DOCUMENT = "-DOCSTART-"
_SPACES = " \t"
_COMMENT = re.compile(r"#( |$)")


@dataclass(frozen=True, eq=False, repr=False)
class Columns:
    """Tokens in sentences.

    Attributes:
        name: What messages call all of them.
        digest: SHA-256 in hex of the text; of the digests of its files where there are several.
        words: [tokens], one sentence after another.
        labels: [tokens]; None where a file has no second column.
        starts: int64 [sentences + 1], where each sentence begins among the tokens, and the end.
        origins: Of the sentences; a token stands as many lines below its sentence's first as tokens are between.
    """

    name: str
    digest: str
    words: Coded
    labels: Coded | None
    starts: NDArray[np.int64]
    origins: Origins

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each sentence, int64 [sentences]; never 0."""
        return np.diff(self.starts)

    def where(self, token: int) -> str:
        """What a message calls the place of a token."""
        sentence = int(np.searchsorted(self.starts, token, side="right")) - 1
        return self.origins.where(sentence, token - int(self.starts[sentence]))

    def part(self, chosen: NDArray[np.bool_]) -> "Columns":
        """The sentences that are chosen, bool [sentences]."""
        tokens = np.repeat(chosen, self.lengths)
        starts = np.append(0, np.cumsum(self.lengths[chosen]))
        labels = None if self.labels is None else self.labels.part(tokens)
        return Columns(self.name, self.digest, self.words.part(tokens), labels, starts, self.origins.part(chosen))


def read_columns(texts: Texts, encoding: str = "utf-8", *, labelled: bool = True) -> Columns:
    """Read column files one after another; the end of each ends a sentence.

    Args:
        texts: The files.
        encoding: That they are in.
        labelled: Whether they must have labels. If not, all may have one column, of words only.

    Raises:
        InputError: One cannot be read or decoded, a line has not as many columns as those before it, words stand
            alone although labels are needed, or there is no token at all.
    """
    reading = _Reading(labelled)
    digests = []
    for source in texts.progress.read(texts.sources):
        with closing(TextReader(source, encoding)) as reader:
            reading.read(source.name, lines_of(reader, "\n"))
        digests.append(reader.digest)
    return reading.columns(texts.name, joint_digest(digests))


def sentence_text(*columns: Sequence[str]) -> str:
    r"""A sentence as a column file has it: a line a token, tabs between its columns, and a blank line at the end.

    Args:
        columns: Each with an entry a token, which holds no tab and no line break.
    """
    return "".join("\t".join(row) + "\n" for row in zip(*columns, strict=True)) + "\n"


class _Reading:
    """What was read so far."""

    def __init__(self, labelled: bool) -> None:
        self._labelled = labelled
        self._unlabelled = False
        self._words, self._labels = Coder(), Coder()
        self._starts = array("q", [0])
        self._origins = OriginsSoFar()

    def read(self, name: str, lines: Iterator[str]) -> None:
        """Add a file."""
        self._origins.enter(name)
        for tokens in read_sentences(name, lines):
            self._add(name, tokens)

    def _add(self, name: str, tokens: list["Token"]) -> None:
        """Add a sentence of a file."""
        for token in tokens:
            self._words.append(token.cells[0])
            self._labels.append(token.cells[-1])
        first = tokens[0]
        if len(first.cells) == 1:
            self._unlabelled = True
            if self._labelled:
                raise InputError(
                    f"{place(name, first.line)}: {first.cells[0]!r} stands alone; each line needs a word and its "
                    "label, with a tab or spaces between them"
                )
        self._origins.append(first.line)
        self._starts.append(self._starts[-1] + len(tokens))

    def columns(self, name: str, digest: str) -> Columns:
        """All that was read."""
        if not len(self._origins):
            raise InputError(f"{name} holds no token: name a file with a word and its label a line")
        return Columns(
            name=name,
            digest=digest,
            words=self._words.coded(),
            labels=None if self._unlabelled else self._labels.coded(),
            starts=np.array(self._starts, np.int64),
            origins=self._origins.origins(),
        )


class Token(NamedTuple):
    """A line of a file, its number and what its columns hold."""

    line: int
    cells: list[str]


def read_sentences(name: str, lines: Iterator[str]) -> Iterator[list[Token]]:
    """The sentences of a file, each as soon as the line behind it has come; none is empty.

    Args:
        name: What messages call the file.
        lines: Its lines.

    Raises:
        InputError: While iterating, a line has not as many columns as those before it.
    """
    first: Token | None = None
    for block in _blocks(lines):
        tokens = _tokens(block, first)
        if not tokens:
            continue
        first = first or tokens[0]
        for token in tokens:
            if len(token.cells) != len(first.cells):
                raise InputError(
                    f"{place(name, token.line)} has {_number(token.cells)}, and line {first.line} has "
                    f"{len(first.cells)}: all lines of a file need the same number, the word first and the label last"
                )
        yield tokens


def _blocks(lines: Iterator[str]) -> Iterator[list[tuple[int, str]]]:
    """What stands between blank lines, or those that begin a document: lines with their numbers."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        stripped = line.strip(_SPACES)
        if stripped and not (stripped.startswith(DOCUMENT) and _cells(stripped)[0] == DOCUMENT):
            block.append((number, stripped))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _tokens(block: list[tuple[int, str]], first: Token | None) -> list[Token]:
    """The tokens of a sentence, in a file with this first token, or without any so far."""
    tokens = [Token(number, _cells(line)) for number, line in block]
    comments = list(takewhile(lambda row: _COMMENT.match(row[1]), block))
    if not comments:
        return tokens
    like = [first] if first else tokens[len(comments) :]
    width = len(like[0].cells) if like else None
    return list(dropwhile(lambda token: token.line <= comments[-1][0] and len(token.cells) != width, tokens))


def _cells(line: str) -> list[str]:
    cells = [cell.strip(" ") for cell in line.split("\t")] if "\t" in line else line.split(" ")
    return list(filter(None, cells))


def _number(cells: list[str]) -> str:
    return "1 column" if len(cells) == 1 else f"{len(cells)} columns"
