"""One column a text out of one a token.

last    forward's output at the last token beside backward's at the first: where each has read all
mean    of the outputs at all tokens
max     the largest at any token, each row by itself
"""

from typing import NamedTuple

import numpy as np

from charlm.config import POOLINGS, choose
from charlm.nn.arrays import Array, Ids
from charlm.nn.embedding import write_gathered
from charlm.nn.text_lanes import TextLanes


class Pooled(NamedTuple):
    """What was pooled.

    Attributes:
        columns: [rows, N], one for each text.
        chosen: [N, rows], of ``max``: where in the flattened [T * B] each number stood; else empty.
    """

    columns: Array
    chosen: Ids


class Pooling:
    """A kind of pooling over outputs of ``hidden`` rows a direction.

    Raises:
        UsageError: there is no such kind.
    """

    def __init__(self, kind: str, hidden: int) -> None:
        choose("--pooling", kind, POOLINGS)
        self.kind = kind
        self.hidden = hidden

    def forward(self, outputs: Array, lanes: TextLanes) -> Pooled:
        """Pool outputs [T, rows, B]; what stands where no text is does not matter."""
        if self.kind == "last":
            rows = [outputs[t, part, b] for part, t, b in self._whole(outputs, lanes)]
            return Pooled(np.concatenate(rows, axis=1).T, np.empty(0, np.int64))
        tokens = outputs.swapaxes(1, 2).reshape(lanes.ids.size, -1)[lanes.order]
        if self.kind == "mean":
            sums = np.add.reduceat(tokens, lanes.firsts, axis=0)
            return Pooled((sums / _column(lanes.lengths, sums)).T, np.empty(0, np.int64))
        largest = np.maximum.reduceat(tokens, lanes.firsts, axis=0)
        # The first token of a text that has its largest number.
        numbers = np.where(
            tokens < np.repeat(largest, lanes.lengths, axis=0), len(tokens), np.arange(len(tokens))[:, None]
        )
        return Pooled(largest.T, lanes.order[np.minimum.reduceat(numbers, lanes.firsts, axis=0)])

    def backward(self, d_columns: Array, pooled: Pooled, lanes: TextLanes, d_outputs: Array) -> None:
        """Write the gradient of the outputs [T, rows, B], zero where no text is, from that of the columns [rows, N]."""
        if self.kind == "mean":
            write_gathered(d_outputs, d_columns.T / _column(lanes.lengths, d_columns), lanes.text)
            return
        d_outputs[...] = 0
        if self.kind == "last":
            for part, t, b in self._whole(d_outputs, lanes):
                d_outputs[t, part, b] = d_columns.T[:, part]
        else:
            t, b = np.divmod(pooled.chosen, d_outputs.shape[2])
            d_outputs[t, np.arange(len(d_columns)), b] = d_columns.T

    def _whole(self, outputs: Array, lanes: TextLanes) -> list[tuple[slice, Ids, Ids]]:
        """Of each direction, its rows, and the steps and lanes of the texts' tokens at which it has read all."""
        H = self.hidden
        last = lanes.order[lanes.firsts + lanes.lengths - 1]
        found = [(slice(0, H), *np.divmod(last, outputs.shape[2]))]
        if outputs.shape[1] > H:
            found.append((slice(H, 2 * H), *np.divmod(lanes.order[lanes.firsts], outputs.shape[2])))
        return found


def _column(lengths: Ids, like: Array) -> Array:
    return lengths[:, None].astype(like.dtype)
