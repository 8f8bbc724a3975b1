"""Sentences with names in them, where only what stands to the right tells whether a word is one, and of what.

``python corpora/teddy.py --part training --seed 1`` writes a CoNLL column file: a token and its label a line, a blank
line behind each sentence. "Teddy Roosevelt was a nice president" begins with a person (PER), "Teddy bears are now on
sale" with nobody; the same words may also be a place (LOC) or an organisation (ORG), the subject of "was a nice
village" or "was a nice company". Nothing before the subject, and nothing in it, tells which it is: each reading has the
same openings and draws its words from the same lists, half of them invented.

A sentence may end in a second name, which its left neighbours give away: "according to Doctor Miller".

Training, validation and held-out sentences share no content word: no name and no thing. What is left tells the reading,
and that all three share: verbs, complements such as "village", and function words. But no *frame*, the pair of a verb
and its complement, stands in two parts: the two come from two lists of 8, and the sum of their places in them, counted
from 0, modulo 8, is 0 in the held-out part, 1 in validation and another number in training. So each verb and each
complement loses the same share of its partners, and meets all the others in training.
"""

import argparse
import io
import os
import random
import re
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

PARTS = {"training": (2, 3, 4, 5, 6, 7), "validation": (1,), "held-out": (0,)}
"""The residues modulo `EIGHTH` of the frames and words of each part."""
EIGHTH = 8
SENTENCES = {"training": 8000, "validation": 1000, "held-out": 1000}
"""How many there are if nothing else is asked for."""


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("/"))


# Words that may be names. Of each list a part has those whose places have its residues. Most of the first are given
# names as well as something else; those of the second can be verbs too, at the beginning of a sentence.
GIVEN = _split(
    "Teddy/Rose/Lily/Daisy/Iris/Ivy/Heather/Holly/Olive/Hazel/Basil/Ginger/Rosemary/Jasmine/Amber/Ruby/"
    "Pearl/Opal/Jade/Crystal/Penny/Rusty/Sandy/Rocky/Cliff/Glen/Dale/Brook/Forest/Robin/Jay/Martin/"
    "Drake/Wren/Raven/Colt/Bishop/Dean/Earl/Duke/Mason/Carter/Cooper/Taylor/Archer/Porter/Parker/Sterling/"
    "Georgia/Florence/Victoria/Jordan/Chester/Lincoln/Madison/Jackson/Sydney/Charlotte/Austin/Dallas/Kent/Chelsea/"
    "Dawn/Joy"
)
VERBS = _split(
    "Mark/Will/May/Bill/Drew/Rob/Chase/Grant/Frank/Pat/Sue/Pierce/Skip/Nick/Chuck/Jack/Grace/Hunter/Wade/Trip/Dot/Josh/"
    "Rush/Carry"
)
SECOND = _split(
    "Roosevelt/Miller/Hill/Banks/Rivers/Woods/Field/Stone/Church/Park/Bridges/Waters/Ford/Wells/Moore/Marsh/"
    "Lake/Castle/House/Barnes/Mills/West/North/Winter/Day/Knight/King/Abbott/Pope/Chambers/Hall/Gates/"
    "Wall/Street/Lane/Rhodes/Forge/Fields/Brooks/Poole/Shore/Cliffe/Heath/Green/Brown/Black/Silver/Gold/"
    "Steel/Iron/Glass/Cotton/Wolf/Fox/Hawk/Crane/Swift/Finch/Herring/Salmon/Bacon/Rice/Pepper/Bean"
)
THINGS = _split(
    "bears/petals/dolls/lamps/boots/hats/cups/plates/chairs/tables/curtains/blankets/pillows/candles/clocks/knives/"
    "kites/balloons/puppets/drums/whistles/puzzles/pencils/notebooks/brushes/buckets/ladders/hammers/scissors/"
    "buttons/ribbons/gloves/scarves/socks/jackets/coats/shirts/belts/apples/cherries/carrots/onions/pumpkins/biscuits/"
    "cakes/pies/tarts/sweets/mirrors/frames/vases/baskets/bottles/jars/spoons/forks/trays/carpets/cushions/stools/"
    "shelves/kettles/teapots/tiles"
)

# What a subject may be, and how often.
READINGS = {"PER": 0.25, "LOC": 0.2, "ORG": 0.2, "things": 0.2, "order": 0.1, "question": 0.05}

# Verbs, by what they take: one thing, or several.
BEING = {
    "one": _split("was a/is a/became a/had been a/remained a/was once a/will be a/was hardly a"),
    "several": _split("were/are/became/had been/remained/were once/will be/were hardly"),
}
FEELING = {
    "one": _split("is now/was soon/is again/was still/is never/was often/is already/was almost"),
    "several": _split("are now/were soon/are again/were still/are never/were often/are already/were almost"),
}
QUALITIES = _split("nice/famous/poor/rich/quiet/proud/dull/friendly")

# By the reading: verbs and complements, 8 of each, which make a frame in pairs. {quality} is any of the above.
PREDICATES = {
    "PER": (
        (BEING["one"], _split("president/teacher/painter/doctor/lawyer/farmer/sailor/soldier")),
        (
            FEELING["one"],
            _split("on leave/in prison/out of breath/at school/in tears/on the phone/in bed/out of work"),
        ),
        (
            _split("opened/closed/painted/cleaned/locked/repaired/pushed/kicked"),
            _split("the door/the window/the gate/the drawer/the cupboard/the suitcase/the fence/the barrel"),
        ),
    ),
    "LOC": (
        (BEING["one"], _split("village/port/city/island/valley/town/suburb/district")),
        (
            FEELING["one"],
            _split(
                "under water/on the map/in ruins/without electricity/cut off by snow/full of tourists/under siege/"
                "covered in fog"
            ),
        ),
        (
            _split("lies/lay/stands/stood/spreads/stretched/begins/ended"),
            _split(
                "on the river/in the north/near the border/behind the hills/beside the lake/along the coast/"
                "above the plain/below the dam"
            ),
        ),
    ),
    "ORG": (
        (BEING["one"], _split("company/bank/firm/publisher/charity/brewery/factory/club")),
        (
            FEELING["one"],
            _split(
                "in debt/on strike/under new management/short of staff/on the stock market/out of business/"
                "behind with its taxes/ahead of its rivals"
            ),
        ),
        (
            _split("hired/dismissed/trained/paid/needed/recruited/employed/insured"),
            _split(
                "forty engineers/two hundred clerks/its drivers/many salesmen/more managers/its own lawyers/"
                "a dozen typists/several accountants"
            ),
        ),
    ),
    "things": (
        (BEING["several"], _split("presents/toys/prizes/ornaments/bargains/souvenirs/antiques/decorations")),
        (
            FEELING["several"],
            _split(
                "on sale/out of stock/in fashion/half price/sold by the dozen/on display/in every shop/"
                "made in this factory"
            ),
        ),
        (
            _split("fell/lay/landed/rolled/dropped/were found/were left/were scattered"),
            _split(
                "on the floor/under the table/behind the sofa/in the mud/down the stairs/on the carpet/"
                "between the boxes/on the grass"
            ),
        ),
    ),
    "order": (
        (
            _split("the date/the page/your words/this place/every box/these lines/the corner/your name"),
            _split(
                "in the diary/with a pencil/before noon/as soon as possible/on the list/in red ink/for the others/"
                "without delay"
            ),
        ),
    ),
    "question": (
        (
            _split("the train/the best team/your sister/this winter/the weather/our guests/the judge/these two"),
            _split("be late/win/come home/last forever/change tomorrow/wait for us/forgive him/stay calm"),
        ),
    ),
}

# What may stand before a subject, and between it and its verb, whatever the reading.
OPENINGS = _split("They say that/Everyone knows that/As we heard ,/In fact ,/Of course/To be honest ,/I believe that")
ASIDES = _split(", it seems ,/, as everyone knows ,/, after all ,/, they said ,/, of all things ,/, once more ,")

# Names that their left neighbours give away; the label stands for so many tokens as the name has.
TITLES = _split("Doctor/Mr/Mrs/President")
KINDS_OF_ORG = _split("Limited/Brothers/News")


class Token(NamedTuple):
    """A word or a punctuation mark, with its label."""

    word: str
    label: str


class Sentence(NamedTuple):
    """A sentence.

    Attributes:
        tokens: Of it.
        frame: What it is about: the reading, the verb and its complement.
    """

    tokens: tuple[Token, ...]
    frame: tuple[str, str, str]


def sentences(part: str, count: int, seed: int) -> list[Sentence]:
    """Draw distinct sentences of a part; the same seed gives the same ones everywhere."""
    drawer = _Drawer(part, seed)
    found: dict[tuple[Token, ...], Sentence] = {}
    while len(found) < count:
        sentence = drawer.sentence()
        found.setdefault(sentence.tokens, sentence)
    return list(found.values())


def content_words(words: Sequence[str], part: str) -> tuple[str, ...]:
    """Those of a list of content words that a part has."""
    return tuple(word for place, word in enumerate(words) if place % EIGHTH in PARTS[part])


def frames(part: str) -> set[tuple[str, str, str]]:
    """The frames that a part has."""
    return {
        (reading, verb, complement)
        for reading, families in PREDICATES.items()
        for verbs, complements in families
        for row, verb in enumerate(verbs)
        for column, complement in enumerate(complements)
        if (row + column) % EIGHTH in PARTS[part]
    }


# Invented names are an onset, a vowel, a middle, a vowel and an end. One in eight has no onset, so that names begin
# with every letter that other words begin with.
_SOUNDS = (
    _split("b/br/c/ch/d/dr/f/g/gr/h/j/k/l/m/n/p/r/s/sh/st/t/th/tr/v/w/y/z/fl////"),
    _split("a/e/i/o/u/ai/ea/oo"),
    _split("b/ck/d/l/ll/ld/m/n/nd/nt/r/rr/rv/st/t/v/x/z"),
    _split("a/e/i/o/u"),
    _split("ck/d/l/ld/m/n/nd/r/rd/rt/s/t/x/"),
)


def is_of_part(invented: str, part: str) -> bool:
    """Whether an invented name is one of this part's."""
    return crc32(invented.encode()) % EIGHTH in PARTS[part]


_REAL = {*GIVEN, *VERBS, *SECOND, *TITLES, *KINDS_OF_ORG}


class _Drawer:
    """Draws sentences of a part.

    Only `random()` is called, whose numbers are the same in every version of Python.
    """

    def __init__(self, part: str, seed: int) -> None:
        self._part = part
        self._generator = random.Random(f"{part} {seed}")
        self._given, self._verbs, self._second, self._things = (
            content_words(words, part) for words in (GIVEN, VERBS, SECOND, THINGS)
        )

    def _one_of(self, choices: Sequence[str]) -> str:
        return choices[int(self._generator.random() * len(choices))]

    def _by_chance(self, probability: float) -> bool:
        return self._generator.random() < probability

    def _invented(self) -> str:
        while True:
            name = "".join(map(self._one_of, _SOUNDS)).capitalize()
            if is_of_part(name, self._part) and name not in _REAL:
                return name

    def _first(self, words: Sequence[str]) -> str:
        return self._invented() if self._by_chance(0.5) else self._one_of(words)

    def _name(self, most: int = 3) -> list[str]:
        """A name of one to `most` words, mostly of two."""
        number = min(1 + self._by_chance(0.65) + self._by_chance(0.15), most)
        words = [self._first((*self._given, *self._verbs))]
        while len(words) < number:
            word = self._first(self._second)
            if word not in words:
                words.append(word)
        return words

    def sentence(self) -> Sentence:
        reading = self._reading()
        verb, complement = self._frame(reading)
        predicate = f"{verb} {complement}"
        if verb in (*BEING["one"], *BEING["several"]):
            predicate = f"{verb} {self._one_of(QUALITIES)} {complement}"
        tokens = self._subject(reading) + _outside(predicate)
        if reading not in {"order", "question"}:
            tokens += self._tail()
        tokens += _outside("?" if reading == "question" else ".")
        return Sentence(tuple(tokens), (reading, verb, complement))

    def _reading(self) -> str:
        chance = self._generator.random()
        for reading, share in READINGS.items():
            chance -= share
            if chance < 0:
                return reading
        return "PER"  # the shares' sum may have been rounded to less than 1

    def _frame(self, reading: str) -> tuple[str, str]:
        """A verb and a complement that make a frame of this part."""
        families = PREDICATES[reading]
        verbs, complements = families[int(self._generator.random() * len(families))]
        row = int(self._generator.random() * len(verbs))
        columns = [place for place in range(len(complements)) if (row + place) % EIGHTH in PARTS[self._part]]
        return verbs[row], complements[columns[int(self._generator.random() * len(columns))]]

    def _subject(self, reading: str) -> list[Token]:
        """All up to the verb."""
        if reading in {"order", "question"}:
            return [Token(self._first(self._verbs), "O")]
        opening = self._one_of(OPENINGS) if self._by_chance(0.5) else ""
        aside = self._one_of(ASIDES) if self._by_chance(0.2) else ""
        if reading == "things":
            name = _outside(" ".join([*self._name(2), self._one_of(self._things)]))
        else:
            name = _entity(self._name(), reading)
        return [*_outside(opening), *name, *_outside(aside)]

    def _tail(self) -> list[Token]:
        """A second name, or nothing."""
        chance = self._generator.random()
        if chance < 0.1:  # noqa: PLR2004 - the shares of each kind
            title = self._one_of(TITLES)
            return [*_outside(f", as {title}"), *_entity(self._name(2), "PER"), *_outside("told us")]
        if chance < 0.2:  # noqa: PLR2004 - likewise
            return [*_outside(", so we read in"), *_entity(self._name(1), "LOC")]
        if chance < 0.3:  # noqa: PLR2004 - likewise
            kind = self._one_of(KINDS_OF_ORG)
            return [*_outside(", according to"), *_entity([*self._name(1), kind], "ORG")]
        return []


def _outside(text: str) -> list[Token]:
    return [Token(word, "O") for word in text.split()]


def _entity(words: Sequence[str], kind: str) -> list[Token]:
    return [Token(word, f"{'I' if place else 'B'}-{kind}") for place, word in enumerate(words)]


def _natural(text: str) -> int:
    if not re.fullmatch("[0-9]+", text):
        raise ValueError(text)
    return int(text)


_natural.__name__ = "natural number"  # what argparse calls it


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Sentences whose names only the context to their right gives away.")
    parser.add_argument("--part", choices=PARTS, default="training", help="which part (default: %(default)s)")
    usual = ", ".join(f"{count} of {part}" for part, count in SENTENCES.items())
    parser.add_argument("--sentences", type=_natural, metavar="N", help=f"how many (default: {usual})")
    parser.add_argument("--seed", type=_natural, default=1, help="the same seed, the same text (default: %(default)s)")
    return parser


def _output(options: argparse.Namespace) -> Iterator[str]:
    count = SENTENCES[options.part] if options.sentences is None else options.sentences
    for sentence in sentences(options.part, count, options.seed):
        yield from (f"{token.word}\t{token.label}\n" for token in sentence.tokens)
        yield "\n"


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


if __name__ == "__main__":
    main()
