"""Which of several models most likely wrote a text.

With log-likelihoods l_m, the nats that model m gives the text, and priors p_m, how probable it is beforehand that m
wrote it:

    log-likelihood ratio of m to n    l_m - l_n
    posterior of m                    p_m exp(l_m) / sum over n of p_n exp(l_n)

``charlm.likelihoods`` says what makes the likelihoods of unlike models compare.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from charlm.checkpoint import TrainedModel
from charlm.errors import UsageError
from charlm.likelihoods import Likelihood, Reader, characters
from charlm.portions import portions
from charlm.scoring import log_softmax

FEWEST = 2
"""Models to choose between."""


@dataclass(frozen=True)
class Claim:
    """What speaks for one model.

    Attributes:
        model: its name.
        prior: probability beforehand that it wrote the text.
        logprob: log-likelihood in nats.
        spelling: how much of it is the spelling of tokens that it does not know.
        nats_per_character: what a character costs, the end of the text being one.
        posterior: probability that it wrote the text, if one of the models did.
        oov: tokens that it does not know.
        loose: why its log-likelihood is only the most that it can be; see ``charlm.likelihoods``.
    """

    model: str
    prior: float
    logprob: float
    spelling: float
    nats_per_character: float
    posterior: float
    oov: int
    loose: tuple[str, ...]


@dataclass(frozen=True)
class Attribution:
    """Which model most likely wrote a text.

    Attributes:
        text: as given.
        claims: of every model, the most probable first.
        doubtful: whether the likelihood of the first is loose, while that of others is not, so that another may be more
            probable. Where it is not, what is loose in others changes nothing.
    """

    text: str
    claims: tuple[Claim, ...]
    doubtful: bool

    @property
    def best(self) -> Claim:
        """The most probable model."""
        return self.claims[0]

    @property
    def log_ratio(self) -> float:
        """Log-likelihood ratio of the most probable model to the next, in nats."""
        return self.claims[0].logprob - self.claims[1].logprob

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm which --json`` writes."""
        return {
            "text": self.text,
            "characters": characters(self.text),
            "best": self.best.model,
            "posterior": self.best.posterior,
            "log_ratio": self.log_ratio,
            "doubtful": self.doubtful,
            "models": [asdict(claim) for claim in self.claims],
        }


def check_priors(names: Sequence[str], priors: Mapping[str, float] | None) -> dict[str, float]:
    """The prior of each model; equal ones where none are given.

    Args:
        names: of the models.
        priors: weights by name; they need not sum to 1.

    Raises:
        UsageError: a name is unknown or missing, or a weight is not a number above 0.
    """
    if priors is None:
        return dict.fromkeys(names, 1 / len(names))
    for name in priors:
        if name not in names:
            raise UsageError(f"--prior names {name!r}, which is none of the models: {', '.join(names)}")
    for name in names:
        if name not in priors:
            raise UsageError(f"--prior says nothing of {name!r}: give every model one, as in --prior A=0.2,B=0.8")
        if not (math.isfinite(priors[name]) and priors[name] > 0):
            raise UsageError(f"--prior {name}={priors[name]:g}: it must be a number above 0")
    total = math.fsum(priors.values())
    return {name: priors[name] / total for name in names}


def attribute(
    models: Mapping[str, TrainedModel], texts: Iterable[str], priors: Mapping[str, float] | None = None
) -> Iterator[Attribution]:
    """Which model most likely wrote each text, in their order, in memory that does not grow with their number.

    Args:
        models: two or more, by name.
        texts: any.
        priors: weights by name; None for equal ones.

    Raises:
        UsageError: there are too few models, or the priors make no sense.
        ModelError: a model's figures are not finite.
    """
    if len(models) < FEWEST:
        raise UsageError(f"{len(models)} model is named: name two or more to choose between")
    weights = check_priors(list(models), priors)
    readers = [Reader(model) for model in models.values()]
    for some in portions(texts, len):
        found = [reader.likelihoods(some) for reader in readers]
        for text, each in zip(some, zip(*found, strict=True), strict=True):
            yield _attribution(text, weights, each)


def attribute_labelled(
    models: Mapping[str, TrainedModel],
    labelled: Iterable[tuple[str, str]],
    priors: Mapping[str, float] | None = None,
) -> Iterator[tuple[str, Attribution]]:
    """As ``attribute`` for pairs of a label and a text, each given back with its label.

    Raises:
        UsageError: as ``attribute``.
        ModelError: likewise.
    """
    labels: deque[str] = deque()

    def texts() -> Iterator[str]:
        # Texts are read before they are attributed: their labels wait.
        for label, text in labelled:
            labels.append(label)
            yield text

    for found in attribute(models, texts(), priors):
        yield labels.popleft(), found


def _attribution(text: str, priors: Mapping[str, float], found: Sequence[Likelihood]) -> Attribution:
    logprobs = np.array([each.logprob for each in found])
    posteriors = np.exp(log_softmax(logprobs + np.log(list(priors.values()))))
    size = characters(text)
    claims = [
        Claim(name, prior, each.logprob, each.spelling, -each.logprob / size, posterior, each.oov, each.loose)
        for (name, prior), each, posterior in zip(priors.items(), found, posteriors.tolist(), strict=True)
    ]
    claims.sort(key=lambda claim: -claim.posterior)
    # What is loose in all is the same in all.
    shared = set.intersection(*(set(each.loose) for each in found))
    return Attribution(text, tuple(claims), doubtful=bool(set(claims[0].loose) - shared))


def passages(text: str, size: int) -> Iterator[str]:
    """A text in pieces of at most so many characters, which together are the text.

    A piece ends behind white space where there is some in its second half, so that words and lines stay whole.
    """
    start = 0
    while start < len(text):
        stop = start + size
        if stop < len(text):
            spaces = (place for place in range(stop, start + size // 2, -1) if text[place - 1].isspace())
            stop = next(spaces, stop)
        yield text[start:stop]
        start = stop


class Confusion:
    """How often texts of each model were taken for whose.

    Args:
        names: of the models.

    Attributes:
        names: as given.
        counts: int64 [models, models], of texts by whose they are and whose they were taken for.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.counts = np.zeros((len(self.names), len(self.names)), np.int64)

    def add(self, truth: str, found: str) -> None:
        """Count a text.

        Raises:
            ValueError: a name is none of the models'.
        """
        self.counts[self.names.index(truth), self.names.index(found)] += 1

    @property
    def texts(self) -> int:
        """How many there are."""
        return int(self.counts.sum())

    @property
    def right(self) -> int:
        """How many were attributed rightly."""
        return int(np.trace(self.counts))

    @property
    def accuracy(self) -> float:
        """Share of texts that were attributed rightly."""
        return self.right / self.texts

    @property
    def standard_error(self) -> float:
        """Of the accuracy."""
        return math.sqrt(self.accuracy * (1 - self.accuracy) / self.texts)

    def to_json(self) -> dict[str, Any]:
        """What ``charlm which --labelled --json`` says at its end."""
        return {
            "texts": self.texts,
            "right": self.right,
            "accuracy": self.accuracy,
            "standard_error": self.standard_error,
            "confusion": {
                name: dict(zip(self.names, row, strict=True))
                for name, row in zip(self.names, self.counts.tolist(), strict=True)
            },
        }
