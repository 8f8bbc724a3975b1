"""From the options of a tagger or classifier to its configuration: what was chosen, and for the rest what suits."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from charlm.checkpoint import TrainedModel, load_model
from charlm.config import require
from charlm.errors import ModelError, UsageError
from charlm.labelling.config import LabellingConfig
from charlm.labelling.corpus import LabelCorpus
from charlm.nn.label_config import LabelModelConfig
from charlm.nn.registry import block_options
from charlm.text.tokenizer import check_options
from charlm.train_config import TrainConfig
from charlm.training.checks import check_training, check_types
from charlm.training.choices import Base
from charlm.training.chosen import cell_of, options_of_block, seconds_of, those_of
from charlm.training.defaults import fit
from charlm.training.label_again import label_options
from charlm.training.label_options import CLASSIFIER, LABEL_OPTIONS, OF_BASE, REFUSED, TAGGER, label_flags
from charlm.training.labels import LabelSubject
from charlm.training.options import flags
from charlm.training.regularization import check_regularization
from charlm.training.run import Run

MAX_VOCAB = 50_000
LEVELS = ("word", "char", "token", "byte")


@dataclass(frozen=True)
class LabelSizes:
    """What is picked where nobody chose."""

    hidden: int
    embedding: int
    window: int
    batch: int
    epochs: float
    lr: float
    dropout: float
    weight_decay: float


_TABLES: Mapping[str, tuple[tuple[float, LabelSizes], ...]] = {
    TAGGER: (
        (5_000, LabelSizes(64, 64, 32, 4, 60, 5e-3, 0.5, 0.05)),
        (20_000, LabelSizes(64, 64, 32, 8, 30, 5e-3, 0.5, 0.05)),
        (200_000, LabelSizes(128, 64, 32, 16, 8, 4e-3, 0.5, 0.05)),
        (float("inf"), LabelSizes(128, 100, 32, 32, 5, 4e-3, 0.4, 0.01)),
    ),
    "words": (
        (20_000, LabelSizes(128, 64, 32, 16, 30, 5e-3, 0.5, 0.05)),
        (200_000, LabelSizes(128, 64, 32, 16, 8, 4e-3, 0.5, 0.05)),
        (float("inf"), LabelSizes(128, 100, 32, 32, 5, 4e-3, 0.4, 0.01)),
    ),
    "characters": (
        (100_000, LabelSizes(64, 32, 64, 16, 30, 5e-3, 0.3, 0.01)),
        (float("inf"), LabelSizes(128, 64, 128, 32, 10, 3e-3, 0.3, 0.01)),
    ),
}


def sizes_for(text: LabellingConfig, tokens: int) -> LabelSizes:
    """The row for so many training tokens, of a tagger's table or that of a classifier at such a level.

    What starts from a language model learns at the same rate as what does not: at half of it, what is drawn anew does
    not catch up (docs/experiments.md).
    """
    of_level = "characters" if text.level in ("char", "byte") else "words"
    table = _TABLES[TAGGER if text.per_token else of_level]
    return next(sizes for limit, sizes in table if tokens < limit)


def check_label_options(kind: str, options: Mapping[str, Any]) -> None:
    """Refuse what makes no sense before any file is read.

    Raises:
        UsageError: an option is unknown or out of range, or does not go with another.
    """
    known = LABEL_OPTIONS[kind]
    if set(REFUSED) & set(options):
        refused = ", ".join(flags(name for name in REFUSED if name in options))
        raise UsageError(f"leave out {refused}: a {kind} reads whole texts, which are in no windows to vary")
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}: there are {', '.join(known)}")
    check_types(options, known)
    if kind == CLASSIFIER:
        check_options(options.get("level", LEVELS[0]), options.get("unit"), options.get("lowercase", False))
    if "valid_fraction" in options:
        require("--valid-fraction", options["valid_fraction"], above=0, below=1)
    block_options(cell_of(options), options_of_block(options))
    model = LabelModelConfig(vocabulary=2, labels=2, **_model_options(options))
    check_regularization(check_training(options), cell_of(options), options_of_block(options), head=model.output)
    taken = label_flags(name for name in OF_BASE if name in options) if "base" in options else ()
    if taken:
        raise UsageError(f"--from takes {', '.join(taken)} from the model: leave that out")
    limits = label_flags(name for name in ("min_count", "max_vocab") if name in options) if "base" in options else ()
    if limits:
        raise UsageError(f"--from takes the model's vocabulary: leave out {', '.join(limits)}")


def _model_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen of the network's shape; its unit is what has a label, not what ends in <EOS>."""
    chosen = those_of(options, LabelModelConfig)
    return {name: value for name, value in chosen.items() if name not in ("cell", "unit")}


def load_language_model(kind: str, options: Mapping[str, Any]) -> Base | None:
    """The language model to start from, if one is named.

    Raises:
        ModelError: it cannot be read, or is at a level that does not go with this kind.
    """
    if "base" not in options:
        return None
    path = str(options["base"])
    model: TrainedModel = load_model(Path(path))
    if kind == TAGGER and model.text.level not in ("word", "token"):
        raise ModelError(
            f"{path} is a model at {model.text.level} level, and a tagger reads words: name one that was trained with "
            "--level word or --level token; --chars reads the words' spelling besides"
        )
    return Base(path, model)


def labelling_config(kind: str, options: Mapping[str, Any], base: Base | None) -> LabellingConfig:
    """How the labelled files are read: as chosen, as for the language model to start from, or as suits."""
    given = those_of(options, LabellingConfig)
    if base is not None:
        was = base.model.text
        kept = {"level": was.level, "unit": was.unit, "lowercase": was.lowercase}
        return LabellingConfig(kind, **{**kept, **given})
    level = "token" if kind == TAGGER else options.get("level", LEVELS[0])
    limits = {} if level in ("char", "byte") else {"min_count": 2, "max_vocab": MAX_VOCAB}
    unit = "file" if kind == TAGGER else options.get("unit", "file")
    return LabellingConfig(kind, **{**limits, **given, "level": level, "unit": unit})


def configure_labels(
    options: Mapping[str, Any], corpus: LabelCorpus, base: Base | None
) -> tuple[LabelModelConfig, TrainConfig]:
    """Fill in what was not chosen."""
    tokens = len(corpus.train.ids)
    sizes = sizes_for(corpus.text, tokens)
    window, batch = fit(tokens, options.get("window", sizes.window), options.get("batch", sizes.batch))
    seconds, steps = seconds_of(options), options.get("steps")
    if seconds is None and steps is None:
        steps = max(1, math.ceil(options.get("epochs", sizes.epochs) * tokens / (window * batch)))
    rates = {"lr": sizes.lr, "dropout": sizes.dropout, "weight_decay": sizes.weight_decay}
    chosen = {**rates, **those_of(options, TrainConfig)}
    train = TrainConfig(**{**chosen, "window": window, "batch": batch, "steps": steps, "seconds": seconds})
    model = _model_config(options, corpus, sizes, base)
    check_regularization(train, model.cell, model.options, head=model.output)
    return model, train


def _model_config(
    options: Mapping[str, Any], corpus: LabelCorpus, sizes: LabelSizes, base: Base | None
) -> LabelModelConfig:
    cell, given = cell_of(options), {"pooling": "max", **_model_options(options)}
    shape: dict[str, Any] = {
        "cell": cell,
        "options": block_options(cell, options_of_block(options)),
        "hidden": given.pop("hidden", sizes.hidden),
        "embedding": given.pop("embedding", sizes.embedding),
    }
    if base is not None:
        was, ours = base.model.network.config, {f.name for f in fields(LabelModelConfig)}
        shape = {name: getattr(was, name) for name in (*shape, "layers", "residual") if name in ours}
    return LabelModelConfig(
        vocabulary=len(corpus.vocabulary),
        labels=len(corpus.labels),
        unit="token" if corpus.text.per_token else "text",
        characters=0 if corpus.characters is None else len(corpus.characters),
        **{**given, **shape},
    )


def label_picks(
    options: Mapping[str, Any], corpus: LabelCorpus, model: LabelModelConfig, train: TrainConfig
) -> list[str]:
    """What was picked where nobody chose, as options to type; those that never vary are left out."""
    tokens = len(corpus.train.ids)
    values: dict[str, Any] = {
        "hidden": model.hidden,
        "embedding": model.embedding,
        "window": train.window,
        "batch": train.batch,
        "epochs": None if train.steps is None else f"{train.steps * train.window * train.batch / tokens:.3g}",
        "lr": f"{train.lr:g}",
        "dropout": f"{train.dropout:g}",
        "weight_decay": f"{train.weight_decay:g}",
        "min_count": None if corpus.vocabulary.raw or "base" in options else corpus.text.min_count,
    }
    given = set(options) | (set(OF_BASE) if "base" in options else set())
    if {"steps", "time"} & given:
        given.add("epochs")
    left = {name: value for name, value in values.items() if name not in given and value is not None}
    return [f"{flag} {value}" for flag, value in zip(label_flags(left), left.values(), strict=True)]


def label_options_of(run: Run[LabelSubject]) -> dict[str, Any]:
    """Every option of a run, which together repeat it."""
    return label_options(run.subject.model, run.subject.text, run.train.to_json(), run.about)
