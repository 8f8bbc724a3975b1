"""The options of counting models."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from charlm.training.options import TYPES_AND_MEANINGS, Meaning

_OF_TEXT = (
    "valid", "valid_fraction", "level", "unit", "independent_lines", "min_count", "max_vocab", "lowercase", "encoding",
    "seed",
)  # fmt: skip
NGRAM_OPTIONS: Mapping[str, tuple[Any, Meaning]] = {
    "order": (int, Meaning("Tokens of the longest n-grams.", "6; 5 at word and token level")),
    **{name: TYPES_AND_MEANINGS[name] for name in _OF_TEXT},
    "memory": (str, Meaning("Memory to count in; what does not fit lies in temporary files.", "512M")),
    "temporary": (str | PathLike[str], Meaning("Folder for temporary files.", "$TMPDIR, or the system's")),
}
"""Type and meaning of every option by its name."""
OF_WORKSPACE = ("memory", "temporary")
"""Those that say where the work is done, and change nothing of the model."""
