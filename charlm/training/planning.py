"""What a run bound by time is made of, by how much of the text this machine can read in the time.

A text is read in passes. The more of them there is time for, the larger the model may be, until it learns by heart;
from then on it is dropout that makes use of the time. ``docs/experiments.md`` has the trials behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from charlm.training.presets import default_sizes
from charlm.training.sizes import Sizes

_LIST = 150_000
"""Texts of fewer tokens keep their sizes however much time there is: larger models learn them by heart."""


@dataclass(frozen=True)
class Plan:
    """Sizes of a model for so much reading.

    Attributes:
        fewest: tokens that the reference could read in the time from which on this is chosen.
        cost: time that a token takes, as a share of what the reference's takes.
        sizes: all but ``dropout`` and ``epochs``, which follow from the time.
        most_passes: over the text; a model that would read it more often would learn it by heart, and is not chosen.
    """

    fewest: float
    cost: float
    sizes: Sizes
    most_passes: float = float("inf")

    def suits(self, readable: float, tokens: int) -> bool:
        """Whether it may be chosen where the reference could read so much, for a text of so many tokens."""
        return self.fewest <= readable and self.passes(readable, tokens) <= self.most_passes

    def passes(self, readable: float, tokens: int) -> float:
        """Passes over a text of so many tokens in the time that the reference needs for ``readable``."""
        return readable / self.cost / tokens


_CHARACTERS = (
    Plan(0, 0.45, Sizes(128, 64, 64, 16, 1, 0.04, 0.0, 0.01, optimizer="muon")),
    Plan(1.5e6, 1.0, Sizes(256, 64, 64, 32, 1, 0.032, 0.0, 0.01, optimizer="muon")),
    Plan(8e6, 2.15, Sizes(384, 64, 64, 32, 1, 0.024, 0.0, 0.01, optimizer="muon")),
    Plan(25e6, 2.87, Sizes(512, 64, 64, 64, 1, 0.024, 0.0, 0.01, optimizer="muon"), most_passes=8),
)
_WORDS = (
    Plan(0, 0.7, Sizes(128, 128, 32, 32, 1, 0.016, 0.0, 0.01, optimizer="muon", tied=True)),
    Plan(0.3e6, 1.0, Sizes(256, 256, 32, 32, 1, 0.016, 0.0, 0.01, optimizer="muon", tied=True)),
)
_PLANS: Mapping[str, tuple[Plan, ...]] = {"char": _CHARACTERS, "byte": _CHARACTERS, "word": _WORDS, "token": _WORDS}
_REFERENCE = 1
"""Which of a level's plans is the one whose speed is measured."""
_DROPOUT: Mapping[str, tuple[tuple[float, float], ...]] = {
    "char": ((5, 0.0), (9, 0.2), (14, 0.4), (float("inf"), 0.5)),
    "word": ((1.5, 0.2), (float("inf"), 0.5)),
}
"""Dropout by passes over the text: it is that of the first limit above them."""


def reference_sizes(level: str) -> Sizes:
    """Sizes of the model whose speed on this machine decides."""
    return _PLANS[level][_REFERENCE].sizes


def timed_sizes(tokens: int, level: str, seconds: float, speed: float) -> Sizes:
    """Sizes for a run of some length in time.

    Args:
        tokens: to train on.
        level: of the text.
        seconds: that the run has.
        speed: tokens a second that this machine reads in training a model of ``reference_sizes``.
    """
    readable, plans = seconds * speed, _PLANS[level]
    plan = max((each for each in plans if each.suits(readable, tokens)), key=lambda each: each.fewest)
    passes = plan.passes(readable, tokens)
    if tokens < _LIST:
        usual = default_sizes(tokens, level)
        alike = next(each for each in plans if each.sizes.hidden == usual.hidden)
        if alike.passes(readable, tokens) >= usual.epochs:
            return usual
    kind = "char" if level in ("char", "byte") else "word"
    dropout = next(share for limit, share in _DROPOUT[kind] if passes < limit)
    return replace(plan.sizes, dropout=dropout)
