"""Texts to all that training and evaluation need of them, in one pass over each."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.errors import InputError, UsageError
from charlm.text.checks import check_lines, check_parts, check_variety
from charlm.text.indexing import index_texts
from charlm.text.labelled import LabelReader, check_several
from charlm.text.level import TypeFacts
from charlm.text.lines import labels_kept
from charlm.text.parts import Part, count_types, encode_parts
from charlm.text.sources import Texts
from charlm.text.splitting import MOST_VALIDATED, Plan, default_fraction, plan_split, settle_labels, take_all
from charlm.text.store import Stores, growing_stores
from charlm.text.tokenizer import Tokenizer, check_options, find_level
from charlm.text.vocabulary import EOS, UNK


@dataclass(frozen=True, eq=False)
class Corpus:
    """What training needs of a text.

    Attributes:
        name: What messages call the text.
        tokenizer: With the vocabulary of the training part, or the one given.
        train: What to train on.
        valid: What to validate with.
        independent_lines: Whether each line is a text of its own.
        detected: Whether that was found out rather than asked for.
        blank_lines: Blank lines left out of a list of independent lines.
        types: Distinct tokens in the training part, <EOS> not counted.
        dropped_types: How many of these became <UNK>.
        digest: SHA-256 in hex of the text; of the digests of its parts where it has several.
        valid_digest: The same of the validation text, None if there is none.
        overflowed: Whether there were more distinct tokens than are told apart; the rest were read as <UNK>, and
            how many characters and bytes they have was not counted but guessed.
        labels: Names of the labels of its lines, by id; none where they have none.
    """

    name: str
    tokenizer: Tokenizer
    train: Part
    valid: Part
    independent_lines: bool
    detected: bool
    blank_lines: int
    types: int
    dropped_types: int
    digest: str
    valid_digest: str | None
    overflowed: bool = False
    labels: tuple[str, ...] = ()

    @property
    def label_counts(self) -> NDArray[np.int64]:
        """Of how many lines to train on each is the label."""
        labels = np.zeros(0, np.int64) if self.train.labels is None else self.train.labels
        return np.bincount(labels, minlength=len(self.labels))


@dataclass(frozen=True, eq=False)
class Draft:
    """A text that has been read, split and counted: all of a corpus but its ids.

    Attributes:
        texts: What was read.
        tokenizer: With the vocabulary of the training part, or the one given.
        plan: How it is split.
        table: int64 [types], from provisional to final ids.
        counts: int64 [2, types], how often each type occurs in either part.
        facts: What is known of the types.
        detected: Whether it was found out that lines are independent, or are not, rather than asked for.
        digests: SHA-256 in hex of each of the texts.
        valid_digests: The same of the validation texts, None if there are none.
        overflowed: As in a `Corpus`.
        labels: Likewise.
    """

    texts: Texts
    tokenizer: Tokenizer
    plan: Plan
    table: NDArray[np.int64]
    counts: NDArray[np.int64]
    facts: TypeFacts
    detected: bool
    digests: tuple[str, ...]
    valid_digests: tuple[str, ...] | None
    overflowed: bool
    labels: tuple[str, ...] = ()

    def encode(self, stores: Stores = growing_stores) -> Corpus:
        """Put the ids into stores; this can be done again.

        Raises:
            OutputError: There is no space for temporary files.
        """
        tokenizer, counts = self.tokenizer, self.counts
        split = self.texts.progress.passes(self.plan.split, 1, int(counts.sum()))
        parts = encode_parts(split, self.table, counts, self.facts, tokenizer, stores)
        of_lines = self.plan.labels or (None, None)
        train, valid = (replace(part, labels=each) for part, each in zip(parts, of_lines, strict=True))
        seen = np.setdiff1d(np.flatnonzero(counts[0]), [EOS, *([UNK] if tokenizer.has_unknown else [])])
        return Corpus(
            name=self.texts.name,
            tokenizer=tokenizer,
            train=train,
            valid=valid,
            independent_lines=self.plan.independent_lines,
            detected=self.detected,
            blank_lines=self.plan.blank_lines,
            types=len(seen),
            dropped_types=int((self.table[seen] == tokenizer.unknown_id).sum()),
            digest=joint_digest(self.digests),
            valid_digest=None if self.valid_digests is None else joint_digest(self.valid_digests),
            overflowed=self.overflowed,
            labels=self.labels,
        )


def joint_digest(digests: Sequence[str]) -> str:
    """The digest of several texts with these digests; that of a single one is its own."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def prepare(texts: Texts, **options: Any) -> Corpus:
    """Read, split and encode a text; the options are those of `draft`, and so are the errors."""
    return draft(texts, **options).encode()


def draft(
    texts: Texts,
    *,
    level: str = "char",
    unit: str | None = None,
    encoding: str = "utf-8",
    min_count: int = 1,
    max_vocab: int | None = None,
    lowercase: bool = False,
    independent_lines: bool | None = None,
    valid_texts: Texts | None = None,
    valid_fraction: float | None = None,
    most_validated: int = MOST_VALIDATED,
    seed: int = 0,
    tokenizer: Tokenizer | None = None,
    extend: bool = False,
    labels: bool = False,
    known_labels: Sequence[str] | None = None,
) -> Draft:
    """Read, split and count a text; only its training part builds the vocabulary.

    Args:
        texts: What to read.
        level: What a token is: "char", "word", "token" or "byte".
        unit: What ends in <EOS>; None for the level's default.
        encoding: The text's encoding; of no matter at the byte level.
        min_count: Types that occur less often in the training part become <UNK>.
        max_vocab: The most tokens to have, <EOS> and <UNK> included; None for no limit.
        lowercase: Whether to turn the text to lower case.
        independent_lines: Whether each line is a text of its own; None to find out.
        valid_texts: Texts to validate with; all of `texts` trains then, and `valid_fraction` does not matter.
        valid_fraction: How much of the text to keep for validation: of its lines, drawn at random, if
            they are independent, else of its end. None for a tenth, but at most `most_validated`.
        most_validated: The most code points to keep where `valid_fraction` does not say.
        seed: Seed of that draw.
        tokenizer: Used instead of building one; level, unit, lowercase and the limits do not matter then.
        extend: Whether to add to its vocabulary what it lacks, within the limits; `max_vocab` is that of the whole.
        labels: Whether each line is a label, a tab and a text of its own.
        known_labels: The labels that there are, by id; None to learn them from the training text.

    Raises:
        InputError: The text cannot be read or decoded, is empty, or leaves nothing to learn or to
            validate with.
        OutputError: There is no space for temporary files.
        UsageError: An option is out of its range or does not go with another.
    """
    if valid_fraction is not None and not 0 < valid_fraction < 1:
        raise UsageError(f"--valid-fraction is {valid_fraction}: it must lie between 0 and 1, for instance 0.1")
    if tokenizer is not None:
        level, unit, lowercase = tokenizer.level, tokenizer.unit, tokenizer.lowercase
    unit = check_options(level, unit, lowercase)
    check_lines(unit, independent_lines, labels=labels)
    indexer = find_level(level).indexer(unit, lowercase)
    reader = LabelReader(known_labels) if labels else None
    ids, digests, of_lines = index_texts(indexer, texts, encoding, reader)
    if reader is not None and known_labels is None:
        check_several(texts.name, reader.names)
    valid_ids, valid_digests, valid_of_lines = None, None, None
    if valid_texts is not None:
        reader = LabelReader(reader.names) if reader else None
        valid_ids, valid_digests, valid_of_lines = index_texts(indexer, valid_texts, encoding, reader)
    facts = indexer.facts()
    if tokenizer is None:
        check_variety(texts.name, find_level(level).noun, ids)
    fraction = default_fraction(ids, facts, most_validated) if valid_fraction is None else valid_fraction
    plan = plan_split(
        ids,
        valid_ids,
        facts,
        independent_lines=labels or (independent_lines if unit == "line" else False),
        fraction=fraction,
        seed=seed,
        labels=None if of_lines is None else (of_lines, valid_of_lines),
    )
    counts = count_types(texts.progress.passes(plan.split, 0, len(ids)), facts)
    check_parts(texts.name, (valid_texts or texts).name, counts, facts, fraction)
    if tokenizer is None:
        tokenizer = Tokenizer(level, unit, indexer.vocabulary(counts[0], min_count, max_vocab), lowercase)
    elif extend:
        new = indexer.vocabulary(counts[0], min_count, None)
        tokenizer = replace(tokenizer, vocabulary=tokenizer.vocabulary.extended(new, max_vocab))
    table = indexer.final_ids(tokenizer.vocabulary)
    names: tuple[str, ...] = ()
    if reader is not None:
        plan, names = settle_labels(plan, texts.name, reader.names, learnt=known_labels is None)
    detected = independent_lines is None and not labels
    return Draft(
        texts, tokenizer, plan, table, counts, facts, detected, digests, valid_digests, indexer.overflowed, names
    )


def token_counts(
    texts: Texts,
    *,
    tokenizer: Tokenizer,
    encoding: str = "utf-8",
    independent_lines: bool = False,
    labels: Sequence[str] | None = None,
) -> list[int]:
    """How many of the tokens that `encode_texts` gives are of each of the texts, in their order.

    Raises:
        InputError: A text cannot be read or decoded.
        OutputError: There is no space for temporary files.
    """
    found = []
    for source in texts.sources:
        alone = replace(texts, name=source.name, sources=(source,))
        indexer = find_level(tokenizer.level).indexer(tokenizer.unit, tokenizer.lowercase)
        try:
            ids, _, _ = index_texts(indexer, alone, encoding, None if labels is None else LabelReader(labels))
        except InputError:
            # That a file is empty is no error among others, and any other would have been told of all of them.
            found.append(0)
            continue
        split = take_all(ids, indexer.facts(), independent_lines=independent_lines)
        found.append(sum(block.size for block, _ in split()))
    return found


def encode_texts(
    texts: Texts,
    *,
    tokenizer: Tokenizer,
    encoding: str = "utf-8",
    independent_lines: bool = False,
    labels: Sequence[str] | None = None,
) -> Part:
    """Read and encode whole texts under a given tokenizer, for instance to evaluate a model on it.

    With `independent_lines` blank lines are left out, as `prepare` does. With `labels`, the names of those that there
    are, each line has one of them.

    Raises:
        InputError: The text cannot be read or decoded, or is empty.
        OutputError: There is no space for temporary files.
        UsageError: Lines cannot be independent in the tokenizer's unit.
    """
    check_lines(tokenizer.unit, independent_lines)
    indexer = find_level(tokenizer.level).indexer(tokenizer.unit, tokenizer.lowercase)
    ids, _, of_lines = index_texts(indexer, texts, encoding, None if labels is None else LabelReader(labels))
    facts = indexer.facts()
    split = take_all(ids, facts, independent_lines=independent_lines)
    counts = count_types(split, facts)
    if not counts.any():
        raise InputError(f"{texts.name} holds only blank lines: there is no text in it")
    part, _ = encode_parts(split, indexer.final_ids(tokenizer.vocabulary), counts, facts, tokenizer)
    return part if of_lines is None else replace(part, labels=labels_kept(ids, facts, of_lines))
