"""Labelled texts that tests of classifiers share, and a classifier of them that is trained in no time."""

import random

import charlm
from charlm.classification import Classifier

Pairs = list[tuple[str, str]]
_ADJECTIVES = {"fine": 1, "great": 1, "lovely": 1, "bad": -1, "awful": -1, "dull": -1}
_NOUNS = ["film", "book", "meal", "room", "song"]
SMALL = {"hidden": 12, "embedding": 8, "window": 16, "batch": 8, "lr": 0.02, "dropout": 0.0}
"""Options of a classifier that learns quickly."""


def reviews(number: int = 300, seed: int = 5) -> Pairs:
    """Labels and short texts of various lengths; "not" turns the label round."""
    source = random.Random(seed)  # noqa: S311 - no secret
    found = []
    for _ in range(number):
        adjective, negated = source.choice(list(_ADJECTIVES)), source.random() < 0.5
        text = f"The {source.choice(_NOUNS)} was {'not ' if negated else ''}{adjective}."
        text += " We came by bus." * source.choice([0, 0, 1, 4])
        found.append(("good" if (_ADJECTIVES[adjective] > 0) != negated else "poor", text))
    return found


def table(pairs: Pairs) -> str:
    """Labels and texts as a table."""
    return "".join(f"{label}\t{text}\n" for label, text in pairs)


def small_classifier(level: str = "word", **options: object) -> Classifier:
    """A classifier of the reviews that has hardly learnt anything."""
    chosen = {**SMALL, "steps": 12, "level": level, **options}
    return charlm.train_classifier(examples=reviews(120), **chosen)  # type: ignore[arg-type]  # as it is meant
