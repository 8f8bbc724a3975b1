"""``charlm sample -i``: what is typed is continued, and settings change in between."""

import re
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from charlm.cli.choices import Choice
from charlm.cli.console import aside, note, result, visible, write_bytes
from charlm.cli.inputs import note_unknown
from charlm.cli.line_history import line_history
from charlm.cli.sample_options import DRAWING, ENDING, HOLDING
from charlm.cli.sample_output import write_texts
from charlm.errors import CharlmError, UsageError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel

_CHOICES: Mapping[str, Choice] = {
    flag.removeprefix("--"): each
    for each in (*DRAWING, *HOLDING, *ENDING)
    for flag in each.flags
    if flag.startswith("--")
}
"""What can be changed, by its name behind the slash."""
_COMMANDS = {
    "help": "This list.",
    "settings": "What has been changed.",
    "reset": "All as it was at the start.",
    "seed": "Random numbers begin anew from this seed.",
    "quit": "Leave; so does Ctrl-D.",
}
_SWITCHES = {"": True, "on": True, "off": False}
_FLAG = re.compile(rf"--({'|'.join(_CHOICES)})\b")


def converse(trained: "TrainedModel", seed: int | None, options: dict[str, Any]) -> None:
    """Continue one line of standard input after another, until it ends or somebody leaves.

    Args:
        trained: what continues.
        seed: of the first continuation, the next one being that of the second; None for a random one.
        options: of drawing, as they were typed.

    Raises:
        UsageError: an option does not fit the model.
    """
    session = Session(trained, seed, options)
    terminal = sys.stdin.isatty()
    if terminal:
        aside("charlm: type a text to continue; /help lists what can be changed, Ctrl-C stops a text, Ctrl-D leaves")
    with line_history(wanted=terminal), _interruptible(wanted=terminal):
        for line in _lines(terminal=terminal):
            try:
                if not session.answer(line):
                    return
            except CharlmError as error:
                note(_with_slashes(str(error)))
            except KeyboardInterrupt:
                write_bytes(b"\n")


@contextmanager
def _interruptible(*, wanted: bool) -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt while this lasts; elsewhere it ends the program at once."""
    before = signal.getsignal(signal.SIGINT)
    if not wanted or before is signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _lines(*, terminal: bool) -> Iterator[str]:
    """The lines that are typed, or come through a pipe."""
    shown = "> " if sys.stdout.isatty() else ""
    while True:
        try:
            line = input(shown) if terminal else sys.stdin.readline()
        except KeyboardInterrupt:
            aside("")
            continue
        except EOFError:
            aside("")
            return
        if not terminal and not line:
            return
        yield line.removesuffix("\n")


class Session:
    """What is typed, and what it has changed.

    Args:
        trained: what continues.
        seed: of the first continuation; None for a random one.
        options: of drawing.

    Raises:
        UsageError: an option does not fit the model.
    """

    def __init__(self, trained: "TrainedModel", seed: int | None, options: dict[str, Any]) -> None:
        self._trained = trained
        self._begun = (self._some(seed), dict(options))
        self._seed, self._options = self._begun[0], dict(options)
        self._check(options)

    def answer(self, line: str) -> bool:
        """Do what a line asks for; whether to go on.

        Raises:
            CharlmError: it cannot be done; all is as before.
        """
        if not line.startswith("/") or line.startswith("//"):
            self._continue(line[1:] if line.startswith("//") else line)
            return True
        name, _, value = line[1:].partition(" ")
        if name == "quit":
            return False
        self._command(name.strip(), value.strip())
        return True

    def _command(self, name: str, value: str) -> None:
        if name == "help":
            _show_help()
        elif name == "settings":
            self._show()
        elif name == "reset":
            self._seed, self._options = self._begun[0], dict(self._begun[1])
        elif name == "seed":
            self._seed = self._some(int(_number(name, value, int)) if value else None)
        elif name in _CHOICES:
            self._change(_CHOICES[name], name, value)
        else:
            raise UsageError(f"there is no /{name}: /help lists what there is, and // begins a text that begins with /")

    def _continue(self, text: str) -> None:
        from charlm.sample_options import sampling_config  # noqa: PLC0415 - NumPy is loaded only when it is used
        from charlm.samples import draw_samples, read_prompt  # noqa: PLC0415 - likewise

        prompt = read_prompt(self._trained, text)
        note_unknown(prompt)
        config = sampling_config(self._trained, **self._options)
        seed, self._seed = self._seed, self._seed + 1
        write_texts(self._trained, draw_samples(self._trained, [prompt], seed, 1, config))

    def _change(self, choice: Choice, name: str, value: str) -> None:
        options = dict(self._options)
        wanted = _read(choice, name, value)
        if wanted is None:
            options.pop(choice.name, None)
        else:
            options[choice.name] = wanted
        self._check(options)
        self._options = options

    def _check(self, options: dict[str, Any]) -> None:
        from charlm.sample_options import sampling_config  # noqa: PLC0415 - NumPy is loaded only when it is used

        sampling_config(self._trained, **options)

    def _show(self) -> None:
        result(f"/seed {self._seed}")
        for name, choice in _CHOICES.items():
            if choice.name in self._options:
                result(f"/{name} {visible(_typed(self._options[choice.name]))[1:-1]}")

    @staticmethod
    def _some(seed: int | None) -> int:
        import secrets  # noqa: PLC0415 - only here

        from charlm.config import require  # noqa: PLC0415 - --help needs none of this

        if seed is None:
            return secrets.randbelow(1 << 32)
        require("/seed", seed, minimum=0)
        return seed


def _read(choice: Choice, name: str, value: str) -> Any:
    """A value as the command line would read it; None where an option is to be as if it were not given.

    Raises:
        UsageError: it is none of its kind.
    """
    if choice.kind is bool:
        if value not in _SWITCHES:
            raise UsageError(f"/{name} is {value!r}: it takes on or off")
        return _SWITCHES[value] or None
    if not value:
        return None
    if choice.kind in (int, float):
        return _number(name, value, choice.kind)
    try:
        return shlex.split(value)
    except ValueError as error:
        raise UsageError(f"/{name} {value}: {error}; put a text with spaces between two quotes") from error


def _typed(value: Any) -> str:
    """A value as ``_read`` takes it; what is off is not kept."""
    if value is True:
        return "on"
    return " ".join(map(shlex.quote, value)) if isinstance(value, list) else str(value)


def _number(name: str, value: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(value)
    except ValueError as error:
        raise UsageError(f"/{name} is {value!r}: it takes a {'whole ' if kind is int else ''}number") from error


def _with_slashes(text: str) -> str:
    """A text about options as they are typed here."""
    return _FLAG.sub(r"/\1", text)


def _show_help() -> None:
    for name, what in _COMMANDS.items():
        result(f"/{name:<28} {what}")
    for name, choice in _CHOICES.items():
        default = f" Default: {choice.default}." if choice.default else ""
        text = choice.text.replace("; may be given several times", "")
        result(f"/{f'{name} {_value(choice)}':<28} {_with_slashes(text + default)}")
    result("Without its value, a setting is back at its default; a switch is on. A TEXT with spaces stands in quotes.")
    result("Anything else is continued; // begins a text that begins with /.")


def _value(choice: Choice) -> str:
    """What is typed behind the name of a setting."""
    if choice.kind is bool:
        return "on|off"
    return "NUMBER" if choice.kind in (int, float) else "TEXT ..."
