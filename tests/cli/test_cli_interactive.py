"""``charlm sample -i``: through a pipe, and typed into a terminal."""

import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_cases import Running, Trained, call, environment, one_message, succeed, words

PATIENCE = 60
"""Seconds after which what has not come will not."""


def answers(trained: Trained, *lines: str, options: tuple[object, ...] = ("--seed", 1)) -> tuple[list[str], list[str]]:
    """What comes on both outputs when these lines come through a pipe."""
    typed = "".join(f"{line}\n" for line in lines).encode()
    ended = succeed("sample", "-i", "--model", trained.folder, *options, stdin=typed)
    return ended.out.decode().splitlines(), ended.err.splitlines()


def sampled(trained: Trained, *options: object) -> str:
    return succeed("sample", "--model", trained.folder, *options).out.decode().removesuffix("\n")


def test_every_line_is_continued(names: Trained) -> None:
    """As ``charlm sample`` continues it, with one seed after another."""
    out, err = answers(names, "ba", "", "//b")
    expected = [sampled(names, "--prompt", text, "--seed", seed) for seed, text in ((1, "ba"), (2, ""), (3, "/b"))]
    assert out == expected
    assert err == ['charlm: the model does not know "/": read as <UNK>']


def test_settings_change_in_between(names: Trained) -> None:
    out, err = answers(
        names, "/temperature 0.1", "/length 4", "ba", "/length", "/ban a e", "ba", "/seed 9", "/reset", "ba"
    )
    assert not err
    assert out == [
        sampled(names, "--prompt", "ba", "--seed", 1, "-t", 0.1, "--length", 4),
        sampled(names, "--prompt", "ba", "--seed", 2, "-t", 0.1, "--ban", "a", "--ban", "e"),
        sampled(names, "--prompt", "ba", "--seed", 1),
    ]


def test_every_option_of_drawing_can_be_changed(prose: Trained) -> None:
    values = {
        "temperature": "0.5", "top-k": "5", "top-p": "0.9", "min-p": "0.01", "typical": "0.9", "lines": "2",
        "repetition-penalty": "1.1", "penalty-window": "9", "only": "'aeiou drn'", "unknown": "off", "length": "30",
        "stop": "'n r'", "until-eos": "on",
    }  # fmt: skip
    changes = [f"/{name} {value}" for name, value in values.items()]
    out, err = answers(prose, *changes, "/seed 5", "/settings", "river", options=("-l", 9))
    assert not err
    shown = {line.split()[0]: line for line in out if line.startswith("/")}
    assert shown["/seed"] == "/seed 5"
    assert shown["/top-p"] == "/top-p 0.9"
    assert shown["/only"] == "/only 'aeiou drn'"
    assert "/unknown" not in shown
    assert shown["/until-eos"] == "/until-eos on", "as it is typed"
    assert len(shown) == len(values)
    assert any(line.startswith("river") for line in out)


@pytest.mark.parametrize(
    ("line", "mentioned"),
    [
        ("/foo", "there is no /foo: /help lists what there is"),
        ("/temperature hot", "/temperature is 'hot': it takes a number"),
        ("/length 1.5", "/length is '1.5': it takes a whole number"),
        ("/top-p 3", "charlm: /top-p is 3.0: it must be a number above 0 and at most 1"),
        ("/top-k 0", "charlm: /top-k is 0: it must be a number at least 1"),
        ('/ban ""', "charlm: /ban is empty: name characters"),
        ("/penalty-window 9", "/penalty-window says how far back /repetition-penalty reaches: name that too"),
        ("/seed -1", "/seed is -1"),
        ("/unknown maybe", "/unknown is 'maybe': it takes on or off"),
        ("/stop 'a", "put a text with spaces between two quotes"),
    ],
)
def test_what_cannot_be_changed_is_said_and_all_is_as_before(line: str, mentioned: str, names: Trained) -> None:
    out, err = answers(names, line, "ba")
    assert out == [sampled(names, "--prompt", "ba", "--seed", 1)]
    assert len(err) == 1
    assert mentioned in err[0]


def test_help_names_everything(names: Trained) -> None:
    out, _ = answers(names, "/help", "/quit", "ba")
    shown = {line.split()[0] for line in out if line.startswith("/")}
    assert {"/help", "/quit", "/reset", "/seed", "/settings", "/temperature", "/top-k", "/ban", "/stop"} <= shown
    assert not any(line.startswith("ba") for line in out)
    settings = " ".join(out)
    assert "--" not in settings
    assert "/temperature NUMBER " in settings
    assert "/ban TEXT ... " in settings
    assert "/unknown on|off " in settings
    assert "/lines, /stop or /until-eos." in settings


def test_options_are_checked_at_the_start(names: Trained) -> None:
    one_message(call("sample", "-i", "--model", names.folder, "--ban", "7"), 2, "--ban")


TERMINALS = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")


@contextmanager
def typing_into(trained: Trained, home: Path, *options: object) -> Iterator["Terminal"]:
    import pty  # noqa: PLC0415 - not everywhere

    ours, theirs = pty.openpty()
    extra = {"XDG_STATE_HOME": str(home), "TERM": "dumb", "INPUTRC": os.devnull}
    arguments = words("sample", "-i", "--model", trained.folder, *options)
    with Running(
        arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**extra), start_new_session=True
    ) as running:
        os.close(theirs)
        try:
            yield Terminal(ours, running)
        finally:
            os.close(ours)


@TERMINALS
def test_a_line_is_continued_and_remembered(names: Trained, tmp_path: Path) -> None:
    expected = sampled(names, "--prompt", "ba", "--seed", 1)
    with typing_into(names, tmp_path, "--seed", 1) as terminal:
        terminal.wait_for("> ")
        terminal.type("/length 500\nba\n")
        terminal.wait_for(f"{expected}\r\n> ")
        terminal.type("\x04")
        assert terminal.running.wait(PATIENCE) == 0
    history = tmp_path / "charlm" / "sample_history"
    assert history.read_text().splitlines()[-2:] == ["/length 500", "ba"]
    assert history.stat().st_mode & 0o077 == 0
    with typing_into(names, tmp_path, "--seed", 1) as terminal:
        terminal.wait_for("> ")
        # The line before, once more.
        terminal.type("\x10\n")
        terminal.wait_for(f"{expected}\r\n> ")
        terminal.type("/quit\n")
        assert terminal.running.wait(PATIENCE) == 0


@TERMINALS
def test_ctrl_c_stops_the_text_and_nothing_else(prose: Trained, tmp_path: Path) -> None:
    with typing_into(prose, tmp_path, "--seed", 1, "--length", 5_000_000) as terminal:
        terminal.wait_for("> ")
        terminal.type("river\n")
        terminal.wait_for_more(200)
        os.killpg(terminal.running.pid, signal.SIGINT)
        terminal.wait_for("\r\n> ")
        terminal.type("/length 20\n")
        terminal.wait_for("> ")
        terminal.type("garden\n")
        terminal.wait_for("\r\ngarden")
        terminal.wait_for("\r\n> ")
        terminal.interrupt_until("> ")
        terminal.type("\x04")
        assert terminal.running.wait(PATIENCE) == 0
    assert "Traceback" not in terminal.all


class Terminal:
    """What a user sees and types."""

    def __init__(self, handle: int, running: Running) -> None:
        self._handle = handle
        self._seen = ""
        self.running = running
        self.all = ""

    def type(self, text: str) -> None:
        """Type a text, line breaks and control characters included."""
        os.write(self._handle, text.encode())

    def wait_for(self, text: str) -> None:
        """Read on until this has come."""
        deadline = time.monotonic() + PATIENCE
        while text not in self._seen:
            assert self._read(deadline), self._seen
        self._seen = self._seen.partition(text)[2]

    def interrupt_until(self, text: str) -> None:
        """Press Ctrl-C until this comes: between its prompt and its wait for a key, readline does not see one."""
        while text not in self._seen:
            os.killpg(self.running.pid, signal.SIGINT)
            deadline = time.monotonic() + 1
            while text not in self._seen and self._read(deadline):
                pass
            assert self.running.poll() is None, self._seen
        self._seen = self._seen.partition(text)[2]

    def wait_for_more(self, characters: int) -> None:
        """Read on until so many characters have come."""
        deadline = time.monotonic() + PATIENCE
        while len(self._seen) < characters:
            assert self._read(deadline), self._seen

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._handle], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._handle, 65_536)
        except OSError:  # what Linux says at the end
            return False
        self._seen += data.decode("utf-8", "replace")
        self.all += data.decode("utf-8", "replace")
        return bool(data)
