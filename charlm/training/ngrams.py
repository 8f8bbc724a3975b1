"""Counting models of the texts that networks are trained on: read, split and counted in the same way."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from charlm.cache.corpora import prepare
from charlm.config import TextConfig, require, with_unit
from charlm.errors import UsageError
from charlm.machine import fingerprint
from charlm.ngram.model import MOST_ORDER, NGramModel, learn
from charlm.ngram.workspace import MEMORY, Workspace
from charlm.text.corpus import Corpus
from charlm.text.sources import Texts, find_texts
from charlm.text.tokenizer import check_options, read_as
from charlm.train_config import TrainConfig
from charlm.training.checks import check_types
from charlm.training.choices import reading, text_config
from charlm.training.ngram_options import NGRAM_OPTIONS, OF_WORKSPACE
from charlm.training.setup import corpus_record

COUNTED_PER_SECOND = 300_000
"""Tokens that are counted a second, at least."""
COUNTING_SHARE = 0.03
"""Of a run that is bound by time."""
MOST_COUNTED = 3_000_000
"""Tokens that are counted beside a network's training; ``charlm ngram`` counts any number."""
_LEAST_MEMORY = 1 << 20
"""Bytes to count in."""
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def default_order(level: str) -> int:
    """How many tokens the longest n-grams have where nobody said."""
    return 6 if level in ("char", "byte") else 5


def baseline(corpus: Corpus, text: TextConfig, seconds: float | None) -> tuple[int, float] | None:
    """What a counting model of a corpus makes of its validation part, which a network is to beat.

    Args:
        corpus: as a network is trained on it.
        text: how it was read.
        seconds: length of the network's run, if it is bound by time: counting may take no more than a small share.

    Returns:
        The order and nats a token; None where counting would take too long, or the texts have labels.
    """
    most = MOST_COUNTED if seconds is None else min(MOST_COUNTED, COUNTED_PER_SECOND * COUNTING_SHARE * seconds)
    if len(corpus.train) + len(corpus.valid) > most or corpus.train.labels is not None:
        return None
    order = default_order(text.level)
    return order, learn(corpus.train.ids, corpus.tokenizer, text, order, {}).evaluate(corpus.valid).nats_per_token


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
    workspace = _workspace_of(options)
    texts = find(read_as(options.get("level", "char"), options.get("encoding", TextConfig().encoding)))
    chosen: Any = {name: value for name, value in options.items() if name not in ("order", *OF_WORKSPACE)}
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
    return learn(corpus.train.ids, corpus.tokenizer, text, order, record, workspace), corpus


def _workspace_of(options: Mapping[str, Any]) -> Workspace:
    """The memory that is to be counted in.

    Raises:
        UsageError: it is no size or too small, or the folder for temporary files is none.
    """
    memory = MEMORY
    if "memory" in options:
        size = with_unit(options["memory"].lower().removesuffix("b"), _UNITS)
        if size is None or size < _LEAST_MEMORY:
            raise UsageError(f"--memory is {options['memory']!r}: give a size from 1M on, such as 512M or 2G")
        memory = int(size)
    folder = Path(options["temporary"]) if "temporary" in options else None
    if folder is not None and not folder.is_dir():
        raise UsageError(f"--temporary is {str(folder)!r}, which is no folder: name one that is there")
    return Workspace(memory, folder)
