"""Labelled texts into ids: words with their spellings for a tagger, texts that are cut for a classifier."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from charlm.labelling.dataset import Dataset, Spellings
from charlm.labels.columns import Columns
from charlm.labels.examples import Examples
from charlm.labels.label_set import LabelSet
from charlm.labels.rows import Coded
from charlm.nn.arrays import Ids
from charlm.text.level import to_utf8
from charlm.text.reading import normalise
from charlm.text.tokenizer import Tokenizer, find_level
from charlm.text.vocabulary import MARK, SPECIAL_TOKENS, UNK, Vocabulary

LONGEST_SPELLING = 64
"""Characters of a word that are read; of longer ones the first half and the last."""
LONGEST_TEXT = 1 << 15
"""Tokens of a classifier's text that are read, so that memory is bounded; of longer ones likewise."""


def learn_words(
    words: Coded, *, lowercase: bool = False, min_count: int = 1, max_vocab: int | None = None
) -> Vocabulary:
    """The vocabulary of a tagger's training data.

    Raises:
        UsageError: a limit is out of range.
    """
    types, counts = _looked_up(words.types, lowercase), words.counts()
    distinct = dict.fromkeys(types)
    place = {word: index for index, word in enumerate(distinct)}
    summed = np.bincount([place[word] for word in types], counts, len(distinct)).astype(np.int64)
    return Vocabulary.from_counts(list(distinct), summed, min_count, max_vocab)


def learn_characters(words: Coded) -> Vocabulary:
    """The vocabulary of the characters that the words of training data are spelt with."""
    counts = Counter[str]()
    for word, count in zip(words.types, words.counts().tolist(), strict=True):
        for character in word if count else "":
            counts[character] += count
    return Vocabulary.from_counts(list(counts), np.array(list(counts.values()), np.int64))


def _looked_up(types: Sequence[str], lowercase: bool) -> Sequence[str]:
    return [word.lower() for word in types] if lowercase else types


@dataclass(frozen=True)
class Lookup:
    """How the words of a tagger become ids; made once, since a vocabulary may be large.

    Attributes:
        words: token -> id.
        characters: character -> id; None where spellings are not read.
        level: of the vocabulary of words.
        lowercase: whether words are looked up in lower case.
    """

    words: Mapping[str, int]
    characters: Mapping[str, int] | None
    level: str
    lowercase: bool

    @classmethod
    def of(cls, vocabulary: Vocabulary, characters: Vocabulary | None, level: str, *, lowercase: bool) -> Self:
        """Under these vocabularies."""
        return cls(vocabulary.lookup(), None if characters is None else characters.lookup(), level, lowercase)

    def word_ids(self, types: Sequence[str]) -> Ids:
        """Ids of words, [words]; <UNK> for those that the vocabulary lacks.

        The vocabulary of the word level has some words only with the mark of those that no space stands before, such
        as a comma: in columns nothing tells, and so the unmarked one goes first.
        """
        found = (self.words.get(word, UNK) for word in _looked_up(types, self.lowercase))
        ids = np.fromiter(found, np.int64, len(types))
        if self.level != "word":
            return ids
        marked = (self.words.get(MARK + word, UNK) for word in _looked_up(types, self.lowercase))
        return np.where(ids == UNK, np.fromiter(marked, np.int64, len(types)), ids)

    def spellings(self, types: Sequence[str]) -> Spellings | None:
        """The characters of words; None where they are not read."""
        if self.characters is None:
            return None
        half = LONGEST_SPELLING // 2
        read = [word if len(word) <= LONGEST_SPELLING else word[:half] + word[-half:] for word in types]
        starts = np.zeros(len(read) + 1, np.int64)
        np.cumsum([len(word) for word in read], out=starts[1:])
        found = (self.characters.get(character, UNK) for word in read for character in word)
        return Spellings(np.fromiter(found, np.int64, int(starts[-1])), starts)

    def encode(self, words: Coded, starts: Ids) -> Dataset:
        """Sentences without labels, of words [tokens] that begin at ``starts`` [sentences + 1]; none is empty."""
        spellings = self.spellings(words.types)
        forms = None if spellings is None else np.asarray(words.ids, np.int64)
        none = np.full(len(words), -1, np.int64)
        return Dataset(self.word_ids(words.types)[words.ids], starts, none, forms, spellings)


def encode_columns(
    columns: Columns,
    vocabulary: Vocabulary,
    characters: Vocabulary | None,
    labels: LabelSet | None,
    *,
    level: str = "token",
    lowercase: bool = False,
) -> Dataset:
    """The sentences of column files as ids.

    Args:
        columns: words, and labels where ``labels`` are given.
        vocabulary: of words.
        characters: of spellings; None where they are not read.
        labels: gives the targets; None where there are none.
        level: of the vocabulary.
        lowercase: whether words are looked up in lower case.

    Raises:
        InputError: a label is not among these.
    """
    lookup = Lookup.of(vocabulary, characters, level, lowercase=lowercase)
    read = lookup.encode(columns.words, columns.starts)
    if labels is None or columns.labels is None:
        return read
    return replace(read, targets=labels.ids_of(columns.labels, columns.where).astype(np.int64))


def learn_tokens(
    examples: Examples,
    level: str,
    unit: str,
    *,
    lowercase: bool = False,
    min_count: int = 1,
    max_vocab: int | None = None,
) -> Vocabulary:
    """The vocabulary of a classifier's training data.

    Raises:
        UsageError: the level, unit or a limit makes no sense.
    """
    found, counts = find_level(level), Counter[str]()
    if level == "byte":
        data = b"".join(to_utf8(normalise(text)) for text in examples.texts)
        held = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
        return Vocabulary.of_bytes(np.append(len(examples), held).astype(np.int64))
    for text in examples.texts:
        counts.update(found.cut(unit, lowercase, normalise(text)))
    # What a text of several units, or one that comes tokenised, says of these.
    ends, unknown = (counts.pop(token, 0) for token in SPECIAL_TOKENS)
    types, numbers = list(counts), np.array(list(counts.values()), np.int64)
    return Vocabulary.from_counts(
        types, numbers, min_count, max_vocab, eos_count=len(examples) + ends, unknown_count=unknown
    )


def encode_examples(examples: Examples, tokenizer: Tokenizer, labels: LabelSet) -> Dataset:
    """The examples of a classifier as ids, as ``encode_texts`` has them.

    Raises:
        InputError: a label is not among these.
    """
    targets = labels.ids_of(examples.labels, examples.where).astype(np.int64)
    return encode_texts(examples.texts, tokenizer, targets)


def encode_texts(texts: Sequence[str], tokenizer: Tokenizer, targets: Ids | None = None) -> Dataset:
    """Texts as ids, each with <EOS> at its end; one at least. Of the longest, what ``ends_of`` leaves.

    Args:
        texts: what to read; an empty one is nothing but its end.
        tokenizer: cuts them.
        targets: [texts], labels; None where there are none.
    """
    encoded = [ends_of(tokenizer.encode_sentence(normalise(text))) for text in texts]
    starts = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(ids) for ids in encoded], out=starts[1:])
    return Dataset(np.concatenate(encoded), starts, np.full(len(texts), -1) if targets is None else targets)


def ends_of(ids: Ids) -> Ids:
    """The tokens of a text that are read, [tokens]: all, or the first and the last of too many."""
    half = LONGEST_TEXT // 2
    return ids if len(ids) <= LONGEST_TEXT else np.concatenate((ids[:half], ids[-half:]))
