"""The tricks on what happens once a window, and on forward passes without a way back."""

import tracemalloc
from collections.abc import Callable

import numpy as np

from bench.charlm_engine import random_model
from bench.trick import LayerWindow, Pair, Result, Sizes, Trick
from charlm.nn.arrays import Array
from charlm.nn.columns import Columns, flat, write_transposed
from charlm.nn.heads.softmax import SoftmaxHead
from charlm.nn.language_model import LanguageModel, Workspace
from charlm.nn.parameters import Parameters
from charlm.sampling.config import SamplingConfig
from charlm.sampling.side_by_side import MOST_LANES, Job, sample_side_by_side
from charlm.sampling.stream import sample
from charlm.scoring import LANES, WINDOW
from charlm.training.optimizers import AdamW

LR = 1e-3
SAME_SAMPLES = 0.9
"""Least share of samples that are equal: a product of another width may round to another character, if rarely."""


def one_weight_gradient(s: Sizes) -> Pair:
    """The weight gradient as one product, the copy into columns included, against the sum of one product a step."""
    layer, columns = LayerWindow(s), _columns(s, s.window)
    tape, total = layer.tape, np.empty_like(layer.operand.products[0])
    part = np.empty_like(total)

    def each_step() -> Result:
        total[...] = 0
        for t in range(s.window):
            np.dot(tape.d_gates[t], tape.inputs[t].T, out=part)
            np.add(total, part, out=total)
        return (total,)

    return Pair(lambda: (_weight_gradient(layer, columns),), each_step)


def padded(s: Sizes) -> Pair:
    """Columns one batch wider than the window, against columns of its width: the copy and the weight gradient."""
    layer, wide = LayerWindow(s), _columns(s, s.window)
    narrow = _columns(s, s.window - 1)  # room for one step more than it is made for is what pads it
    return Pair(lambda: (_weight_gradient(layer, wide),), lambda: (_weight_gradient(layer, narrow),))


def _columns(s: Sizes, time: int) -> Columns:
    return Columns(4 * s.hidden, s.hidden + s.vocabulary + 1, time, s.batch, np.float32)


def _weight_gradient(layer: LayerWindow, columns: Columns) -> Array:
    tape, time = layer.tape, len(layer.tape.d_gates)
    window = columns.window(tape.d_gates, tape.inputs[:time])
    layer.block.weight_gradient(tape, time, window, layer.operand)
    return layer.operand.products[0]


def folded(s: Sizes) -> Pair:
    """A window forward and back, embeddings of the layer's size folded into the operand, against gathered ones."""
    models = [random_model(s._replace(embedding=s.hidden).config) for _ in range(2)]
    stack = models[1].stack
    stack.folded, stack.input_rows[0] = False, s.hidden
    works = [model.new_workspace(s.window, s.batch) for model in models]
    ids, starts, states = s.ids(), np.zeros((s.window, s.batch), np.bool_), models[0].initial_states(s.batch)

    def run(model: LanguageModel, work: Workspace) -> Result:
        model.pack(work)
        model.loss_and_gradients(work, ids, ids[::-1], starts, states)
        return (model.parameters.gradient_values,)

    return Pair(lambda: run(models[0], works[0]), lambda: run(models[1], works[1]))


def strips(s: Sizes) -> Pair:
    """The recurrent matrices of four gates transposed in strips of a cache line, against one copy each."""
    H, matrices = s.hidden, s.normal(4, s.hidden, s.hidden)
    out = np.empty((2, H, 4 * H), np.float32)

    def in_strips() -> Result:
        for g, matrix in enumerate(matrices):
            write_transposed(out[0, :, g * H : (g + 1) * H], matrix)
        return (out[0],)

    def at_once() -> Result:
        for g, matrix in enumerate(matrices):
            out[1, :, g * H : (g + 1) * H] = matrix.T
        return (out[1],)

    return Pair(in_strips, at_once)


class WholeArrays(AdamW):
    """AdamW in passes over all parameters."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters, 0.0)
        self._scratch = np.empty(len(parameters), parameters.dtype)

    def update(self, lr: float) -> None:
        """One step, as the optimiser takes it."""
        self.updates += 1
        p, moments = self.parameters, [self.moments[name] for name in self.moment_names]
        self._update_block(p.values, p.gradient_values, moments, self._scratch, lr)


def optimizer_blocks(s: Sizes) -> Pair:
    """AdamW in blocks that stay in the cache, against passes over whole arrays; all parameters of the model."""
    each = [random_model(s.config).parameters for _ in range(2)]
    for parameters in each:
        parameters.gradient_values[...] = s.normal(len(parameters))
    blocks, whole = AdamW(each[0], 0.0), WholeArrays(each[1])

    def update(optimizer: AdamW) -> Result:
        optimizer.update(LR)
        return (optimizer.parameters.values,)

    return Pair(lambda: update(blocks), lambda: update(whole))


def softmax_blocks(s: Sizes) -> Pair:
    """The head in blocks that stay in the cache, loss and gradients, against one pass after another over all logits."""
    head = SoftmaxHead(s.hidden, s.vocabulary)
    activations, ids = np.tanh(s.normal(s.hidden, s.window, s.batch)), s.ids()
    parameters = Parameters(head.parameter_specs())
    head.initialize(parameters.views, np.random.default_rng(0))
    d_activations, scratch = np.empty_like(activations), head.new_scratch(ids.size, np.float32)

    def blocks() -> Result:
        views, gradients = parameters.views, parameters.gradients
        head.loss_and_gradients(views, gradients, activations, ids, d_activations, scratch)
        return parameters.gradient_values, d_activations

    def passes() -> Result:
        W, b, columns, targets = parameters.views["W_y"], parameters.views["b_y"], flat(activations), ids.reshape(-1)
        logits = W @ columns + b[:, None]
        logits -= logits.max(axis=0)
        d_logits = np.exp(logits)
        d_logits /= d_logits.sum(axis=0)
        d_logits[targets, np.arange(targets.size)] -= 1
        d_logits /= targets.size
        parameters.gradients["W_y"][...] = d_logits @ columns.T
        parameters.gradients["b_y"][...] = d_logits.sum(axis=1)
        np.matmul(W.T, d_logits, out=flat(d_activations))
        return parameters.gradient_values, d_activations

    return Pair(blocks, passes, memory=_peak(passes) - _peak(blocks))


def _peak(run: Callable[[], Result]) -> int:
    """Most bytes that a run has allocated at a time."""
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def forgetting(s: Sizes) -> Pair:
    """Scoring a window on a tape that keeps nothing, against one that could go back."""
    model = random_model(s.config)
    ids = s._replace(window=WINDOW, batch=LANES).ids()
    works = [model.new_workspace(WINDOW, LANES, keep=keep) for keep in (False, True)]
    starts, states = np.zeros((WINDOW, LANES), np.bool_), model.initial_states(LANES)

    def score(work: Workspace) -> Result:
        return (model.log_probabilities(work, ids, ids[::-1], starts, states)[0],)

    return Pair(lambda: score(works[0]), lambda: score(works[1]), tokens=WINDOW * LANES)


def side_by_side(s: Sizes) -> Pair:
    """Samples as long as the window, a step of all of them at a time, against one after another."""
    model, prompt, config = random_model(s.config), np.empty(0, np.int64), SamplingConfig(s.window)
    seeds = [(0, index) for index in range(MOST_LANES)]

    def together() -> Result:
        jobs = [Job(prompt, seed) for seed in seeds]
        drawn = dict(sample_side_by_side(model, jobs, config, MOST_LANES))
        return [drawn[index].ids for index in range(MOST_LANES)]

    def in_turn() -> Result:
        return [np.array(list(sample(model, prompt, config, seed))) for seed in seeds]

    return Pair(together, in_turn, agree=_mostly_equal, tokens=MOST_LANES * s.window)


def _mostly_equal(found: Result, expected: Result) -> None:
    equal = [np.array_equal(ours, theirs) for ours, theirs in zip(found, expected, strict=True)]
    assert np.mean(equal) >= SAME_SAMPLES, f"{sum(equal)} of {len(equal)} samples are equal"


WINDOW_TRICKS = (
    Trick("Weight gradient as one product a window; not one a step", "nn/block.py", one_weight_gradient),
    Trick("An embedding as large as the layer folded into the operand; not gathered", "nn/embedding.py", folded),
    Trick("Transposing in strips of a cache line; not in one go", "nn/columns.py", strips),
    Trick("Columns padded off multiples of 4096 bytes; not as wide as the window", "nn/columns.py", padded),
    Trick(
        "Optimiser in blocks that fit the cache; not in whole arrays",
        "training/optimizers.py",
        optimizer_blocks,
        head=True,
    ),
    Trick(
        "Softmax in blocks that fit the cache; not pass after pass",
        "nn/heads/cross_entropy.py",
        softmax_blocks,
        head=True,
    ),
    Trick("Scoring on a tape that keeps nothing; not on one that keeps all", "nn/columns.py", forgetting, trains=False),
    Trick("64 samples side by side; not one after another", "sampling/side_by_side.py", side_by_side, trains=False),
)
