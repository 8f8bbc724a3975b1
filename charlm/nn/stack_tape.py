"""What a window of a whole stack leaves for backward, its layers' own tapes included."""

from dataclasses import dataclass

from charlm.nn.activation_penalty import ActivationPenalty
from charlm.nn.arrays import Array
from charlm.nn.block import Tape
from charlm.nn.dropconnect import DropConnect
from charlm.nn.dropout import Dropout


@dataclass
class StackTape:
    """Room for windows of up to T steps of B lanes. Shorter windows use its first steps."""

    layers: tuple[Tape, ...]
    activations: Array  # [T, H, B], the top layer's output, after dropout
    inputs: Dropout  # on [T, E, B]
    connections: tuple[DropConnect, ...]  # of each layer
    dropout: tuple[Dropout, ...]  # on [T, H, B] a layer
    penalty: ActivationPenalty
    d_residual: Array  # [T, H, B]: what passes a layer by on its residual connection
    keep: bool
    scales: Array | None = None  # [V + K]: what the embeddings were multiplied by, if tokens were dropped

    @property
    def d_outputs(self) -> Array:
        """[T, H, B]: the gradient of ``activations``; on the way back, of each layer's output in turn.

        It stands in the same memory: it is written when the head is done with the activations.
        """
        return self.activations
