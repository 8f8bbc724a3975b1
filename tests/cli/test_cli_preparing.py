"""What is shown while a text is read and encoded."""

import io
import sys
from pathlib import Path

import pytest
from cli_cases import QUICK, prose_text, succeed

from charlm.cli import preparing as module
from charlm.cli.preparing import preparing
from charlm.text.corpus import prepare
from charlm.text.sources import find_texts

LOUD = [word for word in QUICK if word != "--quiet"]


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A text of several blocks."""
    path = tmp_path / "text.txt"
    path.write_text(prose_text(40_000))
    assert path.stat().st_size > 2 << 20
    return path


def shown(path: Path, stream: io.StringIO, *, quiet: bool = False) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        with preparing(quiet=quiet) as watched:
            prepare(watched(find_texts([path])))
    return stream.getvalue()


def test_in_a_terminal_there_is_a_bar_for_each_stage(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUICK_SECONDS", 0.0)
    drawn = shown(text, Terminal())
    assert "reading:" in drawn
    assert "encoding:" in drawn
    for figure in ("%|", "B/s", "tok/s"):
        assert figure in drawn
    assert drawn.endswith("\r")
    assert "\n" not in drawn


def test_what_takes_no_time_is_not_shown(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUICK_SECONDS", 100.0)
    assert shown(text, Terminal()).strip() == ""
    assert shown(text, io.StringIO()) == ""


def test_quiet_shows_nothing(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUICK_SECONDS", 0.0)
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.0)
    assert shown(text, Terminal(), quiet=True) == ""


def test_elsewhere_long_silences_are_broken(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a line with bytes and share; without waiting that is a line a block."""
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.0)
    lines = shown(text, io.StringIO()).splitlines()
    assert lines[0].startswith("charlm: reading: 1 MB, ")
    assert "charlm: reading: 2 MB, 100%" in lines
    assert lines[-1].startswith("charlm: encoding: ")
    assert lines[-1].endswith(" million tokens, 100%")
    shares = [int(line.split()[-1].rstrip("%")) for line in lines if "encoding" in line]
    assert shares == sorted(shares)


def test_where_the_size_is_not_known_there_is_no_share(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.0)
    ended = succeed("train", "-", "--model", "model", *LOUD, "--steps", 2, stdin=text.read_bytes())
    reading = [line for line in ended.err.splitlines() if "reading:" in line]
    assert reading
    assert not any("%" in line for line in reading)


def test_commands_that_read_corpora_show_it(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    succeed("train", text, "--model", "model", *QUICK, "--steps", 2)
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.0)
    for words in (
        ["train", text, "--model", "other", *LOUD, "--steps", 2],
        ["train", "--resume", "--model", "model"],
        ["eval", "--model", "model"],
        ["eval", text, "--model", "model"],
    ):
        assert "charlm: reading: " in succeed(*words).err
    assert succeed("train", text, "--model", "third", *QUICK, "--steps", 2).err == ""
