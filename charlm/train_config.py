"""How a model is trained: frozen, strict, and written into every model file as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from charlm.config import Strict, choose, require
from charlm.errors import UsageError

DROPOUTS = ("plain", "variational")
SCHEDULES = ("cosine", "linear", "constant", "plateau")
AVERAGES = ("none", "ema", "asgd")
OPTIMIZERS = ("adamw", "muon", "sgd", "rmsprop")
_UNREGULARIZED = {
    "dropout_embedding": 0.0,
    "dropout_input": 0.0,
    "dropout_output": None,
    "dropout_recurrent": 0.0,
    "dropout_kind": "plain",
    "activation_penalty": 0.0,
    "slowness_penalty": 0.0,
    "label_smoothing": 0.0,
}
"""Regularisation that older files lack -> what stands for none of it."""


@dataclass(frozen=True)
class TrainConfig(Strict):
    """How a model is trained.

    Exactly one of ``steps`` and ``seconds`` is set: the length of the run, in optimiser steps or in seconds
    of wall-clock time. ``window`` and ``batch`` are T and B of truncated backpropagation through time.
    ``eval_every`` is the number of steps between validations, None for as many as cost little; after ``patience``
    of them without a better one the run ends. ``dropout`` is that of each layer's outputs, but for the last layer's
    where ``dropout_output`` is set; ``charlm.nn.regularization`` says what the others are. ``average`` says which mean
    of the weights is validated and kept (``charlm.training.averaging``), the ``plateau_`` fields when the plateau
    schedule lowers the learning rate (``charlm.training.plateau``), ``random_windows`` whether windows vary in length
    (``charlm.training.windows``).
    """

    added: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "eval_every": None,
            "patience": None,
            **_UNREGULARIZED,
            "average": "none",
            "average_decay": 0.999,
            "average_after": 5,
            "plateau_factor": 0.5,
            "plateau_after": 2,
            "random_windows": False,
        }
    )

    window: int = 64
    batch: int = 32
    steps: int | None = None
    seconds: float | None = None
    optimizer: str = "adamw"
    lr: float = 4e-3
    schedule: str = "cosine"
    warmup: float = 0.05
    clip: float = 1.0
    weight_decay: float = 0.01
    dropout: float = 0.1
    restart: float = 0.015
    seed: int = 1
    eval_every: int | None = None
    patience: int | None = None
    dropout_embedding: float = 0.0
    dropout_input: float = 0.0
    dropout_output: float | None = None
    dropout_recurrent: float = 0.0
    dropout_kind: str = "plain"
    activation_penalty: float = 0.0
    slowness_penalty: float = 0.0
    label_smoothing: float = 0.0
    average: str = "none"
    average_decay: float = 0.999
    average_after: int = 5
    plateau_factor: float = 0.5
    plateau_after: int = 2
    random_windows: bool = False

    def __post_init__(self) -> None:
        require("--window", self.window, minimum=1)
        require("--batch", self.batch, minimum=1)
        if (self.steps is None) == (self.seconds is None):
            raise UsageError("give exactly one of --steps (or --epochs) and --time")
        if self.steps is not None:
            require("--steps", self.steps, minimum=1)
        if self.seconds is not None:
            require("--time", self.seconds, above=0)
        choose("--optimizer", self.optimizer, OPTIMIZERS)
        choose("--schedule", self.schedule, SCHEDULES)
        require("--lr", self.lr, above=0)
        require("--warmup", self.warmup, minimum=0, below=1)
        require("--clip", self.clip, above=0)
        require("--weight-decay", self.weight_decay, minimum=0)
        require("--dropout", self.dropout, minimum=0, below=1)
        require("restart share", self.restart, minimum=0, maximum=1)
        require("--seed", self.seed, minimum=0)
        if self.eval_every is not None:
            require("--eval-every", self.eval_every, minimum=1)
        if self.patience is not None:
            require("--patience", self.patience, minimum=1)
        self._check_regularization()
        self._check_averaging()

    def _check_regularization(self) -> None:
        require("--dropout-embedding", self.dropout_embedding, minimum=0, below=1)
        require("--dropout-input", self.dropout_input, minimum=0, below=1)
        if self.dropout_output is not None:
            require("--dropout-output", self.dropout_output, minimum=0, below=1)
        require("--dropout-recurrent", self.dropout_recurrent, minimum=0, below=1)
        choose("--dropout-kind", self.dropout_kind, DROPOUTS)
        require("--activation-penalty", self.activation_penalty, minimum=0)
        require("--slowness-penalty", self.slowness_penalty, minimum=0)
        require("--label-smoothing", self.label_smoothing, minimum=0, below=1)

    def _check_averaging(self) -> None:
        """Averaging, and what waits for validations without gain; a run that ends first would wait in vain.

        Raises:
            UsageError: a number is out of its range, or the patience is too short.
        """
        choose("--average", self.average, AVERAGES)
        require("--average-decay", self.average_decay, minimum=0, below=1)
        require("--average-after", self.average_after, minimum=1)
        require("--plateau-factor", self.plateau_factor, above=0, below=1)
        require("--plateau-after", self.plateau_after, minimum=1)
        waits = {
            "--average-after": (self.average == "asgd", self.average_after),
            "--plateau-after": (self.schedule == "plateau", self.plateau_after),
        }
        for flag, (used, number) in waits.items():
            if used and self.patience is not None and self.patience <= number:
                raise UsageError(
                    f"--patience {self.patience} ends the run before {flag} {number} does anything: "
                    f"give more patience than {number}"
                )
