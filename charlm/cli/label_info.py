"""What ``charlm info`` says of a tagger or a classifier."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from charlm.cli.records import made_with, record_lines, repeating, show_record, shown_tokens, tokens_of
from charlm.labelling.model import Labeler, load_labeler
from charlm.training.label_again import label_options
from charlm.training.label_options import TAGGER, label_flags

COMMANDS = {True: ("charlm", "tag", "train"), False: ("charlm", "classify", "train")}
"""What trains a model, by whether each token has a label."""


def show(path: Path, *, as_json: bool) -> None:
    """Write what it is, its labels, its record, and the command that repeats the training.

    Raises:
        ModelError: it cannot be read.
    """
    model = load_labeler(path)
    show_record(lambda: _as_json(model), lambda: _lines(model), as_json=as_json)


def _labels(model: Labeler) -> list[tuple[str, int]]:
    return list(zip(model.labels.names, model.labels.counts.tolist(), strict=True))


def _as_json(model: Labeler) -> dict[str, Any]:
    vocabulary = model.vocabulary
    return {
        "kind": model.text.kind,
        "model": model.network.config.to_json(),
        "parameters": len(model.network.parameters),
        "text": model.text.to_json(),
        "labels": [{"label": name, "count": count} for name, count in _labels(model)],
        "vocabulary": tokens_of(vocabulary),
        "record": dict(model.record),
        "command": _command(model),
    }


def _lines(model: Labeler) -> Iterator[str]:
    config, text = model.network.config, model.text
    yield f"kind           {text.kind}: a label for each {'word' if text.per_token else 'text'}"
    yield f"architecture   {config.description}"
    yield f"parameters     {len(model.network.parameters):,}"
    scheme = f", entities as {text.scheme}" if model.labels.entities else ""
    yield f"labels         {len(model.labels)}{scheme}"
    for name, count in _labels(model):
        yield f"  {name:<20} {count:,}"
    if not text.per_token:
        yield f"tokens         {text.level} level"
    yield f"vocabulary     {len(model.vocabulary):,}: {shown_tokens(model.vocabulary)}"
    if model.characters is not None:
        yield f"characters     {len(model.characters):,}: {shown_tokens(model.characters)}"
    yield from record_lines(model.record, "a label")
    for name, view in model.network.parameters.views.items():
        yield f"  {name:<20} {list(view.shape)}"
    yield made_with(model.record)
    yield f"again          {_command(model)}"


def _command(model: Labeler) -> str:
    options = label_options(model.network.config, model.text, model.record["train"], model.record)
    named = zip(label_flags(options), options.values(), strict=True)
    return repeating(COMMANDS[model.text.kind == TAGGER], model.record, named)
