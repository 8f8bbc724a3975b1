"""What the reviews of corpora/reviews.py promise: order and negation decide, and counting words does not."""

import hashlib
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

from charlm.labels.examples import read_examples
from charlm.text.sources import find_texts

SCRIPT = Path(__file__).resolve().parent.parent / "corpora" / "reviews.py"
TEXT_SHA256 = "12e8286a16040c72245154185416a2ae156f9a03b368a1251dbb0bb1aa7ae28e"  # of 200 training reviews of seed 1

reviews = load_script("corpora/reviews.py")
PARTS: tuple[str, ...] = tuple(reviews.PARTS)
NUMBER = 3000


@pytest.fixture(scope="module")
def parts() -> dict[str, list[Any]]:
    """Some reviews of each part; most of what follows looks at the same ones."""
    return {part: reviews.reviews(part, NUMBER, 1) for part in PARTS}


def run(*words: str) -> subprocess.CompletedProcess[bytes]:
    """The command."""
    return subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, check=False)


def words_in(review: Any) -> list[str]:
    return re.findall(r"\w+", review.text)


def test_parts_share_no_subject(parts: dict[str, list[Any]]) -> None:
    """Nor does a subject stand in a review that is about another."""
    found = {part: {review.subject for review in parts[part]} for part in PARTS}
    for part in PARTS:
        assert found[part] == set(reviews.subjects(part))
        others = set(reviews.SUBJECTS) - found[part]
        assert not any(others & set(words_in(review)) for review in parts[part])
        assert all(review.subject in words_in(review) for review in parts[part])
    assert sum(map(len, found.values())) == len(reviews.SUBJECTS) == len(set(reviews.SUBJECTS))


def test_parts_share_no_frame(parts: dict[str, list[Any]]) -> None:
    sets = [reviews.frames(part) for part in PARTS]
    assert sum(map(len, sets)) == len(set[Any]().union(*sets))
    for part in PARTS:
        assert {review.frame for review in parts[part]} <= reviews.frames(part)


def test_all_other_words_are_met_in_training() -> None:
    training = {word for review in reviews.reviews("training", 8000, 1) for word in words_in(review)}
    held_out = {word for review in reviews.reviews("held-out", 1000, 1) for word in words_in(review)}
    assert held_out - training == set(reviews.subjects("held-out"))


def test_the_same_words_in_another_order_have_the_other_label(parts: dict[str, list[Any]]) -> None:
    """Each review of two words has a twin; those of one word come in fours that hold each word twice a label."""
    for part in PARTS:
        bags: dict[Any, Counter[str]] = defaultdict(Counter)
        fours: dict[Any, Counter[Any]] = defaultdict(Counter)
        for review in parts[part]:
            if review.frame[0] in reviews.PATTERNS:
                bags[tuple(sorted(words_in(review)))][review.label] += 1
            else:
                word = next(word for word in review.frame[1:] if word in words_in(review))
                fours[review.frame, review.subject][word, review.label] += 1
        assert all(count["positive"] == count["negative"] for count in bags.values())
        assert all(len(set(count.values())) == 1 and len(count) == 4 for count in fours.values())
        assert sum(count.total() for count in bags.values()) > 0.6 * NUMBER


def test_no_word_tells_the_label(parts: dict[str, list[Any]]) -> None:
    """Every word stands in as many positive reviews as negative ones."""
    for part in PARTS:
        seen: dict[str, Counter[str]] = defaultdict(Counter)
        for review in parts[part]:
            for word in set(words_in(review)):
                seen[word][review.label] += 1
        fixed = {word for pair in reviews.TURNING for text in pair for word in re.findall(r"\w+", text)}
        for word, count in seen.items():
            assert count["positive"] == count["negative"] or word in fixed, word
        assert Counter(review.label for review in parts[part]) == {"positive": NUMBER // 2, "negative": NUMBER // 2}


READINGS = {
    "The _ was {+}, not {-}.",
    "The _ was not {-} but {+}.",
    "I expected the _ to be {-}, but it was {+}.",
    "The _ was {+}, although I had expected it to be {-}.",
    "Everyone calls the _ {-}, while I call it {+}.",
    "I call the _ {+}, while everyone calls it {-}.",
    "Far from being {-}, the _ was {+}.",
    "The _ was {+}, far from being {-}.",
    "At first {-}, the _ was {+} in the end.",
    "In the end the _ was {+}, and only at first {-}.",
    "The _, which used to be {-}, is now {+}.",
    "The _ is now {+}, and used to be {-}.",
    "Nobody could call the _ {-}, so call it {+}.",
    "It is the {+} _ and not the {-} one.",
    "It is not the {-} _ but the {+} one.",
    "I was promised a {-} _ and got a {+} one.",
    "There was plenty to {+} and hardly anything to {-} in the _.",
    "There was hardly anything to {-} and plenty to {+} in the _.",
    "If you ask what there is to {-}, nothing, but there is a lot to {+} in the _.",
    "If you ask what there is to {+}, a lot, and nothing that one could {-} in the _.",
    "The _ could not have been more {+}.",
    "The _ was not {-} at all.",
    "I would not call the _ anything but {+}.",
    "I would not call the _ {-} or anything of the kind.",
    "Hardly anything about the _ was not {+}.",
    "Hardly anything about the _ was {-}.",
    "Not once did the _ fail to be {+}.",
    "Not once was the _ to be called {-}.",
    "I can not say that the _ was not {+}.",
    "I can not say that the _ was {-}.",
}
"""The forms of reviews that a reader would call positive, {+} being what praises and {-} what blames."""


def form_of(text: str) -> str:
    """A review without its subject, and without what says nothing; its words that praise and blame as signs."""
    text = re.sub(rf"\b(a|the|The) ({'|'.join(reviews.SUBJECTS)})\b", r"\1 _", text)
    neutral = [*reviews.DEGREES, *filter(None, reviews.ENDINGS)]
    for sign, words in (("{+}", reviews.GOOD + reviews.PRAISE), ("{-}", reviews.BAD + reviews.BLAME)):
        text = re.sub(rf"\b({'|'.join(words)})\b", sign, text)
    text = re.sub(rf" ({'|'.join(neutral)})\b", "", text)
    return re.sub(rf"\b({'|'.join(reviews.SUBJECTS)})\b", "_", text)


def test_labels_are_what_a_reader_would_say() -> None:
    """Of every form there is, both ways round."""
    seen = set()
    for review in reviews.reviews("training", NUMBER, 1):
        form = form_of(review.text)
        mirrored = form.replace("{+}", "{?}").replace("{-}", "{+}").replace("{?}", "{-}")
        praises = form in READINGS
        assert praises != (mirrored in READINGS), review.text
        assert review.label == ("positive" if praises else "negative"), review.text
        seen.add((min(form, mirrored), praises))
    assert len(seen) == 2 * len(READINGS)


def test_the_readme_shows_such_reviews() -> None:
    """Of held-out words, and with the labels that they have."""
    readme = (SCRIPT.parent / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^  \| ((?:The|There|I) .*soup.*\.) \| (.*\.) \|$", readme, re.MULTILINE)
    assert len(rows) == 5
    for positive, negative in rows:
        assert form_of(positive) in READINGS
        mirrored = form_of(negative).replace("{+}", "{?}").replace("{-}", "{+}").replace("{?}", "{-}")
        assert mirrored in READINGS
    assert "soup" in reviews.subjects("held-out")


def test_lists_have_the_lengths_that_frames_need() -> None:
    for words in (reviews.GOOD, reviews.BAD, reviews.PRAISE, reviews.BLAME):
        assert len(words) % reviews.EIGHTH == 0
        assert len(words) == len(set(words))


def test_what_it_writes_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "held-out.tsv"
    path.write_bytes(run("--part", "held-out", "--reviews", "300", "--seed", "5").stdout)
    examples = read_examples(find_texts([path]))
    assert examples.labels is not None
    drawn = reviews.reviews("held-out", 300, 5)
    assert list(zip(examples.labels.strings(), examples.texts, strict=True)) == [each[:2] for each in drawn]


def test_reviews_are_distinct_and_a_seed_gives_the_same_ones(parts: dict[str, list[Any]]) -> None:
    texts = [review.text for review in parts["training"]]
    assert len(set(texts)) == len(texts) == NUMBER
    assert [review.text for review in reviews.reviews("training", 100, 1)][:96] == texts[:96]
    assert [review.text for review in reviews.reviews("training", 100, 2)] != texts[:100]


def test_the_same_seed_gives_the_same_bytes_everywhere() -> None:
    first = run("--reviews", "200")
    assert first.returncode == 0
    assert first.stdout.isascii()
    assert b"\r" not in first.stdout
    assert hashlib.sha256(first.stdout).hexdigest() == TEXT_SHA256


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--reviews", "3"), b"3 reviews are an odd number"),
        (("--reviews", "-2"), b"natural number"),
        (("--part", "other"), b"invalid choice"),
    ],
)
def test_options_out_of_range_are_refused(words: tuple[str, ...], why: bytes) -> None:
    refused = run(*words)
    assert refused.returncode == 2
    assert why in refused.stderr
    assert b"Traceback" not in refused.stderr
