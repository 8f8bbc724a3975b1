"""Refusing options that make no sense, before any file is read."""

from collections.abc import Mapping
from typing import get_args, get_origin

from charlm.config import ModelConfig, TrainConfig, require
from charlm.errors import UsageError
from charlm.nn.registry import block_options
from charlm.text.tokenizer import check_options
from charlm.training.choices import cell_of, model_options, options_of_block, seconds_of, those_of
from charlm.training.options import FROM_BASE, MEANINGS, TYPES_AND_MEANINGS, Options, flags

MOST_STEPS = 10**9
"""Longer runs are slips of the finger."""
_TYPES: Mapping[str, tuple[type, ...]] = {
    name: tuple(get_origin(each) or each for each in (get_args(kind) or (kind,)))
    + ((int,) if float in (get_args(kind) or (kind,)) else ())
    for name, (kind, _) in TYPES_AND_MEANINGS.items()
}


def check(options: Options) -> None:
    """Refuse what makes no sense before any file is read.

    Raises:
        UsageError: an option is unknown or out of range, or does not go with another.
    """
    unknown = sorted(set(options) - set(MEANINGS))
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}: there are {', '.join(MEANINGS)}")
    _check_types(options)
    if "level" in options:
        check_options(options["level"], options.get("unit"), options.get("lowercase", False))
    block_options(cell_of(options), options_of_block(options))
    ModelConfig(vocabulary=2, **model_options(options, ModelConfig.hidden, ModelConfig.embedding))
    lengths = flags(name for name in ("epochs", "steps", "time") if name in options)
    if len(lengths) > 1:
        raise UsageError(f"{' and '.join(lengths)} both give the length of the run: leave out one")
    if options.get("residual") and "base" not in options and options.get("layers", ModelConfig.layers) == 1:
        raise UsageError("--residual connects layers, of which there is one: add --layers 2 or more, or leave it out")
    if "valid" in options and "valid_fraction" in options:
        raise UsageError("--valid and --valid-fraction both say what validates: leave out one")
    if "epochs" in options:
        require("--epochs", options["epochs"], above=0, maximum=MOST_STEPS)
    if "steps" in options:
        require("--steps", options["steps"], minimum=1, maximum=MOST_STEPS)
    if "min_count" in options:
        require("--min-count", options["min_count"], minimum=1)
    _check_base(options)
    seconds = seconds_of(options)
    steps = None if seconds is not None else options.get("steps", 1)
    TrainConfig(**{**those_of(options, TrainConfig), "steps": steps, "seconds": seconds})


def _check_types(options: Options) -> None:
    """What comes from Python may be of any type."""
    for name, value in options.items():
        kind = _TYPES[name]
        fits = isinstance(value, kind) and (bool in kind or not isinstance(value, bool))
        if not fits:
            wanted = " or ".join(each.__name__ for each in kind)
            raise UsageError(f"{flags([name])[0]} is {value!r}: it must be {wanted}")


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
