"""Presets: sizes and length of a run by how much there is to train on, for three amounts of patience.

``docs/performance.md`` has the tables with times and losses, ``docs/experiments.md`` the trials behind them.
"""

from collections.abc import Mapping
from dataclasses import replace

from charlm.training.sizes import Sizes

QUICK, STANDARD, BEST = "quick", "standard", "best"
PRESETS = (QUICK, STANDARD, BEST)

Table = tuple[tuple[float, Sizes], ...]
"""Sizes below so many training tokens."""
ENDLESS = float("inf")

# The rate stays high and the best mean of weights is kept where nobody can say when learning by heart begins.
_LEAST = Sizes(256, 64, 32, 32, 12, 0.016, 0.7, 0.01, optimizer="muon", schedule="constant", average="ema")
_SHORT = Sizes(512, 64, 64, 16, 12, 4e-3, 0.65, 0.01, schedule="constant", average="ema")
_MIDDLING = Sizes(384, 64, 64, 32, 8, 0.024, 0.5, 0.01, optimizer="muon")
_LONG = replace(_MIDDLING, epochs=4, dropout=0.1, most=7_500_000)
_GLANCE = Sizes(128, 64, 64, 16, 1, 0.04, 0.0, 0.01, most=2_000_000, optimizer="muon")

_FEW_WORDS = Sizes(128, 128, 32, 16, 20, 4e-3, 0.5, 0.05, schedule="constant", average="ema", tied=True)
_MORE_WORDS = Sizes(256, 256, 32, 32, 4, 0.016, 0.2, 0.01, most=2_000_000, optimizer="muon", tied=True)
_SOME_WORDS = replace(_MORE_WORDS, epochs=3.5, lr=8e-3, dropout=0.5, schedule="constant", average="ema")
_WORDS_AT_A_GLANCE = Sizes(128, 128, 32, 32, 1, 0.016, 0.2, 0.01, most=500_000, optimizer="muon", tied=True)

_CHARACTERS: Mapping[str, Table] = {
    QUICK: (
        (40_000, replace(_LEAST, hidden=128, embedding=32, epochs=8, lr=0.024, dropout=0.5)),
        (150_000, replace(_GLANCE, epochs=4, dropout=0.1)),
        (500_000, replace(_GLANCE, epochs=2)),
        (ENDLESS, _GLANCE),
    ),
    STANDARD: (
        (40_000, _LEAST),
        (150_000, _SHORT),
        (500_000, _MIDDLING),
        (5_000_000, _LONG),
        (ENDLESS, replace(_LONG, dropout=0.0)),
    ),
    BEST: (
        (40_000, _LEAST),
        (150_000, replace(_SHORT, epochs=15, dropout=0.7)),
        (500_000, replace(_MIDDLING, hidden=512, lr=0.02, dropout=0.6)),
        (5_000_000, replace(_MIDDLING, epochs=14, dropout=0.4, most=30_000_000)),
        (ENDLESS, replace(_LONG, dropout=0.0, most=30_000_000)),
    ),
}
_WORDS: Mapping[str, Table] = {
    QUICK: (
        (40_000, replace(_WORDS_AT_A_GLANCE, batch=16, epochs=5, dropout=0.5)),
        (ENDLESS, _WORDS_AT_A_GLANCE),
    ),
    STANDARD: ((40_000, _FEW_WORDS), (500_000, _SOME_WORDS), (ENDLESS, _MORE_WORDS)),
    BEST: (
        (40_000, replace(_FEW_WORDS, hidden=256, embedding=256, epochs=30, dropout=0.7)),
        (500_000, replace(_SOME_WORDS, hidden=384, embedding=384, epochs=5, dropout=0.6, most=3_000_000)),
        (ENDLESS, replace(_MORE_WORDS, hidden=384, embedding=384, most=3_000_000)),
    ),
}
_TABLES = {"char": _CHARACTERS, "byte": _CHARACTERS, "word": _WORDS, "token": _WORDS}


def default_sizes(tokens: int, level: str = "char", preset: str = STANDARD) -> Sizes:
    """The row of a preset's table for so many training tokens of a level."""
    return next(sizes for limit, sizes in _TABLES[level][preset] if tokens < limit)
