"""What the tokens of a text are, and how many of them vocabularies of several sizes cover."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charlm.text.checks import check_lines
from charlm.text.indexing import index_texts
from charlm.text.labelled import LabelReader, by_count
from charlm.text.level import Indexer
from charlm.text.lines import labels_kept
from charlm.text.parts import count_types
from charlm.text.sources import Texts
from charlm.text.splitting import take_all
from charlm.text.store import Ids
from charlm.text.tokenizer import Tokenizer, check_options, find_level
from charlm.text.vocabulary import EOS, UNK, Vocabulary

SIZES = tuple(step * 10**power for power in range(2, 7) for step in (1, 2, 5))
LEAST_COUNTS = (2, 3, 5, 10)
BEGINNING = 30
"""How many tokens of the beginning are kept."""


@dataclass(frozen=True)
class Coverage:
    """A limit on a vocabulary, and what it leaves.

    Attributes:
        option: the limit as an option of ``charlm train``.
        size: tokens in the vocabulary, <EOS> and <UNK> included.
        unknown: how many of the text's tokens become <UNK>.
    """

    option: str
    size: int
    unknown: int


@dataclass(frozen=True, eq=False)
class Census:
    """The tokens of a text.

    Attributes:
        level: What a token is.
        unit: What ends in <EOS>.
        vocabulary: Of the whole text, under the limits that were asked for.
        tokens: How many tokens the text has.
        types: How many of them are distinct, <EOS> and <UNK> not counted.
        coverage: What other limits would leave.
        beginning: Its first tokens, as text.
        labels: Where lines have labels, each with the number of lines that have it, the most frequent first.
    """

    level: str
    unit: str
    vocabulary: Vocabulary
    tokens: int
    types: int
    coverage: tuple[Coverage, ...]
    beginning: str
    labels: tuple[tuple[str, int], ...] = ()

    @property
    def unknown(self) -> int:
        """How many of the tokens are <UNK>."""
        return 0 if self.vocabulary.raw else int(self.vocabulary.counts[UNK])


def take_census(
    texts: Texts,
    *,
    level: str,
    unit: str | None,
    lowercase: bool = False,
    encoding: str = "utf-8",
    min_count: int = 1,
    max_vocab: int | None = None,
    labels: bool = False,
) -> Census:
    """Count the tokens of texts, all of them; with `labels` those behind the label of each line.

    Raises:
        InputError: a text cannot be read or decoded, or there is none.
        OutputError: there is no space for temporary files.
        UsageError: an option is out of its range or does not go with another.
    """
    unit = check_options(level, unit, lowercase)
    check_lines(unit, None, labels=labels)
    indexer = find_level(level).indexer(unit, lowercase)
    reader = LabelReader() if labels else None
    ids, counts, of_lines = _count(indexer, texts, encoding, reader)
    vocabulary = indexer.vocabulary(counts, min_count, max_vocab)
    everything = Tokenizer(level, unit, indexer.vocabulary(counts, 1, None), lowercase)
    ordinary = -np.sort(-np.delete(counts, EOS if vocabulary.raw else (EOS, UNK)))
    ordinary = ordinary[ordinary > 0]
    return Census(
        level=level,
        unit=unit,
        vocabulary=vocabulary,
        tokens=int(counts.sum()),
        types=len(ordinary),
        coverage=() if vocabulary.raw else tuple(_coverage(ordinary, int(counts[UNK]))),
        beginning=everything.decode(indexer.final_ids(everything.vocabulary)[ids[:BEGINNING]]),
        labels=() if reader is None or of_lines is None else _label_counts(ids, indexer, reader.names, of_lines),
    )


def _label_counts(ids: Ids, indexer: Indexer, names: Sequence[str], of_lines: Ids) -> tuple[tuple[str, int], ...]:
    counts = np.bincount(labels_kept(ids, indexer.facts(), of_lines), minlength=len(names))
    return tuple((names[label], int(counts[label])) for label in by_count(names, counts))


def count_known(
    texts: Texts, tokenizer: Tokenizer, encoding: str, labels: Sequence[str] | None = None
) -> tuple[NDArray[np.int64], list[tuple[str, int]]]:
    """Count the tokens of texts under a vocabulary; with `labels` those behind the label of each line.

    Returns:
        How often each of its tokens occurs, int64 [size], and the tokens that it lacks with their counts, the most
        frequent first.

    Raises:
        InputError: a text cannot be read or decoded, or there is none.
        OutputError: there is no space for temporary files.
    """
    indexer = find_level(tokenizer.level).indexer(tokenizer.unit, tokenizer.lowercase)
    _, counts, _ = _count(indexer, texts, encoding, None if labels is None else LabelReader(labels))
    known = np.bincount(indexer.final_ids(tokenizer.vocabulary), counts, len(tokenizer)).astype(np.int64)
    if not tokenizer.has_unknown:
        return known, []
    found = indexer.vocabulary(counts, 1, None)
    tokens = found.ordinary_tokens()
    strange = np.flatnonzero(tokenizer.vocabulary.ids_of(tokens) == UNK).tolist()
    return known, [(tokens[i], int(found.counts[i + 2])) for i in strange]


def _count(
    indexer: Indexer, texts: Texts, encoding: str, labels: LabelReader | None
) -> tuple[Ids, NDArray[np.int64], Ids | None]:
    """Provisional ids of all of the texts, how often each type occurs in them, int64 [types], and labels of lines."""
    ids, _, of_lines = index_texts(indexer, texts, encoding, labels)
    facts = indexer.facts()
    return ids, count_types(take_all(ids, facts, independent_lines=False), facts)[0], of_lines


def _coverage(counts: NDArray[np.int64], unknown: int) -> list[Coverage]:
    """What limits leave of types that occur so often, in falling order, besides tokens that are <UNK> anyway."""
    covered = np.concatenate(([0], np.cumsum(counts)))
    total = int(covered[-1]) + unknown
    sizes = [(f"--max-vocab {size}", size - 2) for size in SIZES if size - 2 < len(counts)]
    least = [(f"--min-count {count}", int((counts >= count).sum())) for count in LEAST_COUNTS]
    kept = [*sizes, *((option, types) for option, types in least if types < len(counts))]
    return [Coverage(option, types + 2, total - int(covered[types])) for option, types in kept]
