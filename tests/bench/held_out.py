"""The lines that n-gram models are scored on, as the engines get them, and what a side says of them."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

FIRST = "first pass"
"""The figure that is the seconds of the first time that all lines are scored."""
PERPLEXITY, KNOWN, TOKENS = "perplexity", "known", "tokens"
"""Figures: the perplexity of all tokens, that of those which are known, and how many tokens there are."""


def write_lines(path: Path, lines: list[str]) -> None:
    """Write lines, whatever characters they hold."""
    path.write_text(json.dumps(lines), encoding="utf-8")


def read_lines(path: str) -> list[str]:
    """What ``write_lines`` has written."""
    found: list[str] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


def perplexities(nats: Any, unknown: Any) -> Mapping[str, float]:
    """Figures of all tokens.

    Args:
        nats: [tokens], log-probabilities.
        unknown: [tokens], whether each is.
    """
    given, strange = np.asarray(nats, np.float64), np.asarray(unknown, np.bool_)
    return {
        TOKENS: float(given.size),
        PERPLEXITY: math.exp(-given.mean()),
        KNOWN: math.exp(-given[~strange].mean()),
    }
