"""A counting model's file, written a block at a time."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import vocabulary_tensors
from charlm.ngram.model import FORMAT, KIND, NGramModel
from charlm.ngram.trie import Trie
from charlm.streaming import Stream, stream_of, write_sealed
from charlm.text.store import BLOCK_IDS, passed_blocks


def write_ngram(model: NGramModel, path: Path) -> None:
    """Write the model's file: probabilities in float32, each n-gram's last word in as few bytes as it needs.

    Raises:
        OutputError: a probability is none, or the file cannot be written.
    """
    trie, smoothed = model.trie, model.smoothed
    tensors = {name: stream_of(tensor) for name, tensor in vocabulary_tensors(model.tokenizer.vocabulary).items()}
    for order in range(1, trie.order + 1):
        tensors[f"log_probability.{order}"] = _mapped(smoothed.log_probabilities[order - 1], np.dtype(np.float32))
        if order < trie.order:
            tensors[f"log_backoff.{order}"] = _mapped(smoothed.log_backoffs[order - 1], np.dtype(np.float32))
        if order > 1:
            words = np.min_scalar_type(trie.words)
            tensors[f"last.{order}"] = _mapped(trie.keys[order - 2], words, lambda keys: keys % trie.words)
            tensors[f"followers.{order}"] = _followers(trie, order)
    write_sealed(path, tensors, _metadata(model))


def _metadata(model: NGramModel) -> Mapping[str, Any]:
    discounts = [{"values": list(each.values), "estimated": each.estimated} for each in model.smoothed.discounts]
    return {
        "format": FORMAT,
        "kind": KIND,
        "order": model.trie.order,
        "text": model.text.to_json(),
        "discounts": discounts,
        "record": model.record,
    }


def _mapped(
    array: NDArray[Any], dtype: np.dtype[Any], function: Callable[[NDArray[Any]], NDArray[Any]] = lambda block: block
) -> Stream:
    """What a function makes of an array's elements."""
    return Stream(dtype, len(array), lambda: (function(block).astype(dtype) for block in passed_blocks(array)))


def _followers(trie: Trie, order: int) -> Stream:
    """How many n-grams of an order begin with each n-gram of one word less."""
    size, keys = trie.size(order - 1), trie.keys[order - 2]

    def numbers() -> Iterator[NDArray[Any]]:
        for begin in range(0, size, BLOCK_IDS):
            end = min(begin + BLOCK_IDS, size)
            first, behind = np.searchsorted(keys, (begin * trie.words, end * trie.words)).tolist()
            counts = np.zeros(end - begin, np.int64)
            for block in passed_blocks(keys[first:behind]):
                counts += np.bincount(block // trie.words - begin, minlength=end - begin)
            yield counts

    dtype = np.min_scalar_type(max(int(block.max()) for block in numbers()))
    return Stream(dtype, size, lambda: (block.astype(dtype) for block in numbers()))
