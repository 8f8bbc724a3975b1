"""Correlations of many columns with one, of numbers or of their ranks, in float64."""

import numpy as np
from numpy.typing import NDArray


class RunningCorrelation:
    """Pearson's correlation of each of several columns with one more, from rows that come block by block.

    Against flags, 0 or 1, this is the point-biserial correlation. Means and sums of squares about them are merged as
    blocks come (Chan et al. 1979), so nothing is lost where means are large, and memory does not grow with the rows.

    Args:
        columns: how many.

    Attributes:
        rows: how many there were so far.
        other_mean: of what stands beside them.
    """

    def __init__(self, columns: int) -> None:
        self.rows = 0
        self._mean = np.zeros(columns)
        self._squares = np.zeros(columns)
        self._products = np.zeros(columns)
        self.other_mean = self._other_squares = 0.0

    def add(self, values: NDArray[np.float32] | NDArray[np.float64], other: NDArray[np.float64]) -> None:
        """Take in rows ``values`` [N, columns] and what stands beside them, [N]."""
        number = len(other)
        if not number:
            return
        mean, other_mean = values.mean(axis=0, dtype=np.float64), float(other.mean())
        centred, beside = values - mean, other - other_mean
        total = self.rows + number
        weight = self.rows * number / total
        apart, other_apart = mean - self._mean, other_mean - self.other_mean
        self._squares += np.square(centred).sum(axis=0) + weight * apart**2
        self._products += beside @ centred + weight * apart * other_apart
        self._other_squares += float(np.square(beside).sum()) + weight * other_apart**2
        self._mean += apart * (number / total)
        self.other_mean += other_apart * (number / total)
        self.rows = total

    @property
    def varies(self) -> bool:
        """Whether the one column has more than one value."""
        return self._other_squares > 0

    def result(self) -> NDArray[np.float64]:
        """The correlations, [columns]; 0 where a column is constant."""
        scale = np.sqrt(self._squares * self._other_squares)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(scale > 0, self._products / scale, 0.0)
        return np.clip(found, -1, 1)


def ranks(values: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks [N] from 1, equal numbers sharing the mean of theirs, as Spearman's correlation takes them."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: NDArray[np.float64] = (last - (counts - 1) / 2)[which]
    return mean


def rank_correlations(
    values: NDArray[np.float32] | NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Spearman's correlation of each column of ``values`` [N, columns] with ``other`` [N]; 0 where one is constant."""
    beside, found = ranks(other), np.zeros(values.shape[1])
    for column in range(len(found)):
        one = RunningCorrelation(1)
        one.add(ranks(values[:, column])[:, None], beside)
        found[column] = one.result()[0]
    return found
