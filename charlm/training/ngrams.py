"""Counting models of the texts that networks are trained on: read, split and counted in the same way."""

from collections.abc import Callable, Mapping
from typing import Any

from charlm.cache.corpora import prepare
from charlm.config import TextConfig, TrainConfig, require
from charlm.machine import fingerprint
from charlm.ngram.model import MOST_ORDER, NGramModel, learn
from charlm.text.corpus import Corpus
from charlm.text.sources import Texts, find_texts
from charlm.text.tokenizer import check_options, read_as
from charlm.training.checks import check_types
from charlm.training.choices import reading, text_config
from charlm.training.ngram_options import NGRAM_OPTIONS
from charlm.training.setup import corpus_record


def default_order(level: str) -> int:
    """How many tokens the longest n-grams have where nobody said."""
    return 6 if level in ("char", "byte") else 5


def count_texts(find: Callable[[str | None], Texts], options: Mapping[str, Any]) -> tuple[NGramModel, Corpus]:
    """A counting model of texts, and what was made of them.

    Args:
        find: finds them, given their encoding, None where their bytes are read.
        options: what was chosen; the keys of ``NGRAM_OPTIONS``.

    Raises:
        UsageError: an option is wrong or does not go with another.
        InputError: a text cannot be read or is too short.
    """
    check_types(options, NGRAM_OPTIONS)
    if "level" in options:
        check_options(options["level"], options.get("unit"), options.get("lowercase", False))
    if "order" in options:
        require("--order", options["order"], minimum=1, maximum=MOST_ORDER)
    texts = find(read_as(options.get("level", "char"), options.get("encoding", TextConfig().encoding)))
    chosen: Any = {name: value for name, value in options.items() if name != "order"}
    text = text_config(texts, chosen, None)
    encoding, seed = read_as(text.level, text.encoding), options.get("seed", TrainConfig(steps=1).seed)
    valid = find_texts([str(options["valid"])], encoding=encoding) if "valid" in options else None
    independent = options.get("independent_lines")
    corpus = prepare(texts, valid_texts=valid, independent_lines=independent, seed=seed, **reading(text))
    text = TextConfig(**{**text.to_json(), "independent_lines": corpus.independent_lines})
    record = {
        "corpus": corpus_record(texts, valid, corpus),
        "made_with": fingerprint(),
        "train": {"seed": seed},
    }
    order = options.get("order", default_order(text.level))
    return learn(corpus.train.ids, corpus.tokenizer, text, order, record), corpus
