"""``charlm info``: what a model is, how it was trained, and how to do it again."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from charlm.cli.adaptation import tuned_lines
from charlm.cli.find import JsonOption, ModelOption, kind_at, load, locate
from charlm.cli.records import made_with, record_lines, repeating, show_record, shown_tokens, tokens_of
from charlm.config import IMPORTED
from charlm.labelling.config import KINDS
from charlm.training.again import options_of
from charlm.training.options import flags

if TYPE_CHECKING:
    from charlm.adapting.kept import Tuned
    from charlm.checkpoint import TrainedModel

SHOWN_LABELS = 80
NGRAM_MODEL = "n-gram model"


def info(model: ModelOption = None, as_json: JsonOption = False) -> None:
    """Architecture, parameters, vocabulary, training record, and the command that repeats the training."""
    path = locate(model, None)
    kind = kind_at(path)
    if kind == NGRAM_MODEL:
        from charlm.cli.ngram_info import show as show_ngrams  # noqa: PLC0415 - NumPy is loaded only when it is used

        show_ngrams(path, as_json=as_json)
        return
    if kind in KINDS:
        from charlm.cli.label_info import show  # noqa: PLC0415 - NumPy is loaded only when it is used

        show(path, as_json=as_json)
        return
    trained = load(path)
    show_record(
        lambda: _as_json(trained) | _tuned_as_json(path, trained),
        lambda: [*_lines(trained), *_tuned_lines(path, trained)],
        as_json=as_json,
    )


def _as_json(trained: "TrainedModel") -> dict[str, Any]:
    vocabulary = trained.tokenizer.vocabulary
    return {
        "model": trained.network.config.to_json(),
        "parameters": len(trained.network.parameters),
        "text": trained.text.to_json(),
        "vocabulary": tokens_of(vocabulary),
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


def _labels(trained: "TrainedModel") -> list[tuple[str, int]]:
    """Every label, and how many of the lines trained on have it."""
    labels = trained.labels
    return [] if labels is None else list(zip(labels.names, labels.counts.tolist(), strict=True))


def _shown_labels(trained: "TrainedModel") -> str:
    shown = ", ".join(f"{name} ({count:,})" for name, count in _labels(trained)[:SHOWN_LABELS])
    return shown + (", ..." if len(_labels(trained)) > SHOWN_LABELS else "")


def command(trained: "TrainedModel") -> str:
    """The command that trains this model again, every option spelled out."""
    record = trained.record
    options = options_of(trained.network.config, trained.text, record["train"], record)
    return repeating(["charlm", "train"], record, zip(flags(options), options.values(), strict=True))


def _tuned(path: Path, trained: "TrainedModel") -> "Tuned | str | None":
    """What charlm tune has kept with a model, or why it is of no use; None where it has kept nothing."""
    from charlm.adapting.kept import is_kept, read_kept  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.errors import ModelError  # noqa: PLC0415 - only here

    try:
        return read_kept(path, len(trained.network.parameters)) if is_kept(path) else None
    except ModelError as error:
        return str(error)


def _tuned_as_json(path: Path, trained: "TrainedModel") -> dict[str, Any]:
    found = _tuned(path, trained)
    if found is None:
        return {}
    return {"tuned": {"error": found} if isinstance(found, str) else found.to_json()}


def _tuned_lines(path: Path, trained: "TrainedModel") -> list[str]:
    found = _tuned(path, trained)
    if isinstance(found, str):
        return [f"tuned          {found}"]
    return [] if found is None else ["tuned          for --tuned:", *(f"  {line}" for line in tuned_lines(found))]
