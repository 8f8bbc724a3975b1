"""The options of counting models."""

from collections.abc import Mapping
from typing import Any

from charlm.training.options import TYPES_AND_MEANINGS, Meaning

_OF_TEXT = (
    "valid", "valid_fraction", "level", "unit", "independent_lines", "min_count", "max_vocab", "lowercase", "encoding",
    "seed",
)  # fmt: skip
NGRAM_OPTIONS: Mapping[str, tuple[Any, Meaning]] = {
    "order": (int, Meaning("Tokens of the longest n-grams.", "6; 5 at word and token level")),
    **{name: TYPES_AND_MEANINGS[name] for name in _OF_TEXT},
}
"""Type and meaning of every option by its name."""
