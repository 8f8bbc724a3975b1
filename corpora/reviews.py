"""Short reviews in which negation and order decide whether they are good, and how often words occur says nothing.

``python corpora/reviews.py --part training --seed 1`` writes a table: "positive" or "negative", a tab, the review. They
come in pairs: "The soup was good in every way, not bad." and "The soup was bad in every way, not good." hold the same
words, each as often, and have opposite labels. So whoever only counts words is right half the time. What is said of a
quality depends on a word that may stand far from it: "not", "expected", "hardly anything".

Training, validation and held-out reviews share no subject: what is reviewed in one part, another never mentions. Nor do
they share a *frame*, a pattern with the two opposite words that stand in it. The words come from two lists, and the sum
of their places in them, counted from 0, modulo 8, is 0 in the held-out part, 1 in validation and another number in
training. So each word loses the same share of its partners, and meets all the others in training. Patterns and the
words that praise and blame are what all parts share.
"""

import argparse
import io
import os
import random
import re
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

PARTS = {"training": (2, 3, 4, 5, 6, 7), "validation": (1,), "held-out": (0,)}
"""The residues modulo `EIGHTH` of the frames and subjects of each part."""
EIGHTH = 8
REVIEWS = {"training": 8000, "validation": 1000, "held-out": 1000}
"""How many there are if nothing else is asked for."""
LABELS = ("negative", "positive")


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("/"))


# What reviews are about. Of each list a part has those whose places have its residues.
SUBJECTS = _split(
    "soup/film/hotel/concert/novel/bakery/museum/garden/salad/play/hostel/opera/poem/teahouse/gallery/park/"
    "curry/series/cottage/recital/essay/tavern/castle/beach/pizza/musical/guesthouse/festival/biography/restaurant/zoo/"
    "pool/pudding/documentary/cabin/choir/magazine/diner/cathedral/market/stew/comedy/villa/band/diary/pub/library/spa/"
    "omelette/thriller/apartment/orchestra/memoir/bistro/planetarium/harbour/casserole/cartoon/lodge/quartet/trilogy/"
    "canteen/aquarium/sauna"
)

# The words that praise and blame: 16 of each, so that the frames of a pattern are 256 pairs.
GOOD = _split(
    "good/lovely/charming/delightful/brilliant/wonderful/pleasant/superb/splendid/marvellous/fine/beautiful/great/"
    "excellent/perfect/fantastic"
)
BAD = _split(
    "bad/awful/boring/dreadful/terrible/horrible/nasty/poor/disappointing/miserable/mediocre/ugly/dull/hopeless/lousy/"
    "pathetic"
)
PRAISE = _split(
    "praise/admire/enjoy/love/celebrate/recommend/applaud/cherish/treasure/adore/relish/savour/like/respect/commend/prize"
)
BLAME = _split(
    "complain about/criticise/regret/hate/forgive/deplore/condemn/resent/lament/despise/detest/loathe/dislike/reproach/"
    "grumble about/put up with"
)

# Patterns with two opposite words, of qualities {0}, {1} or of what one does {2}, {3}; the even one decides. {d} stands
# for a word of degree and {e} for an ending, both of which say nothing and keep neighbours from saying much.
PATTERNS = (
    "The {s} was {d} {0} {e}, not {d} {1}.",
    "The {s} was not {d} {1} {e} but {d} {0}.",
    "I expected the {s} to be {d} {1} {e}, but it was {d} {0} {e}.",
    "The {s} was {d} {0} {e}, although I had expected it to be {d} {1} {e}.",
    "Everyone calls the {s} {d} {1} {e}, while I call it {d} {0} {e}.",
    "I call the {s} {d} {0} {e}, while everyone calls it {d} {1} {e}.",
    "Far from being {d} {1} {e}, the {s} was {d} {0} {e}.",
    "The {s} was {d} {0} {e}, far from being {d} {1} {e}.",
    "At first {d} {1} {e}, the {s} was {d} {0} {e} in the end.",
    "In the end the {s} was {d} {0} {e}, and only at first {d} {1} {e}.",
    "The {s}, which used to be {d} {1} {e}, is now {d} {0} {e}.",
    "The {s} is now {d} {0} {e}, and used to be {d} {1} {e}.",
    "Nobody could call the {s} {d} {1} {e}, so call it {d} {0} {e}.",
    "It is the {d} {0} {s} {e} and not the {d} {1} one.",
    "It is not the {d} {1} {s} {e} but the {d} {0} one.",
    "I was promised a {d} {1} {s} {e} and got a {d} {0} one {e}.",
    "There was plenty to {2} {e} and hardly anything to {3} in the {s}.",
    "There was hardly anything to {3} {e} and plenty to {2} in the {s}.",
    "If you ask what there is to {3} {e}, nothing, but there is a lot to {2} in the {s}.",
    "If you ask what there is to {2} {e}, a lot, and nothing that one could {3} in the {s}.",
)

# Patterns with one word {0}, in pairs: as it is in the first, and turned into its opposite in the second. A pattern's
# four reviews, with a good and a bad word in both, hold each word as often among the positive as among the negative.
TURNING = (
    ("The {s} could not have been more {0} {e}.", "The {s} was not {0} at all {e}."),
    ("I would not call the {s} anything but {0} {e}.", "I would not call the {s} {0} or anything of the kind {e}."),
    ("Hardly anything about the {s} was not {0} {e}.", "Hardly anything about the {s} was {0} {e}."),
    ("Not once did the {s} fail to be {0} {e}.", "Not once was the {s} to be called {0} {e}."),
    ("I can not say that the {s} was not {0} {e}.", "I can not say that the {s} was {0} {e}."),
)

DEGREES = _split("really/very/rather/quite/truly/fairly/pretty/most")
ENDINGS = _split("/to my mind/in every way/by any standard/all the time/on the whole/as a rule/for us/this year")


class Review(NamedTuple):
    """A review.

    Attributes:
        label: One of `LABELS`.
        text: Of it.
        subject: What it is about.
        frame: The pattern, and the two opposite words that stand in it, or in its turned twin.
    """

    label: str
    text: str
    subject: str
    frame: tuple[str, str, str]


def subjects(part: str) -> tuple[str, ...]:
    """The subjects that a part has."""
    return tuple(word for place, word in enumerate(SUBJECTS) if place % EIGHTH in PARTS[part])


def frames(part: str) -> set[tuple[str, str, str]]:
    """The frames that a part has."""
    return {
        (pattern, good, bad)
        for pattern in (*PATTERNS, *(first for first, _ in TURNING))
        for row, good in enumerate(_words(pattern)[0])
        for column, bad in enumerate(_words(pattern)[1])
        if (row + column) % EIGHTH in PARTS[part]
    }


def _words(pattern: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that praise and those that blame in a pattern."""
    return (PRAISE, BLAME) if "{2}" in pattern else (GOOD, BAD)


def reviews(part: str, count: int, seed: int) -> list[Review]:
    """Draw distinct reviews of a part, as many of each label; the same seed gives the same ones everywhere.

    Raises:
        ValueError: The number is odd.
    """
    if count % 2:
        raise ValueError(f"{count} reviews are an odd number, but they come in pairs")
    drawer = _Drawer(part, seed)
    found: dict[str, Review] = {}
    while len(found) < count:
        group = drawer.group(at_most=count - len(found))
        if not any(review.text in found for review in group):
            found |= {review.text: review for review in group}
    return list(found.values())


class _Drawer:
    """Draws reviews of a part, in groups that are balanced.

    Only `random()` is called, whose numbers are the same in every version of Python.
    """

    def __init__(self, part: str, seed: int) -> None:
        self._residues = PARTS[part]
        self._subjects = subjects(part)
        self._generator = random.Random(f"{part} {seed}")

    def _place(self, number: int) -> int:
        return int(self._generator.random() * number)

    def _one_of(self, choices: Sequence[str]) -> str:
        return choices[self._place(len(choices))]

    def group(self, at_most: int) -> list[Review]:
        """A pair, or four reviews where so many are allowed."""
        place = self._place(len(PATTERNS) + (len(TURNING) if at_most >= 4 else 0))  # noqa: PLR2004 - two pairs
        turning = place >= len(PATTERNS)
        plain, turned = TURNING[place - len(PATTERNS)] if turning else (PATTERNS[place], "")
        good, bad = self._opposites(plain)
        subject = self._one_of(self._subjects)
        texts = [self._filled(plain, subject)]
        if turning:
            texts.append(self._filled(turned, subject))
        return [
            Review(LABELS[praises != (text != texts[0])], _written(text, *words), subject, (plain, good, bad))
            for text in texts
            for praises, words in ((True, (good, bad)), (False, (bad, good)))
        ]

    def _opposites(self, pattern: str) -> tuple[str, str]:
        """A word that praises and one that blames, which make a frame of this part."""
        praising, blaming = _words(pattern)
        row = self._place(len(praising))
        columns = [place for place in range(len(blaming)) if (row + place) % EIGHTH in self._residues]
        return praising[row], blaming[columns[self._place(len(columns))]]

    def _filled(self, pattern: str, subject: str) -> str:
        """A pattern with everything in it but the words that praise and blame."""
        text = re.sub("{s}", subject, pattern)
        text = re.sub("{d}", lambda _: self._one_of(DEGREES), text)
        return re.sub(" {e}", lambda _: f" {self._one_of(ENDINGS)}".rstrip(), text)


def _written(text: str, decides: str, other: str) -> str:
    return text.format(decides, other, decides, other)


def _natural(text: str) -> int:
    if not re.fullmatch("[0-9]+", text):
        raise ValueError(text)
    return int(text)


_natural.__name__ = "natural number"  # what argparse calls it


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Reviews in which negation and order decide, not the words.")
    parser.add_argument("--part", choices=PARTS, default="training", help="which part (default: %(default)s)")
    usual = ", ".join(f"{count} of {part}" for part, count in REVIEWS.items())
    parser.add_argument("--reviews", type=_natural, metavar="N", help=f"how many, an even number (default: {usual})")
    parser.add_argument("--seed", type=_natural, default=1, help="the same seed, the same text (default: %(default)s)")
    return parser


def _output(options: argparse.Namespace) -> Iterator[str]:
    count = REVIEWS[options.part] if options.reviews is None else options.reviews
    yield from (f"{review.label}\t{review.text}\n" for review in reviews(options.part, count, options.seed))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(newline="\n")  # the same bytes on every system
    try:
        sys.stdout.writelines(_output(options))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has enough; what is left must not be flushed to it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        parser.exit(130)
    except ValueError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
