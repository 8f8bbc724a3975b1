"""What models of any kind say of how they came to be, as ``charlm info`` shows it."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from charlm.cli.console import printable, result, result_json, visible
from charlm.config import IMPORTED

if TYPE_CHECKING:
    from charlm.text.vocabulary import Vocabulary

SHOWN_TOKENS = 80
DECIDED_UNASKED = ("--independent-lines", "--bidirectional")
"""Switches that are on where nobody asks, or may be: a command that repeats a run says of them that they are off."""


def show_record(as_object: Callable[[], dict[str, Any]], lines: Callable[[], Iterable[str]], *, as_json: bool) -> None:
    """Write what a model is: as an object, or in lines."""
    if as_json:
        result_json(as_object())
        return
    for line in lines():
        result(printable(line))


def tokens_of(vocabulary: "Vocabulary") -> list[dict[str, Any]]:
    """Every token and its count, as JSON."""
    return [{"token": vocabulary.token(i), "count": int(vocabulary.counts[i])} for i in range(len(vocabulary))]


def record_lines(record: Mapping[str, Any], per: str) -> list[str]:
    """What a model was trained on, what it began with, and how good it is, in nats ``per`` what."""
    return [
        corpus_line(record["corpus"]),
        *([f"began with     {record['base']['path']}"] if record["base"] else []),
        _best(record, per),
    ]


def corpus_line(corpus: Mapping[str, Any]) -> str:
    """What a model was trained on."""
    valid = f" ({_named(corpus['valid_paths'])})" if corpus["valid_paths"] else ""
    return (
        f"corpus         {_named(corpus['paths'])} ({corpus['digest'][:16]}), {corpus['train_tokens']:,} tokens to "
        f"train on, {corpus['valid_tokens']:,} to validate with{valid}"
    )


def made_with(record: Mapping[str, Any]) -> str:
    """The line of what a model was made with."""
    return "made with      " + ", ".join(
        f"{key} {value}" for key, value in record["made_with"].items() if key != IMPORTED
    )


def _best(record: Mapping[str, Any], per: str) -> str:
    if IMPORTED in record["made_with"]:
        return f"imported       {record['made_with'][IMPORTED]}: weights that charlm has not trained, nor validated"
    return f"best           step {record['step']:,}, validation {_nats(record['valid_nats_per_token'], per)}"


def _named(paths: list[str]) -> str:
    return ", ".join("standard input" if path == "-" else path for path in paths) or "a text given in Python"


def _nats(value: float | None, per: str) -> str:
    return "not yet" if value is None else f"{value:.4f} nats {per}"


def shown_tokens(vocabulary: "Vocabulary") -> str:
    """The most frequent tokens."""
    shown = [visible(vocabulary.token(i))[1:-1] for i in range(min(SHOWN_TOKENS, len(vocabulary)))]
    return " ".join(shown) + (" ..." if len(vocabulary) > SHOWN_TOKENS else "")


def repeating(command_: Sequence[str], record: Mapping[str, Any], options: Iterable[tuple[str, Any]]) -> str:
    """A command with the files of a record and these options, as a shell takes it."""
    words = [*command_, *(record["corpus"]["paths"] or ["FILE"])]
    for flag, value in options:
        if flag == "--time":
            words += [flag, f"{value:f}".rstrip("0").rstrip(".") + "s"]
        elif not isinstance(value, bool):
            words += [flag, str(value)]
        elif value or flag in DECIDED_UNASKED:
            words.append(flag if value else f"--no-{flag[2:]}")
    return shlex.join(words)
