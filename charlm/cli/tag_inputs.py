"""What ``charlm tag apply`` tags: sentences on the command line, in files, and through a pipe."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from charlm.cli.console import flush
from charlm.errors import InputError, UsageError
from charlm.labelling.tags import Sentence, SentenceTagger, Tagged, cut_sentence
from charlm.labels.columns import read_sentences
from charlm.text.inputs import lines_of
from charlm.text.reading import Source, TextReader

STANDARD_INPUT = "-"
BLOCK_BYTES = 1 << 16
"""So much is read at a time: what comes together is tagged together."""
_LIKE_A_PATH = re.compile(r"\S*[/\\]\S*|\S+\.(conll\w*|iob2?|bio|tsv|txt|csv|gz|bz2|xz)", re.IGNORECASE)

Rows = list[list[str]]
"""The columns of each word of a sentence."""
Write = Callable[[Rows, Sentence, Tagged], None]


class Meant(NamedTuple):
    """What an argument means: the file of its name, or a sentence."""

    given: str
    file: str | None


def meant_by(inputs: Sequence[str]) -> list[Meant]:
    """What arguments mean: a file where there is one of the name, and a sentence elsewhere.

    Raises:
        UsageError: standard input is asked for, and nothing is sent there.
        InputError: there is no such file, and it looks like the name of one; or there is no word.
    """
    if list(inputs) == [STANDARD_INPUT] and sys.stdin.isatty():
        raise UsageError('nothing to tag: give a sentence (charlm tag apply "some text"), a file, or a pipe')
    found = []
    for given in inputs:
        is_file = given == STANDARD_INPUT or _exists(given)
        if not is_file and _LIKE_A_PATH.fullmatch(given):
            raise InputError(f"no such file: {given}")
        if not is_file and not given.strip():
            raise InputError("there is no word to tag in an empty text")
        found.append(Meant(given, given if is_file else None))
    return found


def _exists(name: str) -> bool:
    try:
        return bool(name) and Path(name).exists()
    except (OSError, ValueError):  # too long for a name, or with a NUL
        return False


def tag_source(source: Source, encoding: str, tagger: SentenceTagger, write: Write, *, plain: bool) -> None:
    """Tag what a source holds, in bounded memory, and write each sentence as soon as it is complete.

    Args:
        source: to read.
        encoding: that it is in.
        tagger: tags.
        write: is given each sentence.
        plain: whether a line is a sentence, instead of a word with its columns.

    Raises:
        InputError: it cannot be read or decoded, or its lines differ in their numbers of columns.
    """
    waiting: list[tuple[Rows, Sentence]] = []

    def answer() -> None:
        tagged = tagger.tag([sentence for _, sentence in waiting])
        for (rows, sentence), each in zip(waiting, tagged, strict=True):
            write(rows, sentence, each)
        waiting.clear()
        flush()

    with closing(TextReader(source, encoding, BLOCK_BYTES)) as reader:
        lines = lines_of(_answering_first(reader, answer), "\n")
        for each in _of_text(lines) if plain else _of_columns(source.name, lines):
            waiting.append(each)  # noqa: PERF402 - each is answered before the next block is asked for
        answer()


def _answering_first(blocks: Iterator[str], answer: Callable[[], None]) -> Iterator[str]:
    """Blocks; what has come so far is answered before another is waited for."""
    for block in blocks:
        yield block
        answer()


def _of_columns(name: str, lines: Iterator[str]) -> Iterator[tuple[Rows, Sentence]]:
    for tokens in read_sentences(name, lines):
        rows = [token.cells for token in tokens]
        yield rows, Sentence(tuple(cells[0] for cells in rows))


def _of_text(lines: Iterator[str]) -> Iterator[tuple[Rows, Sentence]]:
    for line in lines:
        if line.strip():
            sentence = cut_sentence(line)
            yield [[word] for word in sentence.words], sentence
