"""Pieces of the fables, told or spoken: a label that is rare, and that words give away only in part.

    python corpora/speech.py > training.tsv
    python corpora/speech.py --part held-out > held-out.tsv

writes a table: "story" or "speech", a tab, a piece of a sentence without the quotation marks. Training has the first
two thirds of the fables' paragraphs, and of what is spoken there only so much that the story has twenty times as many
pieces; the held-out part has the rest as it is.
"""

import argparse
import random
import re
import sys
from pathlib import Path

FABLES = Path(__file__).parent / "fables.txt"
PARTS = ("training", "held-out")
RARE = 20
"""Pieces of story in the training part for each that is spoken."""
FEWEST_WORDS = 3


def pieces(paragraphs: list[str]) -> list[tuple[str, str]]:
    """Labels and texts, in their order: what stands between marks of punctuation, if it is of three words or more."""
    found = []
    for paragraph in paragraphs:
        for number, side in enumerate(re.split(r'"|\u201c|\u201d', paragraph)):
            label = "speech" if number % 2 else "story"
            parts = (part.strip(" ,.;:!?") for part in re.split(r"(?<=[.!?;,])\s+", side))
            found += [(label, part) for part in parts if len(part.split()) >= FEWEST_WORDS]
    return found


def part(name: str, rare: int = RARE) -> list[tuple[str, str]]:
    """The labels and texts of a part.

    Args:
        name: of ``PARTS``.
        rare: in training, pieces of story for each that is spoken.
    """
    paragraphs = [each.replace("\n", " ") for each in FABLES.read_text(encoding="utf-8").split("\n\n")]
    cut = len(paragraphs) * 2 // 3
    if name != PARTS[0]:
        return pieces(paragraphs[cut:])
    every = pieces(paragraphs[:cut])
    told, spoken = ([each for each in every if each[0] == label] for label in ("story", "speech"))
    random.Random(1).shuffle(spoken)
    mixed = told + spoken[: len(told) // rare]
    random.Random(2).shuffle(mixed)
    return mixed


def main() -> None:
    """Write a part."""
    parser = argparse.ArgumentParser(description="Pieces of the fables, told or spoken, with labels.")
    parser.add_argument("--part", choices=PARTS, default=PARTS[0], help="which part (default: %(default)s)")
    parser.add_argument(
        "--rare", type=int, default=RARE, help="told for one spoken, in training (default: %(default)s)"
    )
    given = parser.parse_args()
    sys.stdout.writelines(f"{label}\t{text}\n" for label, text in part(given.part, given.rare))


if __name__ == "__main__":
    main()
