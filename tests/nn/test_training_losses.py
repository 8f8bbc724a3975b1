"""Every kind of block learns: trained for a moment on a small language, it comes near the language's own entropy.

The language counts. A line is ``a`` n times, then ``b`` as often, with n from 1 to 5, all as likely. Who remembers n
pays only for n itself, log 5 nats a line of 7 tokens: 0.230 nats a token. Who sees no more than the token before pays
0.546.
"""

from __future__ import annotations

import numpy as np
import pytest
from nn_cases import KINDS
from proof import LOSSES

from charlm.config import ModelConfig
from charlm.nn.language_model import LanguageModel
from charlm.train_config import TrainConfig
from charlm.training.batching import Stream
from charlm.training.language import LanguageWork
from charlm.training.trainer import Trainer

END, A, B = range(3)
LONGEST = 5
MEMORYLESS = 0.546


def text_of(lines: int, seed: int) -> np.ndarray:
    """So many lines of the language."""
    lengths = np.random.default_rng(seed).integers(1, LONGEST + 1, lines)
    return np.concatenate([[A] * n + [B] * n + [END] for n in lengths])


def trained(kind: str, *, seed: int = 1, steps: int = 140, layers: int = 1) -> float:
    """The cost in nats a token of a text that it has not seen."""
    cell, options = KINDS[kind]
    config = ModelConfig(vocabulary=3, cell=cell, options=options, layers=layers, hidden=24, embedding=4)
    model = LanguageModel(config)
    model.initialize(seed)
    stream = Stream(text_of(3000, 10), END, independent_lines=False, restart=0.015, seed=seed)
    how = TrainConfig(
        window=32, batch=16, steps=steps, lr=0.02, schedule="linear", weight_decay=0, dropout=0, seed=seed
    )
    work = LanguageWork(model, stream, text_of(300, 11), how, unknown=None)
    trainer = Trainer(work, how, clock=lambda: 0.0, best_weights=dict)
    for _ in trainer.run():
        pass
    return trainer.work.evaluate().nats_per_token


def test_the_language_costs_what_it_is_said_to_cost() -> None:
    """Entropies by counting, and no loss is stated that could be had without learning."""
    text = text_of(4000, 12)
    assert np.log(LONGEST) / (LONGEST + 2) == pytest.approx(0.230, abs=0.0005)
    pairs = np.zeros((3, 3))
    np.add.at(pairs, (text[:-1], text[1:]), 1)
    shares = pairs / pairs.sum(axis=1, keepdims=True)
    cost = -(pairs * np.log(np.where(pairs > 0, shares, 1))).sum() / pairs.sum()
    assert cost == pytest.approx(MEMORYLESS, abs=0.005)
    assert LOSSES.keys() == KINDS.keys()
    assert max(LOSSES.values()) < 0.7 * MEMORYLESS


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_block_learns(kind: str) -> None:
    """It costs less than the loss that the table of proofs states."""
    assert trained(kind) < LOSSES[kind]
