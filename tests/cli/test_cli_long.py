"""Texts that are too long for memory: their scores are those of texts in memory, and memory does not grow."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import QUICK, Trained, call, environment, names_text, one_message, prose_text, succeed

from charlm.text import inputs, long

SHORT = 40
"""Characters from which on a text is long, in these tests."""
PEAK = """
import sys
from charlm.cli.app import outcome
print(outcome(sys.argv[1:]), file=sys.stderr)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
"""
STATUS = Path("/proc/self/status")
MODELS = ["names", "prose", "octets", "words", "ngrams"]


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model of words, of texts with several lines."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "corpus.txt").write_text(prose_text())
    options = ("--steps", 20, "--level", "word", "--lowercase", "--unit", "paragraph")
    succeed("train", folder / "corpus.txt", "--model", folder / "model", *QUICK, *options)
    return Trained(folder / "model", folder / "corpus.txt")


@pytest.fixture(scope="session")
def ngrams(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Counts of characters."""
    folder = tmp_path_factory.mktemp("ngrams")
    (folder / "corpus.txt").write_text(prose_text())
    succeed("ngram", "train", folder / "corpus.txt", "--model", folder / "model", "--order", 4, "--quiet")
    return Trained(folder / "model", folder / "corpus.txt")


@pytest.fixture
def short_is_long(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """What lies in memory otherwise lies on the disk, and is read in blocks of a few bytes."""
    with monkeypatch.context() as patch:
        patch.setattr(long, "LONGEST", SHORT)
        patch.setattr(inputs, "LONGEST", SHORT)
        patch.setattr(long, "BLOCK", 7)
        yield patch


def command(model: Trained) -> list[str]:
    """What scores under a model."""
    return [
        *(["ngram"] if model.folder.parent.name.startswith("ngrams") else []),
        "score",
        "--model",
        str(model.folder),
    ]


def texts() -> str:
    """Short lines and long ones, of known characters and of others."""
    lines = names_text(12).split()
    strange = "\N{GRINNING FACE}\u05e9\u05dc\u05d5\u05dd \0\t River's é 'tis\r x  y " * 3
    return "\n".join(
        ["", *lines, "river garden letter. " * 20, strange, *lines, strange * 2, "\ufeff" + "win ter " * 9]
    )


def check_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Figures to 1e-5, all else exactly, in the same order."""
    assert list(found) == list(expected)
    for key, value in expected.items():
        if key == "per_token":
            assert [list(each) for each in found[key]] == [list(each) for each in value]
            for name in ("token", "unknown"):
                assert [each[name] for each in found[key]] == [each[name] for each in value]
            for name in ("logprob", "entropy"):
                np.testing.assert_allclose(
                    [each[name] for each in found[key]], [each[name] for each in value], rtol=1e-4, atol=1e-5
                )
        else:
            assert found[key] == (pytest.approx(value, rel=1e-5) if isinstance(value, float) else value), key


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("options", ["--json", "--json --per-token", "--json --whole --per-token", "--json --serve"])
def test_a_long_text_scores_as_in_memory(
    name: str, options: str, request: pytest.FixtureRequest, short_is_long: pytest.MonkeyPatch
) -> None:
    model: Trained = request.getfixturevalue(name)
    if name == "ngrams" and "--serve" in options:
        return
    given = texts().encode()
    if name == "names" and "--whole" in options:
        given = given.replace(b"\n", b" ")
    held = succeed(*command(model), *options.split(), stdin=given).objects
    assert any(each["oov"] for each in held) == (name != "octets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long, "LONGEST", 10**9)
        patch.setattr(inputs, "LONGEST", 10**9)
        expected = succeed(*command(model), *options.split(), stdin=given).objects
    assert len(held) == len(expected)
    for found, each in zip(held, expected, strict=True):
        check_same(found, each)
    short_is_long.undo()
    assert succeed(*command(model), *options.split(), stdin=given).objects == expected


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("options", ["", "--per-token"])
def test_the_table_of_a_long_text_is_that_of_one_in_memory(
    name: str, options: str, request: pytest.FixtureRequest, short_is_long: pytest.MonkeyPatch
) -> None:
    model: Trained = request.getfixturevalue(name)
    given = texts().encode() + b"\n" + b"river " * 900
    held = succeed(*command(model), *options.split(), stdin=given)
    short_is_long.undo()
    expected = succeed(*command(model), *options.split(), stdin=given)
    assert held.err == expected.err
    assert "(5,400 characters)" in held.out.decode()
    figure = re.compile(r"-?\d+\.\d{4}\b")
    assert figure.sub("F", held.out.decode()) == figure.sub("F", expected.out.decode())


def test_unknown_tokens_share_their_probability(prose: Trained, short_is_long: pytest.MonkeyPatch) -> None:
    arguments = (*command(prose), "--json", "--per-token", "--unk-vocabulary", 50)
    held = succeed(*arguments, stdin=texts().encode()).objects
    short_is_long.undo()
    for found, each in zip(held, succeed(*arguments, stdin=texts().encode()).objects, strict=True):
        check_same(found, each)


def test_the_same_command_writes_the_same_bytes(prose: Trained, short_is_long: pytest.MonkeyPatch) -> None:
    for options in (("--json",), ("--json", "--per-token")):
        first, second = (succeed(*command(prose), *options, stdin=texts().encode()).out for _ in range(2))
        assert first == second
    del short_is_long


def test_several_lines_of_a_list_are_refused(names: Trained, short_is_long: pytest.MonkeyPatch) -> None:
    given = b"banana " * 20 + b"\n" + b"kiwi " * 20
    ended = call(*command(names), "--whole", stdin=given)
    one_message(ended, 2, "several lines")
    assert ended.out == b""
    assert succeed(*command(names), "--whole", "--json", stdin=given.split(b"\n")[0] + b"\n").json["tokens"] == 141
    del short_is_long


def test_what_is_no_text_is_refused_before_anything_is_written(
    prose: Trained, short_is_long: pytest.MonkeyPatch
) -> None:
    ended = call(*command(prose), "--whole", "--json", stdin=b"river " * 100 + b"\xff")
    one_message(ended, 3, "offset 600")
    assert ended.out == b""
    del short_is_long


def test_a_page_shows_the_beginning_and_colours_leave_long_texts_out(
    prose: Trained, short_is_long: pytest.MonkeyPatch
) -> None:
    succeed(*command(prose), "--heatmap", "long.html", stdin=texts().encode())
    short_is_long.undo()
    succeed(*command(prose), "--heatmap", "held.html", stdin=texts().encode())
    pages = [Path(name).read_text(encoding="utf-8") for name in ("long.html", "held.html")]
    assert pages[0] == pages[1]


def test_texts_in_memory_are_scored_in_blocks_too(prose: Trained, short_is_long: pytest.MonkeyPatch) -> None:
    """Where they come from the command line, or from a file of alternatives."""
    alternatives = ["river " * 20 + "x", "river " * 20 + "sea"]
    arguments = ("rank", "--model", prose.folder, "--json", *alternatives)
    held = succeed(*arguments).json
    scores = succeed(*command(prose), "--json", *alternatives).objects
    assert [each["text"] for each in scores] == alternatives
    short_is_long.undo()
    for found, each in zip(held, succeed(*arguments).json, strict=True):
        assert found["text"] == each["text"]
        assert found["logprob"] == pytest.approx(each["logprob"], rel=1e-5)


@pytest.mark.skipif(not STATUS.is_file(), reason="the peak of memory is read where Linux tells it")
@pytest.mark.parametrize("options", [(), ("--whole", "--json", "--per-token")])
def test_memory_does_not_grow_with_a_line(options: tuple[str, ...], tmp_path: Path) -> None:
    """20 MB, of words so long that they are soon scored, take hardly more than a word."""
    model_words = [letter * 1000 for letter in "abcdefgh"]
    (tmp_path / "text.txt").write_text("".join(f"{word} {other}.\n" for word in model_words for other in model_words))
    succeed("train", "text.txt", "--model", "model", *QUICK, "--level", "token", "--steps", 2)
    (tmp_path / "short.txt").write_text("a word\n")
    (tmp_path / "long.txt").write_text((" ".join(model_words) + " ") * 2_500)
    peaks = []
    for name in ("short.txt", "long.txt"):
        arguments = [sys.executable, "-c", PEAK, "score", "--model", "model", "--file", name, *options]
        with (tmp_path / "out.txt").open("wb") as out:
            ended = subprocess.run(arguments, stdout=out, stderr=subprocess.PIPE, env=environment(), check=True)
        assert b", 0)\n" in ended.stderr, ended.stderr
        peaks.append(int(re.findall(rb"VmHWM:\s+(\d+) kB", ended.stderr)[0]))
    assert peaks[1] - peaks[0] < 20_000
    if "--json" in options:
        found = json.loads((tmp_path / "out.txt").read_bytes())
        assert found["characters"] == len(found["text"]) + 1
        assert found["tokens"] == len(found["per_token"]) == 20_001
