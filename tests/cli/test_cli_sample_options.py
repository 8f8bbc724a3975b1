"""``charlm sample``: each option keeps its promise, at the level of characters and of words."""

from collections import Counter
from pathlib import Path

import pytest
from cli_cases import QUICK, Trained, call, one_message, succeed
from sample_cases import drawn, objects, tokens


def test_banned_characters_never_come(names: Trained) -> None:
    """Each character of each text; the others do."""
    text = drawn(names, "-n", 60, "--ban", "ae", "--ban", "k")
    assert not set("aek") & set(text)
    assert set("iou") <= set(text)


def test_no_other_characters_come(names: Trained) -> None:
    """But the end of the line is no character of it, and ends it as ever."""
    text = drawn(names, "-n", 60, "--only", "bd", "--only", "ai")
    assert set(text) == set("bdai\n")
    assert {one["stop"] for one in objects(names, "-n", 60, "--only", "bdai")} == {"eos"}
    assert set(drawn(names, "-n", 60, "--only", "bdai", "--ban", "ai")) == set("bd\n")


def test_banned_words_come_neither_behind_a_space_nor_without_one(wordy: Trained) -> None:
    text = drawn(wordy, "--length", 400)
    assert "river" in text
    assert '"' in text
    without = drawn(wordy, "--length", 400, "--ban", 'river "', "--ban", "garden")
    assert not {"river", "garden"} & set(without.replace(".", " ").split())
    assert '"' not in without
    few = drawn(wordy, "--length", 100, "--only", "river garden letter")
    assert set(few.split()) == {"river", "garden", "letter"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--ban", "q\N{SNOWMAN}a"), "--ban names what the model does not know: 'q', '\N{SNOWMAN}'"),
        (("--only", "\N{SNOWMAN}"), "--only names what the model does not know"),
        (("--only", "a", "--ban", "a"), "--ban and --only leave nothing to draw"),
        (("--stop", "ax\N{SNOWMAN}"), "never comes: the model does not know"),
        (("--stop", ""), "--stop is empty"),
        (("--ban", ""), "--ban is empty: name characters, or leave it out"),
        (("--ban", "a", "--ban", ""), "--ban is empty"),
        (("--only", ""), "--only is empty"),
        (("--lines", "0"), "--lines is 0: it must be a number at least 1"),
        (("--lines", "2"), "ask for so many samples with -n 2"),
        (("--top-p", "0"), "--top-p is 0.0: it must be a number above 0 and at most 1"),
        (("--top-k", "0"), "--top-k is 0: it must be a number at least 1"),
        (("--min-p", "1.5"), "--min-p is 1.5: it must be a number at least 0 and at most 1"),
        (("--typical", "0"), "--typical is 0.0: it must be a number above 0 and at most 1"),
        (("--repetition-penalty", "0"), "--repetition-penalty is 0.0: it must be a number above 0 and at most 100"),
        (("--temperature", "0", "--top-p", "0.9", "--min-p", "0.1"), "always: leave out --top-p, --min-p"),
        (("--penalty-window", "5"), "--penalty-window says how far back --repetition-penalty reaches"),
        (("--beams", "0"), "--beams is 0: it must be a number at least 1"),
        (("--beams", "2", "-n", "3"), "-n is 3, but 2 --beams"),
        (("--beams", "2", "--temperature", "0.5"), "leave out --temperature"),
        (("--beams", "2", "--seed", "1", "--top-k", "3"), "leave out --top-k, --seed"),
        (("--diversity", "0.5"), "--diversity: for a search with --beams"),
        (("--prompt-file", "nowhere.txt"), "nowhere.txt"),
    ],
)
def test_what_makes_no_sense_is_named(options: tuple[str, ...], message: str, names: Trained) -> None:
    ended = call("sample", "--model", names.folder, *options)
    one_message(ended, 3 if "nowhere" in message else 2, message)


def test_a_temperature_of_zero_is_typed_and_counts(names: Trained) -> None:
    """Nothing that is typed is taken for not given because it is zero."""
    one_message(call("sample", "--model", names.folder, "--beams", 2, "--temperature", 0), 2, "leave out --temperature")
    assert drawn(names, "--length", 0, "--prompt", "ba") == "ba\n"


def test_filters_reach_the_draw(prose: Trained) -> None:
    """With one token left, by whichever of them, it is the likeliest that is drawn."""
    greedy = drawn(prose, "--length", 60, "--temperature", 0)
    for option in (("--top-k", 1), ("--top-p", 1e-9), ("--min-p", 1)):
        assert drawn(prose, "--length", 60, *option) == greedy
    plain = drawn(prose, "--length", 200)
    for option in (("--typical", 0.3), ("--repetition-penalty", 2), ("--top-k", 4), ("--top-p", 0.5), ("--min-p", 0.3)):
        assert drawn(prose, "--length", 200, *option) != plain


def test_a_repetition_penalty_spreads_the_characters(prose: Trained) -> None:
    common = [
        Counter(drawn(prose, "--length", 300, *option)).most_common(1)[0][1]
        for option in ((), ("--repetition-penalty", 3, "--penalty-window", 8))
    ]
    assert common[1] < common[0]


def test_a_sample_ends_with_the_first_of_several_texts(prose: Trained) -> None:
    """Which belongs to it; what was drawn before is what is drawn without."""
    free = drawn(prose, "--length", 500, "--prompt", "er")
    ended = drawn(prose, "--stop", "e ", "--stop", "er", "--prompt", "er").removesuffix("\n")
    assert free.startswith(ended)
    ends = [2 + free[2:].find(text) + 2 for text in ("e ", "er") if text in free[2:]]
    assert len(ended) == min(ends)
    found = objects(prose, "--stop", "e ", "--stop", "er", "-n", 20)
    assert {one["stop"] for one in found} == {"stop"}
    assert all(str(one["text"]).endswith(("e ", "er")) for one in found)


def test_an_end_stands_across_words_and_within_one(wordy: Trained) -> None:
    """The text is cut behind it, in the middle of a word too, of which the whole stands among the tokens."""
    for one in objects(wordy, "--stop", "r ga", "-n", 10):
        text = str(one["text"])
        assert one["stop"] == "stop"
        assert text.endswith("r ga")
        assert text.count("r ga") == 1
        assert tokens(one)[-1] == " garden"
    assert drawn(wordy, "--stop", "r ga").endswith("r ga\n")
    for order in (("ard", "ga"), ("ga", "ard")):
        assert drawn(wordy, "--stop", order[0], "--stop", order[1]).endswith("ga\n")


@pytest.mark.parametrize("number", [1, 3])
def test_so_many_lines(prose: Trained, wordy: Trained, number: int) -> None:
    for model in (prose, wordy):
        for one in objects(model, "--lines", number, "-n", 5):
            text = str(one["text"])
            assert text.count("\n") == number
            assert text.endswith("\n")
            assert one["stop"] == "lines"


def test_until_the_end_however_late(prose: Trained) -> None:
    """A model of lines that follow one another goes on beyond them, unless it is asked not to."""
    for one in objects(prose, "--until-eos", "-n", 5):
        assert str(one["text"]).count("\n") == 1
        assert one["stop"] == "eos"
        assert tokens(one)[-1] == "<EOS>"
    short = objects(prose, "--until-eos", "--length", 3, "-n", 9)
    assert "length" in {one["stop"] for one in short}


def test_a_longer_length_is_meant_where_something_else_ends_a_sample(prose: Trained) -> None:
    assert len(tokens(objects(prose)[0])) == 500
    assert len(tokens(objects(prose, "--lines", 30)[0])) > 500


def test_lines_are_counted_only_where_there_are_any(octets: Trained, tmp_path: Path) -> None:
    corpus = tmp_path / "one.txt"
    corpus.write_text("abcabcabc " * 100)
    succeed("train", corpus, "--model", "one", *QUICK, "--steps", 5, "--unit", "file")
    one_message(call("sample", "--model", "one", "--lines", 2), 2, "--lines counts line breaks")
    assert (
        succeed("sample", "--model", octets.folder, "--lines", 2, "--length", 3000, "--seed", 1).out.count(b"\n") <= 2
    )


def test_ten_samples_are_the_first_ten_of_a_hundred(names: Trained, prose: Trained) -> None:
    """And one is the first of ten; log-probabilities included, and with several prompts."""
    for model, options in ((names, ()), (prose, ("--length", 30)), (names, ("-p", "ba", "-p", "k", "--top-p", 0.9))):
        lines = [
            succeed("sample", "--model", model.folder, "--seed", 1, "--jsonl", "-n", number, *options).out
            for number in (1, 10, 100)
        ]
        assert lines[1].startswith(lines[0])
        assert lines[2].startswith(lines[1])
        assert lines[2].count(b"\n") == (200 if "-p" in options else 100)


def test_the_same_texts_with_and_without_figures(prose: Trained) -> None:
    plain = drawn(prose, "-n", 12, "--length", 40)
    figures = objects(prose, "-n", 12, "--length", 40)
    assert plain == "\n".join(f"{one['text']}" + "\n" * (not str(one["text"]).endswith("\n")) for one in figures)


def test_prompts_come_in_rounds(names: Trained) -> None:
    """From options and a file, which may be a pipe; a sample of each, then the next of each."""
    Path("prompts.txt").write_text("ba\nko\n")
    out = drawn(names, "-p", "di", "--prompt-file", "prompts.txt", "-n", 3).splitlines()
    assert [line[:2] for line in out] == ["di", "ba", "ko"] * 3
    assert len(set(out)) > 5
    piped = succeed("sample", "--model", names.folder, "--prompt-file", "-", "--seed", 1, stdin=b"di\nba\n").out
    assert [line[:2] for line in piped.decode().splitlines()] == ["di", "ba"]
    one_message(call("sample", "--model", names.folder, "--prompt-file", "-"), 3, "--prompt-file needs a prompt a line")


def test_a_file_of_prompts_has_an_encoding(names: Trained) -> None:
    """That of the model unless it is named; what helps is said."""
    Path("prompts.txt").write_bytes("bané\n".encode("latin-1"))
    options = ("sample", "--model", names.folder, "--seed", 1, "--prompt-file", "prompts.txt")
    one_message(call(*options), 3, "prompts.txt is not valid utf-8: byte 0xe9 at offset 3", "--encoding latin-1")
    ended = succeed(*options, "--encoding", "latin-1")
    assert ended.out.decode().startswith("bané")
    assert ended.err == 'charlm: the model does not know "é": read as <UNK>\n'


def test_equal_prompts_have_other_random_numbers(prose: Trained) -> None:
    one, other = objects(prose, "-p", "ri", "-p", "ri", "--length", 30)
    assert one["text"] != other["text"]


def test_an_object_says_all_of_a_sample(names: Trained) -> None:
    """Its parts fit together, and its log-probability is what ``score`` gives the text."""
    found = objects(names, "-n", 12, "-p", "ba", "-p", "", "--top-k", 5, "--temperature", 0.7)
    assert [(one["prompt"], one["index"], one["seed"]) for one in found[:4]] == [
        ("ba", 0, 1), ("", 0, 1), ("ba", 1, 1), ("", 1, 1),
    ]  # fmt: skip
    for one in found:
        shown = tokens(one)
        assert one["text"] == str(one["prompt"]) + "".join(shown).replace("<EOS>", "\n")
        listed = one["tokens"]
        assert isinstance(listed, list)
        assert one["logprob"] == pytest.approx(sum(each["logprob"] for each in listed))
        # What is left of the distribution is likelier there, or as likely in the flattest places.
        assert all(each["drawn_logprob"] <= 0 for each in listed)
        assert sum(each["drawn_logprob"] for each in listed) > sum(each["logprob"] for each in listed)
        if not one["prompt"] and one["stop"] == "eos":
            scored = succeed("score", "--model", names.folder, "--json", "--", str(one["text"]).strip()).json
            assert one["logprob"] == pytest.approx(scored["logprob"], abs=1e-3)
    assert {one["stop"] for one in found} == {"eos"}


def test_bytes_that_are_no_text_are_json_all_the_same(octets: Trained) -> None:
    found = objects(octets, "-n", 3, "--length", 40, "--temperature", 3)
    for one in found:
        text = str(one["text"]).encode("utf-8", "surrogateescape")
        assert len(text) == sum(token != "<EOS>" for token in tokens(one))  # noqa: S105 - no password
