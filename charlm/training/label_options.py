"""The options of taggers and classifiers: those of language models that fit, and a few of their own."""

from collections.abc import Mapping
from os import PathLike
from typing import Any, TypedDict

from charlm.config import OUTPUTS, POOLINGS
from charlm.labelling.config import KINDS
from charlm.nn.registry import known_options
from charlm.training.options import TYPES_AND_MEANINGS, Meaning, flag_of

TAGGER, CLASSIFIER = KINDS


class LabelOptions(TypedDict, total=False):
    """Everything about the training of a tagger or classifier that can be chosen; what is missing is chosen for you.

    The names mean what they mean in ``charlm.training.options.Options``; those of their own, below.
    """

    base: str | PathLike[str]
    valid: str | PathLike[str]
    valid_fraction: float
    level: str
    unit: str
    min_count: int
    max_vocab: int
    lowercase: bool
    encoding: str
    each_line: bool
    label_field: str
    text_field: str
    class_weights: str
    chars: bool
    cell: str
    reset: str
    activation: str
    peephole: str
    bidirectional: bool
    pooling: str
    output: str
    layers: int
    residual: bool
    hidden: int
    embedding: int
    window: int
    batch: int
    epochs: float
    steps: int
    time: str | float
    optimizer: str
    lr: float
    schedule: str
    warmup: float
    clip: float
    dropout: float
    dropout_embedding: float
    dropout_input: float
    dropout_output: float
    dropout_recurrent: float
    dropout_kind: str
    label_smoothing: float
    weight_decay: float
    eval_every: int
    patience: int
    average: str
    average_decay: float
    average_after: int
    plateau_factor: float
    plateau_after: int
    seed: int


_OWN: Mapping[str, tuple[Any, Meaning]] = {
    "base": (
        str | PathLike[str],
        Meaning("Start from this trained language model, with its sizes and vocabulary.", flag="--from"),
    ),
    "valid": (str | PathLike[str], Meaning("Validate on this file (or folder) instead of a part of the texts.")),
    "valid_fraction": (float, Meaning("Share of the texts kept for validation.", "0.1")),
    "level": (str, Meaning("What a token is: word, char, token or byte.", "word")),
    "min_count": (int, Meaning("Tokens seen less often become <UNK>.", "2; 1 at char level")),
    "max_vocab": (int, Meaning("Most tokens to have; rarer ones become <UNK>.", "50000")),
    "lowercase": (bool, Meaning("Look words up in lower case.")),
    "each_line": (bool, Meaning("In a folder a label, each line is a text, instead of each file.")),
    "label_field": (str, Meaning("The field with the label, in JSON lines and in a table's head.", "label")),
    "text_field": (str, Meaning("The field with the text.", "text")),
    "class_weights": (
        str,
        Meaning("What a text of each label counts: none, balanced, or a list such as spam=5,ham=1.", "none"),
    ),
    "chars": (bool, Meaning("Read the spelling of each word too, by a network over its characters.")),
    "bidirectional": (bool, Meaning("Read each text from its end too.", "yes")),
    "pooling": (str, Meaning(f"How the outputs of a text become one: {', '.join(POOLINGS)}.", "max")),
    "output": (
        str,
        Meaning(f"{OUTPUTS[0]}: one of the labels; {OUTPUTS[1]}: each label judged by itself.", OUTPUTS[0]),
    ),
    "window": (int, Meaning("With --batch: a step learns from so many tokens a lane.", "by corpus size")),
    "epochs": (float, Meaning("Length of the run in passes over the texts.", "by corpus size")),
    "label_smoothing": (float, Meaning("Share of each target that all labels get alike; of a softmax.", "0")),
}
_BOTH = (
    "base", "valid", "valid_fraction", "min_count", "max_vocab", "lowercase", "encoding", "class_weights", "cell",
    *known_options(), "bidirectional", "output", "layers", "residual", "hidden", "embedding", "window", "batch",
    "epochs", "steps", "time", "optimizer", "lr", "schedule", "warmup", "clip", "dropout",
    "dropout_embedding", "dropout_input", "dropout_output", "dropout_recurrent", "dropout_kind", "label_smoothing",
    "weight_decay", "eval_every", "patience",
    "average", "average_decay", "average_after", "plateau_factor", "plateau_after",
    "seed",
)  # fmt: skip
_ONLY = {
    TAGGER: ("chars",),
    CLASSIFIER: ("level", "unit", "each_line", "label_field", "text_field", "pooling"),
}
LABEL_OPTIONS: Mapping[str, Mapping[str, tuple[Any, Meaning]]] = {
    kind: {
        name: _OWN.get(name) or TYPES_AND_MEANINGS[name]
        for name in LabelOptions.__annotations__
        if name in (*_BOTH, *_ONLY[kind])
    }
    for kind in KINDS
}
"""Type and meaning of every option, by kind and name."""
REFUSED: Mapping[str, tuple[Any, Meaning]] = {"random_windows": TYPES_AND_MEANINGS["random_windows"]}
"""Options of how language models are trained that make no sense here: there are no windows but whole texts."""
OF_BASE = ("level", "unit", "lowercase", "cell", *known_options(), "layers", "hidden", "embedding", "residual")
"""What a run that starts from a language model has from that model."""


def label_flags(names: Any) -> list[str]:
    """Names of options as they are typed."""
    either = {**LABEL_OPTIONS[TAGGER], **LABEL_OPTIONS[CLASSIFIER]}
    return [flag_of(name, either[name][1]) for name in names]
