"""``charlm sample``: what is drawn, and how it is written."""

import os
import subprocess
from pathlib import Path

import pytest
from cli_cases import QUICK, Running, Trained, call, environment, names_text, one_message, process, succeed, words


def test_a_seed_decides_the_text(prose: Trained) -> None:
    first, again, other = (
        succeed("sample", "--model", prose.folder, "--seed", seed, "--length", 80).out for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_without_a_seed_every_sample_is_another(prose: Trained) -> None:
    first, second = (succeed("sample", "--model", prose.folder, "--length", 80).out for _ in range(2))
    assert first != second


def test_zero_temperature_takes_the_likeliest(prose: Trained) -> None:
    """It does not depend on the seed, and every token drawn has rank 1."""
    first, second = (
        succeed("sample", "--model", prose.folder, "-t", 0, "--seed", seed, "--length", 30).out for seed in (1, 2)
    )
    assert first == second
    scored = succeed("score", "--whole", "--model", prose.folder, "--json", "--per-token", stdin=first).json
    assert [token["rank"] for token in scored["per_token"][:-1]] == [1] * (len(scored["per_token"]) - 1)


@pytest.mark.parametrize("temperature", ["-1", "nan", "inf"])
def test_temperatures_that_make_no_sense(temperature: str, prose: Trained) -> None:
    one_message(
        call("sample", "--model", prose.folder, f"--temperature={temperature}"), 2, "--temperature", "at least 0"
    )


@pytest.mark.parametrize(
    ("options", "mentioned"), [("-n 0", "-n is 0"), ("--length -1", "--length is -1"), ("--seed -1", "--seed is -1")]
)
def test_numbers_that_make_no_sense(options: str, mentioned: str, prose: Trained) -> None:
    one_message(call("sample", "--model", prose.folder, *options.split()), 2, mentioned)


@pytest.mark.parametrize("temperature", ["1e-300", "1e-9", "0.5", "1e9"])
def test_extreme_temperatures(temperature: str, prose: Trained) -> None:
    assert succeed("sample", "--model", prose.folder, "-t", temperature, "--length", 20).out


def test_length_counts_new_characters(prose: Trained) -> None:
    for length in (0, 1, 20, 200):
        ended = succeed("sample", "--model", prose.folder, "--length", length, "--prompt", "the ", "--seed", 1)
        text = ended.out.decode()
        assert text.startswith("the ")
        assert len(text) - len("the ") in (length, length + 1)
        assert text.endswith("\n")


def test_samples_of_independent_lines_are_lines(names: Trained) -> None:
    text = succeed("sample", "--model", names.folder, "-n", 25, "--seed", 1).out.decode()
    assert len(text.splitlines()) == 25
    prompted = succeed("sample", "--model", names.folder, "-n", 25, "--seed", 1, "--prompt", "ba").out.decode()
    assert all(line.startswith("ba") for line in prompted.splitlines())
    assert len(set(prompted.splitlines())) > 5


def test_more_samples_do_not_change_the_first(names: Trained) -> None:
    few, many = (succeed("sample", "--model", names.folder, "-n", n, "--seed", 1).out for n in (3, 9))
    assert many.startswith(few)


def test_several_samples_of_a_stream_are_set_apart(prose: Trained) -> None:
    """The first of several is the one, and all end in a line break."""
    one, two = (succeed("sample", "--model", prose.folder, "-n", n, "--seed", 1, "--length", 40).out for n in (1, 2))
    assert two.startswith(one + b"\n")


def test_a_prompt_with_unseen_characters(names: Trained) -> None:
    """It is used as well as can be, printed as it was given, and the strange characters are named."""
    prompt = "ba\N{GRINNING FACE}\N{LATIN SMALL LETTER SHARP S}"
    ended = succeed("sample", "--model", names.folder, "--prompt", prompt)
    assert ended.out.decode().startswith(prompt)
    assert "\N{GRINNING FACE}" in ended.err
    assert "\N{LATIN SMALL LETTER SHARP S}" in ended.err
    assert '"b"' not in ended.err


def test_a_prompt_of_several_lines(names: Trained, prose: Trained) -> None:
    one_message(call("sample", "--model", names.folder, "--prompt", "a\nb"), 2, "one line")
    assert succeed("sample", "--model", prose.folder, "--prompt", "a\nb").out.startswith(b"a\nb")


def test_the_unknown_token_is_never_drawn_unless_asked_for(names: Trained) -> None:
    drawn = succeed("sample", "--model", names.folder, "-n", 40, "-t", 50, "--seed", 1).out.decode()
    assert "\ufffd" not in drawn
    drawn = succeed("sample", "--model", names.folder, "-n", 40, "-t", 50, "--seed", 1, "--unknown").out.decode()
    assert "\ufffd" in drawn


def test_bytes_are_written_as_they_are(octets: Trained) -> None:
    drawn = succeed("sample", "--model", octets.folder, "--length", 300, "-n", 30, "--seed", 1, "-t", 5).out
    assert len(set(drawn)) > 200


@pytest.mark.skipif(os.name != "posix", reason="arguments are bytes on POSIX only")
@pytest.mark.parametrize("level", ["octets", "names"])
def test_a_prompt_of_bytes_is_printed_as_it_was_given(level: str, request: pytest.FixtureRequest) -> None:
    model: Trained = request.getfixturevalue(level)
    prompt = b"a\xff\xfe\x80b"
    ended = process("sample", "--model", model.folder, "--prompt", os.fsdecode(prompt), "--length", 0)
    assert ended.status == 0
    assert ended.out == prompt + (b"" if level == "octets" else b"\n")


def test_text_is_written_as_it_is_drawn(prose: Trained) -> None:
    """The first characters of an endless sample can be read while it is drawn."""
    with Running(
        words("sample", "--model", prose.folder, "--length", 10**9), env=environment(), stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert len(running.stdout.read(100)) == 100
        assert running.poll() is None
        running.kill()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp1252"])
def test_terminals_of_any_encoding(encoding: str, names: Trained) -> None:
    """What a terminal cannot show does not end the program."""
    extra = environment(PYTHONIOENCODING=encoding)
    for command in (("sample", "--prompt", "\N{GRINNING FACE}"), ("score", "\N{GRINNING FACE}"), ("info",)):
        ended = process(*command, "--model", names.folder, env=extra)
        assert ended.status == 0
        assert "Traceback" not in ended.err


def test_a_vocabulary_of_special_tokens_alone_draws_empty_lines(tmp_path: Path) -> None:
    """Words that occur once are unknown: of a list of names there may be none left."""
    text = tmp_path / "names.txt"
    text.write_text(names_text(), encoding="utf-8")
    succeed("train", text, "--model", tmp_path / "m", "--level", "word", "--independent-lines", "--steps", 3, *QUICK)
    ended = succeed("sample", "--model", tmp_path / "m", "--seed", 1)
    assert ended.out == b"\n"
