"""What ``charlm info`` says of a counting model."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from charlm.cli.records import corpus_line, made_with, repeating, show_record, shown_tokens, tokens_of
from charlm.config import IMPORTED
from charlm.ngram.model import NGramModel, load_ngram
from charlm.ngram.smoothing import Discounts
from charlm.training.ngram_options import NGRAM_OPTIONS
from charlm.training.options import flag_of


def show(path: Path, *, as_json: bool) -> None:
    """Write what was counted, how it is smoothed, and the command that counts it again.

    Raises:
        ModelError: it cannot be read.
    """
    model = load_ngram(path)
    show_record(lambda: _as_json(model), lambda: _lines(model), as_json=as_json)


def _as_json(model: NGramModel) -> dict[str, Any]:
    vocabulary = model.tokenizer.vocabulary
    return {
        "kind": "n-gram model",
        "order": model.trie.order,
        "ngrams": _sizes(model),
        "discounts": [list(each.values) for each in model.smoothed.discounts],
        "text": model.text.to_json(),
        "vocabulary": tokens_of(vocabulary),
        "record": dict(model.record),
        "command": _command(model),
    }


def _lines(model: NGramModel) -> Iterator[str]:
    text, vocabulary, record = model.text, model.tokenizer.vocabulary, model.record
    yield "kind           n-gram model: interpolated modified Kneser-Ney"
    yield f"order          {model.trie.order}"
    yield f"tokens         {text.level} level, {text.unit} ends in <EOS>" + (
        ", every line a text of its own" if text.independent_lines else ", one text from line to line"
    )
    yield f"vocabulary     {len(vocabulary):,}: {shown_tokens(vocabulary)}"
    if record["corpus"]:
        yield corpus_line(record["corpus"])
    else:
        yield f"imported       {record['made_with'][IMPORTED]}"
    # An imported model comes without discounts.
    for order, (size, discounts) in enumerate(zip_longest(_sizes(model), model.smoothed.discounts), 1):
        yield f"  {order}-grams      {size:>12,}" + ("" if discounts is None else f"   discounts {_shown(discounts)}")
    yield made_with(record)
    if record["corpus"]:
        yield f"{'again':<14} {_command(model)}"


def _shown(discounts: Discounts) -> str:
    taken = ", ".join(f"{value:.4f}" for value in discounts.values)
    return taken if discounts.estimated else f"{taken}, for the counts give none"


def _sizes(model: NGramModel) -> list[int]:
    return [model.trie.size(order) for order in range(1, model.trie.order + 1)]


def _command(model: NGramModel) -> str | None:
    """The command that counts this model again, every option spelled out; None where it was imported."""
    corpus = model.record["corpus"]
    if not corpus:
        return None
    found: dict[str, Any] = {
        **model.text.to_json(),
        "order": model.trie.order,
        "seed": model.record["train"]["seed"],
        "valid": (corpus["valid_paths"] or [None])[0],
    }
    left = {name for name, value in found.items() if value is None}
    if found["valid"] is not None:
        left.add("valid_fraction")
    if model.text.level == "byte" or model.text.unit != "line":
        left.add("independent_lines")
    chosen = {name: found[name] for name in NGRAM_OPTIONS if name in found and name not in left}
    pairs = [(flag_of(name, NGRAM_OPTIONS[name][1]), value) for name, value in chosen.items()]
    return repeating(["charlm", "ngram", "train"], model.record, pairs)
