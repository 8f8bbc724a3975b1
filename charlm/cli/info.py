"""``charlm info``: what a model is, how it was trained, and how to do it again."""

from typing import TYPE_CHECKING, Any

from charlm.cli.console import printable, result, result_json
from charlm.cli.find import JsonOption, ModelOption, kind_at, load, locate
from charlm.cli.records import made_with, record_lines, repeating, shown_tokens
from charlm.config import IMPORTED
from charlm.labelling.config import KINDS
from charlm.training.again import options_of
from charlm.training.options import flags

if TYPE_CHECKING:
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
