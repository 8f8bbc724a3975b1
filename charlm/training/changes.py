"""What of a run may be another when it goes on: its length, its learning rate, and how it is watched."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from charlm.config import TextConfig, require
from charlm.errors import UsageError
from charlm.train_config import TrainConfig
from charlm.training.checks import MOST_STEPS, check_training, check_types
from charlm.training.chosen import seconds_of
from charlm.training.options import MEANINGS, SHAPE, TYPES_AND_MEANINGS, Meaning, flag_of

LENGTHS = ("epochs", "steps", "time")
FREE = ("lr", "eval_every", "patience")
_OTHER = Meaning("An option of another kind of model.")
_OF_TEXT = {"level", "valid", *TextConfig().to_json()}


def changed(was: TrainConfig, options: Mapping[str, Any], tokens: int, step: int) -> TrainConfig:
    """The configuration with which a run goes on.

    Args:
        was: the one that it was begun with.
        options: what is to be another.
        tokens: to train on.
        step: steps done.

    Raises:
        UsageError: an option cannot be changed, or the run is longer already.
    """
    for name in options:
        if name not in (*LENGTHS, *FREE):
            flag = flag_of(name, MEANINGS.get(name, _OTHER))
            raise UsageError(
                f"{flag} cannot change when a run goes on: {_reason(name)}. Leave it out, or begin another "
                "run; what can change is --steps, --epochs or --time, --lr, --eval-every and --patience"
            )
    check_types(options, TYPES_AND_MEANINGS)
    check_training(options)
    found: dict[str, Any] = {name: value for name, value in options.items() if name in FREE}
    given = [name for name in LENGTHS if name in options]
    if given:
        found |= _length(was, options, given[0], tokens)
    if found.get("steps", step) < step:
        raise UsageError(f"the run has done {step:,} steps already: name more than that, or leave the length as it is")
    return replace(was, **found)


def _reason(name: str) -> str:
    if name in SHAPE:
        return "its weights have their shape"
    if name in _OF_TEXT:
        return "its vocabulary and the parts of its text are those that it began with"
    return "it would be another run than the one that was begun"


def _length(was: TrainConfig, options: Mapping[str, Any], name: str, tokens: int) -> dict[str, float | int | None]:
    """Steps or seconds, whichever the run is counted in.

    Raises:
        UsageError: it is counted in the other.
    """
    by_time = was.seconds is not None
    if by_time != (name == "time"):
        wanted = "--time" if by_time else "--steps or --epochs"
        raise UsageError(f"the run is counted in {'seconds' if by_time else 'steps'}: change its length by {wanted}")
    if by_time:
        return {"seconds": seconds_of(options)}
    steps = options.get("steps") or math.ceil(options["epochs"] * tokens / (was.window * was.batch))
    require("--steps", steps, minimum=1, maximum=MOST_STEPS)
    return {"steps": steps}
