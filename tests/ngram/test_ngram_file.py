"""Counting models from a text to their file and back, whatever the blocks that both come in."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from charlm.config import TextConfig
from charlm.ngram.model import NGramModel, learn, load_ngram, with_starts
from charlm.ngram.storing import write_ngram
from charlm.ngram.workspace import Workspace
from charlm.text.flat import flatten
from charlm.text.store import passed_blocks
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import SPECIAL_TOKENS, Vocabulary

START = 7
"""Behind <EOS>, <UNK> and a to e."""


def learnt(memory: int = 1 << 20, order: int = 4) -> NGramModel:
    generator = np.random.default_rng(1)
    ids = np.concatenate([[*generator.integers(2, START, size), 0] for size in generator.integers(0, 9, 60)])
    data, offsets = flatten([token.encode() for token in (*SPECIAL_TOKENS, *"abcde")])
    tokenizer = Tokenizer("char", "line", Vocabulary.from_arrays(data, offsets, np.zeros(START, np.int64)))
    text = TextConfig(level="char", unit="line", independent_lines=True)
    return learn(ids.astype(np.uint8), tokenizer, text, order, {}, Workspace(memory))


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_every_line_begins_with_a_start(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Also the first of a block; behind the last line break there is none."""
    monkeypatch.setattr("charlm.ngram.model.passed_blocks", partial(passed_blocks, size=size))
    ids = np.array([2, 0, 0, 3, 4, 0], np.uint8)
    found = np.concatenate(list(with_starts(ids, START, 0)))
    assert found.tolist() == [START, 2, 0, START, 0, START, 3, 4, 0]
    assert np.concatenate(list(with_starts(ids, START, None))).tolist() == [START, *ids.tolist()]


@pytest.mark.parametrize("memory", [1, 1 << 20])
def test_a_file_is_the_same_in_any_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    """And holds the n-grams of the model, and its probabilities as exactly as four bytes can."""
    model = learnt()
    write_ngram(model, tmp_path / "whole")
    monkeypatch.setattr("charlm.ngram.storing.BLOCK_IDS", 5)
    monkeypatch.setattr("charlm.ngram.storing.passed_blocks", partial(passed_blocks, size=7))
    write_ngram(learnt(memory), tmp_path / "blocks")
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "blocks").read_bytes()
    again = load_ngram(tmp_path / "blocks")
    for key, other in zip(again.trie.keys, model.trie.keys, strict=True):
        np.testing.assert_array_equal(key, other)
    mine, theirs = ((*each.log_probabilities, *each.log_backoffs) for each in (again.smoothed, model.smoothed))
    for found, exact in zip(mine, theirs, strict=True):
        np.testing.assert_array_equal(found, exact.astype(np.float32))
    assert again.smoothed.discounts == model.smoothed.discounts


def test_the_start_of_a_text_is_certain() -> None:
    """It is given: nothing is lost by it in files that say its probability."""
    assert learnt().smoothed.log_probabilities[0][START] == 0
