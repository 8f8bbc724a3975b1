"""What a label model says of texts: predictions in their order, and what they cost."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from charlm.labelling.dataset import Dataset, cut_batches
from charlm.nn.arrays import Ids
from charlm.nn.heads.cross_entropy import Real
from charlm.nn.label_model import LabelModel
from charlm.scoring import Cost

TOKENS = 4096
"""Tokens of a batch that is read; a longer text is one by itself."""
LANES = 64
TOGETHER = 64
"""Batches that are cut from texts sorted by length: so few places stay empty, and memory is bounded."""


@dataclass(frozen=True)
class LabelCost(Cost):
    """What predicted labels cost, and how many of them are right."""

    right: int

    @property
    def accuracy(self) -> float:
        """Share of the labels that are right."""
        return self.right / self.tokens


@dataclass(frozen=True)
class Predictions:
    """The likeliest labels of texts one after another.

    Attributes:
        labels: [tokens] or [texts].
        log_probabilities: float64 [tokens] or [texts], of these labels in nats.
    """

    labels: Ids
    log_probabilities: Real


def predict(network: LabelModel, data: Dataset) -> Predictions:
    """The likeliest label of each token or text."""
    size = len(data.targets)
    labels, found = np.empty(size, np.int64), np.empty(size)
    for places, logs in log_probabilities(network, data):
        labels[places] = logs.argmax(axis=0)
        found[places] = logs.max(axis=0)
    return Predictions(labels, found)


def log_probabilities(network: LabelModel, data: Dataset) -> Iterator[tuple[Ids, Real]]:
    """The log-probabilities [K, n] of all labels of n tokens or texts at a time, and which these are, [n]."""
    work = network.new_workspace(keep=False)
    for chosen in _batches(data):
        per_token = network.config.unit == "token"
        lanes, _ = data.batch(chosen, LANES, per_token=per_token)
        logs = network.log_probabilities(work, lanes)
        if per_token:
            yield _places(data, chosen), np.concatenate(lanes.take_out(logs), axis=1)
        else:
            yield np.asarray(chosen, np.int64), logs


def judge(network: LabelModel, data: Dataset) -> tuple[Ids, Real]:
    """The likeliest labels, and what the targets cost in nats, 0 where there is none: both as the targets stand."""
    work, per_token = network.new_workspace(keep=False), network.config.unit == "token"
    labels, nats = np.empty(len(data.targets), np.int64), np.empty(len(data.targets))
    for chosen in _batches(data):
        lanes, targets = data.batch(chosen, LANES, per_token=per_token)
        losses, likeliest = network.judge(work, lanes, targets)
        if per_token:
            places = _places(data, chosen)
            labels[places] = likeliest.reshape(-1)[lanes.order]
            nats[places] = losses.reshape(-1)[lanes.order]
        else:
            labels[chosen], nats[chosen] = likeliest, losses
    return labels, nats


def evaluate(network: LabelModel, data: Dataset) -> LabelCost:
    """What the targets cost."""
    labels, nats = judge(network, data)
    counted = data.targets >= 0
    right = np.count_nonzero((labels == data.targets) & counted)
    return LabelCost(float(nats.sum()), int(np.count_nonzero(counted)), int(right))


def _batches(data: Dataset) -> Iterator[list[int]]:
    """Texts of about the same length at a time; which stand together follows from the texts alone."""
    order = np.arange(len(data))
    lengths = data.lengths
    for some in cut_batches(lengths, order, TOKENS * TOGETHER):
        chosen = np.asarray(some, np.int64)
        yield from cut_batches(lengths, chosen[np.argsort(lengths[chosen], kind="stable")], TOKENS)


def _places(data: Dataset, chosen: list[int]) -> Ids:
    """Where the tokens of these texts stand."""
    return np.concatenate([np.arange(data.starts[each], data.starts[each + 1]) for each in chosen])
