r"""N-grams in the ARPA format, which all toolkits of counting models read and write.

\data\
    ngram 1=4775

\1-grams:
-2.4200	word	-0.3010      base-10 logarithms of the probability and, below the highest order, of the backoff

\end\
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from charlm.errors import InputError
from charlm.ngram.smoothing import Real, Smoothed
from charlm.ngram.trie import Trie, find, spelt
from charlm.nn.arrays import Ids

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
DATA, END_OF_FILE = "\\data\\", "\\end\\"
NO_UNKNOWN = -100.0
LOG10 = math.log(10)
_ROWS = 1 << 14
"""Lines that are written at a time."""
_SHOWN = 40


def write_arpa(trie: Trie, smoothed: Smoothed, words: Sequence[str]) -> Iterator[str]:
    """The lines of an ARPA file, some at a time.

    Args:
        trie: the n-grams.
        smoothed: their probabilities.
        words: how each word is spelt, without white space.
    """
    orders = range(1, trie.order + 1)
    yield "\\data\\\n" + "".join(f"ngram {order}={trie.size(order)}\n" for order in orders)
    spelling = np.array(words, dtype=object)
    for order in orders:
        yield f"\n\\{order}-grams:\n"
        backoffs = smoothed.log_backoffs[order - 1] if order < trie.order else None
        for begin in range(0, trie.size(order), _ROWS):
            numbers = np.arange(begin, min(begin + _ROWS, trie.size(order)))
            texts = zip(*(spelling[column] for column in spelt(trie, order, numbers)), strict=True)
            logs = smoothed.log_probabilities[order - 1][numbers] / LOG10
            rows = [f"{log:.8g}\t{' '.join(text)}" for log, text in zip(logs.tolist(), texts, strict=True)]
            if backoffs is not None:
                behind = (backoffs[numbers] / LOG10).tolist()
                rows = [f"{row}\t{backoff:.8g}" for row, backoff in zip(rows, behind, strict=True)]
            yield "\n".join(rows) + "\n"
    yield "\n\\end\\\n"


class _Row(NamedTuple):
    """A line of a section: which, its words, and both logarithms, of base 10."""

    line: int
    words: list[str]
    log: float
    backoff: float


def read_arpa(lines: Iterable[str], name: str) -> tuple[list[str], Trie, Smoothed]:
    """Words, n-grams and probabilities of an ARPA file; </s> comes first, <unk> second and <s> last.

    Args:
        lines: of the file.
        name: for messages.

    Raises:
        InputError: it is no ARPA file, or lacks words or n-grams that others need.
    """
    sections = _sections(lines, name)
    words, logs, backoffs = _unigrams(sections[0], name)
    number = {word: index for index, word in enumerate(words)}
    keys: list[Ids] = []
    all_logs, all_backoffs = [logs], [backoffs]
    for rows in sections[1:]:
        found, logs, backoffs = _ngrams(rows, number, keys, name)
        keys.append(found)
        all_logs.append(logs)
        all_backoffs.append(backoffs)
    return words, Trie(len(words), tuple(keys)), Smoothed(tuple(all_logs), tuple(all_backoffs[:-1]), ())


def _sections(lines: Iterable[str], name: str) -> list[list[_Row]]:
    """The rows of each order."""
    sections: list[list[_Row]] = []
    sizes: list[int] = []
    line = ""
    for at, raw in enumerate(lines, 1):
        line = raw.strip()
        if line == END_OF_FILE:
            break
        if line and line != DATA:
            _take(line, at, name, sizes, sections)
    if line != END_OF_FILE:
        raise InputError(f"{name} is no whole ARPA file: it does not end in {END_OF_FILE}")
    found = list(map(len, sections))
    if found != sizes or not sizes:
        raise InputError(f"{name} says that it has {sizes} n-grams of each order, and has {found}")
    return sections


def _take(line: str, at: int, name: str, sizes: list[int], sections: list[list[_Row]]) -> None:
    """Read a line that is not blank: a size, the head of a section, or an n-gram."""
    if line.startswith("ngram ") and not sections:
        order, _, size = line[len("ngram ") :].partition("=")
        if order.strip() != str(len(sizes) + 1) or not size.strip().isdecimal():
            raise InputError(f"{name}, line {at}: {line!r} should say how many {len(sizes) + 1}-grams there are")
        sizes.append(int(size))
    elif line == f"\\{len(sections) + 1}-grams:":
        sections.append([])
    elif not sections:
        raise InputError(f"{name}, line {at}: no ARPA file begins like this: {line[:_SHOWN]!r}")
    else:
        sections[-1].append(_row(line, len(sections), name, at))


def _row(line: str, order: int, name: str, at: int) -> _Row:
    cells = line.split()
    numbers = [_number(cell) for cell in (*cells[:1], *cells[order + 1 :])]
    if len(cells) not in (order + 1, order + 2) or None in numbers:
        raise InputError(
            f"{name}, line {at}: a {order}-gram is a logarithm, {order} words and, at most, a second logarithm"
        )
    log, backoff = numbers[0] or 0.0, (numbers[1] or 0.0) if len(numbers) > 1 else 0.0
    if log > 0:
        raise InputError(f"{name}, line {at}: {cells[0]} is no logarithm of a probability")
    return _Row(at, cells[1 : order + 1], log, backoff)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _unigrams(rows: list[_Row], name: str) -> tuple[list[str], Real, Real]:
    found = {row.words[0]: (row.log, row.backoff) for row in rows}
    if len(found) < len(rows):
        raise InputError(f"{name} has a word twice")
    missing = [word for word in (START, END) if word not in found]
    if missing:
        raise InputError(f"{name} lacks {', '.join(missing)}")
    # Where it says nothing of unknown words, they get what KenLM gives them then.
    found.setdefault(UNKNOWN, (NO_UNKNOWN, 0.0))
    words = [END, UNKNOWN, *(word for word in found if word not in (START, END, UNKNOWN)), START]
    return words, *_columns([found[word] for word in words])


def _ngrams(rows: list[_Row], number: dict[str, int], below: list[Ids], name: str) -> tuple[Ids, Real, Real]:
    """Sorted keys, log-probabilities and log-backoffs of an order, given the keys of those from 2 on below it."""
    strange = next((row for row in rows if not all(word in number for word in row.words)), None)
    if strange is not None:
        raise InputError(f"{name}, line {strange.line}: {' '.join(strange.words)!r} has a word that is no 1-gram")
    order, size = len(below) + 2, len(number)
    words = np.array([[number[word] for word in row.words] for row in rows], np.int64).reshape(-1, order)
    prefixes: Ids = words[:, 0]
    for place, keys in enumerate(below, 1):
        prefixes = find(keys, prefixes * size + words[:, place])
    if (prefixes < 0).any():
        row = rows[int(np.flatnonzero(prefixes < 0)[0])]
        raise InputError(f"{name}, line {row.line}: what {' '.join(row.words)!r} begins with is no {order - 1}-gram")
    keys = prefixes * size + words[:, -1]
    by_key = np.argsort(keys, kind="stable")
    keys = keys[by_key]
    if (keys[1:] == keys[:-1]).any():
        raise InputError(f"{name} has a {order}-gram twice")
    logs, backoffs = _columns([(row.log, row.backoff) for row in rows])
    return keys, logs[by_key], backoffs[by_key]


def _columns(pairs: list[tuple[float, float]]) -> tuple[Real, Real]:
    """Both columns in nats."""
    nats = np.array(pairs, np.float64).reshape(-1, 2) * LOG10
    return nats[:, 0].copy(), nats[:, 1].copy()
