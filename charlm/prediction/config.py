"""How a model's probabilities are made better while it reads: frozen, strict, and kept with the model as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from charlm.config import Strict, choose, require
from charlm.errors import ModelError, UsageError

METHODS = ("sgd", "rms")


@dataclass(frozen=True)
class Dynamic(Strict):
    """Dynamic evaluation (Krause, Kahembwe, Murray & Renals 2018); ``charlm.prediction.dynamic`` has the equations.

    Attributes:
        method: "sgd", or "rms": steps and decay by the mean squares of the parameters' gradients.
        lr: the learning rate.
        decay: lambda, the share of the way back to the trained parameters that each step goes.
        segment: tokens that are read between two steps.
        epsilon: what is added to the root mean squares that a step of "rms" is divided by.
    """

    method: str = "rms"
    lr: float = 0.0005
    decay: float = 0.001
    segment: int = 20
    epsilon: float = 0.002

    def __post_init__(self) -> None:
        choose("method of dynamic evaluation", self.method, METHODS)
        require("the learning rate of dynamic evaluation", self.lr, minimum=0)
        require("the decay of dynamic evaluation", self.decay, minimum=0, maximum=1)
        require("the segment of dynamic evaluation", self.segment, minimum=1, maximum=65536)
        require("the epsilon of dynamic evaluation", self.epsilon, above=0)


@dataclass(frozen=True)
class Cache(Strict):
    """The continuous cache (Grave, Joulin & Usunier 2017); ``charlm.prediction.cache`` has the equations.

    Attributes:
        size: steps that it remembers.
        theta: how sharply it tells near states from far ones.
        share: of the probability that it has.
    """

    size: int = 2000
    theta: float = 0.3
    share: float = 0.1

    def __post_init__(self) -> None:
        require("the size of the cache", self.size, minimum=1, maximum=1 << 24)
        require("theta of the cache", self.theta, minimum=0)
        require("the share of the cache", self.share, minimum=0, below=1)


@dataclass(frozen=True)
class Counts(Strict):
    """A counting model beside the network.

    Attributes:
        path: of its file or folder.
        weight: of it in the mixture.
    """

    path: str
    weight: float

    def __post_init__(self) -> None:
        require("the weight of the n-grams", self.weight, minimum=0, below=1)


@dataclass(frozen=True)
class Models(Strict):
    """Further networks beside the network.

    Attributes:
        paths: of their files or folders.
        weights: of each in the mixture.
    """

    paths: list[str]
    weights: list[float]

    def __post_init__(self) -> None:
        for weight in self.weights:
            require("the weight of a model", weight, minimum=0, below=1)
        if len(self.paths) != len(self.weights):
            raise UsageError(f"{len(self.paths)} models have {len(self.weights)} weights: give each one")


_PARTS: Mapping[str, type[Dynamic | Cache | Counts | Models]] = MappingProxyType(
    {"dynamic": Dynamic, "cache": Cache, "ngrams": Counts, "models": Models}
)


@dataclass(frozen=True)
class Adaptation(Strict):
    """Everything that is done to a model's probabilities; None for what is not.

    The network, adapted and with its cache, has the weight in the mixture that the n-grams and other models leave it.
    """

    dynamic: Dynamic | None = None
    cache: Cache | None = None
    ngrams: Counts | None = None
    models: Models | None = None

    def __post_init__(self) -> None:
        if self.weight <= 0:
            raise UsageError(
                "the weights of the n-grams and models leave nothing to the network: their sum must be < 1"
            )

    @property
    def weight(self) -> float:
        """Of the network in the mixture."""
        of_counts = self.ngrams.weight if self.ngrams else 0.0
        return 1 - of_counts - sum(self.models.weights if self.models else ())

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return self == Adaptation()

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """From a JSON object, as ``Strict.from_json``, part by part."""
        if not isinstance(data, dict) or set(data) != set(_PARTS):
            raise ModelError(f"{cls.__name__}: expected the keys {', '.join(sorted(_PARTS))}; found {data!r}")
        parts = {name: None if data[name] is None else kind.from_json(data[name]) for name, kind in _PARTS.items()}
        try:
            return cls(**parts)  # type: ignore[arg-type]  # each part is of its own kind
        except UsageError as error:
            raise ModelError(f"{cls.__name__}: {error}") from error
