"""How many floating-point operations the mathematics of a training step needs."""

from charlm.config import ModelConfig
from charlm.nn.stack import Stack


def training_flops(config: ModelConfig, window: int, batch: int) -> int:
    """Operations of the matrix products of one training step, two for each multiply-add.

    A layer of G gates and H units over R input rows has, at each step of each lane, the product with [h; x; 1], as
    much again for the gradient of its weights, G H H for that of the state before, and G H R for that of its input;
    the last falls away where the input is one-hot, so that nobody asks for its gradient. The softmax head has three
    products of V H. Nothing else is counted, neither elementwise work nor packing nor the optimiser.

    Args:
        config: shape of the model.
        window: steps T.
        batch: lanes B.

    Raises:
        UsageError: the configuration names a block or option that does not exist.
    """
    stack, H = Stack(config), config.hidden
    multiply_adds = 3 * config.vocabulary * H
    for k, (block, R) in enumerate(zip(stack.blocks, stack.input_rows, strict=True)):
        rows = len(block.gates) * H
        one_hot = k == 0 and stack.folded
        multiply_adds += 2 * rows * (H + R + 1) + rows * H + (0 if one_hot else rows * R)
    return 2 * multiply_adds * window * batch
