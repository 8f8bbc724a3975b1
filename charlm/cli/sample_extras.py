"""What ``charlm sample`` can do besides drawing: options of their own, and which of them go together."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from charlm.cli.choices import Choice
from charlm.errors import UsageError

ASKING = (
    Choice("match", str, ("--match",), "What is drawn matches this regular expression, from end to end."),
    Choice("budget", int, ("--budget",), "With --match: tokens that may be tried for a sample.", "20,000"),
    Choice(
        "seconds",
        float,
        ("--match-seconds",),
        "With --match: time that the expression may take for a sample, a fifth of it in one place.",
        "5",
    ),
    Choice("fill", str, ("--fill",), 'Find what may stand in the gaps of a text, each written as ___: "the ___ sat".'),
    Choice("gap", int, ("--gap",), "With --fill: most tokens in a gap.", "12 characters or 3 words"),
    Choice("width", int, ("--width",), "With --fill: candidates of each length that are kept.", "256"),
)
"""What a text is to be like."""
NOVELTY = (
    Choice("novelty", bool, ("--novelty",), "Tell what each sample copies longest from the training text."),
    Choice("max_copy", int, ("--max-copy",), "Keep only samples that copy no more tokens in a row."),
    Choice("tries", int, ("--tries",), "With --max-copy: samples that may be drawn for each prompt.", "20 for each -n"),
    Choice("text", str, ("--text",), "The training text, where it is not where it was."),
)
"""What samples have from the training text."""
SHOWING = (
    Choice("show_probs", bool, ("--show-probs",), "Colour each character or word by its probability, in a terminal."),
    Choice("html", Path, ("--html",), "Also write a page, .html: the same, with what else was likely in each place."),
    Choice("interactive", bool, ("--interactive", "-i"), "Continue what is typed; /help lists what can be changed."),
)
"""How samples are shown."""
_NEEDS = {
    "budget": ("match",),
    "seconds": ("match",),
    "encoding": ("prompt_file",),
    "gap": ("fill",),
    "width": ("fill",),
    "tries": ("max_copy",),
    "text": ("novelty", "max_copy"),
}
"""Options that only say more of another one."""
_ALONE = {
    "fill": {"gap", "width", "number", "label", "jsonl"},
    "interactive": {
        *("seed", "label", "length", "temperature", "top_k", "top_p", "min_p", "typical", "repetition_penalty"),
        *("penalty_window", "ban", "only", "unknown", "lines", "stop", "until_eos"),
    },
}
"""Options that change what the command does, and what goes with them."""
_APART = (
    ("match", ("lines", "stop", "until_eos"), "the expression itself says where a sample ends"),
    ("match", ("unknown",), "<UNK> stands for no text that could match"),
    ("beams", ("match", "max_copy"), "a search finds the same texts every time, and draws no others"),
    ("show_probs", ("jsonl",), "objects have the probabilities already"),
)


class Extras(NamedTuple):
    """What was asked for besides drawing; the options are above."""

    match: str | None = None
    budget: int | None = None
    seconds: float | None = None
    fill: str | None = None
    gap: int | None = None
    width: int | None = None
    novelty: bool = False
    max_copy: int | None = None
    tries: int | None = None
    text: str | None = None
    show_probs: bool = False
    html: Path | None = None
    interactive: bool = False


def taken(options: dict[str, Any], others: Iterable[str]) -> Extras:
    """Take out of the options that were typed those that are not for drawing.

    Args:
        options: by name, without these afterwards.
        others: names of what else was typed.

    Raises:
        UsageError: some do not go together, or one is out of its range.
    """
    from charlm.config import require  # noqa: PLC0415 - --help needs none of this

    typed = {*options, *others}
    _check(typed)
    found = Extras(**{name: options.pop(name) for name in Extras._fields if name in options})
    if found.max_copy is not None:
        require("--max-copy", found.max_copy, minimum=0)
    for flag, value in (("--tries", found.tries), ("--budget", found.budget)):
        if value is not None:
            require(flag, value, minimum=1)
    return found


def _check(typed: set[str]) -> None:
    for name, needed in _NEEDS.items():
        if name in typed and not typed & set(needed):
            raise UsageError(f"{_flag(name)} only says more of {' or '.join(map(_flag, needed))}: add that, too")
    for name, allowed in _ALONE.items():
        wrong = sorted(typed - allowed - {name})
        if name in typed and wrong:
            raise UsageError(
                f"{_flag(name)} does not go with {', '.join(map(_flag, wrong))}: leave out one or the other"
            )
    for name, others, why in _APART:
        wrong = [each for each in others if each in typed]
        if name in typed and wrong:
            raise UsageError(f"{_flag(name)} does not go with {_flag(wrong[0])}: {why}")


_FLAGS = {"number": "-n", "seconds": "--match-seconds"}
"""What is typed for options that bear another name here."""


def _flag(name: str) -> str:
    return _FLAGS.get(name, f"--{name.replace('_', '-')}")
