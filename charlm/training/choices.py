"""From the options of a run to its configuration: what was chosen, and for the rest what suits the text."""

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from charlm.checkpoint import TrainedModel, load_model
from charlm.config import ModelConfig, TextConfig
from charlm.errors import UsageError
from charlm.nn.registry import block_options
from charlm.text.corpus import Corpus
from charlm.text.sources import Texts
from charlm.text.tokenizer import check_options, read_as
from charlm.train_config import TrainConfig
from charlm.training.chosen import cell_of, options_of_block, seconds_of, those_of
from charlm.training.defaults import (
    default_softmax,
    fine_tuning,
    fit,
    guess_level,
    most_validated,
    text_defaults,
)
from charlm.training.language import LanguageSubject, RunConfig
from charlm.training.options import FROM_BASE, Options, flags
from charlm.training.planning import reference_sizes, timed_sizes
from charlm.training.presets import STANDARD, default_sizes
from charlm.training.regularization import check_regularization
from charlm.training.run import Run
from charlm.training.sizes import Sizes
from charlm.training.speed import training_speed

SPEED = "tokens_per_second"
"""What a model's record calls the speed that its run was planned by."""


@dataclass(frozen=True)
class Base:
    """The trained model that a run starts from, and the path it was loaded from."""

    path: str
    model: TrainedModel


def load_base(options: Options) -> Base | None:
    """The model to start from, if one is named.

    Raises:
        UsageError: tokens cannot be added to it.
        ModelError: it cannot be read.
    """
    if "base" not in options:
        return None
    path = str(options["base"])
    model = load_model(Path(path))
    if options.get("extend_vocab") and model.network.config.softmax == "adaptive":
        raise UsageError(
            f"--extend-vocab adds tokens at the end, and {path} has an adaptive softmax, whose tokens must stand by "
            "falling frequency: leave it out, or train anew"
        )
    return Base(path, model)


def encoding_for(options: Options, base: Base | None) -> str | None:
    """What a run's texts are encoded in, before anything is known of them."""
    was = base.model.text if base else TextConfig(level=options.get("level", "char"))
    return read_as(was.level, options.get("encoding", was.encoding))


def independent_lines(options: Options, base: Base | None) -> bool | None:
    """Whether lines are independent: as chosen, as in the model to start from, or to be found out."""
    if options.get("labels"):
        return options.get("independent_lines", True)
    return options.get("independent_lines", base.model.text.independent_lines if base else None)


def text_config(texts: Texts, options: Options, base: Base | None) -> TextConfig:
    """How the texts are read: as chosen, as for the model to start from, or as suits their level."""
    given = {"most_validated": most_validated(seconds_of(options)), **those_of(options, TextConfig)}
    if base is not None:
        kept = {name: getattr(base.model.text, name) for name in ("level", "unit", "lowercase", "encoding", "labels")}
        if base.model.text.labels and not options.get("labels", True):
            raise UsageError(f"{base.path} is a model of texts with labels: leave out that there are none")
        return TextConfig(**{**kept, **given})
    level = options.get("level") or guess_level(texts)
    unit = check_options(level, options.get("unit"), options.get("lowercase", False))
    return TextConfig(**{**text_defaults(level), **given, "level": level, "unit": unit})


def reading(text: TextConfig) -> dict[str, Any]:
    """What of a text's configuration decides how it is read; ``independent_lines`` may still have to be found out."""
    return {f.name: getattr(text, f.name) for f in fields(text) if f.name != "independent_lines"}


def model_options(options: Options, sizes: Sizes, vocabulary: int) -> dict[str, Any]:
    """Those of the options that a model has, and its sizes where they were not named: one for both if tied."""
    # How many labels there are is no option, but only whether there are any.
    given = {name: value for name, value in those_of(options, ModelConfig).items() if name != "labels"}
    hidden, embedding = options.get("hidden", sizes.hidden), options.get("embedding", sizes.embedding)
    tied = options.get("tied", sizes.tied and _may_be_tied(options))
    softmax = options.get("softmax", default_softmax(vocabulary, hidden, tied=options.get("tied", False)))
    if tied and ("tied" in options or softmax == "full"):
        hidden = embedding = options.get("hidden", options.get("embedding", hidden))
    else:
        tied = False
    return {"hidden": hidden, "embedding": embedding, **given, "tied": tied, "softmax": softmax}


def _may_be_tied(options: Options) -> bool:
    """Whether nothing that was chosen asks for an embedding of its own size."""
    return "embedding" not in options or options["embedding"] == options.get("hidden")


def sizes_for(options: Options, level: str, tokens: int, speed: float | None) -> Sizes:
    """What is picked for so many training tokens where nobody chose.

    Args:
        options: what was chosen.
        level: of the text.
        tokens: to train on.
        speed: as ``measured_speed`` gives it.
    """
    seconds = seconds_of(options)
    if seconds is None or speed is None:
        sizes = default_sizes(tokens, level, options.get("preset", STANDARD))
    else:
        sizes = timed_sizes(tokens, level, seconds, speed)
    if "base" in options:
        sizes = fine_tuning(sizes)
    return sizes.with_optimizer(options["optimizer"]) if "optimizer" in options else sizes


def measured_speed(options: Options, text: TextConfig, corpus: Corpus, base: Base | None) -> float | None:
    """Tokens a second that this machine trains the planned model with, at the reference's sizes; None where no matter.

    What was chosen of the model is as it was chosen.
    """
    seconds = seconds_of(options)
    if seconds is None or base is not None or all(name in options for name in _PLANNED):
        return None
    sizes = reference_sizes(text.level)
    model = _model_config(options, sizes, len(corpus.tokenizer), 0, None)
    return training_speed(model, _train_config(options, sizes, len(corpus.train), seconds, None))


def configure(
    options: Options, text: TextConfig, corpus: Corpus, base: Base | None, speed: float | None = None
) -> RunConfig:
    """Fill in what was not chosen.

    Args:
        options: what was chosen.
        text: how the corpus was read.
        corpus: what is trained on.
        base: what the run starts from.
        speed: as ``measured_speed`` gives it.
    """
    tokens = len(corpus.train)
    sizes = sizes_for(options, text.level, tokens, speed)
    text = replace(text, independent_lines=corpus.independent_lines)
    model = _model_config(options, sizes, len(corpus.tokenizer), len(corpus.labels), base)
    seconds, steps = seconds_of(options), options.get("steps")
    train = _train_config(options, sizes, tokens, seconds, steps)
    check_regularization(train, model.cell, model.options, head=model.softmax)
    return RunConfig(model, text, train)


def _train_config(options: Options, sizes: Sizes, tokens: int, seconds: float | None, steps: int | None) -> TrainConfig:
    window, batch = fit(tokens, options.get("window", sizes.window), options.get("batch", sizes.batch))
    if seconds is None and steps is None:
        length = options["epochs"] * tokens if "epochs" in options else sizes.length(tokens)
        steps = max(1, math.ceil(length / (window * batch)))
    chosen = {**{name: getattr(sizes, name) for name in _OF_TRAINING}, **those_of(options, TrainConfig)}
    return TrainConfig(**{**chosen, "window": window, "batch": batch, "steps": steps, "seconds": seconds})


_OF_TRAINING = ("lr", "dropout", "weight_decay", "optimizer", "schedule", "average")
"""Of ``Sizes``, what decides how a model is trained."""


_PLANNED = ("hidden", "embedding", "window", "batch", *_OF_TRAINING)
"""What is planned by the machine's speed; where all of it was chosen, as in a replay, nothing is measured."""


def _model_config(options: Options, sizes: Sizes, vocabulary: int, labels: int, base: Base | None) -> ModelConfig:
    if base is not None:
        return replace(base.model.network.config, vocabulary=vocabulary, labels=labels)
    given = model_options(options, sizes, vocabulary)
    cell = cell_of(options)
    chosen = block_options(cell, options_of_block(options))
    return ModelConfig(**{**given, "vocabulary": vocabulary, "labels": labels, "cell": cell, "options": chosen})


def picks(options: Options, run: Run[LanguageSubject]) -> list[str]:
    """What was picked for a run where nobody chose, as options to type; those that never vary are left out."""
    config, train, tokens = run.subject, run.train, len(run.subject.corpus.train)
    sizes = _sizes_of(options, run)
    values: dict[str, Any] = {
        "level": config.text.level,
        "unit": config.text.unit,
        "hidden": config.model.hidden,
        "embedding": config.model.embedding,
        "tied": config.model.tied or None,
        "softmax": config.model.softmax if config.model.softmax == "adaptive" else None,
        "window": train.window,
        "batch": train.batch,
        "epochs": f"{sizes.length(tokens) / tokens:.3g}",
        "optimizer": train.optimizer,
        "lr": f"{train.lr:g}",
        "schedule": train.schedule if train.schedule != TrainConfig.schedule else None,
        "dropout": f"{train.dropout:g}",
        "weight_decay": f"{train.weight_decay:g}",
        "average": train.average if train.average != TrainConfig.average else None,
        **({} if "base" in options else text_defaults(config.text.level)),
    }
    given = set(options) | (set(FROM_BASE) if "base" in options else set())
    if {"steps", "time"} & given:
        given.add("epochs")
    left = {name: value for name, value in values.items() if name not in given and value is not None}
    typed = zip(flags(left), left.values(), strict=True)
    return [flag if value is True else f"{flag} {value}" for flag, value in typed]


def _sizes_of(options: Options, run: Run[LanguageSubject]) -> Sizes:
    text, tokens = run.subject.text, len(run.subject.corpus.train)
    return sizes_for(options, text.level, tokens, run.about.get(SPEED))


def shrunk(options: Options, run: Run[LanguageSubject]) -> list[str]:
    """Sizes that are smaller than chosen or picked since the text is short, in words."""
    sizes, train = _sizes_of(options, run), run.train
    wanted = {"--window": options.get("window", sizes.window), "--batch": options.get("batch", sizes.batch)}
    found = {"--window": train.window, "--batch": train.batch}
    return [f"{flag} {wanted[flag]} becomes {found[flag]}" for flag in wanted if found[flag] < wanted[flag]]
