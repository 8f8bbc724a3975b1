"""The cross-entropy of a softmax over any number of classes, and its gradients, in few passes through memory.

    e = exp(W a + b);  Z = sum(e);  log P(target) = (W a + b)[target] - log Z;  dlogits = e / Z - [target]

Columns are taken in blocks whose logits fit a scratch that is kept, and in each of them so many classes at a time that
what a product wrote is still in the cache when the elementwise passes come. Losses are summed in float64.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.nn.arrays import Array, Ids

BLOCK = 1 << 23
"""Logits in the scratch: 32 MB of float32."""
CACHED = 1 << 19
"""Logits that are worked on between two products."""
FEWEST = 64
"""Columns that are worked on at a time however many classes there are: fewer make slow products."""
LEAST, MOST = 1e-20, 1e30
"""Between these the sum of a column's exponentials is exact to round-off in float32, although no logit was subtracted:
no exponential was infinite, and those that were rounded to zero or nearly do not count."""

Real = NDArray[np.float64]


class Classes(NamedTuple):
    """What gives the logits W a + b of V classes, or the gradients of it: W [V, H], and b [V] or none."""

    W: Array
    b: Array | None = None


class _Rows(NamedTuple):
    """Some of the classes, and which of a block's targets are among them: row counted from the first, and column."""

    part: slice
    row: Ids
    column: Ids


def scratch_size(classes: int, columns: int) -> int:
    """How many numbers the functions below work in, for so many classes and up to so many columns."""
    return classes * min(columns, _width(classes))


def write_logits(layer: Classes, columns: Array, out: Array) -> None:
    """Write W a + b for columns [H, N] into ``out`` [V, N]."""
    if columns.shape[1] == 1:
        # As in sampling, where a product takes no longer than ``matmul`` takes to begin. More columns it would copy.
        layer.W.dot(columns, out)
    else:
        np.matmul(layer.W, columns, out=out)
    if layer.b is not None:
        out += layer.b[:, None]


def log_likelihoods(layer: Classes, columns: Array, targets: Ids, scratch: Array) -> Real:
    """Log-probability (nats) of each target.

    Args:
        layer: the classes.
        columns: [H, N].
        targets: [N], classes; -1 is not asked for.
        scratch: as large as ``scratch_size`` says at least.

    Returns:
        [N], float64, 0 where the target is -1.
    """
    found = np.zeros(targets.size)
    for part in _column_blocks(targets.size, len(layer.W)):
        _, sums, chosen = _exponentials(layer, columns[:, part], _rows_of(targets[part], len(layer.W)), scratch)
        known = targets[part] >= 0
        found[part][known] = (chosen - np.log(sums))[known]
    return found


def log_softmax(layer: Classes, columns: Array) -> Array:
    """Normalised log-probabilities of every class for columns [H, N]: [V, N]."""
    logits = np.empty((len(layer.W), columns.shape[1]), columns.dtype)
    write_logits(layer, columns, logits)
    logits -= logits.max(axis=0)
    logits -= np.log(np.exp(logits).sum(axis=0))
    return logits


def cross_entropy(
    layer: Classes,
    gradients: Classes,
    columns: Array,
    targets: Ids,
    share: float,
    d_columns: Array,
    scratch: Array,
    weights: Real | None = None,
    smoothing: float = 0.0,
) -> float:
    """The sum of the losses -log P(target) in nats, each times its weight, and the gradients of ``share`` times it.

    With label smoothing by epsilon (Szegedy et al. 2016, section 7) the gradients are of another sum than that which is
    returned, of the cross-entropy with the distribution (1 - epsilon) [target] + epsilon / V of the V classes. What is
    returned stays the plain one, which compares with that of other texts.

    Args:
        layer: the classes.
        gradients: of W and b; overwritten.
        columns: [H, N].
        targets: [N], classes; -1 is not counted.
        share: what a loss of weight 1 counts in the mean.
        d_columns: [H, N]; overwritten.
        scratch: as large as ``scratch_size`` says at least.
        weights: [N], of the losses; None: 1.
        smoothing: epsilon.
    """
    total = 0.0
    shares = np.full(targets.size, share) if weights is None else share * weights
    for part in _column_blocks(targets.size, len(layer.W)):
        block, known = columns[:, part], targets[part] >= 0
        rows = _rows_of(targets[part], len(layer.W))
        e, sums, chosen = _exponentials(layer, block, rows, scratch)
        losses = (np.log(sums) - chosen)[known]
        total += float(losses.sum() if weights is None else losses @ weights[part][known])
        scale = np.where(known, shares[part] / sums, 0).astype(e.dtype)
        of_target = ((1 - smoothing) * shares[part]).astype(e.dtype)
        of_each = np.where(known, shares[part] * (smoothing / len(layer.W)), 0).astype(e.dtype)
        for each in rows:
            d_logits = e[each.part]
            d_logits *= scale
            if smoothing:
                d_logits -= of_each
            d_logits[each.row, each.column] -= of_target[each.column]
            _add_gradients(gradients, each.part, d_logits, block, first=part.start == 0)
        np.matmul(layer.W.T, e, out=d_columns[:, part])
    return total


def _add_gradients(gradients: Classes, part: slice, d_logits: Array, columns: Array, *, first: bool) -> None:
    """Add the gradients of some classes to what the blocks of columns before gave, or overwrite them."""
    if first:
        np.matmul(d_logits, columns.T, out=gradients.W[part])
    else:
        gradients.W[part] += d_logits @ columns.T
    if gradients.b is not None:
        # A product with ones sums rows faster than ``sum`` does.
        sums = d_logits @ np.ones(d_logits.shape[1], d_logits.dtype)
        gradients.b[part] = sums if first else gradients.b[part] + sums


def _exponentials(layer: Classes, columns: Array, rows: list[_Rows], scratch: Array) -> tuple[Array, Real, Real]:
    """exp(W a + b) in the scratch [V, N], its column sums [N], and the targets' logits [N], 0 where there is none.

    Where a sum is out of bounds, all three are those of the logits less their columns' largest.
    """
    V, N = len(layer.W), columns.shape[1]
    e = scratch[: V * N].reshape(V, N)
    sums, chosen = np.zeros(N), np.zeros(N)
    for each in rows:
        part = e[each.part]
        write_logits(Classes(layer.W[each.part], None if layer.b is None else layer.b[each.part]), columns, part)
        chosen[each.column] = part[each.row, each.column]
        with np.errstate(over="ignore", invalid="ignore"):
            np.exp(part, out=part)
            sums += np.ones(len(part), part.dtype) @ part
    if not np.all((sums > LEAST) & (sums < MOST)):
        write_logits(layer, columns, e)
        e -= e.max(axis=0)
        for each in rows:
            chosen[each.column] = e[each.part][each.row, each.column]
        np.exp(e, out=e)
        sums = e.sum(axis=0, dtype=np.float64)
    return e, sums, chosen


def _width(classes: int) -> int:
    return max(FEWEST, BLOCK // classes)


def _column_blocks(columns: int, classes: int) -> Iterator[slice]:
    """Blocks of columns; one that is empty where there are none."""
    width = _width(classes)
    return (slice(begin, min(begin + width, columns)) for begin in range(0, max(1, columns), width))


def _rows_of(targets: Ids, classes: int) -> list[_Rows]:
    """The classes in blocks of nearly the same size, each with those of the targets [N] that are in it."""
    number = min(classes, max(1, round(classes * targets.size / CACHED)))
    bounds = [classes * k // number for k in range(number + 1)]
    order = np.argsort(targets, kind="stable")
    cuts = np.searchsorted(targets[order], bounds)
    found = []
    for k in range(number):
        columns = order[cuts[k] : cuts[k + 1]]
        found.append(_Rows(slice(bounds[k], bounds[k + 1]), targets[columns] - bounds[k], columns))
    return found
