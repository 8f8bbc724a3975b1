"""What ``charlm sample`` does besides drawing: matches, gaps, copies, colours and pages."""

import re
from pathlib import Path

import pytest
from cli_cases import Trained, call, one_message, succeed

import charlm


def lines_of(*arguments: object) -> list[str]:
    return succeed("sample", *arguments).out.decode().splitlines()


def test_samples_match(names: Trained) -> None:
    pattern = "[bd][aeiou](na|ra|mo)+"
    drawn = lines_of("--model", names.folder, "--match", pattern, "-n", 12, "--seed", 3)
    assert len(drawn) == 12
    assert len(set(drawn)) > 3
    assert all(re.fullmatch(pattern, each) for each in drawn)
    assert lines_of("--model", names.folder, "--match", pattern, "-n", 4, "--seed", 3) == drawn[:4]


def test_a_match_comes_behind_its_prompt(prose: Trained) -> None:
    drawn = succeed("sample", "--model", prose.folder, "--match", r"\w+ \w+\.", "--prompt", "the ", "--seed", 1)
    assert re.fullmatch(r"the \w+ \w+\.\n", drawn.out.decode())


def test_a_match_in_json(names: Trained) -> None:
    (each,) = succeed("sample", "--model", names.folder, "--match", "[a-z]{4}", "--jsonl").objects
    assert re.fullmatch("[a-z]{4}\n", each["text"])
    assert each["stop"] == "eos"
    assert len(each["tokens"]) == 5
    assert all(token["drawn_logprob"] >= token["logprob"] for token in each["tokens"])


@pytest.mark.parametrize(
    ("pattern", "status", "mentioned"),
    [
        ("(a", 2, "--match '(a' is no regular expression"),
        ("7.*", 2, "no token of this model can begin a text that matches"),
        ("b7", 7, "no text of up to 500 tokens of this model matches"),
        ("[a-z]{501}", 7, "has 501 characters at least, and 500 tokens of this model have 500 at most: raise --length"),
    ],
)
def test_matches_that_cannot_be(pattern: str, status: int, mentioned: str, names: Trained) -> None:
    one_message(call("sample", "--model", names.folder, "--match", pattern), status, mentioned)


def test_a_budget_that_is_not_enough(names: Trained) -> None:
    ended = call("sample", "--model", names.folder, "--match", "[a-z]{40}7", "--budget", 30)
    one_message(ended, 7, "among 30 tokens that were tried: raise --budget or --length")


def test_an_expression_that_takes_too_long(names: Trained) -> None:
    """It is said which limit it was, and what to do; the budget is one that no machine gets through before."""
    slow = ("--match", "(?:[a-z]|[a-z]{2})+7", "--match-seconds", 0.05, "--budget", 10**9)
    ended = call("sample", "--model", names.folder, *slow, "-s", 1)
    one_message(ended, 7, "--match-seconds, now 0.05 s for a sample, 0.01 s of them", "one way only")


def test_gaps_are_filled(prose: Trained) -> None:
    options = ("sample", "--model", prose.folder, "--fill", "the ___ garden", "-n", 4, "--gap", 3, "--width", 20)
    found = succeed(*options, "--jsonl").objects
    assert [sorted(each) for each in found] == [["fills", "logprob", "text"]] * 4
    assert [each["logprob"] for each in found] == sorted((each["logprob"] for each in found), reverse=True)
    for each in found:
        assert each["text"] == f"the {each['fills'][0]} garden"
        assert 1 <= len(each["fills"][0]) <= 3
        scored = succeed("score", "--model", prose.folder, each["text"], "--json").json
        assert scored["logprob"] == pytest.approx(each["logprob"], abs=1e-3)
    table = succeed(*options).out.decode().splitlines()
    assert table[0].split() == ["nats", "text"]
    assert [row.split(None, 1)[1].strip('"') for row in table[1:]] == [each["text"] for each in found]


def test_ten_fillings_unless_more_are_wanted(names: Trained) -> None:
    options = ("sample", "--model", names.folder, "--fill", "ba___", "--gap", 2, "--width", 30)
    assert len(succeed(*options).out.splitlines()) == 11
    assert len(succeed(*options, "-n", 1).out.splitlines()) == 2


def test_what_is_not_known_around_a_gap_is_named(wordy: Trained) -> None:
    """The space between a word and a gap is none of it."""
    options = ("sample", "--model", wordy.folder, "--gap", 1, "-n", 1, "--fill")
    assert succeed(*options, "the ___ garden").err == 'charlm: the model does not know "the": read as <UNK>\n'
    assert 'does not know "zebra", "a", "!": read' in succeed(*options, "zebra ___ a river ___! garden").err
    assert not succeed(*options, "river ___ garden").err


def test_a_gap_is_needed(names: Trained) -> None:
    one_message(call("sample", "--model", names.folder, "--fill", "bana"), 2, "has no gap: put ___")


def test_what_samples_copy_is_told(names: Trained) -> None:
    """Every stretch stands in the text, in the line that is named, and one that is longer does not."""
    ended = succeed("sample", "--model", names.folder, "-n", 10, "--seed", 1, "--novelty", "--jsonl")
    text = names.corpus.read_text()
    for each in ended.objects:
        copied, name = each["copied"], each["text"].removesuffix("\n")
        if copied is None:
            assert not name
            continue
        assert copied["text"] in name
        assert copied["text"] in text
        assert copied["tokens"] == len(copied["text"])
        longer = copied["tokens"] + 1
        stretches = [name[at : at + longer] for at in range(len(name) - longer + 1)]
        # A tenth of the lines validates, and is no training text.
        assert sum(stretch in text for stretch in stretches) <= len(stretches) // 2
    told = succeed("sample", "--model", names.folder, "-n", 2, "--seed", 1, "--novelty").err.splitlines()
    first = ended.objects[0]["copied"]
    assert first is not None
    assert told[0] == (
        f'charlm: sample 1 copies {first["tokens"]} tokens, "{first["text"]}": line {first["line"]} of the text'
    )
    assert len(told) == 2


def test_samples_copy_no_more_than_they_may(names: Trained) -> None:
    options = ("sample", "--model", names.folder, "--seed", 1)
    ended = succeed(*options, "-n", 8, "--max-copy", 3, "--novelty", "--jsonl")
    assert len(ended.objects) == 8
    assert all(each["copied"] is None or each["copied"]["tokens"] <= 3 for each in ended.objects)
    everything = succeed(*options, "-n", 160, "--novelty", "--jsonl").objects
    assert ended.objects == [each for each in everything if not each["copied"] or each["copied"]["tokens"] <= 3][:8]
    assert ended.objects != everything[:8]
    assert lines_of(*options[1:], "-n", 8, "--max-copy", 3) == [each["text"].strip() for each in ended.objects]


def test_too_few_that_do_not_copy(names: Trained) -> None:
    ended = call("sample", "--model", names.folder, "-n", 3, "--max-copy", 0, "--tries", 9)
    one_message(ended, 7, "of 9 samples that were drawn", "--max-copy, --tries")


def test_a_text_that_is_not_the_one_it_was(names: Trained, tmp_path: Path) -> None:
    moved = tmp_path / "moved.txt"
    data = names.corpus.read_bytes()
    moved.write_bytes(data)
    options = ("sample", "--model", names.folder, "--novelty", "-n", 2, "--seed", 1, "--jsonl")
    names.corpus.write_bytes(data + b"another\n")
    try:
        one_message(call(*options), 3, names.corpus, "has changed", "name it with --text FILE")
        names.corpus.unlink()
        one_message(call(*options), 3, "is not here", "name it with --text FILE")
        assert all(each["copied"]["tokens"] > 1 for each in succeed(*options, "--text", moved).objects)
    finally:
        names.corpus.write_bytes(data)


def test_probabilities_in_colour(prose: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text is the same; what is unlikely is coloured, as ``charlm score --color`` would colour it."""
    options = ("sample", "--model", prose.folder, "--seed", 2, "--length", 60, "--prompt", "the river ")
    plain = succeed(*options).out.decode()
    assert succeed(*options, "--show-probs").out.decode() == plain
    assert "no colours" in succeed(*options, "--show-probs").err
    monkeypatch.setenv("FORCE_COLOR", "1")
    ended = succeed(*options, "--show-probs")
    painted = ended.out.decode()
    assert "\x1b[38;5;16;48;5;" in painted
    assert re.sub(r"\x1b\[[0-9;]*m|↵(?=\n)|↵\x1b\[0m(?=\n)", "", painted).rstrip("\n") == plain.rstrip("\n")
    assert "bits a token" in ended.err


def test_a_page_of_samples(prose: Trained, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    options = ("sample", "--model", prose.folder, "--seed", 2, "-n", 2, "--length", 30, "--prompt", "the ")
    ended = succeed(*options, "--html", page)
    written = page.read_text(encoding="utf-8")
    assert ended.out == succeed(*options).out
    assert f"wrote {page}" in ended.err
    assert "How surprising: 2 samples" in written
    assert "68 tokens" in written
    assert re.search(r"<script[^>]*src|<link|https?://", written) is None
    tokens = re.search(r'"tokens":(\[\[.*?\]\])', written)
    assert tokens is not None
    # A name, four figures, and five alternatives with their probabilities.
    assert all(len(each.split(",")) == 1 + 4 + 2 * 5 for each in tokens[1].strip("[]").split("],["))


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        (["--budget", "3"], "--budget only says more of --match"),
        (["--match-seconds", "3"], "--match-seconds only says more of --match"),
        (
            ["--match", "a", "--match-seconds", "0"],
            "--match-seconds is 0.0: it must be a number above 0 and at most 86400",
        ),
        (["--encoding", "latin-1"], "--encoding only says more of --prompt-file"),
        (["--prompt-file", "p.txt", "--encoding", "nope"], "unknown encoding 'nope'"),
        (["--gap", "3"], "--gap only says more of --fill"),
        (["--tries", "3"], "--tries only says more of --max-copy"),
        (["--text", "x"], "--text only says more of --novelty or --max-copy"),
        (["--fill", "a ___", "--temperature", "2"], "--fill does not go with --temperature"),
        (["--fill", "a ___", "--match", "b"], "--fill does not go with --match"),
        (["-i", "--prompt", "b"], "--interactive does not go with --prompt"),
        (["-i", "-n", "2"], "--interactive does not go with -n"),
        (["--match", "a", "--lines", "1"], "--match does not go with --lines"),
        (["--match", "a", "--unknown"], "--match does not go with --unknown"),
        (["--match", "a", "--budget", "0"], "--budget is 0"),
        (["--beams", "2", "--max-copy", "3"], "--beams does not go with --max-copy"),
        (["--show-probs", "--jsonl"], "--show-probs does not go with --jsonl"),
        (["--max-copy", "-1"], "--max-copy is -1"),
        (["--max-copy", "3", "--tries", "0"], "--tries is 0"),
        (["--html", "page.txt"], "--html writes a page of HTML"),
    ],
)
def test_options_that_contradict_each_other(options: list[str], mentioned: str, names: Trained) -> None:
    one_message(call("sample", "--model", names.folder, *options), 2, mentioned)


def test_from_python_as_on_the_command_line(names: Trained) -> None:
    model = charlm.load(names.folder)
    options = ("--model", names.folder, "--seed", 3)
    assert model.matching("[a-z]{4,6}", 3, seed=3) == [
        f"{line}\n" for line in lines_of(*options, "-n", 3, "--match", "[a-z]{4,6}")
    ]
    assert model.novel(4, most=3, seed=3) == [f"{line}\n" for line in lines_of(*options, "-n", 4, "--max-copy", 3)]
    objects = succeed("sample", *options, "-n", 4, "--novelty", "--jsonl").objects
    copied = [each and each.to_json() for each in model.copied([each["text"] for each in objects])]
    assert copied == [each["copied"] for each in objects]
    assert model.copied("bana", corpus=names.corpus)[0] is not None
    filled = succeed("sample", "--model", names.folder, "--fill", "ba___a", "--gap", 2, "--jsonl").objects
    assert [each.to_json() for each in model.fill("ba___a", longest=2)] == filled
