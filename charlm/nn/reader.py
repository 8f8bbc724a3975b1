"""An embedding and an encoder: ids of whole texts in, one column of activations a token out."""

import numpy as np

from charlm.nn.arrays import Array, Views
from charlm.nn.dropout import draw_scales
from charlm.nn.embedding import add_gathered_gradient, write_gathered
from charlm.nn.encoder import Encoder, EncoderConfig, EncoderWork
from charlm.nn.initializers import uniform
from charlm.nn.parameters import ParameterSpec
from charlm.nn.regularization import OFF, Regularization
from charlm.nn.text_lanes import TextLanes


class Reader:
    """Parameters: ``embedding`` [V, E], and those of the encoder.

    Args:
        vocabulary: V.
        embedding: E.
        config: of the encoder. What its input has more than E rows is given to ``forward``.

    Raises:
        UsageError: the configuration names a block or option that does not exist.
    """

    def __init__(self, vocabulary: int, embedding: int, config: EncoderConfig) -> None:
        self.vocabulary = vocabulary
        self.embedding = embedding
        self.encoder = Encoder(config)

    def parameter_specs(self) -> list[ParameterSpec]:
        table = ParameterSpec("embedding", (self.vocabulary, self.embedding), True)
        return [table, *self.encoder.parameter_specs()]

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """Embeddings uniform with unit variance; each block as it says itself."""
        uniform(views["embedding"], float(np.sqrt(3)), generator)
        self.encoder.initialize(views, generator)

    def forward(
        self,
        views: Views,
        work: EncoderWork,
        lanes: TextLanes,
        more: Array | None = None,
        how: Regularization = OFF,
    ) -> Array:
        """Read texts.

        Args:
            views: the parameters.
            work: the encoder's, packed.
            lanes: the texts.
            more: [T, X - E, B], what stands below each token's embedding.
            how: what to do against learning by heart, when training; as given to ``pack``.

        Returns:
            The outputs [T, rows, B], as ``Encoder.forward``.
        """
        x = self.encoder.make_room(work, *lanes.ids.shape)
        work.scales = draw_scales(views["embedding"], self.vocabulary, how)
        write_gathered(x[:, : self.embedding], views["embedding"], lanes.ids, work.scales)
        if more is not None:
            x[:, self.embedding :] = more
        return self.encoder.forward(work, lanes, how)

    def backward(self, views: Views, gradients: Views, work: EncoderWork, lanes: TextLanes) -> Array:
        """Write the gradients of all parameters, as ``Encoder.backward``.

        Returns:
            The gradient of the encoder's input, the embedding above and what came from elsewhere below, [X, T * B].
        """
        d_input = self.encoder.backward(views, gradients, work, lanes)
        gradients["embedding"][...] = 0
        add_gathered_gradient(gradients["embedding"], d_input[: self.embedding], lanes.ids, work.scales)
        return d_input
