"""Small column files for taggers: a name is one if a verb follows, and none if a thing does."""

import random
from pathlib import Path

Sentence = list[tuple[str, str]]
"""Words with their labels."""
TAGGER = ("--hidden", "8", "--embedding", "8", "--window", "16", "--batch", "4", "--min-count", "1", "--quiet")
"""Options of a tagger that is trained in no time."""
NAMES = ("Teddy", "Rose", "Mark", "May", "Olive", "Frank")


def sentences(number: int = 120, seed: int = 1) -> list[Sentence]:
    """Sentences in which only what follows a name tells what it is."""
    source = random.Random(seed)  # noqa: S311 - no secret
    found: list[Sentence] = []
    for _ in range(number):
        name = source.choice(NAMES)
        if source.random() < 0.5:
            last = [("Miller", "I-PER")] if source.random() < 0.5 else []
            found.append([(name, "B-PER"), *last, (source.choice(("was", "said", "slept")), "O"), (".", "O")])
        else:
            found.append([(name, "O"), (source.choice(("bears", "petals")), "O"), ("fell", "O"), (".", "O")])
    return found


def column_text(found: list[Sentence]) -> str:
    """A column file of these."""
    return "\n".join("".join(f"{word}\t{label}\n" for word, label in sentence) for sentence in found)


def write_columns(path: Path, number: int = 120, seed: int = 1) -> Path:
    """Write a column file."""
    path.write_text(column_text(sentences(number, seed)), encoding="utf-8")
    return path
