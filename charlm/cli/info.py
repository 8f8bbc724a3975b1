"""``charlm info``: what a model is, how it was trained, and how to do it again."""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from charlm.cli.console import printable, result, result_json, visible
from charlm.cli.find import JsonOption, ModelOption, load
from charlm.config import IMPORTED
from charlm.training.again import options_of
from charlm.training.options import flags

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel

SHOWN_TOKENS = 80


def info(model: ModelOption = None, as_json: JsonOption = False) -> None:
    """Architecture, parameters, vocabulary, training record, and the command that repeats the training."""
    trained = load(model)
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
    corpus, vocabulary = record["corpus"], trained.tokenizer.vocabulary
    return [
        f"architecture   {config.description}",
        f"parameters     {len(trained.network.parameters):,}",
        f"tokens         {text.level} level, {text.unit} ends in <EOS>"
        + (", every line a text of its own" if text.independent_lines else ", one text from line to line"),
        f"vocabulary     {len(vocabulary):,}: {_tokens(trained)}",
        *([f"labels         {len(trained.labels):,}: {_shown_labels(trained)}"] if trained.labels else []),
        f"corpus         {_named(corpus['paths'])} ({corpus['digest'][:16]}), {corpus['train_tokens']:,} tokens to "
        f"train on, {corpus['valid_tokens']:,} to validate with"
        + (f" ({_named(corpus['valid_paths'])})" if corpus["valid_paths"] else ""),
        *([f"began with     {record['base']['path']}"] if record["base"] else []),
        _best(record),
        *(f"  {name:<20} {list(view.shape)}" for name, view in trained.network.parameters.views.items()),
        "made with      "
        + ", ".join(f"{key} {value}" for key, value in record["made_with"].items() if key != IMPORTED),
        f"{'before it' if IMPORTED in record['made_with'] else 'again':<14} {command(trained)}",
    ]


def _best(record: Mapping[str, Any]) -> str:
    if IMPORTED in record["made_with"]:
        return f"imported       {record['made_with'][IMPORTED]}: weights that charlm has not trained, nor validated"
    return f"best           step {record['step']:,}, validation {_nats(record['valid_nats_per_token'])}"


def _named(paths: list[str]) -> str:
    return ", ".join("standard input" if path == "-" else path for path in paths) or "a text given in Python"


def _nats(value: float | None) -> str:
    return "not yet" if value is None else f"{value:.4f} nats a token"


def _tokens(trained: "TrainedModel") -> str:
    vocabulary = trained.tokenizer.vocabulary
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
    record, words = trained.record, ["charlm", "train", *(trained.record["corpus"]["paths"] or ["FILE"])]
    options = options_of(trained.network.config, trained.text, record["train"], record)
    if "time" in options:
        options["time"] = f"{options['time']:f}".rstrip("0").rstrip(".") + "s"
    for flag, value in zip(flags(options), options.values(), strict=True):
        if not isinstance(value, bool):
            words += [flag, str(value)]
        elif value or flag == "--independent-lines":
            words.append(flag if value else f"--no-{flag[2:]}")
    return shlex.join(words)
