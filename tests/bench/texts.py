"""The file of lines that is scored: lengths as of names, sentences and paragraphs, the same every time."""

import numpy as np
from numpy.typing import NDArray

LINES, SEED = 3000, 1
LENGTHS = (1, 400)
MEDIAN, SIGMA = 30, 0.9
"""Of the log-normal distribution that the lengths are drawn from, before they are cut to ``LENGTHS``."""


def lines(vocabulary: int, count: int = LINES) -> list[NDArray[np.int64]]:
    """Lines of token ids, uniform over the vocabulary."""
    generator = np.random.default_rng(SEED)
    lengths = np.clip(np.rint(generator.lognormal(np.log(MEDIAN), SIGMA, count)), *LENGTHS).astype(np.int64)
    return [generator.integers(vocabulary, size=length) for length in lengths.tolist()]
