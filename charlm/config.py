"""What a model is and how it is trained: frozen, strict, and written into every model file as JSON."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType, NoneType, UnionType
from typing import Any, ClassVar, Self, get_args

from charlm.errors import ModelError, UsageError


class Strict:
    """Conversion to and from JSON objects that refuses keys and types it does not know."""

    added: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Fields that older files lack -> what they stand for there."""

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]  # every subclass is a dataclass

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """From a JSON object.

        Raises:
            ModelError: a key is missing or unknown, or a value has another type or is out of range.
        """
        expected = {f.name: f.type for f in fields(cls)}  # type: ignore[arg-type]  # as above
        name = cls.__name__
        if isinstance(data, dict):
            data = {**cls.added, **data}
        if not isinstance(data, dict) or set(data) != set(expected):
            found = ", ".join(sorted(data)) if isinstance(data, dict) else type(data).__name__
            raise ModelError(f"{name}: expected the keys {', '.join(sorted(expected))}; found {found}")
        for key, value in data.items():
            if not _fits(value, expected[key]):
                raise ModelError(f"{name}: {key} is {value!r}, expected {_type_name(expected[key])}")
        try:
            return cls(**data)
        except UsageError as error:
            raise ModelError(f"{name}: {error}") from error


def _type_name(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))


_CHECKS: Mapping[Any, Callable[[Any], bool]] = {
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    NoneType: lambda value: value is None,
    list[str]: lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    list[float]: lambda value: isinstance(value, list) and all(_CHECKS[float](each) for each in value),
    Mapping[str, str]: lambda value: (
        isinstance(value, dict) and all(isinstance(k, str) and isinstance(v, str) for k, v in value.items())
    ),
}
"""For every type of a configuration's fields: whether a value from JSON is of it."""


def _fits(value: Any, kind: Any) -> bool:
    return any(_CHECKS[each](value) for each in (get_args(kind) if isinstance(kind, UnionType) else (kind,)))


def require(
    name: str,
    value: float,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
) -> None:
    """Check that an option's value is finite and in its range.

    Raises:
        UsageError: it is not; the message gives the range.
    """
    rules = [
        (minimum is not None, f"at least {minimum}", minimum is None or value >= minimum),
        (above is not None, f"above {above}", above is None or value > above),
        (maximum is not None, f"at most {maximum}", maximum is None or value <= maximum),
        (below is not None, f"below {below}", below is None or value < below),
    ]
    # Any whole number is finite, also one that is too large for a float.
    if (isinstance(value, float) and not math.isfinite(value)) or not all(ok for _, _, ok in rules):
        wanted = " and ".join(text for used, text, _ in rules if used)
        raise UsageError(f"{name} is {value}: it must be a number {wanted}".rstrip())


def with_unit(text: str, units: Mapping[str, float]) -> float | None:
    """What a number with a unit behind it stands for, of ``units`` (each -> what it stands for); None if it is none."""
    match = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*([a-z]?)", text.strip())
    return None if match is None or match[2] not in units else float(match[1]) * units[match[2]]


def choose(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Check that an option's value is one of its choices.

    Raises:
        UsageError: it is not; the message names them.
    """
    if value not in choices:
        raise UsageError(f"unknown {name} {value!r}: choose one of {', '.join(choices)}")


INITIAL_STATES = ("zero", "learned")
SOFTMAXES = ("full", "adaptive")
POOLINGS = ("last", "mean", "max")
OUTPUTS = ("softmax", "sigmoid")
"""Of models of labels: how the outputs of a text become one, and what the head ends in."""
FEWEST_HIDDEN = 16
"""Units that an adaptive softmax needs: each of its two clusters has a fourth of the rank of the one before."""
_ADDED = {"tied": False, "softmax": "full"}
"""Fields of a model that files of the format before lack -> what they stand for there."""


@dataclass(frozen=True)
class ModelConfig(Strict):
    """The shape of a language model.

    Attributes:
        vocabulary: number of tokens V.
        cell: a name in the registry of blocks.
        options: options of the cell.
        layers: depth of the stack.
        hidden: units H of each layer.
        embedding: size E of a token's embedding.
        residual: whether a layer's output is its activation plus its input, from the second layer on.
        initial: the state before a text's first token: zero, or learned.
        tied: whether the embedding is the head's matrix too (Press & Wolf 2017; Inan et al. 2017).
        softmax: over the full vocabulary at once, or adaptive: by clusters (Grave et al. 2017).
        labels: number of labels K, each with an embedding that joins every input of a text; 0 for texts without.
    """

    added: ClassVar[Mapping[str, Any]] = MappingProxyType({"labels": 0})

    vocabulary: int
    cell: str = "lstm"
    options: Mapping[str, str] = field(default_factory=dict)
    layers: int = 1
    hidden: int = 256
    embedding: int = 64
    residual: bool = False
    initial: str = "zero"
    tied: bool = False
    softmax: str = "full"
    labels: int = 0

    def __post_init__(self) -> None:
        require("vocabulary", self.vocabulary, minimum=2)
        require("labels", self.labels, minimum=0)
        require("--layers", self.layers, minimum=1, maximum=64)
        require("--hidden", self.hidden, minimum=1, maximum=65536)
        require("--embedding", self.embedding, minimum=1, maximum=65536)
        choose("initial state", self.initial, INITIAL_STATES)
        choose("--softmax", self.softmax, SOFTMAXES)
        if self.softmax == "adaptive" and self.hidden < FEWEST_HIDDEN:
            raise UsageError(
                f"--softmax adaptive needs --hidden of at least {FEWEST_HIDDEN}, not {self.hidden}, for its clusters "
                "have a sixteenth of it: name a larger one, or --softmax full"
            )
        if self.tied and self.softmax == "adaptive":
            raise UsageError(
                "--tied needs --softmax full: an adaptive one has no matrix of the embedding's shape. Leave out one"
            )
        if self.tied and self.embedding != self.hidden:
            raise UsageError(
                f"--tied makes one matrix of the embedding and the head's, but --embedding is {self.embedding} and "
                f"--hidden {self.hidden}: give both the same size, or leave --embedding out"
            )

    @classmethod
    def from_format_before(cls, data: Any) -> Self:
        """From a JSON object in a file of the format before this one.

        Raises:
            ModelError: as ``from_json``.
        """
        return cls.from_json({**_ADDED, **data} if isinstance(data, dict) else data)

    @property
    def embeddings(self) -> int:
        """Rows of the embedding: one a token, and behind them one a label."""
        return self.vocabulary + self.labels

    @property
    def kind(self) -> str:
        """The block with its options, in words: "gru, reset after, residual"."""
        options = [f"{option} {value}" for option, value in self.options.items()]
        if self.residual:
            options.append("residual")
        if self.initial != INITIAL_STATES[0]:
            options.append(f"initial state {self.initial}")
        if self.tied:
            options.append("tied")
        if self.softmax != SOFTMAXES[0]:
            options.append(f"{self.softmax} softmax")
        if self.labels:
            options.append(f"{self.labels} labels")
        return ", ".join([self.cell, *options])

    @property
    def description(self) -> str:
        """Kind and sizes in words: "lstm: 2 x 256, embedding 64"."""
        return f"{self.kind}: {self.layers} x {self.hidden}, embedding {self.embedding}"


@dataclass(frozen=True)
class TextConfig(Strict):
    """How a text becomes tokens and parts; ``charlm.text`` gives the words their meaning.

    ``most_validated`` is the most characters that validate where no ``valid_fraction`` was named. ``labels`` says
    whether a label stands before each line.
    """

    added: ClassVar[Mapping[str, Any]] = MappingProxyType({"labels": False})

    level: str = "char"
    unit: str = "line"
    encoding: str = "utf-8"
    lowercase: bool = False
    min_count: int = 1
    max_vocab: int | None = None
    valid_fraction: float | None = None
    most_validated: int = 1_000_000
    independent_lines: bool = False
    labels: bool = False


@dataclass(frozen=True)
class CorpusRecord(Strict):
    """What a model was trained on and validated with.

    Attributes:
        paths: as they were given; "-" is standard input, and none at all a text given in Python.
        digest: SHA-256 in hex of the text; of the digests of its files where there are several.
        valid_paths: of a validation text of its own; None where it is a part of the corpus.
        valid_digest: of that.
        train_tokens: tokens trained on.
        valid_tokens: tokens validated with.
        train_characters: code points trained on.
        valid_characters: code points validated with.
        train_unknown: how many of the tokens trained on are <UNK>.
    """

    paths: list[str]
    digest: str
    valid_paths: list[str] | None
    valid_digest: str | None
    train_tokens: int
    valid_tokens: int
    train_characters: int
    valid_characters: int
    train_unknown: int


IMPORTED = "imported"
"""Under which ``made_with`` in a record names the file of weights that charlm has not trained."""


@dataclass(frozen=True)
class BaseRecord(Strict):
    """The trained model that a run started from.

    Attributes:
        path: where it was.
        digest: of the text that it was trained on.
        extended: whether tokens were added to its vocabulary.
    """

    path: str
    digest: str
    extended: bool
