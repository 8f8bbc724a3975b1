"""The parts of a training step one by one, each again and again on data that is in the cache.

Their sum is what the step would take if nothing had to come from memory: no window between one part and the next, no
copies, no tokens. Each part is the engine's own.
"""

from collections.abc import Callable, Iterable
from functools import partial
from statistics import median

import numpy as np

from charlm.config import ModelConfig
from charlm.nn.block import Block, Operand, Tape
from charlm.nn.columns import Columns
from charlm.nn.language_model import LanguageModel, head_views
from charlm.nn.stack import NOWHERE
from charlm.speed import repeat
from charlm.training.clipping import clip
from charlm.training.optimizers import make_optimizer

REPEATS = 9
SMALL = 1e-3
"""Everywhere in the arrays: numbers that neither vanish nor grow."""
Part = Callable[[], object]


def seconds_alone(config: ModelConfig, window: int, batch: int) -> dict[str, float]:
    """Median seconds of each part of a step, that of all layers together."""
    model = LanguageModel(config)
    model.initialize(0)
    work, one = model.new_workspace(window, batch), model.new_workspace(1, batch)
    blocks, parameters = model.stack.blocks, model.parameters
    parameters.gradient_values[...] = SMALL
    optimizer = make_optimizer("adamw", parameters, 0.0)
    for tape in (*work.tape.layers, *one.tape.layers):
        tape.inputs[...] = tape.d_gates[...] = SMALL
    fed = [not (k == 0 and model.stack.folded) for k in range(len(blocks))]
    layers = list(zip(blocks, work.operands, work.d_operands, work.tape.layers, one.tape.layers, fed, strict=True))
    columns = work.columns
    return {
        "time loops": _sum(partial(_loop, block, operand, step, window) for block, operand, _, _, step, _ in layers),
        "gradient of the weights": _sum(_weights(columns, block, d, tape) for block, _, d, tape, _, _ in layers),
        "gradient of the input": _sum(_input(columns, block, op, tape) for block, op, _, tape, _, fed in layers if fed),
        "softmax head": _sum([_head(model, window, batch)]),
        "packing": _sum([partial(model.pack, work)]),
        "optimiser and clipping": _sum([partial(clip, parameters.gradient_values, 1), partial(optimizer.update, 1e-6)]),
    }


def _sum(parts: Iterable[Part]) -> float:
    return sum(median(repeat(part, 0.0, REPEATS)) for part in parts)


def _loop(block: Block, operand: Operand, tape: Tape, window: int) -> None:
    """A step forward and back, as often as a window has steps."""
    batch = tape.inputs.shape[2]
    state, output = block.zero_state(batch, np.float32), np.empty((1, block.hidden, batch), np.float32)
    d_output = np.full_like(output, SMALL)
    for _ in range(window):
        block.forward(operand, tape, state, NOWHERE, output)
        block.backward(operand, tape, d_output, state, NOWHERE)


def _weights(columns: Columns, block: Block, d_operand: Operand, tape: Tape) -> Part:
    window = columns.window(tape.d_gates, tape.inputs[: len(tape.d_gates)])
    return partial(block.weight_gradient, tape, len(tape.d_gates), window, d_operand)


def _input(columns: Columns, block: Block, operand: Operand, tape: Tape) -> Part:
    window = columns.window(tape.d_gates, tape.inputs[: len(tape.d_gates)])
    return partial(block.input_gradient, operand, tape, window, window.inputs[: len(operand.input_back)])


def _head(model: LanguageModel, window: int, batch: int) -> Part:
    generator, vocabulary = np.random.default_rng(0), model.config.vocabulary
    activations = np.full((model.config.hidden, window, batch), SMALL, np.float32)
    targets = generator.integers(vocabulary, size=(window, batch))
    scratch = model.head.new_scratch(window * batch, np.float32)
    views, gradients = (head_views(model.config, v) for v in (model.parameters.views, model.parameters.gradients))
    return partial(model.head.loss_and_gradients, views, gradients, activations, targets, activations.copy(), scratch)
