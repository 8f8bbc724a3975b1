"""``charlm info``: what a model is, how it was trained, and how to do it again."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from charlm.cli.console import printable, result, result_json, visible
from charlm.cli.find import JsonOption, ModelOption, kind_at, load, locate
from charlm.config import IMPORTED
from charlm.labelling.config import KINDS
from charlm.training.again import options_of
from charlm.training.options import flags

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.text.vocabulary import Vocabulary

SHOWN_TOKENS = 80
DECIDED_UNASKED = ("--independent-lines", "--bidirectional")
"""Switches that are on where nobody asks, or may be: a command that repeats a run says of them that they are off."""


def info(model: ModelOption = None, as_json: JsonOption = False) -> None:
    """Architecture, parameters, vocabulary, training record, and the command that repeats the training."""
    path = locate(model, None)
    if kind_at(path) in KINDS:
        from charlm.cli.label_info import show  # noqa: PLC0415 - NumPy is loaded only when it is used

        show(path, as_json=as_json)
        return
    trained = load(path)
    if as_json:
        result_json(_as_json(trained))
        return
    for line in _lines(trained):
        result(printable(line))


def _as_json(trained: "TrainedModel") -> dict[str, Any]:
    vocabulary = trained.tokenizer.vocabulary
    return {
        "model": trained.network.config.to_json(),
        "parameters": len(trained.network.parameters),
        "text": trained.text.to_json(),
        "vocabulary": [
            {"token": vocabulary.token(i), "count": int(vocabulary.counts[i])} for i in range(len(vocabulary))
        ],
        **({"labels": [{"label": name, "count": count} for name, count in _labels(trained)]} if trained.labels else {}),
        "record": dict(trained.record),
        "command": command(trained),
    }


def _lines(trained: "TrainedModel") -> list[str]:
    config, text, record = trained.network.config, trained.text, trained.record
    vocabulary = trained.tokenizer.vocabulary
    return [
        f"architecture   {config.description}",
        f"parameters     {len(trained.network.parameters):,}",
        f"tokens         {text.level} level, {text.unit} ends in <EOS>"
        + (", every line a text of its own" if text.independent_lines else ", one text from line to line"),
        f"vocabulary     {len(vocabulary):,}: {shown_tokens(vocabulary)}",
        *([f"labels         {len(trained.labels):,}: {_shown_labels(trained)}"] if trained.labels else []),
        *record_lines(record, "a token"),
        *(f"  {name:<20} {list(view.shape)}" for name, view in trained.network.parameters.views.items()),
        made_with(record),
        f"{'before it' if IMPORTED in record['made_with'] else 'again':<14} {command(trained)}",
    ]


def record_lines(record: Mapping[str, Any], per: str) -> list[str]:
    """What a model was trained on, what it began with, and how good it is, in nats ``per`` what."""
    corpus = record["corpus"]
    return [
        f"corpus         {_named(corpus['paths'])} ({corpus['digest'][:16]}), {corpus['train_tokens']:,} tokens to "
        f"train on, {corpus['valid_tokens']:,} to validate with"
        + (f" ({_named(corpus['valid_paths'])})" if corpus["valid_paths"] else ""),
        *([f"began with     {record['base']['path']}"] if record["base"] else []),
        _best(record, per),
    ]


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


def _labels(trained: "TrainedModel") -> list[tuple[str, int]]:
    """Every label, and how many of the lines trained on have it."""
    labels = trained.labels
    return [] if labels is None else list(zip(labels.names, labels.counts.tolist(), strict=True))


def _shown_labels(trained: "TrainedModel") -> str:
    shown = ", ".join(f"{name} ({count:,})" for name, count in _labels(trained)[:SHOWN_TOKENS])
    return shown + (", ..." if len(_labels(trained)) > SHOWN_TOKENS else "")


def command(trained: "TrainedModel") -> str:
    """The command that trains this model again, every option spelled out."""
    record = trained.record
    options = options_of(trained.network.config, trained.text, record["train"], record)
    return repeating(["charlm", "train"], record, zip(flags(options), options.values(), strict=True))


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
