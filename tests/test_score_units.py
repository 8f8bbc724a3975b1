"""What a score says of a text, in every unit, against the equations computed anew in float64."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from comparing_cases import LETTERS, random_model
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.errors import UsageError

if TYPE_CHECKING:
    import charlm

MODELS = {
    "char": random_model(seed=1),
    "list": random_model(seed=2, independent_lines=True),
    "paragraph": random_model(["a", "b", "\n"], seed=3, unit="paragraph"),
    "word": random_model(["ab", "\uffed.", "b", " "], level="word", seed=4),
    "token": random_model(["ab", "b", "."], level="token", seed=5),
    "byte": random_model(level="byte", seed=6),
}
LINES = st.text([*LETTERS, "z", "\u00e9"], max_size=20)
TEXTS = st.text([*LETTERS, "z", "\u00e9", "\0"], max_size=20)


def sigmoid(z: Any) -> Any:
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


def distributions(model: charlm.Model, ids: list[int]) -> np.ndarray:
    """Log-probabilities [N, V] of every token at each step of a text, by the LSTM's equations, in float64."""
    w = {name: view.astype(np.float64) for name, view in model.trained.network.parameters.views.items()}
    of = {name.removeprefix("layers.0."): view for name, view in w.items()}
    a = c = np.zeros(len(of["b_f"]))
    x, rows = np.zeros(w["embedding"].shape[1]), []
    for token in ids:
        f, u, o, z = (of[f"W_{g}a"] @ a + of[f"W_{g}x"] @ x + of[f"b_{g}"] for g in "fuoc")
        c = sigmoid(u) * np.tanh(z) + sigmoid(f) * c
        a = sigmoid(o) * np.tanh(c)
        y = w["head.W_y"] @ a + w["head.b_y"]
        rows.append(y - y.max() - np.log(np.exp(y - y.max()).sum()))
        x = w["embedding"][token]
    return np.array(rows)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(list(MODELS)), TEXTS, st.integers(1, 1000))
def test_parts_totals_and_units_are_those_of_the_equations(name: str, text: str, share: int) -> None:
    model = MODELS[name]
    ids = model.trained.tokenizer.encode_sentence(text).tolist()
    rows = distributions(model, ids)
    unknown = [name != "byte" and token == 1 for token in ids]
    parts = [row[token] - strange * math.log(share) for row, token, strange in zip(rows, ids, unknown, strict=True)]
    total = math.fsum(parts)

    found = model.score(text, per_token=True, unk_vocabulary=share)
    assert found.per_token is not None
    assert found.unk_vocabulary == share
    assert len(found.per_token) == found.tokens == len(ids)
    for row, token, part, strange, each in zip(rows, ids, parts, unknown, found.per_token, strict=True):
        assert each.logprob == pytest.approx(part, rel=1e-5, abs=1e-6)
        assert each.entropy == pytest.approx(-math.fsum(np.exp(row) * row), rel=1e-5)
        # What is nearly as likely may stand before it or behind it.
        assert np.sum(row > row[token] + 1e-5) < each.rank <= np.sum(row > row[token] - 1e-5)
        assert each.unknown == strange

    assert found.logprob == pytest.approx(total, rel=1e-5)
    assert found.logprob_without_eos == pytest.approx(total - parts[-1], rel=1e-5, abs=1e-5)
    known = math.fsum(part for part, strange in zip(parts, unknown, strict=True) if not strange)
    assert found.logprob_without_oov == pytest.approx(known, rel=1e-5)
    assert found.oov == sum(unknown)

    bits = -total / math.log(2)
    breaks = 0 if name in ("byte", "paragraph") else 1
    assert found.bits_per_token == pytest.approx(bits / len(ids), rel=1e-5)
    assert found.perplexity == pytest.approx(2 ** (bits / len(ids)), rel=1e-4)
    assert found.word_perplexity == pytest.approx(math.exp(-total / (len(re.findall(r"\S+", text)) + 1)), rel=1e-3)
    if text or breaks:
        assert found.bits_per_char == pytest.approx(bits / (len(text) + breaks), rel=1e-5)
        assert found.bits_per_byte == pytest.approx(bits / (len(text.encode()) + breaks), rel=1e-5)
    else:
        assert found.bits_per_char is None
        assert found.bits_per_byte is None


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(["char", "list", "word", "token"]), st.lists(LINES, min_size=1, max_size=4), st.integers(1, 99))
def test_a_text_costs_what_its_lines_do(name: str, lines: list[str], share: int) -> None:
    """A list is the sum of its lines' scores, and any other text the score of it all: in each of the units."""
    model = MODELS[name]
    # White space that is read as other white space is not counted as it was given.
    lines = [" ".join(f"{line}x".split()) for line in lines]
    text = "".join(f"{line}\n" for line in lines)
    cost = model.evaluate(text=text, exact=True, unk_vocabulary=share)
    texts = text.splitlines() if name == "list" else [text]
    scores = model.score(texts, unk_vocabulary=share)
    nats = -math.fsum(score.logprob for score in scores)
    assert cost.tokens == sum(score.tokens for score in scores)
    assert cost.nats_per_token * cost.tokens == pytest.approx(nats, rel=1e-5)
    assert cost.bits_per_char == pytest.approx(nats / len(text) / math.log(2), rel=1e-5)
    assert cost.bits_per_byte == pytest.approx(nats / len(text.encode()) / math.log(2), rel=1e-5)
    if name != "word" or not cost.oov:
        # An id does not say whether an unknown word is joined to the one before it.
        assert cost.word_perplexity == pytest.approx(math.exp(nats / sum(score.words for score in scores)), rel=1e-3)
    assert (cost.oov, cost.unk_vocabulary) == (sum(score.oov for score in scores), share)


def test_there_must_be_words_to_share() -> None:
    with pytest.raises(UsageError, match="unk_vocabulary is 0"):
        MODELS["char"].score("a", unk_vocabulary=0)
    with pytest.raises(UsageError, match="unk_vocabulary is 0"):
        MODELS["char"].evaluate(text="a", unk_vocabulary=0)
