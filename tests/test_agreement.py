"""What the grammar of corpora/agreement.py promises of its text, its pairs and its figures."""

import hashlib
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest
from scripts import load_script

SCRIPT = Path(__file__).resolve().parent.parent / "corpora" / "agreement.py"
HELD_OUT = {  # sentences that the grammar can write, but not in training; with the wrong ones
    "the apple and pear salad": "the apple and pair salad",
    "the cat, which already ate, was full": "the cat, which already ate, were full",
    "the cats, which already ate, were full": "the cats, which already ate, was full",
    "the key to the old cabinets near the doors is lost": "the key to the old cabinets near the doors are lost",
}
TEXT_SHA256 = "b5f4e1275de3d3201ba3cb7435fd2c99b358190a4629f6977a4464c244209da2"  # of 1000 sentences of seed 1


def load() -> Any:
    """The module, anew: corpora/ is no package."""
    return load_script("corpora/agreement.py")


agreement = load()
KINDS: tuple[str, ...] = agreement.KINDS


@pytest.fixture(scope="module")
def text() -> list[str]:
    """A training text; most of what follows looks at the same one."""
    return list(agreement.sentences(30_000, 1))


@pytest.fixture(scope="module")
def derived(text: list[str]) -> list[list[Any]]:
    """The derivations of each of its sentences."""
    return [agreement.derivations(sentence) for sentence in text]


@pytest.fixture(scope="module")
def pairs() -> list[Any]:
    """Pairs of every kind."""
    return [pair for kind in KINDS for pair in agreement.minimal_pairs(kind, 600, 7)]


def vocabulary(text: list[str]) -> Counter[str]:
    return Counter(token for sentence in text for token in agreement.tokens_of(sentence))


def subject_of(pair: Any) -> str:
    return str(agreement.tokens_of(pair.right)[1])


def first_tokens(parts: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What parts of the grammar may begin with, "" for an end, and the parts that then remain; once a derivation."""
    if not parts:
        yield "", ()
    elif parts[0] in agreement.RULES:
        for alternative in agreement.RULES[parts[0]]:
            yield from first_tokens((*alternative.parts, *parts[1:]))
    elif parts[0].startswith("#"):
        yield from first_tokens(parts[1:])
    else:
        yield parts[0].strip("*").split("~")[0], parts[1:]


def written(parts: tuple[str, ...]) -> Iterator[str]:
    """Every sentence that parts of the grammar can become, once a derivation."""
    for token, rest in first_tokens(parts):
        for end in written(rest) if token else [""]:
            yield token if not end else f"{token}{end}" if end[0] == "," else f"{token} {end}"


def frames(part: str) -> set[tuple[str, ...]]:
    """Every frame of what a part of the grammar can become."""
    if part not in agreement.RULES:
        return {(part[1:],)} if part.startswith("#") else {()}
    found: set[tuple[str, ...]] = set()
    for alternative in agreement.RULES[part]:
        ours: set[tuple[str, ...]] = {()}
        for one in alternative.parts:
            ours = {(*frame, *more) for frame in ours for more in frames(one)}
        found |= ours
    return found


# Rules


def test_probabilities_sum_to_one() -> None:
    for symbol, alternatives in agreement.RULES.items():
        assert math.fsum(one.probability for one in alternatives) == pytest.approx(1, abs=1e-12), symbol
        assert all(one.probability > 0 for one in alternatives), symbol


def test_every_symbol_has_a_rule_and_is_used() -> None:
    used = {part for alternatives in agreement.RULES.values() for one in alternatives for part in one.parts}
    symbols = {part for part in used if part.startswith("<")}
    assert symbols | {"<training>", "<held>"} == set(agreement.RULES)


def test_no_sentence_has_two_derivations() -> None:
    """All ways to read all beginnings are followed at once: none meet, and at most one ends where a sentence ends.

    This covers the full grammar, so it also shows that no sentence is both in training and held out.
    """
    steps: dict[tuple[str, ...], list[tuple[str, tuple[str, ...]]]] = {}
    waiting: list[frozenset[tuple[str, ...]]] = [frozenset({("<training>",), ("<held>",)})]
    seen = set(waiting)
    while waiting:
        followed: dict[str, list[tuple[str, ...]]] = {}
        for parts in waiting.pop():
            if parts not in steps:
                steps[parts] = list(first_tokens(parts))
            for token, rest in steps[parts]:
                followed.setdefault(token, []).append(rest)
        assert len(followed.pop("", [])) <= 1
        for token, rests in followed.items():
            distinct = frozenset(rests)
            assert len(distinct) == len(rests), token
            if distinct not in seen:
                seen.add(distinct)
                waiting.append(distinct)
    assert len(seen) > 1000


# Training text


def test_form(text: list[str]) -> None:
    """Lower-case words and commas, 4 to 31 words, no end mark."""
    for sentence in text:
        words = sentence.split(" ")
        assert all(word.removesuffix(",").isalpha() and word.islower() for word in words), sentence
        assert words[-1].isalpha()
        assert 4 <= len(words) <= 31


def test_vocabulary_is_small_and_every_word_frequent(text: list[str]) -> None:
    counts = vocabulary(text)
    assert 150 <= len(counts) <= 350
    assert min(counts.values()) >= 30


def test_singular_and_plural_are_equally_frequent(text: list[str]) -> None:
    """Nouns and verbs alike, within four standard deviations of a fair coin."""
    counts = vocabulary(text)
    for singular, plural in [("cat", "cats"), ("barn", "barns"), ("is", "are"), ("has", "have"), ("likes", "like")]:
        total = counts[singular] + counts[plural]
        assert abs(counts[singular] - total / 2) < 4 * math.sqrt(total) / 2, singular


@pytest.mark.parametrize("seed", [1, 2])
def test_same_seed_same_text(seed: int) -> None:
    assert list(agreement.sentences(100, seed)) == list(load().sentences(100, seed))


def test_text_is_the_same_everywhere() -> None:
    """Whatever the platform and the version of Python."""
    data = "".join(f"{sentence}\n" for sentence in agreement.sentences(1000, 1)).encode()
    assert hashlib.sha256(data).hexdigest() == TEXT_SHA256


def test_a_longer_text_begins_as_a_shorter_one() -> None:
    assert list(agreement.sentences(50, 3)) == list(agreement.sentences(100, 3))[:50]


def test_seeds_differ() -> None:
    assert len({tuple(agreement.sentences(20, seed)) for seed in range(20)}) == 20


# Exact figures


def test_entropy_is_the_mean_cost(derived: list[list[Any]]) -> None:
    costs = [found[0].nats for found in derived]
    error = stdev(costs) / math.sqrt(len(costs))
    assert error < 0.1
    assert abs(fmean(costs) - agreement.entropy().nats_per_sentence) < 4 * error


def test_expected_length_is_the_mean_length(text: list[str]) -> None:
    lengths = [len(agreement.tokens_of(sentence)) + 1 for sentence in text]
    error = stdev(lengths) / math.sqrt(len(lengths))
    assert abs(fmean(lengths) - agreement.entropy().tokens_per_sentence) < 4 * error


def test_figures_are_in_range() -> None:
    """What a small model can learn, yet more than a list of set phrases."""
    nats, tokens, rate = agreement.entropy()
    assert rate == pytest.approx(nats / tokens)
    assert 1.4 < rate < 2.4
    assert 9 < tokens < 13


def test_readme_gives_the_figures(text: list[str]) -> None:
    readme = " ".join((SCRIPT.parent / "README.md").read_text(encoding="utf-8").split())
    nats, tokens, rate = agreement.entropy()
    assert f"{nats:.3f} nats and {tokens:.3f} tokens a sentence" in readme
    assert f"**{rate:.4f} nats ({rate / math.log(2):.4f} bits) a token**" in readme
    assert f"in {len(vocabulary(text)) - 1} words of lower case" in readme  # without the comma


def test_figures_are_exact_where_all_sentences_can_be_listed() -> None:
    """Of a grammar with short sentences only, the probabilities sum to 1, and the figures are those of the list."""
    small = load()
    alternatives = [
        small.Alternative(share, (f"<training:{name}>",)) for name, share in [("plain", 0.75), ("pear", 0.25)]
    ]
    small.RULES["<training>"] = tuple(alternatives)
    listed = [sentence for one in alternatives for sentence in written(one.parts)]
    logs = [small.log_probability(sentence) for sentence in listed]
    assert len(set(listed)) == len(listed) > 2000
    assert math.fsum(map(math.exp, logs)) == pytest.approx(1, abs=1e-9)
    nats, tokens, _ = small.entropy()
    assert nats == pytest.approx(-math.fsum(one * math.exp(one) for one in logs))
    lengths = [len(sentence.replace(",", " ,").split()) + 1 for sentence in listed]
    assert tokens == pytest.approx(math.fsum(length * math.exp(one) for length, one in zip(lengths, logs, strict=True)))


def test_probability_of_one_sentence() -> None:
    """By hand: family, modifier and number, subject, predicate, form of be."""
    expected = 0.1 * (1 / 2) * (1 / 24) * (1 / 14) * 0.4
    assert agreement.log_probability("the cats were asleep") == pytest.approx(math.log(expected))
    assert agreement.log_probability("the cats run home") == pytest.approx(math.log(expected / 0.4))


def test_every_sentence_has_one_derivation(text: list[str], derived: list[list[Any]]) -> None:
    assert {len(found) for found in derived} == {1}
    assert all(agreement.log_probability(sentence) == -derived[i][0].nats < 0 for i, sentence in enumerate(text[:500]))


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        " ",
        ",",
        "the",
        "the cat",
        "the cat was asleep ",
        " the cat was asleep",
        "the  cat was asleep",
        "The cat was asleep",
        "the cat was asleep.",
        "the cat was asleep,",
        "the cat was asleep asleep",
        "the cat was purple",
        "the *cat was asleep",
        "the cat was~were asleep",
        "the #cat cat was asleep",
        "the cat <be:singular> asleep",
        "<training>",
        "the goat , which already ate, was full",
        "the goat,which already ate, was full",
        "the goat which already ate was full",
    ],
)
def test_what_it_cannot_write(sentence: str) -> None:
    assert agreement.log_probability("the cat was asleep") > -math.inf
    assert agreement.log_probability("the goat, which already ate, was full") > -math.inf
    assert agreement.log_probability(sentence) == -math.inf
    assert agreement.frame_of(sentence) is None


# Held-out pairs


def test_training_holds_no_sentence_and_no_frame_of_a_pair(
    text: list[str], derived: list[list[Any]], pairs: list[Any]
) -> None:
    assert not {sentence for pair in pairs for sentence in (pair.right, pair.wrong)} & set(text)
    held = {agreement.frame_of(pair.right) for pair in pairs}
    assert None not in held
    assert not held & {found[0].frame for found in derived}


def test_the_grammar_writes_the_right_sentence_only(pairs: list[Any]) -> None:
    """And that not in training."""
    for pair in pairs:
        assert len(agreement.derivations(pair.right, "<held>")) == 1
        assert agreement.log_probability(pair.right) == agreement.log_probability(pair.wrong) == -math.inf
        assert agreement.frame_of(pair.wrong) is None, pair


@pytest.mark.parametrize(("right", "wrong"), HELD_OUT.items())
def test_well_known_sentences_are_held_out(right: str, wrong: str, derived: list[list[Any]]) -> None:
    frame = agreement.frame_of(right)
    assert frame is not None
    assert agreement.log_probability(right) == -math.inf
    assert frame not in {found[0].frame for found in derived}
    assert agreement.frame_of(wrong) is None


def test_one_frame_in_eight_is_held_out() -> None:
    """Of all frames that there are, and of those of each subject, predicate, or word with one member of its context."""
    trained, held = frames("<training>"), frames("<held>")
    assert not trained & held
    for size, number in [(2, 24 * 16), (3, 20 * 64)]:
        assert len([frame for frame in trained | held if len(frame) == size]) == number
    kept, lost = (
        Counter(part for frame in one for part in [frame[:-1], frame[::2] if len(frame) == 3 else frame[1:]])
        for one in (trained, held)
    )
    assert {lost[part] / (lost[part] + kept[part]) for part in kept | lost} == {1 / 8}


def test_every_word_of_a_pair_is_frequent_in_training(text: list[str], pairs: list[Any]) -> None:
    counts = vocabulary(text)
    assert min(counts[word] for word in vocabulary([one for pair in pairs for one in (pair.right, pair.wrong)])) >= 30


def test_members_of_a_pair_differ_in_one_word(pairs: list[Any]) -> None:
    """And the words that differ are forms of one verb, or sound alike."""
    differing = set()
    for pair in pairs:
        right, wrong = agreement.tokens_of(pair.right), agreement.tokens_of(pair.wrong)
        ((one, other),) = [(one, other) for one, other in zip(right, wrong, strict=True) if one != other]
        differing.add((pair.kind == "sound-alike", one, other))
    verbs = {("was", "were"), ("is", "are"), ("has", "have"), ("runs", "run"), ("needs", "need"), ("looks", "look")}
    found = {(one, other) for sounds, one, other in differing if not sounds}
    assert verbs | {(other, one) for one, other in verbs} <= found
    sounds = {(one, other) for sounds, one, other in differing if sounds}
    assert {("pear", "pair"), ("sea", "see"), ("flower", "flour")} <= sounds
    for alike in (found, sounds):
        assert {(other, one) for one, other in alike} == alike
    assert len(sounds) >= 16


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_are_distinct_and_balanced(kind: str) -> None:
    """At least 1000 of a kind; as many singular as plural verbs, and as many of each sound-alike word."""
    found = agreement.minimal_pairs(kind, 1000, 5)
    assert len({pair.right for pair in found}) == 1000
    assert {pair.kind for pair in found} == {kind}
    if kind == "sound-alike":
        words = Counter(agreement.frame_of(pair.right)[0] for pair in found)
        assert set(words.values()) == {1000 // len(words)}
    else:
        heads = Counter(subject_of(pair).endswith("s") for pair in found)
        assert heads == {True: 500, False: 500}


def test_distance_and_attractors() -> None:
    """Counted anew, from the sentences alone."""
    nouns = [*agreement.ANIMALS, *agreement.PEOPLE, *agreement.THINGS, *agreement.PLACES]
    plurals = {f"{noun}s" for noun in nouns}
    for kind in ("prepositional", "relative"):
        for pair in agreement.minimal_pairs(kind, 300, 11):
            right, wrong = agreement.tokens_of(pair.right), agreement.tokens_of(pair.wrong)
            verb = next(i for i, token in enumerate(right) if token != wrong[i])
            between = right[2:verb]
            others = set(nouns) if subject_of(pair) in plurals else plurals
            assert pair.distance == len(between)
            assert pair.attractors == sum(token in others for token in between)


def test_distance_of_a_sound_alike() -> None:
    deciding = {"pear": "FRUIT", "see": "could", "tale": "told", "tail": "wagged", "road": "led", "hare": "chased"}
    for pair in agreement.minimal_pairs("sound-alike", 300, 11):
        word, member, _ = agreement.frame_of(pair.right)
        if word in deciding:
            tokens = agreement.tokens_of(pair.right)
            decisive = member if deciding[word] == "FRUIT" else deciding[word]
            assert pair.distance == abs(tokens.index(word) - tokens.index(decisive)) - 1
        assert pair.attractors == 0


@pytest.mark.parametrize(("kind", "longest"), [("sound-alike", 3), ("prepositional", 12), ("relative", 12)])
def test_distances_are_varied(kind: str, longest: int) -> None:
    """Also in the 200 pairs that are the usual use; every length of a prepositional subject is as frequent."""
    found = agreement.minimal_pairs(kind, 200, 7)
    assert max(pair.distance for pair in found) >= longest
    assert len({pair.distance for pair in found}) >= 4
    if kind != "sound-alike":
        assert sum(pair.distance >= 9 for pair in found) >= 60
        assert {0, 1, 2} <= {pair.attractors for pair in found}


def test_pairs_follow_the_seed() -> None:
    one, same, other = (agreement.minimal_pairs("relative", 50, seed) for seed in (1, 1, 2))
    assert one == same != other


def test_no_more_pairs_than_there_are() -> None:
    words = len(agreement.RULES["<held:sound-alike>"])
    every = agreement.minimal_pairs("sound-alike", words * 64, 1)
    assert len({pair.right for pair in every}) == words * 64
    with pytest.raises(ValueError, match=str(words * 64)):
        agreement.minimal_pairs("sound-alike", words * 64 + 1, 1)
    with pytest.raises(ValueError, match="sound-alike, prepositional, relative"):
        agreement.minimal_pairs("plain", 1, 1)


# The command


def command(*arguments: object) -> list[str]:
    return [sys.executable, str(SCRIPT), *map(str, arguments)]


def test_command_writes_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    agreement.main(["--sentences", "30", "--seed", "4"])
    assert capsys.readouterr().out.splitlines() == list(agreement.sentences(30, 4))


@pytest.mark.parametrize("kinds", ["all", *KINDS])
def test_command_writes_pairs(kinds: str, capsys: pytest.CaptureFixture[str]) -> None:
    agreement.main(["--pairs", kinds, "--count", "20", "--seed", "4"])
    expected = [pair for kind in KINDS if kinds in (kind, "all") for pair in agreement.minimal_pairs(kind, 20, 4)]
    assert capsys.readouterr().out.splitlines() == ["\t".join(map(str, pair)) for pair in expected]


def test_command_writes_entropy_and_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agreement.main(["--entropy"])
    figures = dict(line.rsplit(" ", 1) for line in capsys.readouterr().out.splitlines())
    nats, tokens, rate = agreement.entropy()
    assert [float(figures[f"{what} a sentence"]) for what in ("nats", "tokens")] == pytest.approx([nats, tokens])
    assert float(figures["nats a token"]) == pytest.approx(rate, abs=1e-6)
    assert float(figures["bits a token"]) == pytest.approx(rate / math.log(2), abs=1e-6)

    lines = ["the cats were asleep", "the goat, which already ate, was full"]
    (tmp_path / "text").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    agreement.main(["--cost", str(tmp_path / "text")])
    figures = dict(line.rsplit(" ", 1) for line in capsys.readouterr().out.splitlines())
    cost = -sum(map(agreement.log_probability, lines)) / 15
    assert figures["tokens"] == "15"
    assert float(figures["nats a token"]) == pytest.approx(cost, abs=1e-6)
    assert float(figures["bits a token"]) == pytest.approx(cost / math.log(2), abs=1e-6)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"the cats were asleep\nthe cat were asleep\n", "line 2: the training text cannot hold 'the cat were asleep'"),
        (b"the apple and pear salad", "line 1"),
        (b"the cats were asleep\n\n", "line 2"),
        (b"\xff\n", "line 1"),
        (b"", "empty"),
        (None, "No such file"),
    ],
)
def test_command_names_what_is_wrong(
    data: bytes | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "text"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(SystemExit) as exit_:
        agreement.main(["--cost", str(path)])
    assert exit_.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert str(path) in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--sentences", "-1"],
        ["--sentences", "many"],
        ["--sentences", "1", "--seed", "-1"],
        ["--sentences", "1", "--entropy"],
        ["--pairs", "plain"],
        ["--pairs", "sound-alike", "--count", "1000000"],
    ],
)
def test_command_refuses(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        agreement.main(arguments)
    assert exit_.value.code == 2
    assert capsys.readouterr().err


def test_command_writes_the_same_bytes_on_every_system() -> None:
    done = subprocess.run(command("--sentences", 1000), capture_output=True, check=True)
    assert done.stdout == "".join(f"{sentence}\n" for sentence in agreement.sentences(1000, 1)).encode()


def test_command_ends_quietly_when_its_reader_has_gone() -> None:
    with subprocess.Popen(
        command("--sentences", 1_000_000_000), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == f"{next(agreement.sentences(1, 1))}\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=30) == 0
