"""The first layer's operand where one lane takes one step at a time, as one stream of samples does.

There a product is a matrix on one column, and takes as long as the matrix takes to be read. Of the matrix on one-hot
rows, all columns are read and one counts. So here the input is one row, which is always 1, and each step writes its
token's column into the matrix instead. The block sees an operand like any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array, Views
from charlm.nn.block import Block, Operand


@dataclass(frozen=True)
class TokenOperand(Operand):
    """An operand for one input row.

    Attributes:
        tokens: gate -> [V + 1, H], what each token's embedding gives the gate, scaled as the gate is; the last row is
            that of the id -1, zero.
    """

    tokens: Mapping[str, Array]

    @cached_property
    def _columns(self) -> tuple[tuple[Array, Array], ...]:
        """For each gate its column in the matrix [H], and what stands in it for each token [V + 1, H]."""
        return tuple((self.places[g].input[:, 0], columns) for g, columns in self.tokens.items())

    def read(self, tokens: Sequence[int]) -> None:
        """Put a token, -1 for none, in the place of the one before; of several, the embeddings add up."""
        for column, of_tokens in self._columns:
            column[...] = of_tokens[tokens[0]]
            for token in tokens[1:]:
                np.add(column, of_tokens[token], out=column)


def in_columns(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Zeros whose columns are contiguous: with one column OpenBLAS multiplies such a matrix a third faster."""
    return np.zeros(shape, dtype, order="F")


def new_token_operand(block: Block, vocabulary: int, dtype: DTypeLike) -> TokenOperand:
    """Allocate an operand of a block for V tokens; ``pack_tokens`` fills it."""
    tokens = {g: np.zeros((vocabulary + 1, block.hidden), dtype) for g in block.gates}
    return TokenOperand(**vars(block.new_operand(1, dtype, in_columns)), tokens=tokens)


def pack_tokens(block: Block, views: Views, operand: TokenOperand, table: Array) -> None:
    """Write the operand from the block's parameters and the embeddings [V, X]."""
    block.pack(views, operand, table[:1], back=False)
    for g, columns in operand.tokens.items():
        np.matmul(table, views[f"W_{g}x"].T, out=columns[:-1])
        columns[...] *= operand.places[g].scale
