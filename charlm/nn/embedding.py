"""Token ids into a layer's input rows, two ways.

A small vocabulary is written as one-hot rows, and the embedding is folded into the first layer's operand
(``W_x @ embedding``), so that the recurrent product does the look-up. A large one is gathered.
The id -1 is the zero vector: the input before a text's first token. Where an input has several ids, as that of a token
and that of its text's label, their embeddings are added.
"""

import numpy as np

from charlm.nn.arrays import Array, Ids


def folds(vocabulary: int, embedding: int) -> bool:
    """Whether one-hot rows cost less than gathered ones.

    One-hot rows take part in two products a step (forward and weight gradient) with V rows, gathered ones in three
    (the input's gradient too) with E, besides the gathering itself.
    """
    return vocabulary <= max(128, 2 * embedding)


def write_one_hot(rows: Array, ids: Ids, scales: Array | None = None) -> None:
    """Write ids [T, B], or several [N, T, B], as one-hot columns into rows [T, V, B]; -1 becomes a zero column.

    With ``scales`` [V], an id's row holds that in place of 1.
    """
    time, batch = ids.shape[-2:]
    rows[...] = 0
    for each in ids.reshape(-1, time, batch):
        # Where the id is -1, a zero is added to the last row.
        rows[np.arange(time)[:, None], each, np.arange(batch)] += each >= 0
    if scales is not None:
        rows *= scales[:, None]


def write_gathered(rows: Array, table: Array, ids: Ids, scales: Array | None = None) -> None:
    """Write the embeddings of ids [T, B], or sums of several [N, T, B], into rows [T, E, B], from table [V, E].

    The embedding of -1 is zero. With ``scales`` [V], every embedding is multiplied by that of its id.
    """
    vectors = table[ids]
    if scales is not None:
        vectors *= scales[ids, None]
    vectors[ids < 0] = 0
    rows[...] = (vectors if ids.ndim == rows.ndim - 1 else vectors.sum(axis=0)).swapaxes(1, 2)


def add_gathered_gradient(d_table: Array, d_rows: Array, ids: Ids, scales: Array | None = None) -> None:
    """Add d_rows [E, T * B] to the rows of d_table [V, E] that ids [T, B] or [N, T, B] named; the adjoint of gathering.

    Equal ids are summed by sorting and one ``add.reduceat``, so only rows that occurred are touched. ``scales`` are
    those that were given to ``write_gathered``.
    """
    flat = ids.reshape(-1)
    order = np.argsort(flat, kind="stable")
    order = order[np.searchsorted(flat[order], 0) :]
    if order.size == 0:
        return
    ordered = flat[order]
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    gradients = d_rows.T[order % d_rows.shape[1]]
    if scales is not None:
        gradients *= scales[ordered, None]
    d_table[ordered[begins]] += np.add.reduceat(gradients, begins, axis=0)
