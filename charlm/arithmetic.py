"""How much arithmetic a training step needs: what its speed is to be measured by."""

from math import prod

from charlm.config import ModelConfig
from charlm.nn.language_model import parameter_specs

OPERATIONS = 2
"""A multiplication and an addition for every weight that a column is multiplied by."""
PRODUCTS = 3
"""Forward; backward to what the weights were multiplied by; and backward to the weights."""
MATRIX = 2
"""Axes of a matrix."""


def training_flops(config: ModelConfig, window: int, batch: int) -> int:
    """Floating-point operations of the matrix products that one training step needs.

    Every matrix (recurrent, input, head) takes part in three products with T * B columns. What counts is what the
    mathematics needs, not what an engine does. The inputs of the first layer are the embeddings of tokens, at most
    V different ones, and so are its products with them: ``W_gx`` is counted with min(V, T * B) columns, whether the
    embedding is gathered or folded into the layer. What works element by element (gates, vectors, softmax, clipping,
    optimiser) is not counted: a share of the machine's peak that rests on this count is a lower bound.

    Args:
        config: the model's shape.
        window: steps T.
        batch: lanes B.

    Raises:
        UsageError: the configuration names a block or option that does not exist.
    """
    columns = window * batch
    distinct = min(config.vocabulary, columns)
    weights = 0
    for name, shape, _ in parameter_specs(config):
        if len(shape) == MATRIX and name != "embedding":
            reads_tokens = name.startswith("layers.0.W_") and name.endswith("x")
            weights += prod(shape) * (distinct if reads_tokens else columns)
    return OPERATIONS * PRODUCTS * weights
