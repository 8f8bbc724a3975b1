"""How fast this machine trains: a run bound by time is sized by what it can read in its time."""

import time
from statistics import median

import numpy as np

from charlm.config import ModelConfig
from charlm.nn.language_model import LanguageModel
from charlm.train_config import TrainConfig
from charlm.training.batching import Stream
from charlm.training.language import LanguageWork
from charlm.training.trainer import Trainer

MEASURED_SECONDS = 1.5
MEASURED_SHARE = 0.04
"""Measuring takes no more than such a share of the run, as far as three steps allow."""
_FEWEST_STEPS = 2
"""That are timed, behind one that warms up."""
_MOST_STEPS = 50
_RATE = 1e-4


def training_speed(model: ModelConfig, train: TrainConfig) -> float:
    """Tokens a second that training such a model reads, by the median of some steps on random tokens.

    Args:
        model: what would be trained.
        train: how; ``seconds`` is the time of the run.
    """
    network = LanguageModel(model)
    network.initialize(train.seed)
    tokens = train.window * train.batch
    ids = np.random.default_rng(train.seed).integers(0, model.vocabulary, 2 * tokens + 1).astype(np.int32)
    stream = Stream(ids, None, independent_lines=False, restart=0.0, seed=train.seed)
    work = LanguageWork(network, stream, ids[:1], train, unknown=None)
    trainer = Trainer(work, train, clock=time.perf_counter, best_weights=lambda: network.parameters.views)
    allowed = min(MEASURED_SECONDS, MEASURED_SHARE * (train.seconds or 0.0))
    began = time.perf_counter()
    trainer.step_at(_RATE)
    taken: list[float] = []
    while len(taken) < _FEWEST_STEPS or (len(taken) < _MOST_STEPS and time.perf_counter() - began < allowed):
        before = time.perf_counter()
        trainer.step_at(_RATE)
        taken.append(time.perf_counter() - before)
    return tokens / median(taken)
