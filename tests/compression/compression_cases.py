"""Tiny models of every level, and what they compress."""

from functools import cache
from typing import Any

import charlm

TEXT = (
    "The cats sat on the mats, and the dogs did not.\n"
    "A fox, which was tired, slept under the tree.\n"
    "\n"
    "\tNine trees stood by the river; none was tall.\n"
) * 12
PLAIN = "the cats sat on the mats\na fox slept under the tree\nthe dogs did not\n" * 12
"""What every level reads without a loss, lower case and single spaces included."""
SMALL: dict[str, Any] = {"hidden": 16, "embedding": 8, "window": 16, "batch": 4, "steps": 30, "seed": 1}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "char": (TEXT, {"level": "char", "independent_lines": False}),
    "lines": (TEXT, {"level": "char", "independent_lines": True}),
    "paragraphs": (TEXT, {"level": "char", "unit": "paragraph"}),
    "file": (TEXT, {"level": "char", "unit": "file"}),
    "lower": (TEXT, {"level": "char", "lowercase": True, "independent_lines": False}),
    "byte": (TEXT, {"level": "byte"}),
    "word": (TEXT, {"level": "word", "independent_lines": False, "min_count": 13}),
    "lower words": (TEXT, {"level": "word", "lowercase": True, "unit": "paragraph"}),
    "word file": (TEXT, {"level": "word", "unit": "file"}),
    "token": (PLAIN, {"level": "token", "independent_lines": False}),
    "token file": (PLAIN, {"level": "token", "unit": "file"}),
    "few": ("ab\n" * 400, {"level": "char", "independent_lines": False}),
}
"""The text and the options of each model; that of characters' few tokens is next to sure of each."""


@cache
def model(name: str) -> charlm.Model:
    """The model of this name, trained once for each process of the tests."""
    text, options = MODELS[name]
    return charlm.train(text=text, **SMALL, **options)
