"""The fewest characters that a match of an expression can have.

The package ``regex`` does not tell; what Python's ``re`` reads it counts itself. Where ``re`` does not read an
expression, or reads something else in it than ``regex`` does, nothing is known.
"""

import re
import warnings
from re import _parser  # type: ignore[attr-defined]  # no public function tells the width of an expression

_OTHERWISE = re.compile(r"\[[\[:]|\{(?!\d+(,\d*)?\}|,\d+\})")
"""Classes of POSIX and fuzzy matches, which ``re`` reads as plain characters."""


def shortest_match(source: str | bytes) -> int:
    """The characters, or bytes, that every match of an expression has at least; 0 where that is not known."""
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    if _OTHERWISE.search(text):
        return 0
    with warnings.catch_warnings():
        # It warns of sets that mean something else elsewhere.
        warnings.simplefilter("error")
        try:
            fewest: int = _parser.parse(source).getwidth()[0]
        except (re.error, OverflowError, RecursionError, Warning):
            return 0
    return fewest
