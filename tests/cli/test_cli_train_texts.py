"""``charlm train`` on texts of every kind."""

import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_cases import QUICK, call, names_text, one_message, process, prose_text, succeed

STEPS = ("--steps", "2")


def write(data: bytes, name: str = "text.txt") -> Path:
    """A file in the current folder."""
    path = Path(name)
    path.write_bytes(data)
    return path


def left() -> list[str]:
    """What lies in the current folder."""
    return sorted(path.name for path in Path().iterdir())


@pytest.mark.parametrize(
    ("data", "mentioned"),
    [
        (b"", ["text.txt is empty"]),
        (b"a" * 5000, ["text.txt", "one repeated character"]),
        (b"a" * 5000 + b"\n", ["one repeated character"]),
        (b"\n" * 50, ["text.txt"]),
        (b"\xef\xbb\xbf", ["text.txt is empty"]),
        (b"ab\ncd\n", ["only", "at least"]),
    ],
)
def test_nothing_to_learn(data: bytes, mentioned: list[str]) -> None:
    one_message(call("train", write(data), "--model", "model"), 3, *mentioned)
    assert left() == ["text.txt"]


def test_no_such_file() -> None:
    one_message(call("train", "missing.txt"), 3, "no such file", "missing.txt")
    assert left() == []


def test_a_directory() -> None:
    Path("texts").mkdir()
    one_message(call("train", "texts"), 3, "texts is a directory")
    assert left() == ["texts"]


def test_no_such_validation_file() -> None:
    one_message(call("train", write(prose_text().encode()), "--valid", "missing.txt"), 3, "missing.txt")


def test_empty_validation_file() -> None:
    empty = write(b"", "empty.txt")
    one_message(call("train", write(prose_text().encode()), "--valid", empty), 3, "empty.txt is empty")


@pytest.mark.parametrize(
    "options", [("--valid-fraction", "0.0001"), ("--valid-fraction", "0.0001", "--no-independent-lines")]
)
def test_nothing_to_validate_with(options: tuple[str, ...]) -> None:
    message = one_message(call("train", write(names_text(30).encode()), *options), 3, "validate", "--valid FILE")
    assert "--valid-fraction" in message


@pytest.mark.parametrize("size", [36, 40, 60, 100, 300])
def test_short_texts_shrink_the_step_and_say_so(size: int) -> None:
    """Where the text is shorter than one step, window and batch shrink, down to a few dozen characters."""
    text = prose_text().encode()[:size]
    ended = succeed("train", write(text), "--model", "model", "--hidden", 8, *STEPS)
    assert re.search(r"the text is shorter than a step: --(batch|window) \d+ becomes \d+", ended.err)
    assert call("sample", "--model", "model").status == 0


def test_an_asked_for_step_that_is_too_long_is_named() -> None:
    text = write(prose_text().encode())
    ended = succeed("train", text, "--model", "model", "--hidden", 8, *STEPS, "--window", 10**8, "--batch", 10**8)
    assert "--window 100000000 becomes" in ended.err
    assert "--batch 100000000 becomes" in ended.err


def test_invalid_utf8_names_the_place_and_two_ways_out() -> None:
    """Both ways out work, as they are written in the message."""
    text = write(prose_text().encode() + b"caf\xe9 and more\n")
    offset = text.read_bytes().index(b"\xe9")
    ended = call("train", text, "--model", "model")
    one_message(ended, 3, "text.txt", f"offset {offset}", "0xe9", "--encoding latin-1", "--level byte")
    assert left() == ["text.txt"]
    for option, folder in (("--encoding latin-1", "decoded"), ("--level byte", "raw")):
        assert option in ended.err
        succeed("train", text, "--model", folder, *QUICK, *STEPS, *option.split())
        assert call("sample", "--model", folder, "--length", 5).status == 0
        assert call("eval", text, "--model", folder).status == 0
        assert call("score", "--file", text, "--model", folder).status == 0


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig", "shift-jis"])
def test_other_encodings(encoding: str) -> None:
    text = write(prose_text().encode(encoding))
    plain = write(prose_text().encode(), "plain.txt")
    succeed("train", text, "--model", "other", *QUICK, *STEPS, "--encoding", encoding)
    succeed("train", plain, "--model", "plain", *QUICK, *STEPS)
    scores = [succeed("score", "--model", model, "river", "--json").json for model in ("other", "plain")]
    assert scores[0] == scores[1]


@pytest.mark.parametrize("change", [lambda text: text.replace(b"\n", b"\r\n"), lambda text: b"\xef\xbb\xbf" + text])
def test_crlf_and_byte_order_marks_make_no_difference(change: Callable[[bytes], bytes]) -> None:
    plain = write(prose_text().encode(), "plain.txt")
    changed = write(change(prose_text().encode()), "changed.txt")
    for path in (plain, changed):
        succeed("train", path, "--model", path.stem, *QUICK, *STEPS)
    scores = [succeed("score", "--model", name, "river", "--json").out for name in ("plain", "changed")]
    assert scores[0] == scores[1]
    costs = [succeed("eval", path, "--model", "plain", "--json").out for path in (plain, changed)]
    assert costs[0] == costs[1]


def test_control_characters_and_emoji_are_characters() -> None:
    text = write(("\x01 a \N{GRINNING FACE} b \N{COMBINING ACUTE ACCENT}\n" * 80).encode())
    succeed("train", text, "--model", "model", *QUICK, *STEPS)
    scored = succeed("score", "--model", "model", "\N{GRINNING FACE} b\N{COMBINING ACUTE ACCENT}", "--json").json
    assert scored["oov"] == 0
    assert scored["tokens"] == 5
    whole = succeed("score", "--model", "model", "--file", text, "--json").objects
    assert len(whole) == 80
    assert {each["oov"] for each in whole} == {0}


@pytest.mark.parametrize("data", [random.Random(1).randbytes(3000), b"\0\1" * 50, bytes(range(256)), b"\xff\xfe" * 40])  # noqa: S311
def test_any_file_trains_at_the_byte_level(data: bytes) -> None:
    file = write(data, "file.bin")
    succeed("train", file, "--model", "model", *QUICK, *STEPS, "--level", "byte")
    assert succeed("sample", "--model", "model", "--length", 20, "--prompt", "x").out.startswith(b"x")
    assert succeed("eval", file, "--model", "model", "--json").json["tokens"] == len(data) + 1


def test_divergence_is_told_in_one_message() -> None:
    """A learning rate that makes numbers overflow ends in one message: not in warnings, not in a damaged model."""
    text = write(names_text().encode())
    ended = process("train", text, "--model", "model", *QUICK, "--steps", 50, "--lr", 1e30)
    one_message(ended, 6, "not finite", "--lr")
    assert not Path("model/model.safetensors").exists()


def test_the_default_folder_is_named_after_the_text() -> None:
    text = write(names_text().encode(), "some names.txt")
    succeed("train", text, *QUICK, *STEPS)
    files = ["config.toml", "log.jsonl", "model.safetensors", "training.safetensors"]
    assert sorted(os.listdir("runs/some names")) == files  # noqa: PTH208 - names, not paths
    ended = succeed("sample")
    assert "runs/some names" in ended.err


def test_independence_of_lines_is_announced() -> None:
    """Whether the text was taken for a list is said, with the option that decides otherwise."""
    text = write(names_text().encode() + b"\n\n")
    options = ("--hidden", "8", *STEPS)
    ended = succeed("train", text, "--model", "a", *options)
    assert "looks like a list" in ended.err
    assert "2 blank lines left out" in ended.err
    assert "--no-independent-lines" in ended.err
    assert "list" not in succeed("train", text, "--model", "b", *options, "--no-independent-lines").err


@pytest.mark.parametrize("options", [("--min-count", "100"), ("--max-vocab", "8")])
def test_rare_characters_become_unknown(options: tuple[str, ...]) -> None:
    text = write(prose_text().encode())
    ended = succeed("train", text, "--model", "model", "--hidden", 8, *STEPS, *options)
    assert "read as <UNK>" in ended.err
    tokens = [entry["token"] for entry in succeed("info", "--model", "model", "--json").json["vocabulary"]]
    assert len(tokens) < 20
    assert json.dumps(tokens[:2]) == '["<EOS>", "<UNK>"]'


def test_lower_case() -> None:
    text = write(prose_text().upper().encode())
    succeed("train", text, "--model", "model", *QUICK, *STEPS, "--lowercase")
    scores = succeed("score", "--model", "model", "RIVER", "river", "--json").objects
    assert scores[0]["logprob"] == scores[1]["logprob"]
    assert scores[0]["oov"] == 0
