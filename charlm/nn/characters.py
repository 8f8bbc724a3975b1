"""The character network: a word's spelling as a vector, so that words that were never seen have one too.

An encoder of both directions reads each distinct form (Lample et al. 2016): forward's output at its last character
beside backward's at its first, [2H].
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array, Views
from charlm.nn.embedding import add_gathered_gradient, write_gathered
from charlm.nn.encoder import EncoderConfig, EncoderWork
from charlm.nn.parameters import ParameterSpec
from charlm.nn.pooling import Pooled, Pooling
from charlm.nn.reader import Reader
from charlm.nn.regularization import OFF, Regularization
from charlm.nn.text_lanes import Forms


@dataclass
class CharacterWork:
    """The memory that one user works in."""

    reader: EncoderWork
    pooled: Pooled | None = None  # of the last ``forward``


class CharacterNetwork:
    """Parameters as of a ``Reader``.

    Args:
        characters: how many there are.
        embedding: size of a character's.
        hidden: units H of each direction.
        cell: a name in the registry of blocks.
        options: of the cell.
    """

    def __init__(self, characters: int, embedding: int, hidden: int, cell: str, options: Mapping[str, str]) -> None:
        config = EncoderConfig(embedding, cell, options, hidden=hidden)
        self.reader = Reader(characters, embedding, config)
        self.pooling = Pooling("last", hidden)
        self.output_size = config.output_size

    def parameter_specs(self) -> list[ParameterSpec]:
        return self.reader.parameter_specs()

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        self.reader.initialize(views, generator)

    def new_work(self, dtype: DTypeLike, *, keep: bool) -> CharacterWork:
        """Allocate what one user works in; it grows as forms come."""
        return CharacterWork(self.reader.encoder.new_work(1, 1, dtype, keep=keep))

    def forward(self, views: Views, work: CharacterWork, forms: Forms, how: Regularization = OFF) -> Array:
        """Read the forms: [T, 2H, B], for each token its form's vector.

        Characters are not dropped as tokens are, so that a token that is can still be told by its spelling.
        """
        own = replace(how, embedding=0, inputs=0)
        outputs = self.reader.forward(views, work.reader, forms.lanes, how=own)
        work.pooled = self.pooling.forward(outputs, forms.lanes)
        time, batch = forms.place.shape
        vectors = np.empty((time, self.output_size, batch), outputs.dtype)
        write_gathered(vectors, work.pooled.columns.T, forms.place)
        return vectors

    def backward(self, views: Views, gradients: Views, work: CharacterWork, forms: Forms, d_columns: Array) -> None:
        """Write the gradients of all parameters, from that of what was read as columns [2H, T * B]."""
        assert work.pooled is not None, "nothing was read"
        d_forms = np.zeros((forms.lanes.number, self.output_size), d_columns.dtype)
        add_gathered_gradient(d_forms, d_columns, forms.place)
        d_outputs = work.reader.room.d_outputs[: len(forms.lanes.ids)]
        self.pooling.backward(d_forms.T, work.pooled, forms.lanes, d_outputs)
        self.reader.backward(views, gradients, work.reader, forms.lanes)
