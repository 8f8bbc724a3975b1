"""What the sentences of corpora/teddy.py promise: names that only their right-hand context gives away."""

import hashlib
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

from charlm.labels.columns import read_columns
from charlm.labels.label_set import LabelSet
from charlm.labels.schemes import find_spans, scheme_of
from charlm.text.sources import find_texts

SCRIPT = Path(__file__).resolve().parent.parent / "corpora" / "teddy.py"
TEXT_SHA256 = "e60ebd70969cf1f52a4d00e252e95c5643d00a32a2bc9224f93d0e6c38e0b26a"  # of 200 training sentences of seed 1

teddy = load_script("corpora/teddy.py")
PARTS: tuple[str, ...] = tuple(teddy.PARTS)
ENTITIES = ("LOC", "ORG", "PER")


@pytest.fixture(scope="module")
def parts() -> dict[str, list[Any]]:
    """Some sentences of each part; most of what follows looks at the same ones."""
    return {part: teddy.sentences(part, 3000, 1) for part in PARTS}


def run(*words: str) -> subprocess.CompletedProcess[bytes]:
    """The command."""
    return subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, check=False)


def words_of(sentence: Any) -> str:
    return " ".join(token.word for token in sentence.tokens)


def content_of(sentence: Any) -> set[str]:
    """The names and things of a sentence, whatever they are labelled."""
    words = {token.word for token in sentence.tokens}
    known = {*teddy.GIVEN, *teddy.VERBS, *teddy.SECOND, *teddy.THINGS}
    invented = {token.word for place, token in enumerate(sentence.tokens) if is_invented(sentence, place)}
    return (words & known) | invented


SHARED = {
    word
    for text in (
        *teddy.OPENINGS, *teddy.ASIDES, *teddy.TITLES, *teddy.KINDS_OF_ORG, *teddy.QUALITIES,
        "as told us so we read in according to , . ?",
        *(one for families in teddy.PREDICATES.values() for both in families for words in both for one in words),
    )
    for word in text.split()
}  # fmt: skip
"""The words that all parts share."""


def is_invented(sentence: Any, place: int) -> bool:
    """Whether a word of a sentence is neither shared nor in a list."""
    word = sentence.tokens[place].word
    return word not in SHARED and word not in {*teddy.GIVEN, *teddy.VERBS, *teddy.SECOND, *teddy.THINGS}


def test_parts_share_no_content_word(parts: dict[str, list[Any]]) -> None:
    """No name and no thing of one part stands in another; and there are many of each."""
    content = {part: set[str]().union(*map(content_of, parts[part])) for part in PARTS}
    for part in PARTS:
        assert len(content[part]) > 500
        assert not content[part] & SHARED
        assert not any(content[part] & content[other] for other in PARTS if other != part)


def test_parts_share_no_frame(parts: dict[str, list[Any]]) -> None:
    for part in PARTS:
        found = {sentence.frame for sentence in parts[part]}
        assert found <= teddy.frames(part)
        assert len(found) > 0.9 * len(teddy.frames(part))
    sets = [teddy.frames(part) for part in PARTS]
    assert sum(map(len, sets)) == len(set[Any]().union(*sets))


def test_every_deciding_word_is_met_in_training(parts: dict[str, list[Any]]) -> None:
    """Verbs and complements of held-out frames stand in training frames of the same reading, in many of them."""
    partners: dict[Any, set[str]] = defaultdict(set)
    for reading, verb, complement in teddy.frames("training"):
        partners[reading, verb].add(complement)
        partners[reading, complement].add(verb)
    for reading, verb, complement in teddy.frames("held-out"):
        assert len(partners[reading, verb]) == 6
        assert len(partners[reading, complement]) == 6
    shared = {word for sentence in parts["held-out"] for word in words_of(sentence).split()} & SHARED
    assert shared <= {word for sentence in parts["training"] for word in words_of(sentence).split()}


def test_the_left_says_nothing(parts: dict[str, list[Any]]) -> None:
    """The openings, and what the subjects begin with, are as frequent before every reading that has a subject."""
    openings: dict[str, Counter[bool]] = defaultdict(Counter)
    invented: dict[str, Counter[bool]] = defaultdict(Counter)
    for sentence in parts["training"]:
        first = next(place for place, token in enumerate(sentence.tokens) if content_of(sentence) & {token.word})
        openings[sentence.frame[0]][first > 0] += 1
        invented[sentence.frame[0]][is_invented(sentence, first)] += 1
    for reading in (*ENTITIES, "things"):
        for counter in (openings, invented):
            assert 0.4 < counter[reading][True] / counter[reading].total() < 0.6


def test_one_word_has_every_reading() -> None:
    """Each name of the training list begins entities of each type, and stands outside of any."""
    labels: dict[str, set[str]] = defaultdict(set)
    for sentence in teddy.sentences("training", 8000, 1):
        for token in sentence.tokens:
            labels[token.word].add(token.label)
    for word in teddy.content_words(teddy.GIVEN, "training"):
        assert labels[word] >= {"O", *(f"B-{kind}" for kind in ENTITIES)}


def test_readings_are_shared_out(parts: dict[str, list[Any]]) -> None:
    for part in PARTS:
        counts = Counter(sentence.frame[0] for sentence in parts[part])
        for reading, share in teddy.READINGS.items():
            assert abs(counts[reading] / 3000 - share) < 0.05


def test_the_two_teddies_are_held_out() -> None:
    """Both sentences can be written, but not in training."""
    for words in (("PER", "was a", "president"), ("things", "are now", "on sale")):
        assert words in teddy.frames("held-out")
    for words, word in ((teddy.GIVEN, "Teddy"), (teddy.SECOND, "Roosevelt"), (teddy.THINGS, "bears")):
        assert word in teddy.content_words(words, "held-out")


def test_lists_have_the_lengths_that_frames_need() -> None:
    for families in teddy.PREDICATES.values():
        assert all(len(words) == len(set(words)) == teddy.EIGHTH for family in families for words in family)
    for words in (teddy.GIVEN, teddy.VERBS, teddy.SECOND, teddy.THINGS):
        assert len(words) % teddy.EIGHTH == 0
    listed = [*teddy.GIVEN, *teddy.VERBS, *teddy.SECOND, *teddy.THINGS]
    assert len(listed) == len(set(listed))


def test_what_it_writes_is_a_column_file(tmp_path: Path) -> None:
    """In the BIO scheme; charlm reads the sentences that were drawn."""
    path = tmp_path / "held-out.conll"
    path.write_bytes(run("--part", "held-out", "--sentences", "300", "--seed", "5").stdout)
    columns = read_columns(find_texts([path]))
    drawn = teddy.sentences("held-out", 300, 5)
    assert columns.labels is not None
    assert columns.words.strings() == [token.word for sentence in drawn for token in sentence.tokens]
    assert columns.labels.strings() == [token.label for sentence in drawn for token in sentence.tokens]
    assert columns.lengths.tolist() == [len(sentence.tokens) for sentence in drawn]
    assert scheme_of(columns.labels.types, columns.labels.ids, columns.starts) == "BIO"
    assert find_spans(columns.labels.types, columns.labels.ids, columns.starts).types == ENTITIES
    assert LabelSet.learn(columns.labels, "it").names[0] == "O"


def test_sentences_are_distinct_and_a_seed_gives_the_same_ones(parts: dict[str, list[Any]]) -> None:
    texts = list(map(words_of, parts["training"]))
    assert len(set(texts)) == len(texts)
    assert list(map(words_of, teddy.sentences("training", 100, 1))) == texts[:100]
    assert list(map(words_of, teddy.sentences("training", 100, 2))) != texts[:100]


def test_the_same_seed_gives_the_same_bytes_everywhere() -> None:
    first = run("--sentences", "200")
    assert first.returncode == 0
    assert first.stdout.isascii()
    assert b"\r" not in first.stdout
    assert hashlib.sha256(first.stdout).hexdigest() == TEXT_SHA256


@pytest.mark.parametrize("words", [("--part", "other"), ("--sentences", "-1"), ("--sentences", "1e3")])
def test_options_out_of_range_are_refused(words: tuple[str, ...]) -> None:
    refused = run(*words)
    assert refused.returncode == 2
    assert b"Traceback" not in refused.stderr
