"""Everything that a score says, against a recomputation in float64 by the naive reference; in memory and in blocks."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_cases import KINDS, NORMALIZED, fresh_model
from reference_cells import Network
from reference_model import run, zero_state

from charlm.checkpoint import TrainedModel
from charlm.config import TextConfig
from charlm.evaluation import evaluate_part
from charlm.scores import LongScore, Score, score_all, score_each
from charlm.scoring import Parts
from charlm.text import long
from charlm.text.corpus import encode_texts
from charlm.text.sources import find_texts
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

CLOSE = 1e-5
END = "<EOS>"
KNOWN = {"char": list("abc "), "token": ["a", "bc", "cab"], "byte": []}
LINES = st.lists(
    st.text("aabc  \t\N{GREEK SMALL LETTER SIGMA}\N{GRINNING FACE}\u05d0\0", max_size=9), min_size=1, max_size=3
)
UNITS = {"char": "line", "token": "line", "byte": "file"}


@dataclass(frozen=True)
class Sizes:
    """What a random model is like."""

    kind: str
    level: str
    layers: int
    hidden: int
    embedding: int
    seed: int


SIZES = st.builds(
    Sizes,
    kind=st.sampled_from(sorted(KINDS)),
    level=st.sampled_from(sorted(KNOWN)),
    layers=st.integers(1, 2),
    hidden=st.integers(1, 9),
    embedding=st.integers(1, 9),
    seed=st.integers(0, 20),
)


@lru_cache(maxsize=8)
def model_of(sizes: Sizes) -> TrainedModel:
    """A model far from uniform."""
    tokens = KNOWN[sizes.level]
    if sizes.level == "byte":
        vocabulary = Vocabulary.of_bytes(np.ones(257, np.int64))
    else:
        vocabulary = Vocabulary.from_counts(tokens, np.arange(len(tokens), 0, -1), unknown_count=1)
    # A norm of a few numbers magnifies the last bits of float32.
    network = fresh_model(
        sizes.kind,
        layers=sizes.layers,
        dtype=np.float64 if sizes.kind in NORMALIZED else np.float32,
        seed=sizes.seed,
        vocabulary=len(vocabulary),
        hidden=sizes.hidden,
        embedding=sizes.embedding,
    )
    network.parameters.views["head.W_y"][...] *= 2
    unit = UNITS[sizes.level]
    text = TextConfig(level=sizes.level, unit=unit)
    return TrainedModel(network, Tokenizer(sizes.level, unit, vocabulary), text, {})


def tokens_of(level: str, text: str) -> Sequence[str | int]:
    """The tokens of a text without the end that closes it; a byte is its number."""
    if level == "byte":
        return list(text.encode())
    text = text.removesuffix("\n")
    if level == "char":
        return list(text)
    return [token for line in text.split("\n") for token in [*line.split(), "\n"]][:-1]


def ids_of(level: str, text: str) -> list[int]:
    """Of a text and its <EOS>."""
    if level == "byte":
        return [byte + 1 for byte in text.encode()] + [0]
    known = {"\n": 0} | {name: number for number, name in enumerate(KNOWN[level], 2)}
    return [known.get(str(token), 1) for token in tokens_of(level, text)] + [0]


def distributions(sizes: Sizes, ids: list[int]) -> np.ndarray:
    """Log-probabilities [tokens, vocabulary] at every place, in float64, by the naive reference."""
    model, kind = model_of(sizes).network, KINDS[sizes.kind]
    parameters = {name: view.astype(np.float64) for name, view in model.parameters.views.items()}
    network = Network(kind.cell, sizes.layers, kind.options)
    inputs, targets = np.array([[-1], *([token] for token in ids[:-1])]), np.array(ids)[:, None]
    starts = np.zeros(targets.shape, np.bool_)
    starts[0] = True
    outputs = run(
        parameters, network, inputs, targets, starts, zero_state(network, hidden=sizes.hidden, batch=1)
    ).outputs[:, 0]
    logits = outputs @ parameters["head.W_y"].T + parameters["head.b_y"]
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def expected_of(sizes: Sizes, text: str, share: int) -> dict[str, Any]:
    """All of a score but its tokens."""
    ids = ids_of(sizes.level, text)
    found = distributions(sizes, ids)[np.arange(len(ids)), ids]
    unknown = np.array(ids) == (-1 if sizes.level == "byte" else 1)
    shared = found - unknown * math.log(share)
    # Only a unit that ends in a line break has one at its end.
    ended = text if sizes.level == "byte" or text.endswith("\n") else text + "\n"
    words = len(text.split()) + len(text.removesuffix("\n").split("\n"))
    total = math.fsum(shared.tolist())
    return {
        "text": text,
        "tokens": len(ids),
        "logprob": total,
        "logprob_without_eos": math.fsum(shared[:-1].tolist()),
        "oov": int(unknown.sum()),
        "logprob_without_oov": math.fsum(found[~unknown].tolist()),
        "characters": len(ended),
        "bytes": len(ended.encode()),
        "words": words,
        "unk_vocabulary": share,
        "bits": -total / math.log(2),
        "bits_per_token": -total / len(ids) / math.log(2),
        "bits_per_char": -total / len(ended) / math.log(2) if ended else None,
        "bits_per_byte": -total / len(ended.encode()) / math.log(2) if ended else None,
        "perplexity": math.exp(-total / len(ids)),
        "word_perplexity": math.exp(min(-total / words, 709.0)),
    }


def check_score(score: Score, sizes: Sizes, text: str, share: int) -> None:
    """Every figure of a score, and of its tokens."""
    found = score.to_json()
    tokens = found.pop("per_token")
    expected = expected_of(sizes, text, share)
    assert set(found) == set(expected)
    for name, value in expected.items():
        # What a perplexity is off by is what its logarithm, in nats, is off by.
        close = CLOSE * max(1, math.log(value)) if "perplexity" in name and value else CLOSE
        assert found[name] == (pytest.approx(value, rel=close, abs=CLOSE) if isinstance(value, float) else value), name
    ids = ids_of(sizes.level, text)
    table = distributions(sizes, ids)
    own = [*tokens_of(sizes.level, text), "\n"]
    assert len(tokens) == len(ids)
    for each, token_id, row, token in zip(tokens, ids, table, own, strict=True):
        unknown = token_id == 1 and sizes.level != "byte"
        assert each["unknown"] == unknown
        if sizes.level != "byte" or token_id == 0:
            assert each["token"] == (token if token_id else END)
        assert each["logprob"] == pytest.approx(row[token_id] - unknown * math.log(share), rel=CLOSE, abs=CLOSE)
        assert each["entropy"] == pytest.approx(-(np.exp(row) * row).sum(), rel=CLOSE, abs=CLOSE)
        # float32 may put tokens that are as likely in either order.
        above, level = np.count_nonzero(row > row[token_id] + CLOSE), np.count_nonzero(row > row[token_id] - CLOSE)
        assert 1 + above <= each["rank"] <= max(1, level)


@settings(deadline=None, max_examples=40)
@given(sizes=SIZES, lines=st.lists(LINES, min_size=1, max_size=4), share=st.sampled_from([1, 1, 7, 1000]))
def test_every_figure_is_that_of_the_equations(sizes: Sizes, lines: list[list[str]], share: int) -> None:
    """Texts of several lines too, together, in memory and in blocks of a few characters."""
    texts = ["\n".join(each) for each in lines]
    model = model_of(sizes)
    for score, text in zip(score_all(model, texts, per_token=True, unk_vocabulary=share), texts, strict=True):
        check_score(score, sizes, text, share)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long, "LONGEST", 4)
        patch.setattr(long, "BLOCK", 3)
        found = score_each(model, texts, per_token=True, of_long=True, unk_vocabulary=share)
        for each, text in zip(found, texts, strict=True):
            assert isinstance(each, LongScore) == (len(text) > 4)
            check_score(each.held(text) if isinstance(each, LongScore) else each, sizes, text, share)


@settings(deadline=None, max_examples=20)
@given(sizes=SIZES, lines=LINES, share=st.sampled_from([1, 7]), cuts=st.lists(st.integers(0, 30), max_size=2))
def test_an_evaluation_is_that_of_the_equations(sizes: Sizes, lines: list[str], share: int, cuts: list[int]) -> None:
    """A file is a text that ends in a line break; its parts together are the whole."""
    # Encoded text no longer tells whether what a model does not know is white space.
    text = "\n".join(lines).replace("\0", "").replace("\t", " ") + "\n"
    model = model_of(sizes)
    given_ = find_texts(["-"], encoding="utf-8", standard_input=lambda: io.BytesIO(text.encode()))
    part = encode_texts(given_, tokenizer=model.tokenizer)
    expected = expected_of(sizes, text, share)
    # One stream, in which an <EOS> ends every line, and stands for no byte at the end of a file.
    bounds = sorted({0, len(part), *(cut % len(part) for cut in cuts)})
    by_part = Parts(np.diff(bounds).tolist())
    found = evaluate_part(model, part, exact=True, by_part=by_part, unk_vocabulary=share).to_json()
    assert found["tokens"] == expected["tokens"]
    assert found["oov"] == expected["oov"]
    assert found["nats_per_token"] == pytest.approx(-expected["logprob"] / expected["tokens"], rel=CLOSE)
    for name in ("bits_per_token", "perplexity", "bits_per_char", "bits_per_byte", "word_perplexity"):
        if sizes.level != "token" or name in ("bits_per_token", "perplexity", "word_perplexity"):
            assert found[name] == pytest.approx(expected[name], rel=CLOSE), name
    known = expected["tokens"] - expected["oov"]
    assert found["nats_per_token_without_oov"] == pytest.approx(-expected["logprob_without_oov"] / known, rel=CLOSE)
    unshared = expected_of(sizes, text, 1)["logprob"]
    assert by_part.nats.sum() == pytest.approx(-unshared, rel=CLOSE)
    assert by_part.tokens.tolist() == np.diff(bounds).tolist()
    ids = ids_of(sizes.level, text)
    row = distributions(sizes, ids)[np.arange(len(ids)), ids]
    for begin, end, nats in zip(bounds, bounds[1:], by_part.nats, strict=False):
        assert nats == pytest.approx(-row[begin:end].sum(), rel=CLOSE, abs=CLOSE)
