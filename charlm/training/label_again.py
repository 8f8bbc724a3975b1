"""The options that train a tagger or classifier again: everything that decided its run, chosen or picked."""

from collections.abc import Mapping
from typing import Any

from charlm.labelling.config import LabellingConfig
from charlm.nn.label_config import LabelModelConfig
from charlm.training.again import idle
from charlm.training.label_options import LABEL_OPTIONS, OF_BASE


def label_options(
    model: LabelModelConfig, text: LabellingConfig, train: Mapping[str, Any], record: Mapping[str, Any]
) -> dict[str, Any]:
    """Every option of a run, in the order of ``LABEL_OPTIONS``; otherwise as ``training.again.options_of``."""
    corpus, base = record["corpus"], record["base"]
    found: dict[str, Any] = {
        **model.to_json(),
        **model.options,
        **text.to_json(),  # behind the model, whose unit is what has a label
        **train,
        "time": train["seconds"],
        "valid": (corpus["valid_paths"] or [None])[0],
        "chars": bool(model.characters),
    }
    left = {name for name, value in found.items() if value is None} | idle(found)
    if base is not None:
        found["base"] = base["path"]
        left |= {*OF_BASE, "min_count", "max_vocab"}
    if found["valid"] is not None:
        left.add("valid_fraction")
    return {name: found[name] for name in LABEL_OPTIONS[text.kind] if name in found and name not in left}
