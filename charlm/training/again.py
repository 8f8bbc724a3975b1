"""The options that train a model again: everything that decided its run, chosen or picked."""

from collections.abc import Mapping
from typing import Any

from charlm.config import ModelConfig, TextConfig
from charlm.training.options import FROM_BASE, MEANINGS, ONLY_WITH

_LIMITS = ("min_count", "max_vocab")


def idle(train: Mapping[str, Any]) -> set[str]:
    """Options of how a run is trained, as JSON, that decide nothing of it."""
    return {name for name, (other, value) in ONLY_WITH.items() if train.get(other) != value}


def options_of(
    model: ModelConfig, text: TextConfig, train: Mapping[str, Any], record: Mapping[str, Any]
) -> dict[str, Any]:
    """Every option of a run, in the order of ``MEANINGS``.

    Args:
        model: what was trained.
        text: how its corpus was read.
        train: how it was trained, as JSON.
        record: ``corpus`` and ``base`` of the model's record.
    """
    corpus, base = record["corpus"], record["base"]
    found: dict[str, Any] = {
        **model.to_json(),
        **model.options,
        **text.to_json(),
        **train,
        "time": train["seconds"],
        "valid": (corpus["valid_paths"] or [None])[0],
    }
    left = {name for name, value in found.items() if value is None} | (set(found) - set(MEANINGS)) | idle(found)
    if base is not None:
        found |= {"base": base["path"], "extend_vocab": base["extended"]}
        left |= {*FROM_BASE, *(() if base["extended"] else _LIMITS)}
    if found["valid"] is not None:
        left.add("valid_fraction")
    if text.level == "byte" or text.unit != "line":
        left.add("independent_lines")
    return {name: found[name] for name in MEANINGS if name in found and name not in left}
