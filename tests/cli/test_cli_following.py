"""What is shown while texts are scored, evaluated and ranked."""

import gzip
import io
import json
import re
import sys
from pathlib import Path

import pytest
from cli_cases import Trained, prose_text, succeed

from charlm.cli import following, preparing
from charlm.cli.app import outcome
from charlm.text import inputs, long


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def shown(*arguments: object, stdin: bytes = b"", seconds: float = 0.0) -> tuple[str, str]:
    """What a command writes to its terminal, and what to a pipe, where a bar is shown after so many seconds."""
    terminal, out = Terminal(), io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(following, "INTERVAL", 0.0)
        patch.setattr(preparing, "QUICK_SECONDS", seconds)
        patch.setattr(sys, "stderr", terminal)
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        message, status = outcome([str(argument) for argument in arguments])
        assert status == 0, message
        out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return terminal.getvalue(), out.buffer.getvalue().decode()


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """Some hundred lines."""
    path = tmp_path / "text.txt"
    path.write_text(prose_text(300))
    return path


def test_the_bytes_of_a_file_are_the_measure(prose: Trained, text: Path) -> None:
    drawn, out = shown("score", "--model", prose.folder, "--file", text)
    assert "scoring: 100%" in drawn
    assert "B/s" in drawn
    assert out == succeed("score", "--model", prose.folder, "--file", text).out.decode()
    # The bar is gone when the scores are written, and at the end.
    assert drawn.endswith("\r")
    assert "\n" not in drawn


def test_scores_have_lines_of_their_own(prose: Trained, text: Path) -> None:
    """Where both go to one terminal, the bar is gone from the line that a score is written on."""
    expected = succeed("score", "--model", prose.folder, "--file", text).out.decode().splitlines()
    terminal = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(following, "INTERVAL", 0.0)
        patch.setattr(preparing, "QUICK_SECONDS", 0.0)
        patch.setattr(sys, "stderr", terminal)
        patch.setattr(sys, "stdout", terminal)
        assert outcome(["score", "--model", str(prose.folder), "--file", str(text)])[1] == 0
    lines = terminal.getvalue().split("\n")[:-1]
    assert "scoring:" in lines[0]
    assert [line.rpartition("\r")[2] for line in lines] == expected


def test_a_long_text_shows_how_far_it_has_come(prose: Trained, text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long, "BLOCK", 1000)
    monkeypatch.setattr(long, "LONGEST", 100)
    monkeypatch.setattr(inputs, "LONGEST", 100)
    drawn, _ = shown("score", "--model", prose.folder, "--file", text, "--whole")
    shares = [int(share) for share in re.findall(r"scoring: +(\d+)%", drawn)]
    assert shares == sorted(shares)
    assert len({share for share in shares if 0 < share < 100}) > 5


@pytest.mark.parametrize("packed", [False, True])
def test_where_the_size_is_not_known_texts_are_counted(prose: Trained, text: Path, packed: bool) -> None:
    if packed:
        text.with_suffix(".gz").write_bytes(gzip.compress(text.read_bytes()))
        drawn, _ = shown("score", "--model", prose.folder, "--file", text.with_suffix(".gz"))
    else:
        drawn, _ = shown("score", "--model", prose.folder, stdin=text.read_bytes())
    assert "300text" in drawn
    assert "%" not in drawn


def test_evaluation_shows_its_tokens(prose: Trained, text: Path) -> None:
    for more in ([], ["--exact"], [text]):  # a file twice is two files
        arguments = ("eval", text, *more, "--model", prose.folder, "--json")
        drawn, out = shown(*arguments)
        assert "evaluating: 100%" in drawn
        assert "tok/s" in drawn
        assert out.encode() == succeed(*arguments).out


def test_pairs_show_the_bytes_of_their_file(prose: Trained, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    row = json.dumps({"sentence_good": "river", "sentence_bad": "rivre"})
    pairs.write_text(f"{row}\n" * 50)
    drawn, out = shown("rank", "--pairs", pairs, "--model", prose.folder)
    assert "scoring: 100%" in drawn
    assert out == succeed("rank", "--pairs", pairs, "--model", prose.folder).out.decode()


def test_nothing_is_shown_of_what_is_quick_or_served_or_elsewhere(prose: Trained, text: Path) -> None:
    assert shown("score", "--model", prose.folder, "--file", text, seconds=100.0)[0].strip() == ""
    assert shown("score", "--serve", "--model", prose.folder, stdin=text.read_bytes())[0] == ""
    assert succeed("score", "--model", prose.folder, "--file", text).err == ""
