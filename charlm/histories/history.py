"""The history of a run: its validations, where it stands, and what it is a run of."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from charlm.checkpoint import LANGUAGE_MODEL
from charlm.config import ModelConfig, TextConfig
from charlm.labelling.config import LabellingConfig
from charlm.nn.label_config import LabelModelConfig

BITS = 1 / math.log(2)
LARGEST = 1e100
"""Larger numbers are damage."""


def number(value: Any) -> float | None:
    """A number from JSON; None where it is something else."""
    return float(value) if isinstance(value, int | float) and _is_sound(value) else None


def whole(value: Any) -> int | None:
    """A whole number from JSON; None where it is something else."""
    return value if isinstance(value, int) and _is_sound(value) else None


def _is_sound(value: float) -> bool:
    return not isinstance(value, bool) and abs(value) <= LARGEST


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one where it is something else."""
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Validation:
    """One validation of a run; what its log does not say is None.

    Attributes:
        step: optimiser steps done.
        progress: share of the run that was done.
        seconds: since the run began, without the time that it was stopped for.
        tokens: trained on so far, each as often as it was.
        train_nats_per_token: mean training loss since the validation before.
        valid_nats_per_token: mean cost of the validation text.
        lr: learning rate of the last step.
        clipped: share of the steps since the validation before whose gradient was clipped.
        spikes: how many of them had a loss that jumped.
        skipped: how many of them were skipped, since something was not finite.
        nats: cost of the whole validation text.
        valid_tokens: its tokens.
        valid_unknown: how many of them are <UNK>.
    """

    step: int | None
    progress: float | None
    seconds: float | None
    tokens: int | None
    train_nats_per_token: float | None
    valid_nats_per_token: float | None
    lr: float | None
    clipped: float | None
    spikes: int | None
    skipped: int | None
    nats: float | None
    valid_tokens: int | None
    valid_unknown: int | None

    @property
    def cost(self) -> float:
        """``valid_nats_per_token``, infinite where that is not known."""
        return math.inf if self.valid_nats_per_token is None else self.valid_nats_per_token


@dataclass(frozen=True)
class RunHistory:
    """A run as its folder tells it; what the folder does not say is None or empty.

    Attributes:
        name: its folder, as far as that differs from those read with it.
        folder: where it is.
        state: "finished"; "stopped" by its user; "running", where something was written a moment ago; else "killed".
        progress: share of the run that is done.
        step: optimiser steps done.
        seconds: that it took, without the time that it was stopped for.
        tokens: trained on, each as often as it was.
        model: the shape of the network.
        parameters: how many it has.
        text: how the text is read.
        record: what was trained on what, as in the model's file: JSON.
        validations: in the order of the log.
        records: every object of the log: JSON.
        problems: what could not be read, in words.
    """

    name: str
    folder: Path
    state: str
    progress: float | None
    step: int | None
    seconds: float | None
    tokens: int | None
    model: ModelConfig | LabelModelConfig | None
    parameters: int | None
    text: TextConfig | LabellingConfig | None
    record: Mapping[str, Any]
    validations: tuple[Validation, ...]
    records: tuple[Mapping[str, Any], ...]
    problems: tuple[str, ...]

    @property
    def kind(self) -> str:
        """What is trained: "language model", "tagger" or "classifier"; the losses of the latter are nats a label."""
        return self.text.kind if isinstance(self.text, LabellingConfig) else LANGUAGE_MODEL

    @property
    def corpus(self) -> Mapping[str, Any]:
        """What the record says of the texts: JSON."""
        return mapping(self.record.get("corpus"))

    @property
    def best(self) -> Validation | None:
        """The first of the validations with the lowest cost."""
        best = min(self.validations, key=lambda each: each.cost, default=None)
        return None if best is None or best.valid_nats_per_token is None else best

    @property
    def bits_per_char(self) -> float | None:
        """What the best validation costs, in bits a code point; None for labels, which are of no code points."""
        if self.kind != LANGUAGE_MODEL:
            return None
        best, corpus = self.best, self.corpus
        characters, tokens = number(corpus.get("valid_characters")), number(corpus.get("valid_tokens"))
        nats = None if best is None else best.nats
        if best is not None and nats is None and tokens:
            nats = best.cost * tokens
        return None if nats is None or not characters else nats * BITS / characters

    @property
    def train_nats_per_token(self) -> float | None:
        """The last training loss of the log."""
        losses = [each.train_nats_per_token for each in self.validations if each.train_nats_per_token is not None]
        return losses[-1] if losses else None

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens trained on in a second of the run, reading the text, validating and saving included."""
        return self.tokens / self.seconds if self.tokens is not None and self.seconds else None

    def count(self, event: str) -> int:
        """How many events of this name the log has."""
        return sum(record.get("event") == event for record in self.records)

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm history --json`` writes: every record, and what follows from them."""
        data = asdict(self)
        del data["validations"]
        best = self.best
        return {
            **data,
            "kind": self.kind,
            "folder": str(self.folder),
            "tokens_per_second": self.tokens_per_second,
            "best": None
            if best is None
            else {
                "step": best.step,
                "nats_per_token": best.cost,
                "bits_per_token": best.cost * BITS,
                "bits_per_char": self.bits_per_char,
            },
            "train_nats_per_token": self.train_nats_per_token,
        }
