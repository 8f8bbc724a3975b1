"""Labelled files read, split into training and validation, and encoded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

import numpy as np

from charlm.errors import InputError, UsageError
from charlm.labelling.config import LabellingConfig
from charlm.labelling.dataset import Dataset
from charlm.labelling.encoding import encode_columns, encode_examples, learn_characters, learn_tokens, learn_words
from charlm.labels.columns import Columns, read_columns
from charlm.labels.examples import Examples, read_examples
from charlm.labels.forms import Fields
from charlm.labels.label_set import LabelSet
from charlm.labels.schemes import scheme_of
from charlm.nn.arrays import Array, Ids
from charlm.text.lines import draw_lines
from charlm.text.sources import Texts
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import UNK, Vocabulary

Labelled = TypeVar("Labelled", Columns, Examples)
NO_WEIGHTS, BALANCED = "none", "balanced"
SHOWN, LONGEST_SHOWN, LOOKED_THROUGH = 3, 20, 1000
"""So many sentences, of so many words at most, are kept to be looked at; so many are looked through for them."""


@dataclass(frozen=True, eq=False)
class Known:
    """What the numbers of a label model stand for.

    Attributes:
        vocabulary: of tokens.
        characters: of spellings; None where these are not read.
        labels: which there are.
    """

    vocabulary: Vocabulary
    characters: Vocabulary | None
    labels: LabelSet


@dataclass(frozen=True, eq=False)
class LabelCorpus:
    """What a label model is trained on.

    Attributes:
        name: what messages call it.
        text: how it was read, what was found out included.
        known: what its numbers stand for.
        train: what is learnt from.
        valid: what validates.
        digests: SHA-256 in hex of the files, and of those that validate, where these are others.
        characters_read: code points of the training texts.
        valid_characters: of the validation texts.
        shown: words of some validation sentences of a tagger by their place, or some texts of a classifier as one word
            each, to be looked at while it learns.
    """

    name: str
    text: LabellingConfig
    known: Known
    train: Dataset
    valid: Dataset
    digests: tuple[str, str | None]
    characters_read: int
    valid_characters: int
    shown: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def vocabulary(self) -> Vocabulary:
        """Of tokens."""
        return self.known.vocabulary

    @property
    def characters(self) -> Vocabulary | None:
        """Of spellings."""
        return self.known.characters

    @property
    def labels(self) -> LabelSet:
        """Which there are."""
        return self.known.labels

    @property
    def unknown(self) -> int:
        """Training tokens that are <UNK>; at the byte level there is none."""
        return 0 if self.vocabulary.raw else int(np.count_nonzero(self.train.ids == UNK))

    def weights(self) -> Array | None:
        """[K], what a target of each label counts; None where all count the same.

        Balanced, a label counts as much in all as any other: n / (K n_k), as scikit-learn has it.

        Raises:
            UsageError: the weights name a label that there is not, or are no numbers above 0.
        """
        return weights_of(self.text.class_weights, self.labels)


def weights_of(text: str, labels: LabelSet) -> Array | None:
    """What a target of each label counts by this option, [K]; None where all count the same.

    Args:
        text: "none", "balanced", or a list such as "spam=5,ham=1", where a label that is not named counts 1.
        labels: which there are.

    Raises:
        UsageError: a label is not among these, or a weight is no number above 0.
    """
    if text == NO_WEIGHTS:
        return None
    if text == BALANCED:
        counts = labels.counts.astype(np.float64)
        balanced: Array = counts.sum() / (len(counts) * counts)
        return balanced
    weights = np.ones(len(labels))
    for part in text.split(","):
        label, equals, number = part.rpartition("=")
        label = label.strip()
        if not equals or label not in labels.names:
            raise UsageError(
                f"--class-weights: {part.strip()!r} names no label; the labels are {labels}. It is none, balanced or a "
                "list such as spam=5,ham=1"
            )
        try:
            weight = float(number)
        except ValueError:
            weight = 0.0
        if not 0 < weight < np.inf:
            raise UsageError(f"--class-weights: the weight of {label!r} is {number!r}: it must be a number above 0")
        weights[labels.names.index(label)] = weight
    return weights


def read_columns_corpus(
    texts: Texts,
    valid_texts: Texts | None,
    text: LabellingConfig,
    seed: int,
    *,
    known: Known | None = None,
    base: Vocabulary | None = None,
    chars: bool = False,
) -> LabelCorpus:
    """The corpus of a tagger.

    Args:
        texts: column files.
        valid_texts: those that validate; None for a seeded part of the sentences.
        text: how to read them.
        seed: of the draw.
        known: what the numbers stand for, where a run goes on; None to find out.
        base: the vocabulary of words to keep, where there is one.
        chars: whether spellings are read.

    Raises:
        InputError: the files are not right, or too few.
    """
    read = read_columns(texts, text.encoding)
    given = None if valid_texts is None else read_columns(valid_texts, text.encoding)
    assert read.labels is not None  # noqa: S101 - labels were asked for
    sentence_of = np.repeat(np.arange(len(read)), read.lengths)
    train, valid = _parts(read, given, text.valid_fraction, seed, read.labels.ids, sentence_of)
    if known is None:
        assert train.labels is not None  # noqa: S101 - likewise
        vocabulary = base or learn_words(
            train.words, lowercase=text.lowercase, min_count=text.min_count, max_vocab=text.max_vocab
        )
        known = Known(
            vocabulary,
            learn_characters(train.words) if chars else None,
            LabelSet.learn(train.labels, read.name),
        )
        text = replace(text, scheme=scheme_of(train.labels.types, train.labels.ids, train.starts))
    each = [
        encode_columns(
            part, known.vocabulary, known.characters, known.labels, level=text.level, lowercase=text.lowercase
        )
        for part in (train, valid)
    ]
    sizes = [
        sum(len(part.words.types[i]) * n for i, n in enumerate(part.words.counts().tolist())) for part in (train, valid)
    ]
    digests = _digests(read, given)
    shown = _to_show(valid)
    return LabelCorpus(read.name, text, known, each[0], each[1], digests, sizes[0], sizes[1], shown)


def _to_show(valid: Columns) -> dict[int, tuple[str, ...]]:
    """The words of some sentences that have several labels, and are short enough for a line: the first there are."""
    assert valid.labels is not None  # noqa: S101 - labels were asked for
    shown: dict[int, tuple[str, ...]] = {}
    for number, length in enumerate(valid.lengths[:LOOKED_THROUGH].tolist()):
        begin = int(valid.starts[number])
        if length <= LONGEST_SHOWN and len(set(valid.labels.ids[begin : begin + length].tolist())) > 1:
            shown[number] = tuple(valid.words.strings(begin, begin + length))
        if len(shown) == SHOWN:
            break
    return shown


def read_examples_corpus(
    texts: Texts,
    valid_texts: Texts | None,
    text: LabellingConfig,
    seed: int,
    *,
    known: Known | None = None,
    base: Vocabulary | None = None,
) -> LabelCorpus:
    """The corpus of a classifier; otherwise as ``read_columns_corpus``."""
    train, valid, digests = read_example_parts(texts, valid_texts, text, seed)
    if known is None:
        vocabulary = base or learn_tokens(
            train,
            text.level,
            text.unit,
            lowercase=text.lowercase,
            min_count=text.min_count,
            max_vocab=text.max_vocab,
        )
        known = Known(vocabulary, None, LabelSet.learn(train.labels, train.name))
    tokenizer = Tokenizer(text.level, text.unit, known.vocabulary, text.lowercase)
    each = [encode_examples(part, tokenizer, known.labels) for part in (train, valid)]
    sizes = [sum(map(len, part.texts)) for part in (train, valid)]
    # The first text of each label.
    first = np.sort(np.unique(valid.labels.ids, return_index=True)[1])
    shown = {number: (valid.texts[number],) for number in first[:SHOWN].tolist()}
    return LabelCorpus(train.name, text, known, each[0], each[1], digests, sizes[0], sizes[1], shown)


class ExampleParts(NamedTuple):
    """The examples to learn from, those that validate, and the digests of their files, as ``LabelCorpus`` has them."""

    train: Examples
    valid: Examples
    digests: tuple[str, str | None]


def read_example_parts(texts: Texts, valid_texts: Texts | None, text: LabellingConfig, seed: int) -> ExampleParts:
    """What the corpus of a classifier is made of.

    Raises:
        InputError: the files are not right, or too few.
    """
    fields = Fields(text.label_field, text.text_field)
    read = read_examples(texts, text.encoding, fields=fields, each_line=text.each_line)
    given = None
    if valid_texts is not None:
        given = read_examples(valid_texts, text.encoding, fields=fields, each_line=text.each_line)
    train, valid = _parts(read, given, text.valid_fraction, seed, read.labels.ids, np.arange(len(read)))
    return ExampleParts(train, valid, _digests(read, given))


def _digests(read: Labelled, given: Labelled | None) -> tuple[str, str | None]:
    return read.digest, None if given is None else given.digest


def _parts(
    read: Labelled, given: Labelled | None, fraction: float, seed: int, labels: Ids, text_of: Ids
) -> tuple[Labelled, Labelled]:
    """What is learnt from, and what validates.

    Args:
        read: everything but what was given to validate with.
        given: that, if there is such.
        fraction: share of the texts that validates, if there is not.
        seed: of its draw. A text with a label that no other one would have taught is taken back.
        labels: of all tokens or texts that were read.
        text_of: for each of these, the text it belongs to.

    Raises:
        InputError: there are too few texts for two parts.
    """
    if given is not None:
        return read, given
    validates = draw_lines(len(read), fraction, seed)
    if not validates.any() and len(read) > 1:
        validates[0] = True
    untaught = ~np.isin(labels, labels[~validates[text_of]])
    validates[text_of[untaught]] = False
    if not validates.any():
        validates[_spared(labels, text_of)] = True
    if validates.all() or not validates.any():
        raise InputError(f"{read.name} has too few texts to validate with some of them: name others with --valid")
    return read.part(~validates), read.part(validates)


def _spared(labels: Ids, text_of: Ids) -> Ids:
    """The first text without which every label is still taught, [1] or [0]."""
    _, first, times = np.unique(labels, return_index=True, return_counts=True)
    last = len(labels) - 1 - np.unique(labels[::-1], return_index=True)[1]
    # A label in one text alone keeps it.
    needed = text_of[first][(times == 1) | (text_of[first] == text_of[last])]
    return np.setdiff1d(text_of, needed)[:1]
