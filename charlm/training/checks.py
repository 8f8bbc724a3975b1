"""Refusing options that make no sense, before any file is read."""

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from charlm.config import ModelConfig, choose, require
from charlm.errors import UsageError
from charlm.nn.registry import block_options
from charlm.text.tokenizer import check_options
from charlm.train_config import TrainConfig
from charlm.training.choices import model_options
from charlm.training.chosen import cell_of, options_of_block, seconds_of, those_of
from charlm.training.options import FROM_BASE, MEANINGS, ONLY_WITH, TYPES_AND_MEANINGS, Meaning, Options, flag_of, flags
from charlm.training.presets import PRESETS, default_sizes
from charlm.training.regularization import check_regularization

MOST_STEPS = 10**9
"""Longer runs are slips of the finger."""


def check(options: Options) -> None:
    """Refuse what makes no sense before any file is read.

    Raises:
        UsageError: an option is unknown or out of range, or does not go with another.
    """
    unknown = sorted(set(options) - set(MEANINGS))
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}: there are {', '.join(MEANINGS)}")
    check_types(options, TYPES_AND_MEANINGS)
    if "level" in options:
        check_options(options["level"], options.get("unit"), options.get("lowercase", False))
    block_options(cell_of(options), options_of_block(options))
    model = ModelConfig(vocabulary=2, **model_options(options, default_sizes(0), 2))
    check_regularization(check_training(options), cell_of(options), options_of_block(options), head=model.softmax)
    _check_preset(options)
    _check_base(options)


def check_training(options: Mapping[str, Any]) -> TrainConfig:
    """Refuse what makes no sense of how a model of any kind is trained, and give the rest as far as it is known.

    Raises:
        UsageError: an option is out of range, or does not go with another.
    """
    lengths = flags(name for name in ("epochs", "steps", "time") if name in options)
    if len(lengths) > 1:
        raise UsageError(f"{' and '.join(lengths)} both give the length of the run: leave out one")
    if options.get("residual") and "base" not in options and options.get("layers", ModelConfig.layers) == 1:
        raise UsageError("--residual connects layers, of which there is one: add --layers 2 or more, or leave it out")
    if "valid" in options and "valid_fraction" in options:
        raise UsageError("--valid and --valid-fraction both say what validates: leave out one")
    for name, (other, value) in ONLY_WITH.items():
        if name in options and options.get(other) != value:
            flag, needed = flags([name, other])
            raise UsageError(f"{flag} goes with {needed} {value}: add that, or leave {flag} out")
    if "epochs" in options:
        require("--epochs", options["epochs"], above=0, maximum=MOST_STEPS)
    if "steps" in options:
        require("--steps", options["steps"], minimum=1, maximum=MOST_STEPS)
    if "min_count" in options:
        require("--min-count", options["min_count"], minimum=1)
    seconds = seconds_of(options)
    steps = None if seconds is not None else options.get("steps", 1)
    return TrainConfig(**{**those_of(options, TrainConfig), "steps": steps, "seconds": seconds})


def check_types(options: Mapping[str, object], known: Mapping[str, tuple[Any, Meaning]]) -> None:
    """Refuse values of another type, since what comes from Python may be of any.

    Args:
        options: all of them among the known.
        known: type and meaning of each.

    Raises:
        UsageError: a value is of another type.
    """
    for name, value in options.items():
        annotated, meaning = known[name]
        kinds = tuple(get_origin(each) or each for each in (get_args(annotated) or (annotated,)))
        kinds += (int,) if float in kinds else ()
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(each.__name__ for each in kinds)
            raise UsageError(f"{flag_of(name, meaning)} is {value!r}: it must be {wanted}")


def _check_preset(options: Options) -> None:
    if "preset" not in options:
        return
    choose("--preset", options["preset"], PRESETS)
    if "time" in options:
        raise UsageError("--preset and --time both decide sizes and length of the run: leave out one")


def _check_base(options: Options) -> None:
    if "base" not in options:
        if options.get("extend_vocab"):
            raise UsageError("--extend-vocab goes with --from MODEL: without it the vocabulary is built anew")
        return
    taken = flags(name for name in FROM_BASE if name in options)
    if taken:
        raise UsageError(f"--from takes {', '.join(taken)} from the model: leave that out")
    limits = flags(name for name in ("min_count", "max_vocab") if name in options)
    if limits and not options.get("extend_vocab"):
        raise UsageError(f"--from keeps the model's vocabulary: leave out {', '.join(limits)}, or add --extend-vocab")
