"""A seeded grammar of English with known statistics, and test pairs whose frames its training text never holds.

``python corpora/agreement.py --sentences 20000 --seed 1`` writes training text: verbs that agree with a subject some
words back, across prepositional phrases and relative clauses, and sound-alike words where only the context tells which
one is right. ``--pairs`` writes minimal pairs, a right and a wrong sentence that differ in one word; ``--entropy`` what
a token of the text costs the best model there can be; ``--cost`` what the lines of a given text cost that model.

The text is lower case, one sentence a line. A token is a word, a comma, which stands directly behind a word, or the end
of a line.

The grammar is one table, `RULES`: drawing, parsing and the exact figures all read it. A derivation begins at
``<training>`` or at ``<held>``. Both lead to the same phrases but to different *frames*, a frame being the words that
belong together: (subject, predicate) where a verb agrees, (word, first context word, second context word) where a word
sounds like another. The last two of a frame come from two lists, and it is held out where the sum of their places in
them, counted from 0, is divisible by `HELD_EVERY`. So each loses the same share of its partners, 1 in 8, and meets all
the others in training. No sentence has two derivations, so the entropy of the derivations is that of the sentences.
"""

import argparse
import io
import math
import os
import random
import re
import sys
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

HELD_EVERY = 8
KINDS = ("sound-alike", "prepositional", "relative")  # of minimal pairs


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("/"))


# The words and phrases. A bar stands between the singular and the plural of a verb. A tilde stands between a word that
# is right and the one that is wrong in its place. Of the members of a list that a slash divides, one may be empty.

NUMBERS = ("singular", "plural")
FAMILIES = {"plain": 0.1, "prepositional": 0.3, "relative": 0.3, "sound-alike": 0.3}
BE = {"was|were": 0.4, "is|are": 0.4, "has|have been": 0.2}

# All nouns whose number matters add an s to it.
ANIMALS = _split("cat/dog/horse/goat/duck/lion/camel/donkey")
PEOPLE = _split("farmer/baker/teacher/doctor/sailor/painter/singer/driver")
BEINGS = ANIMALS + PEOPLE
THINGS = _split("key/letter/book/picture/lamp/basket/bottle/clock")
BUILDINGS = _split("mill/castle/school/chapel/cottage/hotel/market/garden")
PLACES = (*BUILDINGS, *_split("cabinet/door/gate/barn/house/tower/shed/shop"))

PREDICATES = {
    "being": _split(
        "full/asleep/hungry/tired/happy/calm/sick/awake/thirsty/quiet/cold/safe/"
        "runs|run home/waits|wait outside/sleeps|sleep inside/comes|come back"
    ),
    "thing": _split(
        "lost/clean/dirty/old/new/dry/wet/dusty/cheap/small/broken/useful/"
        "looks|look fine/needs|need repair/belongs|belong here/weighs|weigh little"
    ),
}
DEEDS = {  # what a being does to a being, or with a thing
    "being": _split("saw/knew/followed/likes|like/fears|fear/has|have met"),
    "thing": _split("found/carried/sold/wants|want/keeps|keep/has|have moved"),
}

# What may stand between a subject and its verb, with the subjects that it fits.
MODIFIERS = {
    "plain": [(BEINGS + THINGS, "")],
    "prepositional": [(BEINGS + THINGS, "{first} the <place>" + " <phrase>" * more) for more in range(4)],
    "relative": [
        (BEINGS, ", {who} <adverb> <done> <tail> ,"),
        (BEINGS, "that <deed:{kind}:{number}> <object> <tail>"),
        (BEINGS + THINGS, "that <clause:{kind}> <tail>"),
        (ANIMALS + THINGS, ", which <clause:{kind}> <tail> ,"),
    ],
}
FIRST_PREPOSITION = {"key": "to", "picture": "of"}

# Sentences with a sound-alike word. The first two of a template's lists that have 8 members make its frame; the
# asterisk marks the word nearest to the sound-alike that decides which one is right. Where English allows it, the words
# next to the two are the same, so that these do not give them away.
TEMPLATES = (
    "the *FRUIT and pear~pair DISH SERVED",
    "the *GARMENT and pair~pear of GARMENTS lay POSITION the FURNITURE WHEN",
    "the *VESSEL crossed the WEATHER sea~see WHEN",
    "the PERSON *could ADVERB see~sea the VESSEL WHEN",
    "the PERSON *picked the SAME COLOUR flower~flour WHEN",
    "the PERSON *sifted the SAME COLOUR flour~flower WHEN",
    "the PERSON *called the NATURE son~sun POSITION the BUILDING WHEN",
    "the PERSON *felt the NATURE sun~son POSITION the BUILDING WHEN",
    "the PERSON *told the SAME STYLE tale~tail WHEN",
    "the ANIMAL *wagged the SAME STYLE tail~tale WHEN",
    "the PERSON *spent the SAME WEATHER night~knight POSITION the BUILDING",
    "the PERSON *served the SAME WEATHER knight~night POSITION the BUILDING",
    "the PERSON *combed the SAME COLOUR hair~hare WHEN",
    "the ANIMAL *chased the SAME COLOUR hare~hair WHEN",
    "the PERSON *crossed the SAME LOOK beach~beech WHEN",
    "the PERSON *climbed the SAME LOOK beech~beach WHEN",
    "the PERSON *pulled the SAME SHAPE root~route WHEN",
    "the PERSON *chose the SAME SHAPE route~root WHEN",
    "the SHAPE road~rode *led to the BUILDING WHEN",
    "the *PERSON ADVERB rode~road to the BUILDING WHEN",
)
LISTS = {
    "ADVERB": _split("/always/still/often"),
    "ANIMAL": ANIMALS,
    "BUILDING": BUILDINGS,
    "COLOUR": _split("red/white/golden/black/brown/grey/pale/dark"),
    "DISH": _split("salad/tart/pie/cake/soup/jam/juice/sauce"),
    "FRUIT": _split("apple/plum/peach/cherry/lemon/fig/grape/melon"),
    "FURNITURE": _split("table/chair/bench/shelf/bed/sofa/desk/stool"),
    "GARMENT": _split("coat/hat/shirt/scarf/dress/jacket/belt/cap"),
    "GARMENTS": _split("gloves/boots/socks/shoes/mittens/trousers/sandals/slippers"),
    "LOOK": _split("old/bare/small/great/lovely/famous/green/lonely"),
    "NATURE": _split("bright/gentle/strong/warm/mild/fierce/kind/lazy"),
    "PERSON": PEOPLE,
    "POSITION": _split("near/behind/beside/by"),
    "SAME": _split("/same/other/last"),
    "SERVED": _split("/was fresh/was sweet/was cheap/was ready/sold well/tasted good/came first"),
    "SHAPE": _split("long/short/narrow/wide/strange/hidden/crooked/simple"),
    "STYLE": _split("long/short/fine/strange/dark/plain/thin/grand"),
    "VESSEL": _split("ship/boat/canoe/raft/yacht/fleet/ferry/barge"),
    "WEATHER": _split("cold/calm/warm/dark/wet/wild/quiet/grey"),
    "WHEN": _split("/again/today/that day/one day/as usual/at last/after all"),
}


class Alternative(NamedTuple):
    """What a symbol may become.

    Attributes:
        probability: Given the symbol.
        parts: In order, of four sorts: a ``<symbol>``; a ``#member`` of the frame, which is not written; a word or a
            comma; and ``right~wrong``, a word with the one that takes its place in a minimal pair. A word behind an
            asterisk decides which of those two is right.
    """

    probability: float
    parts: tuple[str, ...]


Rules = dict[str, tuple[Alternative, ...]]


def _weighted(texts: Mapping[str, float]) -> tuple[Alternative, ...]:
    return tuple(Alternative(probability, tuple(text.split())) for text, probability in texts.items())


def _uniform(texts: Iterable[str]) -> tuple[Alternative, ...]:
    listed = list(texts)
    return _weighted(dict.fromkeys(listed, 1 / len(listed)))


def _partners(status: str, row: int, columns: Sequence[str]) -> list[str]:
    """The columns that make a frame of this status, "training" or "held", with a row."""
    return [name for column, name in enumerate(columns) if ((row + column) % HELD_EVERY == 0) == (status == "held")]


def _noun(lemma: str, number: str) -> str:
    return lemma if number == "singular" else f"{lemma}s"


def _verb(text: str, number: str, *, marked: bool = False) -> str:
    """Choose from each ``singular|plural``; `marked` keeps the other form behind a tilde, as the wrong one."""
    forms = {"singular": r"\1~\2", "plural": r"\2~\1"} if marked else {"singular": r"\1", "plural": r"\2"}
    return re.sub(r"(\w+)\|(\w+)", forms[number], text)


def _grammar() -> Rules:
    rules = _phrases()
    for status in ("training", "held"):
        rules[f"<{status}>"] = _weighted({f"<{status}:{family}>": share for family, share in FAMILIES.items()})
        rules |= _agreements(status) | _predicates(status) | _sound_alikes(status)
    return rules


def _phrases() -> Rules:
    """What stands between a subject and its verb: the same in training and held out."""
    rules = {
        "<phrase>": _uniform(["<POSITION> the <place>"]),
        "<place>": _weighted({"<place:noun>": 0.75, "<place:look> <place:noun>": 0.25}),
        "<place:look>": _uniform(_split("old/new/small/wide/white/grey")),
        "<place:noun>": _uniform(_noun(place, number) for place in PLACES for number in NUMBERS),
        "<tail>": _weighted({"": 0.4, "<phrase>": 0.3, "<phrase> <phrase>": 0.2, "<phrase> <phrase> <phrase>": 0.1}),
        "<adverb>": _uniform(_split("already/often/just/once")),
        "<done>": _uniform(_split("ate/slept/ran/rested/drank/swam")),
        "<object>": _weighted({"the <being>": 0.6, "the <being> that <clause:being>": 0.4}),
        "<being>": _uniform(f"<being:{number}>" for number in NUMBERS),
        "<near>": _weighted({"": 0.7, "<phrase>": 0.3}),
    }
    for number in NUMBERS:
        rules[f"<being:{number}>"] = _uniform(_noun(being, number) for being in BEINGS)
    for kind, deeds in DEEDS.items():
        rules[f"<clause:{kind}>"] = _uniform(f"the <being:{one}> <near> <deed:{kind}:{one}>" for one in NUMBERS)
        for number in NUMBERS:
            rules[f"<deed:{kind}:{number}>"] = _uniform(_verb(deed, number) for deed in deeds)
    return rules


def _agreements(status: str) -> Rules:
    """Sentences whose verb agrees, by family, modifier and number."""
    rules = {}
    for family, modifiers in MODIFIERS.items():
        sorts = [
            (f"<{status}:{family}:{which}:{number}>", one, number)
            for which, one in enumerate(modifiers)
            for number in NUMBERS
        ]
        rules[f"<{status}:{family}>"] = _uniform(symbol for symbol, _, _ in sorts)
        for symbol, (subjects, modifier), number in sorts:
            rules[symbol] = _uniform(_agreement(status, subject, modifier, number) for subject in subjects)
    return rules


def _agreement(status: str, subject: str, modifier: str, number: str) -> str:
    kind, names = ("thing", THINGS) if subject in THINGS else ("being", BEINGS)
    between = modifier.format(
        first=FIRST_PREPOSITION.get(subject, "<POSITION>"),
        who="who" if subject in PEOPLE else "which",
        kind=kind,
        number=number,
    )
    row = names.index(subject) % HELD_EVERY
    return f"#{subject} the *{_noun(subject, number)} {between} <{status}:{kind}:{number}:{row}>"


def _predicates(status: str) -> Rules:
    """Verb phrases, by the kind, number and row of their subject."""
    rules = {
        f"<be:{number}>": _weighted({_verb(be, number, marked=True): share for be, share in BE.items()})
        for number in NUMBERS
    }
    for kind, predicates in PREDICATES.items():
        for number in NUMBERS:
            for row in range(HELD_EVERY):
                rules[f"<{status}:{kind}:{number}:{row}>"] = _uniform(
                    f"#{one.split('|')[0]} "
                    + (_verb(one, number, marked=True) if "|" in one else f"<be:{number}> {one}")
                    for one in _partners(status, row, predicates)
                )
    return rules


def _sound_alikes(status: str) -> Rules:
    """Sentences in which a word sounds like another, by that word."""
    rules: Rules = {}
    symbols = []
    for template in TEMPLATES:
        word = template.split("~")[0].split()[-1]
        names = re.findall("[A-Z]+", template)
        first, second = [name for name in names if len(LISTS[name]) == HELD_EVERY][:2]
        rules |= {f"<{name}>": _uniform(LISTS[name]) for name in names if name not in (first, second)}
        for row in range(HELD_EVERY):  # the same for every template that has this list
            rules[f"<{status}:{second}:{row}>"] = _uniform(
                f"#{name} {name}" for name in _partners(status, row, LISTS[second])
            )
        pattern = f"#{word} #{{{first}}} " + re.sub("([A-Z]+)", r"{\1}", template)
        free = {name: f"<{name}>" for name in names}
        symbols.append(f"<{status}:{word}>")
        rules[symbols[-1]] = _uniform(
            pattern.format_map(free | {first: member, second: f"<{status}:{second}:{row}>"})
            for row, member in enumerate(LISTS[first])
        )
    return rules | {f"<{status}:sound-alike>": _uniform(symbols)}


RULES = _grammar()


def sentences(count: int, seed: int) -> Iterator[str]:
    """Draw sentences of the training text; the same seed gives the same ones everywhere."""
    generator = random.Random(seed)
    return (_written(_draw("<training>", generator)) for _ in range(count))


# Of each symbol, the cumulative probabilities and each alternative's parts from last to first.
_DRAWN = {
    symbol: (list(accumulate(one.probability for one in alternatives)), [one.parts[::-1] for one in alternatives])
    for symbol, alternatives in RULES.items()
}


def _draw(symbol: str, generator: random.Random) -> list[str]:
    """What a symbol becomes, with no symbol left in it.

    Only `random()` is called, whose numbers are the same in every version of Python.
    """
    parts = []
    stack = [symbol]
    while stack:
        part = stack.pop()
        if part in _DRAWN:
            cumulative, alternatives = _DRAWN[part]
            # The last sum may have been rounded to less than 1.
            stack += alternatives[bisect(cumulative, generator.random(), hi=len(cumulative) - 1)]
        else:
            parts.append(part)
    return parts


@cache
def _text(part: str) -> str:
    """A part as it is written, with the space before it; nothing for a member of the frame."""
    word = part.lstrip("*").split("~")[0]
    return "" if part.startswith("#") else word if word == "," else f" {word}"


def _written(parts: Iterable[str]) -> str:
    return "".join(map(_text, parts))[1:]


def tokens_of(sentence: str) -> list[str]:
    """The words and commas of a sentence; its end, one more token, is not among them."""
    return sentence.replace(",", " ,").split(" ")


class Pair(NamedTuple):
    """A minimal pair.

    Attributes:
        kind: One of `KINDS`.
        right: A sentence of a held-out frame.
        wrong: The same with another word in one place.
        distance: Tokens between that place and the word that decides which is right: the head noun of the subject
            where a verb agrees, the nearest word that tells the meaning of a sound-alike.
        attractors: Nouns among these tokens whose number is not that of the head noun; 0 for sound-alikes.
    """

    kind: str
    right: str
    wrong: str
    distance: int
    attractors: int


def minimal_pairs(kind: str, count: int, seed: int) -> list[Pair]:
    """Draw distinct pairs of held-out frames.

    The alternatives of the kind's rule take turns, so that there are, up to one, as many pairs of each number and
    modifier, or of each sound-alike word.

    Raises:
        ValueError: There is no such kind, or it has fewer pairs.
    """
    if kind not in KINDS:
        raise ValueError(f"no kind of pair is called {kind!r}: there are {', '.join(KINDS)}")
    symbols = [one.parts[0] for one in RULES[f"<held:{kind}>"]]
    most = len(symbols) * min(map(_count, symbols))
    if count > most:
        raise ValueError(f"{count} {kind} pairs are too many: there are {most}, equally shared out")
    generator = random.Random(seed)
    pairs: dict[str, Pair] = {}
    while len(pairs) < count:
        pair = _pair(kind, _draw(symbols[len(pairs) % len(symbols)], generator))
        pairs.setdefault(pair.right, pair)
    return list(pairs.values())


@cache
def _count(part: str) -> int:
    """How many derivations a part has."""
    return sum(math.prod(map(_count, one.parts)) for one in RULES[part]) if part in RULES else 1


_NUMBER_OF = {_noun(noun, number): number for noun in BEINGS + THINGS + PLACES for number in NUMBERS}


def _pair(kind: str, parts: list[str]) -> Pair:
    tokens = [part for part in parts if not part.startswith("#")]
    place = next(place for place, token in enumerate(tokens) if "~" in token)
    decisive = next(place for place, token in enumerate(tokens) if token.startswith("*"))
    wrong = [*tokens[:place], tokens[place].split("~")[1], *tokens[place + 1 :]]
    between = tokens[min(place, decisive) + 1 : max(place, decisive)]
    number = _NUMBER_OF.get(tokens[decisive][1:])
    attractors = sum(_NUMBER_OF.get(token, number) != number for token in between)
    return Pair(kind, _written(tokens), _written(wrong), len(between), attractors)


class Entropy(NamedTuple):
    """What the training text costs the model that knows its grammar: exact expectations, line ends included.

    Attributes:
        nats_per_sentence: Of a sentence.
        tokens_per_sentence: Of a sentence.
        nats_per_token: The ratio of the two, to which the cost of a long text tends.
    """

    nats_per_sentence: float
    tokens_per_sentence: float
    nats_per_token: float


def entropy() -> Entropy:
    """The entropy of the training text."""
    nats, tokens = _expected("<training>")
    return Entropy(nats, tokens + 1, nats / (tokens + 1))


@cache
def _expected(part: str) -> tuple[float, float]:
    """Expected nats and tokens of what a part becomes: of its own choice, and of all that follow from it."""
    if part not in RULES:
        return 0.0, float(_text(part) != "")
    nats = tokens = 0.0
    for probability, parts in RULES[part]:
        nats += probability * (sum(_expected(one)[0] for one in parts) - math.log(probability))
        tokens += probability * sum(_expected(one)[1] for one in parts)
    return nats, tokens


class Derivation(NamedTuple):
    """A derivation of the first tokens of a sentence.

    Attributes:
        nats: Minus the logarithm of its probability.
        frame: The members of the frame so far.
        rest: The parts that must become the other tokens.
    """

    nats: float
    frame: tuple[str, ...]
    rest: tuple[str, ...]


def derivations(sentence: str, symbol: str = "<training>") -> list[Derivation]:
    """All derivations of a sentence: one, or none where the symbol cannot become this sentence."""
    tokens = tokens_of(sentence)
    if "" in tokens:  # a needless space, which must not be taken for the end of the line
        return []
    found = _begun(symbol, tuple(tokens[:2]))
    for token in [*tokens[2:], ""]:
        found = _continued(found, token)
    return found


@cache
def _begun(symbol: str, tokens: tuple[str, ...]) -> list[Derivation]:
    """Derivations of the first tokens, kept for the next sentence, since most of the work lies there."""
    found = [Derivation(0.0, (), (symbol,))]
    for token in tokens:
        found = _continued(found, token)
    return found


def _continued(found: Iterable[Derivation], token: str) -> list[Derivation]:
    return [
        Derivation(nats + step.nats, frame + step.frame, step.rest)
        for nats, frame, rest in found
        for step in _steps(rest).get(token, ())
    ]


@cache
def _steps(parts: tuple[str, ...]) -> dict[str, list[Derivation]]:
    """The derivations of the first token of what these parts become, by that token: "" is the end of the line."""
    if not parts:
        return {"": [Derivation(0.0, (), ())]}
    first, rest = parts[0], parts[1:]
    if first in RULES:
        ways = [Derivation(-math.log(probability), (), (*inner, *rest)) for probability, inner in RULES[first]]
    elif first.startswith("#"):
        ways = [Derivation(0.0, (first[1:],), rest)]
    else:
        return {_text(first).strip(): [Derivation(0.0, (), rest)]}
    tokens = dict.fromkeys(token for way in ways for token in _steps(way.rest))
    return {token: _continued(ways, token) for token in tokens}


def log_probability(sentence: str) -> float:
    """The logarithm of a sentence's probability in the training text, in nats; -inf where it cannot occur."""
    found = derivations(sentence)
    return -found[0].nats if found else -math.inf


def frame_of(sentence: str) -> tuple[str, ...] | None:
    """The frame of a sentence, in training or held out; None where the grammar cannot write it."""
    found = derivations(sentence) or derivations(sentence, "<held>")
    return found[0].frame if found else None


def _cost(path: Path) -> str:
    """What a text costs the model that knows the grammar.

    Raises:
        ValueError: A line of it cannot occur in the training text, or it has none.
        OSError: It cannot be read.
    """
    nats, tokens = 0.0, 0
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            sentence = line.removesuffix("\n")
            found = derivations(sentence)
            if not found:
                raise ValueError(f"{path}, line {number}: the training text cannot hold {sentence!r}")
            nats += found[0].nats
            tokens += len(tokens_of(sentence)) + 1
    if not tokens:
        raise ValueError(f"{path} is empty")
    return f"tokens {tokens}\n{_rates(nats / tokens)}"


def _rates(nats: float) -> str:
    return f"nats a token {nats:.6f}\nbits a token {nats / math.log(2):.6f}\n"


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


_natural.__name__ = "natural number"  # what argparse calls it


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Text of a known grammar, and test pairs that it never holds.")
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--sentences", type=_natural, metavar="N", help="write N sentences of training text")
    task.add_argument("--pairs", choices=(*KINDS, "all"), help="write pairs: kind, right, wrong, distance, attractors")
    task.add_argument("--entropy", action="store_true", help="write the entropy of the training text")
    task.add_argument("--cost", type=Path, metavar="FILE", help="write what a text's lines cost, at best")
    parser.add_argument("--count", type=_natural, default=200, help="pairs of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=_natural, default=1, help="the same seed, the same text (default: %(default)s)")
    return parser


def _output(options: argparse.Namespace) -> Iterator[str]:
    if options.sentences is not None:
        yield from (f"{sentence}\n" for sentence in sentences(options.sentences, options.seed))
    elif options.pairs:
        for kind in KINDS if options.pairs == "all" else [options.pairs]:
            yield from ("\t".join(map(str, pair)) + "\n" for pair in minimal_pairs(kind, options.count, options.seed))
    elif options.cost:
        yield _cost(options.cost)
    else:
        nats, tokens, rate = entropy()
        yield f"nats a sentence {nats:.6f}\ntokens a sentence {tokens:.6f}\n{_rates(rate)}"


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
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
