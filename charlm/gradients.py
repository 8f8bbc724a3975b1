"""How the gradient of a prediction fades over the steps before it: vanishing and exploding gradients, measured.

The loss at one step t is L_t = -log P(token t+1 | tokens up to t). Through the state s that is carried from step to
step it depends on all earlier ones. Measured is the Euclidean norm of

    dL_t / ds_{t-k},  s = h or c,  k = 1, 2, ...

that is, of what backpropagation through time carries across the boundary between steps t-k and t-k+1, per layer and
per part of the state, averaged over positions t (Hochreiter 1991; Bengio et al. 1994; Pascanu et al. 2013, whose
vanishing and exploding gradients are the fall and the rise of this curve). In a stack, what reaches a lower layer at
the same step through the layer above belongs to that boundary's own step and is not counted.

Everything is float64: a gradient that has faded to 1e-40 is still a number.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from charlm.config import require
from charlm.errors import InputError
from charlm.nn.arrays import Flags, Ids, States
from charlm.nn.language_model import LanguageModel, Workspace

WARM = 256
"""Steps before the first that is measured, where the text has them, so that the state is one of mid-text."""
LANES = 64
"""Positions that are measured side by side."""


@dataclass(frozen=True)
class Decay:
    """The fading of one part of one layer's state.

    Attributes:
        layer: from 1, the bottom one.
        part: "hidden" or "cell".
        norms: [K], mean norm of dL_t / ds_{t-k} for k = 1 .. K.
        deviations: [K], standard deviation of the norms over positions.
    """

    layer: int
    part: str
    norms: NDArray[np.float64]
    deviations: NDArray[np.float64]

    @property
    def name(self) -> str:
        """Such as "layer 1 hidden"."""
        return f"layer {self.layer} {self.part}"

    def lag_below(self, share: float) -> int | None:
        """The first lag whose norm is below a share of that at lag 1; None if there is none."""
        below = np.flatnonzero(self.norms < share * self.norms[0])
        return int(below[0]) + 1 if below.size else None


@dataclass(frozen=True)
class Measurement:
    """Gradients by lag.

    Attributes:
        decays: one for each part of each layer's state, from the bottom up.
        positions: [K], how many positions have k steps before them, for k = 1 .. K.
    """

    decays: tuple[Decay, ...]
    positions: NDArray[np.int64]


def measure(
    model: LanguageModel, ids: Ids, *, line_end: int | None, lags: int, positions: int, seed: int = 1
) -> Measurement:
    """Measure how gradients fade over the steps of a text.

    Args:
        model: whose gradients; its parameters are not changed.
        ids: [N], the text.
        line_end: where lines are independent, the id that ends one: nothing reaches back beyond its line.
        lags: K, most steps to go back; fewer if no text is so long.
        positions: how many positions to average over; drawn at random where the text has more.
        seed: of that draw.

    Raises:
        UsageError: ``lags`` or ``positions`` is below 1.
        InputError: the text is too short for a single lag.
    """
    require("--lags", lags, minimum=1)
    require("--positions", positions, minimum=1)
    begins = _begins(ids, line_end)
    chosen = _chosen(begins, lags, positions, np.random.default_rng(seed))
    lags = min(lags, int((chosen - begins[chosen]).max()))
    exact = _in_float64(model)
    groups = [chosen[i : i + LANES] for i in range(0, len(chosen), LANES)]
    measured = [_measure_lanes(exact, ids, group, begins[group], lags) for group in groups]
    norms = np.concatenate([each for each, _ in measured], axis=-1)
    reached = np.concatenate([each for _, each in measured], axis=-1)
    return _averaged(exact, norms, reached)


def _averaged(model: LanguageModel, norms: NDArray[np.float64], reached: Flags) -> Measurement:
    """From norms [parts, K, positions] and whether a position reaches so far back [K, positions]."""
    counts = reached.sum(axis=-1)
    means = np.where(reached, norms, 0).sum(axis=-1) / counts
    squares = np.where(reached, (norms - means[..., None]) ** 2, 0).sum(axis=-1) / counts
    names = [(k + 1, part) for k, block in enumerate(model.stack.blocks) for part in block.state_names]
    rows = zip(names, means, np.sqrt(squares), strict=True)
    return Measurement(tuple(Decay(*name, mean, deviation) for name, mean, deviation in rows), counts)


def _begins(ids: Ids, line_end: int | None) -> NDArray[np.int64]:
    """For each token, where its text begins."""
    if line_end is None:
        return np.zeros(ids.size, np.int64)
    bounds = np.concatenate(([0], np.flatnonzero(ids[:-1] == line_end) + 1))
    return np.repeat(bounds, np.diff(np.append(bounds, ids.size)))


def _chosen(begins: NDArray[np.int64], lags: int, positions: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Positions to measure at, those with so many steps before them first; a text's first token has none."""
    before = np.arange(begins.size) - begins
    far, near = np.flatnonzero(before >= lags), np.flatnonzero((before >= 1) & (before < lags))
    if not far.size + near.size:
        raise InputError("the text is too short to measure gradients over steps: give one of at least two tokens")
    picked = [generator.permutation(far)[:positions]]
    picked.append(generator.permutation(near)[: positions - len(picked[0])])
    return np.sort(np.concatenate(picked))


def _in_float64(model: LanguageModel) -> LanguageModel:
    exact = LanguageModel(model.config, np.float64)
    exact.parameters.values[...] = model.parameters.values
    return exact


def _measure_lanes(
    model: LanguageModel, ids: Ids, positions: NDArray[np.int64], begins: NDArray[np.int64], lags: int
) -> tuple[NDArray[np.float64], Flags]:
    """Norms [parts, K, lanes] by lag of the losses at ``positions``, and which of them are steps of the lane's text."""
    first = np.maximum(begins, positions - lags - WARM)
    time = int((positions - first).max()) + 1
    steps = np.arange(time)[:, None] - (time - 1) + positions  # [T, B], the token that each step predicts
    starts = steps == first
    begun = (steps >= first) & (steps > begins)  # what stands before is no token, or a start
    inputs = np.where(begun, ids[np.maximum(steps - 1, 0)].astype(np.int64), -1)
    last = min(lags, time)
    states, work = model.initial_states(positions.size), model.new_workspace(time, positions.size)
    if time > last:
        states = model.advance(work, inputs[:-last], starts[:-last], states)
    norms = np.zeros((sum(map(len, states)), lags, positions.size))
    norms[:, :last] = _norms(model, work, inputs[-last:], starts[-last:], ids[positions].astype(np.int64), states)
    return norms, np.arange(1, lags + 1)[:, None] <= positions - begins


def _norms(
    model: LanguageModel, work: Workspace, inputs: Ids, starts: Flags, targets: Ids, states: States
) -> NDArray[np.float64]:
    """Norms [parts, T, B] of the gradients of the loss at the last step by the states before it, the nearest first.

    The steps are run one at a time, each on a tape of its own, since the gradients between them are what is wanted.
    """
    time, batch = inputs.shape
    steps = [replace(work, tape=model.stack.new_tape(1, batch, np.float64)) for _ in range(time)]
    for t, step in enumerate(steps[:-1]):
        states = model.advance(step, inputs[t : t + 1], starts[t : t + 1], states)
    _, _, d_states = model.loss_and_gradients(steps[-1], inputs[-1:], targets[None], starts[-1:], states)
    found = [d_states]
    for t in reversed(range(time - 1)):
        steps[t].tape.d_activations[...] = 0
        d_states = model.stack.backward(
            model.parameters,
            work.operands,
            work.d_operands,
            steps[t].tape,
            inputs[t : t + 1],
            starts[t : t + 1],
            d_states,
        )
        found.append(d_states)
    # The loss is a mean over lanes: each lane's own has a gradient so many times as large.
    by_lag = [[batch * np.linalg.norm(part, axis=0) for state in each for part in state] for each in found]
    return np.swapaxes(np.array(by_lag), 0, 1)
